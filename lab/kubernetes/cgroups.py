"""A control group for each node, so that what its pods run is found, limited and ended together.

node.py makes and removes them. Works with both versions of the kernel's control groups.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_CPUSET = ("cpuset.cpus", "cpuset.mems")
_REMOVE_SECONDS_MAX = 10.0


def create(name: str) -> None:
    for hierarchy in _hierarchies():
        group = hierarchy / name
        group.mkdir(exist_ok=True)
        if (hierarchy / "cgroup.controllers").exists():
            _delegate(hierarchy, group)
        for setting in _CPUSET:
            # Of the first version a new set has no CPU, and takes no process.
            if (group / setting).exists() and (hierarchy / setting).exists():
                (group / setting).write_text((hierarchy / setting).read_text())


def processes(name: str) -> set[int]:
    """The ids of all processes in the group and those below it."""
    found: set[int] = set()
    for hierarchy in _hierarchies():
        for listed in (hierarchy / name).rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found.update(int(line) for line in listed.read_text().split())
    return found


def remove(name: str) -> None:
    """Removes the group and those below it; a process that just ended may hold one a little."""
    deadline = time.monotonic() + _REMOVE_SECONDS_MAX
    for hierarchy in _hierarchies():
        while (hierarchy / name).exists():
            below = [each.parent for each in (hierarchy / name).rglob("cgroup.procs")]
            for group in sorted(below, key=lambda path: len(path.parts), reverse=True):
                with contextlib.suppress(OSError):
                    group.rmdir()
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)


def _hierarchies() -> Iterator[Path]:
    """Where groups are made: the one tree of the second version, or each mounted controller."""
    seen: set[Path] = set()
    for line in Path("/proc/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind in ("cgroup", "cgroup2") and place.startswith(str(_ROOT)):
            resolved = Path(place)
            if resolved not in seen:
                seen.add(resolved)
                yield resolved


def _delegate(hierarchy: Path, group: Path) -> None:
    for level in (hierarchy, group):
        for controller in (level / "cgroup.controllers").read_text().split():
            with contextlib.suppress(OSError):
                (level / "cgroup.subtree_control").write_text(f"+{controller}")
