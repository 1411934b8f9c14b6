"""Where to compute and in which number format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch
from torch import nn

from napari_vaegan.errors import SettingError

Module = TypeVar("Module", bound=nn.Module)


def choose_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` takes a GPU if there is one.

    Raises
    ------
    SettingError
        If there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise SettingError(f"The device {name!r} is not available here: use auto or cpu.") from None
    return device


def place(module: Module, device: torch.device) -> Module:
    """Move a module to a device, weights with channels last in memory: the layout that convolutions are fastest in."""
    cast(Any, module).to(device, memory_format=torch.channels_last)  # which torch's annotations leave out
    return module


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the number format of that name; ``auto`` takes bfloat16 where the device computes in it."""
    if name != "auto":
        return torch.bfloat16 if name == "bfloat16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu" and _computes_bfloat16():
        return torch.bfloat16
    return torch.float32


def _computes_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself: then it is up to several times faster, else several times slower.

    Asked, not timed: a time varies with what else the machine does, and results must not.
    """
    ask: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)  # older versions of torch cannot tell
    return any(ask().get(name, False) for name in ("amx_bf16", "avx512_bf16"))


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Take vanishing numbers for zero meanwhile: vanishing gradients would slow a CPU several times."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def number_format(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Compute in this number format where that is safe.

    Weights are converted once and kept until the end of the outermost such context: leave it before weights change.
    """
    with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        yield


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short: a GPU has a type for it, a CPU only words."""
    said = str(error).lower()
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(
        words in said for words in ("out of memory", "can't allocate memory", "bad_alloc")
    )
