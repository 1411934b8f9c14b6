"""Where to compute and in which number format."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
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
    """Return the number format of that name; ``auto`` measures on a CPU, and takes bfloat16 on a GPU that has it."""
    if name != "auto":
        return torch.bfloat16 if name == "bfloat16" else torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float32
    if device.type == "cpu" and _bfloat16_is_faster():
        return torch.bfloat16
    return torch.float32


@cache
def _bfloat16_is_faster() -> bool:
    """Time one convolution in both formats: with AMX bfloat16 is several times faster, without it several times slower."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        conv = place(nn.Conv2d(64, 64, 3, padding=1, dtype=dtype), torch.device("cpu"))
        x = torch.zeros(4, 64, 64, 64, dtype=dtype).to(memory_format=torch.channels_last)
        with torch.no_grad():
            conv(x)
            start = time.perf_counter()
            conv(x)
            seconds[dtype] = time.perf_counter() - start
    return seconds[torch.bfloat16] < 0.8 * seconds[torch.float32]


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
    """Compute in this number format where that is safe."""
    with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        yield


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory is short: a GPU has a type for it, a CPU only words."""
    said = str(error).lower()
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or any(
        words in said for words in ("out of memory", "can't allocate memory", "bad_alloc")
    )
