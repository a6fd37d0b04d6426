"""How the server's process keeps its memory: what is free goes back to the system, which the C
library would rather keep for later, and collecting garbage holds up no request for long. The server
asks for both once, when it starts."""

from __future__ import annotations

import ctypes
import gc

_TRIM_THRESHOLD = -1  # M_TRIM_THRESHOLD of malloc.h
_KEPT_BYTES = 256 * 1024
_YOUNG_MAX = 5_000  # objects; Python's own 700 makes it collect eight times as often


def give_back() -> None:
    """From now on, and what is free already. Does nothing where the C library is another one."""
    library = ctypes.CDLL(None)
    try:
        set_option, trim = library.mallopt, library.malloc_trim
    except AttributeError:
        return
    set_option(_TRIM_THRESHOLD, _KEPT_BYTES)
    trim(0)


def set_aside() -> None:
    """What there is by now (modules, routes, models of documents) stays for as long as the process,
    and is three quarters of all objects: looking through them stopped everything for 0.2 s."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_MAX, *gc.get_threshold()[1:])
