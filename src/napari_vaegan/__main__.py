"""``python -m napari_vaegan``: the terminal."""

from napari_vaegan.cli import main

main()
