"""The noise law of the training images: the photon-transfer plot, and whether the law holds."""

from __future__ import annotations

from collections.abc import Sequence

from napari_vaegan.report.drawing import COLOURS, INK, add_legend, dress, finite, new_figure, svg
from napari_vaegan.report.figures import percent
from napari_vaegan.report.markup import Markup, facts, figure, paragraph, section, table, text
from napari_vaegan.restoration.header import Header, NoiseRecord


def noise_section(header: Header) -> Markup:
    """Return the noise law of every channel; nothing where none was fitted."""
    parts: list[Markup] = []
    for number, law in enumerate(header.noise):
        if len(header.noise) > 1:
            parts.append(Markup(f"<h3>Channel {number + 1}</h3>"))
        parts += _law(law)
    return section("The noise of the images", *parts) if parts else Markup("")


def _law(law: NoiseRecord) -> list[Markup]:
    parts = [paragraph(_verdict(law), "" if law.fits else "warning")]
    intensities, variances, errors = finite(law.intensities, law.variances, law.errors)
    if not errors:
        intensities, variances = finite(law.intensities, law.variances)
    if intensities:
        parts.append(
            figure(
                _draw(law, intensities, variances, [max(error, 0) for error in errors]),
                "The photon-transfer plot: variance of the noise against brightness, each point with its standard "
                "error, and the line that was fitted. Its slope is the gain, its height at the offset the variance of "
                "the read noise. Points off the line by much more than their bars say that the law does not hold "
                "there, as where a camera saturates or images were processed.",
            )
        )
    parts.append(
        facts(
            [
                ("Gain", f"{law.gain:.4g} grey levels a photon"),
                ("Offset", f"{law.offset:.4g} grey levels"),
                ("Read noise", f"{law.read_noise:.4g} grey levels"),
                *(
                    [("Misfit", f"{percent(law.misfit)} of the variance, beyond the errors of the points")]
                    if law.misfit is not None
                    else []
                ),
            ]
        )
    )
    if law.correlation:
        parts.append(
            figure(
                _correlation(law.correlation),
                "How far the noise of a pixel (the middle) is shared by its neighbours: 0 around the middle is the "
                f"noise of a camera as it comes. {_correlated(law.correlation)}",
            )
        )
    return parts


def _verdict(law: NoiseRecord) -> str:
    if law.fits:
        return (
            "The noise follows the law of photons and of the camera: its variance grows with brightness in a straight line "
            f"(gain {law.gain:.3g}, offset {law.offset:.4g}, read noise {law.read_noise:.3g} grey levels)."
        )
    return (
        "The noise does not follow the law of photons and of the camera: the fitted figures below describe it badly, "
        "and what was trained on them is to be looked at with care. Usual causes are images that were processed "
        "(deconvolved, compressed, averaged, rescaled) or saturated."
    )


def _draw(law: NoiseRecord, intensities: list[float], variances: list[float], errors: list[float]) -> Markup:
    drawing = new_figure(7, 3.6)
    axes = drawing.add_subplot()
    low, high = min(*intensities, law.offset), max(intensities)
    line = [max(law.gain * (x - law.offset), 0) + law.read_noise**2 for x in (low, high)]
    axes.plot([low, high], line, color=INK, linewidth=1.1, label="fitted law")
    axes.errorbar(
        intensities,
        variances,
        yerr=errors or None,
        color=COLOURS[0],
        marker="o",
        markersize=4,
        linestyle="none",
        elinewidth=0.8,
        capsize=2,
        label="measured",
    )
    dress(axes, "", "intensity, grey levels", "variance, grey levels²")
    axes.set_ylim(bottom=0)
    add_legend(axes, loc="upper left")
    return svg(drawing, "Variance of the noise against intensity")


def _correlation(correlation: Sequence[Sequence[float]]) -> Markup:
    side = len(correlation)
    middle = side // 2
    titles = ["", *(f"{column - middle:+d}" if column != middle else "0" for column in range(side))]
    rows = [
        [text(f"{row - middle:+d}" if row != middle else "0"), *(text(f"{value:.2f}") for value in values)]
        for row, values in enumerate(correlation)
    ]
    return table(titles, rows)


def _correlated(correlation: Sequence[Sequence[float]]) -> str:
    middle = len(correlation) // 2
    others = [abs(value) for y, row in enumerate(correlation) for x, value in enumerate(row) if (y, x) != (middle, middle)]
    most = max(others, default=0.0)
    if most < 0.1:
        return "Here it is independent from pixel to pixel."
    return (
        f"Here neighbours share up to {most:.2f} of it, so that noise looks like structure: grain of that size is not data."
    )
