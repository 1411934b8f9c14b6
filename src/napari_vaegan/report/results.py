"""What the model makes of images held apart: pictures, and figures beside the classical tools."""

from __future__ import annotations

from napari_vaegan.report.curves import expected_gain
from napari_vaegan.report.figures import number, signed
from napari_vaegan.report.markup import Markup, figure, join, paragraph, picture, section, table, text
from napari_vaegan.restoration.quality_record import KindQuality, PatchPictures, QualityRecord


def pictures_section(quality: QualityRecord, noisy: bool) -> Markup:
    """Return rows of pictures: input, best estimate, sample, standard deviation, and truth or, if it is noisy, original."""
    if not quality.pictures:
        return section("Images that it had not seen", paragraph("There are no pictures."))
    last = "original, noisy" if noisy else "truth"
    rows = join([_row(one, last) for one in quality.pictures])
    words = (
        "Middles of patches of images that were held apart from training: what the model was given, its best estimate, "
        "one sample (a possible truth: its fine detail is invented), the calibrated standard deviation (bright: "
        f"unsure; black: known), and {'the original, noise and all' if noisy else 'the truth'}. Look for structure in the "
        f"best estimate that the {'original' if noisy else 'truth'} does not have, and whether the standard deviation is "
        "bright there."
    )
    return section("Images that it had not seen", figure(Markup(f'<div class="rows">{rows}</div>'), words))


def _row(one: PatchPictures, last: str) -> Markup:
    panels = join(
        [
            picture(one.input, "given" if one.kind != "inpaint" else "given (blue-green: missing)"),
            picture(one.mean, "best estimate"),
            picture(one.sample, "a sample"),
            picture(one.std, "standard deviation"),
            picture(one.truth, last),
        ]
    )
    scale = (
        f"shown from black to white: {number(one.black)} to {number(one.white)} grey levels; "
        f"standard deviation: 0 to {number(one.highest_std)}"
    )
    drawn = f'<div class="pictures">{panels}</div><p class="scale">{text(scale)}</p>'
    return Markup(f'<div class="row"><h3>{text(one.kind)}</h3>{drawn}</div>')


def generated_section(quality: QualityRecord) -> Markup:
    """Return the generated samples, each labelled as such."""
    if not quality.generated:
        return Markup("")
    drawn = join([picture(png, "generated, not a measurement") for png in quality.generated])
    words = (
        "Images that the model drew from nothing, unselected. They show what it takes for typical of the training images, "
        "and are no data: nothing in them exists. Texture without shapes means that training was too short for generating, "
        "which takes the longest to learn; restoring suffers little from it."
    )
    return section("Generated samples", figure(Markup(f'<div class="pictures">{drawn}</div>'), words))


def table_section(quality: QualityRecord, noisy: bool) -> Markup:
    """Return figures for each kind of observation, beside the classical tool."""
    if not quality.kinds:
        return section("Against the classical tools", paragraph("The model was trained for no task that has one."))
    samples = quality.samples
    titles = (
        "",
        "classical tool",
        "PSNR of the tool",
        "PSNR of the best estimate",
        "lead",
        "PSNR of one sample",
        f"gain of averaging {samples}",
        "SSIM of the tool",
        "SSIM of the best estimate",
        "patches",
    )
    words = (
        f"Means over patches of {quality.patch_size} × {quality.patch_size} pixels held apart from training, observed "
        "as training observes them (random holes, block means, photon and read noise of a random level). PSNR in dB: "
        "its peak is the intensity range of the image, and for inpainting the missing pixels alone count. The lead is "
        "what the best estimate gains over the classical tool, ± its standard error over patches: believe it where it "
        "is more than twice that. A sample is always further from the truth than the best estimate; averaging "
        f"{samples} should gain about {expected_gain(samples):.1f} dB: much less says that samples are too alike, much "
        "more that they are too wild."
    )
    if noisy:
        words += (
            " The patches are noisy themselves. What their noise adds to an error is taken off by its fitted law (Stein's "
            "unbiased risk estimate), so PSNR is meant against clean images, and is as right as the law; SSIM is against "
            "the noisy ones, and therefore low."
        )
    return section("Against the classical tools", figure(table(titles, [_figures(one) for one in quality.kinds]), words))


def _figures(one: KindQuality) -> list[Markup]:
    return [
        text(one.kind),
        text(one.tool),
        text(f"{one.classical_psnr:.2f}"),
        text(f"{one.mean_psnr:.2f}"),
        _lead(one),
        text(f"{one.sample_psnr:.2f}"),
        text(signed(one.gain_of_averaging)),
        text(f"{one.classical_ssim:.3f}"),
        text(f"{one.mean_ssim:.3f}"),
        text(one.patches),
    ]


def _lead(one: KindQuality) -> Markup:
    sure = abs(one.lead) > 2 * one.lead_error
    kind = ("better" if one.lead > 0 else "worse") if sure else "unsure"
    return Markup(f'<span class="{kind}">{text(f"{signed(one.lead)} ± {one.lead_error:.2f}")}</span>')
