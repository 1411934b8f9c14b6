"""Folder runs: restore every image of a folder, or fill one with generated images."""

from napari_vaegan.batch.folder import restore_folder
from napari_vaegan.batch.generate import GeneratedFolder, generate_folder
from napari_vaegan.batch.summary import FileDone, FolderSummary

__all__ = ["FileDone", "FolderSummary", "GeneratedFolder", "generate_folder", "restore_folder"]
