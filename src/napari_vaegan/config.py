"""The one definition of how a model is trained: behind the Python call, the terminal, forms and the file header."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_vaegan.errors import SettingError

Task = Literal["generate", "inpaint", "super-resolve", "denoise"]
TASKS: tuple[Task, ...] = ("generate", "inpaint", "super-resolve", "denoise")


class TrainingConfig(BaseModel):
    """How a model is trained.

    Every field has a default; ``TrainingConfig(preset="small", minutes=10)`` is a complete recipe. Fields marked
    *expert* are folded away in forms.

    Raises
    ------
    SettingError
        If a value is out of its range or two settings exclude each other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    preset: Literal["tiny", "small", "base", "large"] = Field(
        "small", description="Size of the networks: tiny for trials, small for a laptop, base and large for a GPU."
    )
    minutes: float | None = Field(
        None, gt=0, le=60 * 24 * 14, description="Minutes of training, all stages together (default 10)."
    )
    steps: int | None = Field(None, ge=1, description="Steps of training, instead of minutes.")
    seed: int = Field(0, ge=0, lt=2**32, description="Start of all random numbers: the same seed draws the same patches.")
    channels: int | None = Field(
        None, ge=1, le=64, description="Channels of the images to train on; found from the images if not given."
    )
    tasks: tuple[Task, ...] = Field(TASKS, min_length=1, description="What the model learns to do.")
    device: str = Field("auto", description="Where to train: auto, cpu, cuda, cuda:1, mps.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the networks; auto takes bfloat16 where the device computes in it."
    )
    noise: Literal["auto", "clean", "noisy"] = Field(
        "auto",
        description="Whether the images are noisy: auto finds out, clean takes them as they are, noisy learns from noisy "
        "images alone what they are without noise.",
    )
    gain: float | None = Field(
        None,
        gt=0,
        description="Grey levels a photon, if the images are noisy and it is known; fitted to the images if not given.",
        json_schema_extra={"expert": True},
    )
    offset: float = Field(
        0.0, description="Grey level without light, beside a given gain.", json_schema_extra={"expert": True}
    )
    read_noise: float = Field(
        0.0,
        ge=0,
        description="Standard deviation of the camera's noise in grey levels, beside a given gain.",
        json_schema_extra={"expert": True},
    )
    axes: str | None = Field(
        None, description="Axes of the images, such as TYX, where their files do not say; guessed if not given."
    )
    validation_fraction: float = Field(
        0.1,
        gt=0,
        lt=0.9,
        description="Share of the images held apart to judge the model.",
        json_schema_extra={"expert": True},
    )
    batch_size: int = Field(16, ge=2, le=1024, description="Patches a step.", json_schema_extra={"expert": True})
    patch_size: int = Field(
        64,
        ge=32,
        le=1024,
        description="Side of the patches in pixels, at the start.",
        json_schema_extra={"expert": True},
    )
    progressive: bool = Field(
        True,
        description="Open the latents coarse to fine, and grow the patches by half late in the first stage.",
        json_schema_extra={"expert": True},
    )
    learning_rate: float = Field(
        2e-3,
        gt=0,
        description="Step size of the VAE's optimiser at its peak; base and large, which are wider, make shorter steps.",
        json_schema_extra={"expert": True},
    )
    average_memory: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Share of the training so far over which the saved running average of the weights reaches.",
        json_schema_extra={"expert": True},
    )
    kl_weight: float = Field(
        1.0, ge=0, description="Weight of the KL divergence, once it is fully on.", json_schema_extra={"expert": True}
    )
    spread_weight: float = Field(
        1.0,
        ge=0,
        description="Weight of the score that makes samples differ as much as the truth is uncertain.",
        json_schema_extra={"expert": True},
    )
    adversarial: bool = Field(
        True,
        description="Train the generator against a discriminator (stages 2 and 3).",
        json_schema_extra={"expert": True},
    )
    variational: bool = Field(
        True,
        description="Train the VAE first, and keep its reconstruction and KL terms beside the adversary; without it a "
        "plain GAN is left.",
        json_schema_extra={"expert": True},
    )
    learned_prior: bool = Field(
        True,
        description="Learn, after the VAE, what the latents of real images are like, and generate from such; without it "
        "from normal noise.",
        json_schema_extra={"expert": True},
    )
    adversarial_loss: Literal["relativistic", "non-saturating"] = Field(
        "relativistic",
        description="What generator and discriminator contend for: verdicts on pairs of a sample and a real image, or the "
        "textbook's on each alone.",
        json_schema_extra={"expert": True},
    )
    adversarial_weight: float = Field(
        0.3, ge=0, description="Weight of the adversarial term in stage 3.", json_schema_extra={"expert": True}
    )
    feature_matching_weight: float = Field(
        0.3,
        ge=0,
        description="Weight of the discriminator's features in comparing reconstructions with the truth.",
        json_schema_extra={"expert": True},
    )
    gradient_penalty: float = Field(
        1.0,
        ge=0,
        description="Weight of the zero-centred gradient penalties R1 and R2.",
        json_schema_extra={"expert": True},
    )
    spectral_normalisation: bool = Field(
        True,
        description="Bound the discriminator's layers by spectral normalisation.",
        json_schema_extra={"expert": True},
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingError(_sentence(error)) from None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.minutes is not None and self.steps is not None:
            raise ValueError("the settings minutes and steps exclude each other: give one of them")
        if self.patch_size % 32:
            raise ValueError(
                f"the setting patch_size {self.patch_size} is not a multiple of 32: try {self.patch_size // 32 * 32}"
            )
        if not (self.variational or self.adversarial):
            raise ValueError("the settings variational and adversarial are both off: leave one of them on")
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError("the setting tasks names a task twice: name each once")
        return self

    @property
    def noise_by_hand(self) -> tuple[float, float, float] | None:
        """Gain, offset and read noise, if they are given."""
        return None if self.gain is None else (self.gain, self.offset, self.read_noise)

    @property
    def seconds(self) -> float | None:
        """Time given for training in seconds; None if steps are given instead."""
        return None if self.steps is not None else 60 * (10.0 if self.minutes is None else self.minutes)


def _sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong with the settings, in one sentence."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return f"There is no setting {name!r}: the settings are {', '.join(TrainingConfig.model_fields)}."
    if not name:
        return f"{message[0].upper()}{message[1:]}."
    return f"The setting {name} cannot be {first['input']!r}: {message[0].lower()}{message[1:]}."
