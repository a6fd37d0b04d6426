"""What the kernel tells of processes: descendants, memory, and ties between parent and child.

Called by the shim and by the job's own first steps. Linux has all of it; elsewhere the ties are
missing and lists of descendants are empty.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time

LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_LIBC = ctypes.CDLL(None) if LINUX else None


def boottime_ms() -> int:
    """Milliseconds on the machine's clock that never jumps, and counts sleep where it can."""
    return time.clock_gettime_ns(_CLOCK) // 1_000_000


def become_subreaper() -> None:
    """Orphans among our descendants become our children, so that none escapes."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """SIGKILL to this process when `parent`, which forked it, dies."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if _parent() != parent:
            os._exit(1)


def _parent() -> int:
    """As `/proc` counts it: the system's own call answers 0 where process ids are the job's own."""
    with open("/proc/self/stat", "rb") as stat:
        return int(stat.read().rpartition(b")")[2].split()[1])


def children(pid: int) -> list[int]:
    """Direct children of a process, of all its threads."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as listing:
                found.extend(int(word) for word in listing.read().split())
        except FileNotFoundError:
            if not _HAS_CHILDREN_FILES:
                return _children_by_scan(pid)
        except OSError:
            continue
    return found


def descendants(pid: int) -> list[int]:
    """Children, their children and so on, without `pid` itself."""
    found = children(pid)
    for child in found:  # grows while it is walked
        found.extend(children(child))
    return found


def kill_descendants(pid: int) -> None:
    """SIGKILL to all descendants of `pid`. Those that fork meanwhile need another call."""
    for each in descendants(pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGKILL)


def resident_bytes(pids: list[int]) -> int:
    """Sum of resident memory; pages that processes share are counted for each."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", "rb") as sizes:
                total += int(sizes.read().split()[1]) * _PAGE_BYTES
        except (OSError, IndexError):
            continue
    return total


def cpu_time_ms(pid: int, *, own: bool = True) -> int:
    """CPU time of a process and of its children that have ended and been waited for; with
    `own=False` of the latter alone. 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            fields = stat.read().rpartition(b")")[2].split()
    except OSError:
        return 0
    ticks = int(fields[13]) + int(fields[14])
    if own:
        ticks += int(fields[11]) + int(fields[12])
    return ticks * 1000 // _TICKS_PER_SECOND


def held_bytes(pids: list[int]) -> int:
    """Memory that only these processes' end would free: shared pages once, no mapped files.

    Exact but slow; ask when `resident_bytes` is above a limit.
    """
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as sizes:
                for line in sizes:
                    if line.startswith((b"Pss_Anon:", b"Pss_Shmem:", b"SwapPss:")):
                        total += int(line.split()[1]) * 1024
        except (OSError, IndexError):
            continue
    return total


def _children_by_scan(pid: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as stat:
                parent = int(stat.read().rpartition(b")")[2].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid:
            found.append(int(name))
    return found


_HAS_CHILDREN_FILES = os.access(f"/proc/self/task/{os.getpid()}/children", os.R_OK)
