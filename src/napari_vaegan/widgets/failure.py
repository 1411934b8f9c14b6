"""What a user is told of an error: one sentence; the traceback only when asked for."""

from __future__ import annotations

import traceback
from dataclasses import dataclass

from napari_vaegan.errors import VaeganError


@dataclass(frozen=True)
class Failure:
    """An error of a job.

    Attributes
    ----------
    sentence
        For the user.
    details
        The traceback.
    """

    sentence: str
    details: str

    @classmethod
    def of(cls, error: BaseException, title: str) -> Failure:
        """Describe an error that a job of this title ended with."""
        details = "".join(traceback.format_exception(error))
        if isinstance(error, VaeganError):
            return cls(str(error), details)
        from napari_vaegan.training.device import is_out_of_memory  # imports torch, which a job has imported already

        if is_out_of_memory(error):
            return cls(
                f"Memory ran out while {title[0].lower()}{title[1:]}: close what you do not need, "
                "or take a smaller preset, image or number of samples, and run it again.",
                details,
            )
        said = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
        return cls(
            f"{title} ended with an unexpected error ({reason}): please report it with what the button Details shows.",
            details,
        )
