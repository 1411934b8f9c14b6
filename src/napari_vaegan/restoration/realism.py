"""The dial from the image of least error to one possible truth.

Of all estimates, those on the straight line between the least wrong one and one that looks real trade error for realism
best (Freirich et al. 2021, there for the realistic estimate that is nearest to the least wrong one; here it is a sample).
"""

from __future__ import annotations

from napari_vaegan.errors import SettingError


def check_realism(realism: float) -> None:
    """Refuse a place of the dial that does not exist.

    Raises
    ------
    SettingError
        Naming it.
    """
    if not 0 <= realism <= 1:
        raise SettingError(
            f"The realism must lie between 0 (least error) and 1 (one possible truth), not {realism}: take 0.5, for example."
        )


def samples_for(realism: float, samples: int) -> int:
    """Return how many samples to draw: at least the one that an image beyond the best estimate is made of."""
    check_realism(realism)
    return max(samples, 1) if realism > 0 else samples


def describe_realism(realism: float, sample: int = 0) -> str:
    """Say in plain words what an image at a place of the dial is."""
    if realism == 0:
        return "best estimate: least error"
    way = "" if realism == 1 else f"{realism:.0%} of the way from the best estimate (least error) to "
    return f"{way}one possible truth (sample {sample + 1}): looks real, is partly invented; the error bars are of the mean"
