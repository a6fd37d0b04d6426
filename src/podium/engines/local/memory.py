"""Holds a job to its memory where no kernel limit does: the shim measures and decides with it."""

from __future__ import annotations

import os

from podium.engines.local import processes

_EVERY_MS = 500
_EVERY_NEAR_LIMIT_MS = 100
_GIB = 1 << 30
_MIB = 1 << 20


class MemoryWatch:
    """Measures all descendants of this process but its keeper. `limit_bytes` 0 = no limit, nothing
    measured."""

    def __init__(self, limit_bytes: int, *, keeper: int = 0) -> None:
        self.limit_bytes = limit_bytes if processes.LINUX else 0
        self.keeper = keeper
        self.due_ms = processes.boottime_ms() + _EVERY_NEAR_LIMIT_MS
        self.peak_bytes = 0
        self.exceeded_bytes = 0

    def measure(self, now_ms: int) -> None:
        pids = [pid for pid in processes.descendants(os.getpid()) if pid != self.keeper]
        used_bytes = processes.resident_bytes(pids)
        if used_bytes > self.limit_bytes:
            # Shared pages were counted often, and mapped files are no burden: look closely.
            used_bytes = processes.held_bytes(pids)
        self.peak_bytes = max(self.peak_bytes, used_bytes)
        if used_bytes > self.limit_bytes:
            self.exceeded_bytes = used_bytes
        near = used_bytes > self.limit_bytes * 7 // 10
        self.due_ms = now_ms + (_EVERY_NEAR_LIMIT_MS if near else _EVERY_MS)

    def sentence(self) -> str:
        return (
            f"It used {_words(self.exceeded_bytes)} of memory; its limit is "
            f"{_words(self.limit_bytes)}. Ask for more memory, or use less."
        )


def _words(count: int) -> str:
    if count >= _GIB:
        return f"{count / _GIB:.1f} GiB"
    return f"{count / _MIB:.0f} MiB"
