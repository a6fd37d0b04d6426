"""What the folders of a local engine say of its allocations, and ends for those that died unseen.

Called by the engine, from a thread: a look at all folders is file work.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from podium.domain.reason import Cause
from podium.engines.contract import Observation, Phase
from podium.engines.local import folder as names
from podium.engines.local.environment import ALLOCATION_VARIABLE
from podium.engines.local.page import Status, page_create, page_read, page_write
from podium.engines.local.processes import boottime_ms

_STRAYS_WAIT_SECONDS = 3.0


def is_unfinished(folder: str) -> bool:
    """Started, and its end is not recorded."""
    if not names.is_claimed(folder):
        return False
    status = page_read(f"{folder}/{names.STATUS}")
    return status is None or status["phase"] != Phase.ENDED


@dataclass(frozen=True, slots=True)
class Vanished:
    """A folder whose shim died without recording an end; `status` is what it wrote last."""

    folder: str
    status: Status | None


def look(folder: str) -> Observation | Vanished | None:
    """The allocation of one folder now; None when nothing of it was ever started."""
    if not names.is_claimed(folder):
        return None
    status = page_read(f"{folder}/{names.STATUS}")
    if status is not None and status["phase"] == Phase.ENDED:
        return _observation(folder, status)
    if names.lock_is_held(folder):
        return _observation(folder, status)
    status = page_read(f"{folder}/{names.STATUS}")  # it may have ended between the two looks
    if status is not None and status["phase"] == Phase.ENDED:
        return _observation(folder, status)
    return Vanished(folder, status)


def conclude(vanished: Sequence[Vanished]) -> list[Observation]:
    """Ends what the dead shims left behind and records the ends as LOST. What resists its end
    is told of as before, and tried again when it is next looked at."""
    resisting = _strays_killed([each.folder for each in vanished]) if vanished else set()
    told = []
    for each in vanished:
        allocation_id = Path(each.folder).name
        status = each.status
        if allocation_id not in resisting:
            status = _record_lost(each.folder, each.status or {})
        told.append(_observation(each.folder, status))
    return told


def end_unstarted(
    folder: str,
    cause: Cause = Cause.CANCELLED,
    message: str = "It was stopped before it started.",
) -> bool:
    """Claims a folder in which nothing was started and records that it never will be. False when
    a shim holds or had it."""
    lock = names.lock_acquire(folder)
    if lock is None:
        return False
    try:
        if names.is_claimed(folder):
            return False
        _record(
            folder,
            {
                "phase": Phase.ENDED,
                "cause": cause,
                "message": message,
                "log_end": 0,
            },
        )
        return names.claim_make(folder)
    finally:
        os.close(lock)


def log_end(folder: str) -> int | None:
    """The final offset of an ended log, None while it may grow."""
    status = page_read(f"{folder}/{names.STATUS}")
    if status is None or status["phase"] != Phase.ENDED:
        return None
    return int(status.get("log_end", 0))


def _record_lost(folder: str, last: Status) -> Status:
    """Runtime and use are what the shim last wrote down, at most some seconds before its end."""
    status: Status = {
        **last,
        "phase": Phase.ENDED,
        "cause": Cause.LOST,
        "message": "The process that watched over it was killed, or the node was restarted.",
    }
    _record(folder, status)
    return status


def _record(folder: str, status: Status) -> None:
    page = page_create(f"{folder}/{names.STATUS}")
    try:
        page_write(page, status)
    finally:
        os.close(page)


def _owner(folder: str) -> int:
    """The user that the work of this folder runs as."""
    try:
        return os.lstat(f"{folder}/{names.JOB}").st_uid
    except OSError:
        return os.getuid()


def _strays_killed(folders: Sequence[str]) -> set[str]:
    """Kills what carries the id of one of these allocations in its environment; the ids of what
    did not die."""
    ids = {Path(folder).name for folder in folders}
    strays: dict[psutil.Process, str] = {}
    users = {os.getuid(), *(_owner(folder) for folder in folders)}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().real not in users:
                continue
            marker = process.environ().get(ALLOCATION_VARIABLE, "")
            if marker in ids:
                process.kill()
                strays[process] = marker
    _, alive = psutil.wait_procs(list(strays), timeout=_STRAYS_WAIT_SECONDS)
    return {strays[process] for process in alive}


def _observation(folder: str, status: Status | None) -> Observation:
    allocation_id = Path(folder).name
    if status is None:
        return Observation(allocation_id=allocation_id, phase=Phase.STARTING)
    phase = Phase(status["phase"])
    started_ms = status.get("started_boottime_ms")
    runtime_ms = int(status.get("runtime_ms", 0))
    if phase is Phase.RUNNING and started_ms is not None:
        runtime_ms = max(runtime_ms, boottime_ms() - started_ms)
    cause = status.get("cause")
    return Observation(
        allocation_id=allocation_id,
        phase=phase,
        runtime_ms=runtime_ms,
        exit_code=status.get("exit_code"),
        signal=status.get("signal"),
        cause=None if cause is None else Cause(cause),
        stop_seen=bool(status.get("stop_seen", False)),
        message=str(status.get("message", "")),
        cpu_time_ms=int(status.get("cpu_time_ms", 0)),
        memory_peak_bytes=int(status.get("memory_peak_bytes", 0)),
        saved_at_ms=None if started_ms is None else _saved_at_ms(folder),
    )


def _saved_at_ms(folder: str) -> int | None:
    """The work may write any time there: what is before its claim or ahead of now is cut off."""
    try:
        saved = Path(folder, names.SAVED).lstat()
        begun = Path(folder, names.CLAIM).stat()
    except OSError:
        return None
    if not stat.S_ISREG(saved.st_mode):
        return None
    least_ms, now_ms = (ns // 1_000_000 for ns in (begun.st_mtime_ns, time.time_ns()))
    return min(now_ms, max(least_ms, saved.st_mtime_ns // 1_000_000))
