from __future__ import annotations

import html.parser
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

import napari_vaegan as nv
from napari_vaegan.report import report_of, write_report
from napari_vaegan.report.curves import expected_gain
from napari_vaegan.report.page import page
from napari_vaegan.restoration.header import Header, NoiseRecord
from napari_vaegan.training.diagnosis.findings import Diagnosis

HOSTILE = "<script>alert('x')</script><img src=x onerror=\"alert(1)\">--><b>&"
VOID = {"meta", "img", "br"}


class Reader(html.parser.HTMLParser):
    """Collects tags and words, and sees that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def law(**changes: object) -> NoiseRecord:
    intensities = [100.0 + 50 * i for i in range(10)]
    return NoiseRecord(
        gain=2.0,
        offset=90.0,
        read_noise=3.0,
        correlation=[[1.0 if (x, y) == (2, 2) else 0.02 for x in range(5)] for y in range(5)],
        intensities=intensities,
        variances=[2 * (x - 90) + 9 for x in intensities],
        errors=[5.0] * 10,
        misfit=0.05,
    ).model_copy(update=changes)


@pytest.fixture
def header(tiny_model: nv.Model) -> Header:
    return tiny_model.header.model_copy(deep=True)


def test_a_report_is_one_small_file_that_asks_for_nothing_from_elsewhere(tiny_model_file, tmp_path):
    out = write_report(tiny_model_file, tmp_path / "report.html")
    text = out.read_text(encoding="utf-8")
    assert len(text) < 2_000_000
    reader = Reader(text)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in reader.tags}
    for _, attributes in reader.tags:
        for name in ("src", "href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,"))
    assert not re.search(r"url\((?!#)", text)


def test_a_report_says_what_a_microscopist_asks(header):
    reader = Reader(page(header))
    for words in (
        "Against the classical tools",
        "biharmonic",
        "Do the error bars hold?",
        "How training went",
        "generated, not a measurement",
        "s a megapixel",
        "an estimate, not a measurement",
        "The folder was small (8 images, 8 planes)",
    ):
        assert words in reader.words
    assert len(re.findall(r"<svg", page(header))) == 3
    figures, captions = (sum(tag == name for tag, _ in reader.tags) for name in ("figure", "figcaption"))
    assert figures == captions


def test_a_model_that_was_not_measured_says_so(header):
    header.quality = None
    words = Reader(page(header)).words
    assert "was not measured" in words
    assert "Against the classical tools" not in words


def test_the_noise_law_is_drawn_where_there_is_one(header):
    clean = page(header)
    assert "The noise of the images" not in clean
    assert "original, noisy" not in clean
    header.noise = [law()]
    header.warnings = ["The last quarter of every image is held apart, as each has noise of its own."]
    text = page(header)
    assert text.count("The last quarter of every image is held apart") == 2
    assert "of the images, at least one, for validation" not in text
    assert "original, noisy" in text
    assert "stand and fall with the fitted law" in text
    assert "follows the law" in text
    assert "independent from pixel to pixel" in text
    assert text.count("<svg") == 4


def test_a_noise_law_that_does_not_fit_is_said_to(header):
    header.noise = [law(fits=False, correlation=[[0.6] * 5] * 5), law(intensities=[], variances=[], errors=[])]
    words = Reader(page(header)).words
    assert "does not follow the law" in words
    assert "share up to 0.60" in words
    assert "Channel 2" in words


def test_nothing_in_a_header_becomes_markup(header):
    header.name = header.created = header.device = HOSTILE
    header.stages = header.warnings = [HOSTILE]
    header.versions = {HOSTILE: HOSTILE}
    header.training_set |= {"images": HOSTILE, "notes": [HOSTILE], "smallest": [HOSTILE], "intensities": [HOSTILE]}
    header.curves = [
        {"step": step, "stage": HOSTILE, "losses": {"$x_$": 1.0, "-->": 2.0, "<b>": 1.0}, "psnr": {"<i>": 3.0}}
        for step in (1, 2)
    ]
    assert header.quality is not None
    header.quality.machine = HOSTILE
    for one in (*header.quality.kinds, *header.quality.pictures):
        one.kind = HOSTILE
    header.quality.pictures[0].input = header.quality.generated[0] = f'"{HOSTILE}'
    reader = Reader(page(header))
    assert not {"script", "i"} & {tag for tag, _ in reader.tags}
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert HOSTILE in reader.words


def test_figures_that_are_no_numbers_are_left_out(header):
    header.curves = [
        {"step": step, "stage": "vae", "losses": {"kl": value}, "psnr": "none"}
        for step, value in ((1, math.nan), ("two", 1.0), (3, None), (4, math.inf), (5, 0.5))
    ]
    header.quality.kinds[0].observed[2] = math.nan
    header.noise = [law(errors=[math.nan] * 10, variances=[math.inf] * 10)]
    Reader(page(header))


def test_curves_of_a_few_late_steps_are_drawn(header):
    header.curves = [
        {"step": 1, "stage": "vae", "losses": {"mean": 1.0}},
        {"step": 5000, "stage": "adversarial", "psnr": {"denoise": 24.0}, "gain": {"denoise": 1.0}},
        {"step": 5001, "stage": "adversarial", "psnr": {"denoise": 24.1}, "gain": {"denoise": 1.1}},
    ]
    Reader(page(header))


def diagnosed(step: int, told: object = (), **changes: object) -> dict[str, object]:
    figures = Diagnosis(0.5, 0.9, 0.8, 0.6, 0.9, 1.1, 0.2, (0.0, 0.4, 1.0)).figures | changes
    return {"step": step, "progress": 0.5, "stage": "vae", "diagnosis": figures, "told": told}


def test_how_training_watched_itself_is_drawn_with_what_was_found_and_done(header):
    plain = page(header)
    assert "How training watched itself" not in plain
    header.curves += [diagnosed(600), diagnosed(700)]
    text = page(header)
    assert text.count("<svg") == plain.count("<svg") + 1
    assert "Nothing was found wrong." in text
    header.curves += [diagnosed(1800, ["Generated images are all alike: training goes back to step 700."])]
    words = Reader(page(header)).words
    assert "Step 1,800: Generated images are all alike: training goes back to step 700." in words
    assert "Nothing was found wrong." not in words


def test_every_measure_of_the_diagnosis_is_drawn_with_its_limit(header):
    def dotted() -> int:
        return len(re.findall(r"stroke-dasharray: 1\.2,", page(header)))

    header.curves = [diagnosed(600), diagnosed(700)]
    assert dotted() == 5
    for name in ("least coverage", "least diversity", "distance", "overfitting"):
        for entry in header.curves:
            del entry["diagnosis"][name]
    assert dotted() == 1


def test_a_diagnosis_that_makes_no_sense_is_left_out(header):
    header.curves = [
        diagnosed(600, [HOSTILE, 3, None], coverage=math.nan, distance=None, **{f"active latents {HOSTILE}": 1.0}),
        diagnosed(700, "none", overfitting="much"),
        {"step": None, "diagnosis": [1.0], "told": ["nowhere"]},
    ]
    reader = Reader(page(header))
    assert not any(name.startswith("on") for _, attributes in reader.tags for name in attributes)
    assert f"Step 600: {HOSTILE}" in reader.words
    assert "nowhere" not in reader.words


def test_a_report_lies_beside_its_model_and_is_replaced(tiny_model, tmp_path):
    model = tiny_model.save(tmp_path / "cells.v2.vaegan")
    report = write_report(model)
    assert report == report_of(model) == tmp_path / "cells.v2.html"
    report.write_text(report.read_text(encoding="utf-8") + "<!-- of yesterday -->", encoding="utf-8")
    assert "of yesterday" not in write_report(model).read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["", "<html>my page</html>"])
def test_another_file_is_never_replaced(tiny_model_file, tmp_path, content):
    mine = tmp_path / "mine.html"
    mine.write_text(content)
    with pytest.raises(nv.OutputError, match="no quality report"):
        write_report(tiny_model_file, mine)
    assert mine.read_text() == content


def test_a_folder_that_is_missing_is_named(tiny_model_file, tmp_path):
    with pytest.raises(nv.OutputError, match="does not exist"):
        write_report(tiny_model_file, tmp_path / "no" / "report.html")


def test_writing_a_report_loads_neither_torch_nor_pyplot(tiny_model_file, tmp_path):
    code = (
        "import sys; from napari_vaegan.report import write_report; "
        f"write_report({str(tiny_model_file)!r}, {str(tmp_path / 'a.html')!r}); "
        "assert not {'torch', 'matplotlib.pyplot'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "a.html").is_file()


def test_averaging_eight_samples_should_gain_two_and_a_half_decibels():
    assert expected_gain(8) == pytest.approx(2.5, abs=0.01)


def test_a_header_of_an_earlier_version_still_opens(tiny_model: nv.Model, tmp_path: Path):
    old = tiny_model.header.model_dump(mode="json")
    for name in ("quality", "noise", "warnings", "parameters"):
        del old[name]
    header = Header.model_validate(old)
    assert header.quality is None
    assert header.noise == []
    assert "not measured" in write_report(header, tmp_path / "old.html").read_text(encoding="utf-8")
