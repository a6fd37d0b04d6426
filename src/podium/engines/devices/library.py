"""NVIDIA's management library with its errors as ours. Used by the NVML driver alone."""

from __future__ import annotations

import importlib
import re
from typing import Any

from podium.engines.devices.errors import (
    DriverError,
    FunctionNotFoundError,
    GpuLostError,
    LibraryNotFoundError,
    error_of,
)

_MAKERS = {"NVIDIA", "TESLA", "QUADRO", "GEFORCE", "GRAPHICS", "DEVICE"}
_CHIP = re.compile(r"[A-Z]{1,2}\d{1,4}[A-Z]?")
NOBODY = 0xFFFFFFFF
"""An id of an instance that means that there is none."""


class Library:
    """`module` is `pynvml`, or what stands in for it; None imports it. Raises
    LibraryNotFoundError."""

    def __init__(self, module: Any = None) -> None:
        if module is None:
            try:
                module = importlib.import_module("pynvml")
            except ImportError as error:
                raise LibraryNotFoundError from error
        self.module = module

    def __getattr__(self, name: str) -> Any:
        """Constants and structures of the library."""
        return getattr(self.module, name)

    def ask(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Call the function of that name. Raises DriverError."""
        function = getattr(self.module, name, None)
        if function is None:
            raise FunctionNotFoundError
        try:
            return function(*arguments, **options)
        except self.module.NVMLError as error:
            raise error_of(int(error.value)) from error

    def told(self, name: str, *arguments: Any, **options: Any) -> Any:
        """As `ask`; None where the driver refuses. Raises GpuLostError all the same."""
        try:
            return self.ask(name, *arguments, **options)
        except GpuLostError:
            raise
        except DriverError:
            return None


def text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def short_type(model: str) -> str:
    """`"NVIDIA H100 80GB HBM3"` → `"H100"`, `"NVIDIA GeForce RTX 4090"` → `"RTX4090"`."""
    words = [word for word in re.split(r"[\s-]+", model.upper()) if word and word not in _MAKERS]
    for family in ("RTX", "GTX"):
        if family in words:
            rest = words[words.index(family) + 1 :]
            if rest and re.fullmatch(r"A\d+", rest[0]):
                return rest[0]
            kept = [family]
            for word in rest:
                if word.isdigit() or word in ("PRO", "TI", "SUPER"):
                    kept.append(word)
                else:
                    break
            return "".join(kept)
    for word in words:
        if _CHIP.fullmatch(word):
            return word
    return re.sub(r"[^A-Z0-9]", "", words[0]) if words else "GPU"
