"""Decides recorded cycles again, or writes them as files, for the API: each in a process of its
own, which may need seconds and much memory without holding up the server."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from typing import Any

import structlog

from podium.domain.errors import BusyError, ConflictError, PermanentError
from podium.store.cycles import CycleRecord

_AT_ONCE_MAX = 4  # one at work, the others wait
_SECONDS_MAX = 120.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Replayed:
    """`difference` is the first one in words, empty where the plans are the same."""

    same: bool
    digest: str
    difference: str
    took_ms: float


class Replaying:
    """One at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._asked = 0

    async def replay(self, kept: CycleRecord) -> Replayed:
        """Raises BusyError, or ConflictError when the record cannot be read here."""
        answer, _ = await self._ask(kept, {"order": "replay"})
        return Replayed(answer["same"], answer["digest"], answer["difference"], answer["took_ms"])

    async def record(self, kept: CycleRecord, *, anonymise: bool) -> bytes:
        """As a file that stands for itself. Raises like `replay`."""
        _, data = await self._ask(kept, {"order": "record", "anonymise": anonymise})
        return data

    async def _ask(self, kept: CycleRecord, order: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if self._asked >= _AT_ONCE_MAX:
            raise BusyError(
                "Other cycles are being replayed. Try again in a moment.",
                retry_after_seconds=5,
            )
        self._asked += 1
        try:
            async with self._turn:
                return await _asked(_written(kept, order))
        finally:
            self._asked -= 1


def _written(kept: CycleRecord, order: dict[str, Any]) -> bytes:
    parts = (kept.keyframe, kept.plan, *kept.steps)
    cycle = kept.cycle
    head = {
        **order,
        "cycle": {
            "now_ms": cycle.at_ms,
            "seed": cycle.seed,
            "version": cycle.version,
            "digest": cycle.digest,
            "refused": cycle.refused,
        },
        "sizes": [len(part) for part in parts],
    }
    return json.dumps(head).encode() + b"\n" + b"".join(parts)


async def _asked(question: bytes) -> tuple[dict[str, Any], bytes]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "podium.control.replay_child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_SECONDS_MAX):
            said, told = await child.communicate(question)
    except TimeoutError:
        raise ConflictError(
            f"It took longer than {_SECONDS_MAX:.0f} seconds. Download the record, and replay it "
            "elsewhere: podium replay FILE"
        ) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        _log.error("replay_failed", rc=child.returncode, told=told.decode(errors="replace")[-2000:])
        raise PermanentError("The cycle could not be decided again; the server's log says why.")
    line, _, data = said.partition(b"\n")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise ConflictError(answer["error"])
    return answer, data
