"""The settings of a training: one definition, one sentence when something is wrong."""

from __future__ import annotations

import pytest

import napari_vaegan as nv


def test_the_defaults_are_a_complete_recipe() -> None:
    config = nv.TrainingConfig()
    assert config.seconds == 600
    assert config.tasks == ("generate", "inpaint", "super-resolve", "denoise")


def test_steps_take_the_place_of_minutes() -> None:
    assert nv.TrainingConfig(steps=10).seconds is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"preset": "huge"}, ["preset", "huge"]),
        ({"minutes": -1}, ["minutes", "-1"]),
        ({"minutes": 1, "steps": 1}, ["minutes", "steps"]),
        ({"patch_size": 50}, ["patch_size 50", "32"]),
        ({"epochs": 3}, ["epochs"]),
        ({"tasks": ()}, ["tasks"]),
        ({"tasks": ("denoise", "denoise")}, ["twice"]),
        ({"tasks": ("segment",)}, ["tasks", "segment"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"learning_rate": float("inf")}, ["learning_rate", "inf", "finite"]),
        ({"learning_rate": float("nan")}, ["learning_rate", "nan"]),
        ({"channels": 0}, ["channels", "0"]),
        ({"variational": False, "adversarial": False}, ["variational", "adversarial"]),
        ({"adversarial_loss": "hinge"}, ["adversarial_loss", "hinge"]),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_sentence_that_names_it(settings: dict, words: list[str]) -> None:
    with pytest.raises(nv.SettingError) as caught:
        nv.TrainingConfig(**settings)
    message = str(caught.value)
    assert all(word in message for word in words)
    assert message.endswith(".")
    assert "\n" not in message


def test_every_setting_has_a_description_of_one_line() -> None:
    for name, field in nv.TrainingConfig.model_fields.items():
        assert field.description, name
        assert "\n" not in field.description


def test_an_unknown_device_is_refused_by_name(textured_images) -> None:
    with pytest.raises(nv.SettingError, match="'tpu'"):
        nv.train(textured_images, nv.TrainingConfig(preset="tiny", steps=1, device="tpu"))
