"""The docks of the napari plugin: thin faces over the library. Nothing here computes anything."""
