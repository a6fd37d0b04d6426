"""What Podium made on the GPUs of this machine, so that changes by others are seen.

The driver alone says what stands. This file only says what was expected to, and what was found to
differ: `Cutter` writes it before and after each change, `Listing` compares. A restart of the
machine ends all instances, so what was noted before it says nothing.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from podium.engines.devices.trouble import write_whole
from podium.engines.devices.virtual_state import boot_now

_WORDS_MAX = 200

At = tuple[str, int]
"""An instance: its profile as the board calls it, and its start."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed that nobody of Podium did, in words, and when that was seen."""

    words: str = ""
    at_ms: int | None = None


@dataclass(slots=True)
class _Gpu:
    """`changing` may stand or not, because Podium was about to make or end them: each with the
    number of its end, None while it is under way."""

    expected: set[At]
    changing: dict[At, int | None]
    drift: Drift


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Known:
    """May be used by several threads at once. Without a `path` it is only remembered."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        boot: str | None = None,
        now_ms: Callable[[], int] = _now_ms,
    ) -> None:
        self._path = path
        self._boot = boot_now() if boot is None else boot
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._ends = 0
        self._gpus = self._read()

    @contextlib.contextmanager
    def changing(self, gpu: str, at: At) -> Iterator[None]:
        """While Podium makes or ends this instance."""
        with self._lock:
            known = self._gpus.get(gpu)
            if known is not None:  # else nobody looked yet: what stands then is expected
                known.changing[at] = None
                self._write()
        try:
            yield
        finally:
            with self._lock:
                known = self._gpus.get(gpu)
                if known is not None and at in known.changing:
                    self._ends += 1
                    known.changing[at] = self._ends

    def before(self) -> int:
        """To be asked before the driver is, and told to `look`."""
        with self._lock:
            return self._ends

    def look(self, gpu: str, standing: Collection[At], before: int) -> Drift:
        """Compare with what stood at a time after `before`; it is expected from here on."""
        now = set(standing)
        with self._lock:
            known = self._gpus.get(gpu)
            if known is None:
                self._gpus[gpu] = _Gpu(now, {}, Drift())
                self._write()
                return Drift()
            appeared = now - known.expected - known.changing.keys()
            vanished = known.expected - now - known.changing.keys()
            over = [at for at, end in known.changing.items() if end is not None and end <= before]
            if not appeared and not vanished and not over and now == known.expected:
                return known.drift
            if appeared or vanished:
                known.drift = Drift(_words(appeared, vanished), self._now_ms())
            known.expected = now
            for at in over:
                del known.changing[at]
            self._write()
            return known.drift

    def _read(self) -> dict[str, _Gpu]:
        if self._path is None:
            return {}
        try:
            document = json.loads(self._path.read_bytes())
            if document["boot"] != self._boot:
                return {}
            return {key: _gpu(row) for key, row in document["gpus"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _write(self) -> None:
        if self._path is None:
            return
        gpus = {
            key: {
                "expected": sorted(each.expected),
                "changing": sorted(each.changing),
                "drift": [each.drift.words, each.drift.at_ms],
            }
            for key, each in self._gpus.items()
        }
        # A full disk must not keep work from its instance; drift is then told that was none.
        with contextlib.suppress(OSError):
            write_whole(self._path, json.dumps({"boot": self._boot, "gpus": gpus}))


def _gpu(row: dict[str, Any]) -> _Gpu:
    words, at_ms = row["drift"]
    expected, changing = (
        {(str(profile), int(start)) for profile, start in row[name]}
        for name in ("expected", "changing")
    )
    return _Gpu(expected, dict.fromkeys(changing, 0), Drift(words, at_ms))


def _words(appeared: Collection[At], vanished: Collection[At]) -> str:
    parts = [
        f"{profile} at slice {start} {verb}"
        for found, verb in ((vanished, "vanished"), (appeared, "appeared"))
        for profile, start in sorted(found, key=lambda each: (each[1], each[0]))
    ]
    words = ", ".join(parts)
    return words if len(words) <= _WORDS_MAX else words[: _WORDS_MAX - 1] + "…"
