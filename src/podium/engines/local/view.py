"""What a job behind walls sees of the machine's files: its own mounts, made by its own process.

Podium's home and what else is named are covered with an empty folder, in which the job's own folder
is shown at its usual place; `/tmp` is its own; `/proc` has its own processes alone.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH103, PTH110, PTH112, PTH113, PTH114, PTH116, PTH119, PTH123

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from podium.engines.local import data_mounts, kernel
from podium.engines.local import folder as names
from podium.engines.local.data_mounts import Order

_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - these are what is replaced
_SHARED_MEMORY = "/dev/shm"  # noqa: S108
_ACCOUNTS = ("/etc/passwd", "/etc/group")
_COVER = "mode=711,size=4m"
_SECRETS = "mode=700,size=32m"
_QUIET = kernel.NO_SETUID | kernel.NO_DEVICES


def view_enter(walls: Mapping[str, Any], folder: str, data: Sequence[Order] = ()) -> None:
    """This process sees the view from now on. It needs the right to mount. Raises OSError,
    and PrepareError for data that cannot be shown."""
    kernel.unshare(kernel.NEW_MOUNTS)
    kernel.mount("none", "/", "", kernel.RECURSIVE | kernel.PRIVATE)
    uid = walls["uid"]
    hidden = [path for path in walls["hidden"] if os.path.isdir(path)]
    covers = _outermost([_first_closed(path, uid) or path for path in hidden])
    covers += [closed for path in walls["shown"] if (closed := _first_closed(path, uid))]
    covers = _outermost([*covers, *data_mounts.tops(data)])
    shown = {
        path: _handle(path)
        for path in walls["shown"]
        if _is_below(path, (*covers, *_TEMPORARY)) and not _holds(path, covers)
    }
    pipes = {path: _handle(path) for path in walls["pipes"] if _is_below(path, _TEMPORARY)}
    sources = [data_mounts.opened(each) for each in data]
    own, temporary = _handle(f"{folder}/{names.JOB}"), _handle(f"{folder}/{names.TEMPORARY}")
    before = os.umask(0o066)
    # Where process ids are shared, those of other users are not shown.
    options = "" if walls["own_pids"] else "hidepid=2"
    kernel.mount("proc", "/proc", "proc", _QUIET | kernel.NO_PROGRAMS, options)
    for path in _TEMPORARY:
        if os.path.isdir(path) and not os.path.islink(path):
            kernel.bind(temporary, path)
    for path in covers:
        _cover(path)
    for path, descriptor in shown.items():
        os.makedirs(path, exist_ok=True)
        kernel.bind(descriptor, path, kernel.READ_ONLY | _QUIET)
    for path in hidden:
        if _is_below(path, shown):
            _cover(path)
            covers.append(path)
    for path, descriptor in pipes.items():
        os.makedirs(path, exist_ok=True)
        kernel.bind(descriptor, path)
    if uid is None and os.path.isdir(_SHARED_MEMORY):
        kernel.mount("shm", _SHARED_MEMORY, "tmpfs", _QUIET, "mode=1777")
    if uid is not None:
        _accounts(walls["hidden"][0], uid, str(walls["user"]), f"{folder}/{names.WORK}")
    for path in walls["closed_devices"]:
        _close_device(path)
    os.makedirs(f"{folder}/{names.JOB}", exist_ok=True)
    kernel.bind(own, f"{folder}/{names.JOB}")
    _secrets_place(walls, folder)
    data_mounts.shown(data, sources)
    for path in covers:
        kernel.restrict(path, kernel.READ_ONLY)
    os.umask(before)
    for descriptor in (own, temporary, *shown.values(), *pipes.values()):
        os.close(descriptor)


def _secrets_place(walls: Mapping[str, Any], folder: str) -> None:
    """A folder in memory that only these mounts have, so that it ends with them."""
    if not walls.get("secrets"):
        return
    path, uid = f"{folder}/{names.SECRETS}", walls["uid"]
    os.makedirs(path, exist_ok=True)
    mine = "" if uid is None else f",uid={uid},gid={uid}"
    kernel.mount("secrets", path, "tmpfs", _QUIET | kernel.NO_PROGRAMS, _SECRETS + mine)


def _cover(path: str) -> None:
    os.makedirs(path, exist_ok=True)
    kernel.mount("podium", path, "tmpfs", _QUIET, _COVER)


def _accounts(room: str, uid: int, user: str, home: str) -> None:
    """The job's user gets a name, which programs such as ssh ask for."""
    entries = (f"{user}:x:{uid}:{uid}::{home}:/bin/sh\n", f"{user}:x:{uid}:\n")
    os.makedirs(room, exist_ok=True)
    for path, entry in zip(_ACCOUNTS, entries, strict=True):
        if not os.path.isfile(path):
            continue
        ours = f"{room}/{os.path.basename(path)}"
        with open(path, "rb") as known, open(ours, "wb") as file:
            file.write(known.read() + entry.encode())
            os.fchmod(file.fileno(), 0o444)
        descriptor = _handle(ours)
        kernel.bind(descriptor, path, kernel.READ_ONLY)
        os.close(descriptor)


def _close_device(path: str) -> None:
    """It stays in sight, and opening it is refused."""
    if os.path.exists(path):
        descriptor = _handle(path)
        kernel.bind(descriptor, path, kernel.NO_DEVICES)
        os.close(descriptor)


def _first_closed(path: str, uid: int | None) -> str | None:
    """The outermost folder on the way to `path` that this user, who owns none, may not enter."""
    if uid is None:
        return None
    parts = path.strip("/").split("/")
    for end in range(1, len(parts) + 1):
        above = "/" + "/".join(parts[:end])
        try:
            entered = os.stat(above)
        except OSError:
            return None
        if not entered.st_mode & 0o001:
            return above
    return None


def _outermost(paths: Iterable[str]) -> list[str]:
    found: list[str] = []
    for path in sorted(set(paths)):
        if not _is_below(path, found):
            found.append(path)
    return found


def _is_below(path: str, above: Iterable[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in above)


def _holds(path: str, covers: Iterable[str]) -> bool:
    """Whether a cover is inside of it: then showing it again would show what is covered."""
    return any(each != path and each.startswith(f"{path}/") for each in covers)


def _handle(path: str) -> int:
    return os.open(path, os.O_PATH | os.O_CLOEXEC)
