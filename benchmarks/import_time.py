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
    runs = [subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True) for _ in range(11)]
    seconds, loaded = zip(*(run.stdout.split(maxsplit=1) for run in runs), strict=True)
    print(f"import napari_vaegan: {1000 * statistics.median(map(float, seconds)):.1f} ms")
    print(f"of torch, qtpy, napari and magicgui it loads {loaded[0].strip()}")


if __name__ == "__main__":
    main()
