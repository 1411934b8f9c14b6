"""What a user would pick instead: a program that is trained by a script in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "peers"
ENVIRONMENTS = HERE.parent / ".peers"


@dataclass(frozen=True)
class Peer:
    """A program to be compared with: what it does, what pip installs for it, and the name of the script that runs it.

    The script is called as ``SCRIPT IMAGES RESULTS --minutes MINUTES`` and writes into RESULTS, an empty folder, its images
    as arrays and ``training.json``.
    """

    method: str
    requirements: tuple[str, ...]
    script: str

    def train(self, images: Path, results: Path, minutes: float) -> dict[str, Any]:
        """Train the peer on a folder of images and have it write its results; return what it says of the training."""
        subprocess.run([self._python(), SCRIPTS / self.script, images, results, "--minutes", f"{minutes:g}"], check=True)
        training: dict[str, Any] = json.loads((results / "training.json").read_text())
        return training

    def _python(self) -> Path:
        """Return the interpreter of its environment, made first where it is missing or holds other requirements."""
        folder = ENVIRONMENTS / Path(self.script).stem
        python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        requirements = "\n".join(self.requirements) + "\n"
        installed = folder / "installed.txt"  # written last: an installation that broke off is made anew
        if not installed.exists() or installed.read_text() != requirements:
            venv.create(folder, clear=True, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", *self.requirements], check=True)
            installed.write_text(requirements)
        return python
