#!/usr/bin/env python3
"""Measure how long ``import napari_vaegan`` takes in a fresh interpreter: the median of eleven, and what it loads."""

from __future__ import annotations

import statistics
import subprocess
import sys

CODE = """
import sys, time
begin = time.perf_counter()
import napari_vaegan
print(time.perf_counter() - begin, [name for name in ("torch", "qtpy", "napari", "magicgui") if name in sys.modules])
"""


def main() -> None:
    runs = [subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout for _ in range(11)]
    seconds = statistics.median(float(run.split()[0]) for run in runs)
    print(f"import napari_vaegan: {1000 * seconds:.1f} ms; loads {runs[0].split(maxsplit=1)[1].strip()} of torch, qtpy, napari, magicgui")


if __name__ == "__main__":
    main()
