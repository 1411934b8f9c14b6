"""Folder runs: restore every image of a folder."""

from napari_vaegan.batch.folder import restore_folder
from napari_vaegan.batch.summary import FileDone, FolderSummary

__all__ = ["FileDone", "FolderSummary", "restore_folder"]
