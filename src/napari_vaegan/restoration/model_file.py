"""Model files: one safetensors file with a JSON header. Opening one never executes anything from it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from napari_vaegan.errors import ModelFileError, OutputError
from napari_vaegan.images.atomic import atomic_write
from napari_vaegan.networks.presets import ARCHITECTURES
from napari_vaegan.networks.vae_gan import VaeGan
from napari_vaegan.observation.observation import CONDITION_SIZE
from napari_vaegan.restoration.header import Header
from napari_vaegan.restoration.header_file import HEADER_KEY, check_claimed_header, not_a_model, parse_header

DIGEST_KEY = "sha256"


def write_model(path: str | os.PathLike[str], networks: VaeGan, header: Header, overwrite: bool = False) -> Path:
    """Write a model whole or not at all.

    Raises
    ------
    OutputError
        If a file of that name is there already, or it cannot be written.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists already: choose another name or allow overwriting.")
    if not path.parent.is_dir():
        raise OutputError(f"The folder {path.parent} does not exist: create it or choose another.")
    tensors = {name: value.detach().cpu().contiguous() for name, value in networks.state_dict().items()}
    text = header.model_dump_json()
    with atomic_write(path) as temporary:
        temporary.write_bytes(serialise(tensors, metadata={HEADER_KEY: text, DIGEST_KEY: _digest(text, tensors)}))
    return path


def read_model(path: str | os.PathLike[str]) -> tuple[VaeGan, Header]:
    """Read a model. Header and shapes are checked before memory is taken, then the digest of it all.

    Raises
    ------
    ModelFileError
        If the file is missing, not a model, truncated, altered, or from a newer version.
    """
    path = Path(path)
    check_claimed_header(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            text = metadata.get(HEADER_KEY)
            if text is None:
                raise not_a_model(path)
            header = parse_header(path, text)
            with torch.device("meta"):
                networks = VaeGan(header.channels, ARCHITECTURES[header.config.preset], CONDITION_SIZE)
            expected = {name: list(value.shape) for name, value in networks.state_dict().items()}
            if set(file.keys()) != set(expected):
                raise ModelFileError(f"The weights in {path} are not those that its header promises: get the file anew.")
            for name, shape in expected.items():
                part = file.get_slice(name)
                if part.get_shape() != shape or part.get_dtype() != "F32":
                    raise ModelFileError(
                        f"The weights in {path} are not of the shapes that its header promises: get the file anew."
                    )
            tensors = {name: file.get_tensor(name) for name in expected}
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise ModelFileError(f"{path} is damaged or not a model file ({error}): get the file anew.") from None
    if metadata.get(DIGEST_KEY) != _digest(text, tensors):
        raise ModelFileError(f"{path} was altered after it was written (its digest does not fit): get the file anew.")
    networks.load_state_dict(tensors, assign=True)
    return networks, header


def _digest(text: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
