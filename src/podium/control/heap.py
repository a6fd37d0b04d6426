"""Gives memory that is free back to the system, which the C library would rather keep for later;
the server asks for it once, when it starts."""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD = -1  # M_TRIM_THRESHOLD of malloc.h
_KEPT_BYTES = 256 * 1024


def give_back() -> None:
    """From now on, and what is free already. Does nothing where the C library is another one."""
    library = ctypes.CDLL(None)
    try:
        set_option, trim = library.mallopt, library.malloc_trim
    except AttributeError:
        return
    set_option(_TRIM_THRESHOLD, _KEPT_BYTES)
    trim(0)
