"""The errors a user can cause: each message is one sentence that names the file or value and says what to do."""

from __future__ import annotations


class VaeganError(Exception):
    """Base of every error that a user can cause and mend. Anything else that is raised is a bug."""


class DataError(VaeganError):
    """Images cannot be found, read or used."""


class ShapeError(VaeganError):
    """An array, mask or set of axes does not fit what it is used with."""


class SettingError(VaeganError):
    """A setting or argument has a value that cannot be used."""


class ModelFileError(VaeganError):
    """A model file or checkpoint is missing, damaged, unsafe or from a newer version."""


class OutputError(VaeganError):
    """Something cannot be written where it was asked for, or would overwrite what is there."""


class Stopped(VaeganError):
    """Training was stopped before its first step: there is no model."""

    def __init__(
        self, message: str = "Training was stopped before its first step, and nothing was learned: start it again."
    ) -> None:
        super().__init__(message)
