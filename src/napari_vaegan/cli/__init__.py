"""The terminal: ``napari-vaegan`` and its commands, one file each.

Every command imports what it needs when it runs, so that ``--help`` comes at once.
"""

from napari_vaegan.cli.app import main

__all__ = ["main"]
