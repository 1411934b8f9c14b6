"""The terminal: ``napari-vaegan train | check | generate | inpaint | super-resolve | denoise | restore-folder | info | demo``.

Every command imports what it needs when it runs, so that ``--help`` comes at once.
"""

from napari_vaegan.cli.app import main

__all__ = ["main"]
