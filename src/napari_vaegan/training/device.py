"""Where to compute and in which number format."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from torch import nn

from napari_vaegan.errors import SettingError


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
        conv = nn.Conv2d(64, 64, 3, padding=1).to(dtype).to(memory_format=torch.channels_last)
        x = torch.zeros(4, 64, 64, 64, dtype=dtype).to(memory_format=torch.channels_last)
        with torch.no_grad():
            conv(x)
            start = time.perf_counter()
            conv(x)
            seconds[dtype] = time.perf_counter() - start
    return seconds[torch.bfloat16] < 0.8 * seconds[torch.float32]


@contextmanager
def number_format(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Compute in this number format where that is safe."""
    with torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32):
        yield


def available_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
