"""Files with secrets, in a folder of the allocation's own, in memory where the machine can do so.

Behind walls it is a file system that only the job's own mounts have, and that ends with its last
process. Without walls it is a folder on a shelf of this home, which the shim removes when the job
has ended, and the engine when the shim was killed. The job's own process writes the files, just
before it becomes the command.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH102, PTH103, PTH106, PTH208

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from podium.engines.local import folder as names

if TYPE_CHECKING:
    from podium.engines.contract import Launch

_DIRECTORY_VARIABLE = "PODIUM_SECRETS_DIR"
_MEMORY_KINDS = frozenset({"tmpfs", "ramfs"})
_FILE = "file"
_DATA = "data"
Secrets = list[list[str]]
"""As they travel to the shim: `[variable, value]`, `[name, content, "file"]`, or
`[source, keys, "data"]`."""


def packed(launch: Launch) -> Secrets:
    variables = [list(pair) for pair in launch.secrets]
    files = [[each.name, each.content.decode("latin-1"), _FILE] for each in launch.secret_files]
    data = [[each.source, each.secret, _DATA] for each in launch.data if each.secret]
    return [*variables, *files, *data]


def unpacked(secrets: Secrets) -> tuple[dict[str, str], dict[str, bytes]]:
    """Variables with their values, and files with their content."""
    variables = {each[0]: each[1] for each in secrets if len(each) == 2}
    files = {each[0]: each[1].encode("latin-1") for each in secrets if each[2:] == [_FILE]}
    return variables, files


def unpacked_data(secrets: Secrets) -> dict[str, str]:
    """What opens each data source, for the server's own steps and never for the job."""
    return {each[0]: each[1] for each in secrets if each[2:] == [_DATA]}


def paths_told(launch: Launch, place: str) -> dict[str, str]:
    """The variables that tell the work where its files are; not the secrets themselves."""
    if not launch.secret_files:
        return {}
    paths = {each.variable: f"{place}/{each.name}" for each in launch.secret_files}
    return {**paths, _DIRECTORY_VARIABLE: place}


def shelf_of(home: str) -> str | None:
    """A folder in memory for the secrets of all allocations of this home, made if need be. None
    where the machine has none that only we can write."""
    mark = hashlib.sha256(os.path.realpath(home).encode()).hexdigest()[:12]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    for place in ("/run" if os.getuid() == 0 else runtime, "/dev/shm"):  # noqa: S108
        if place and _is_memory(place):
            shelf = f"{place}/podium-{os.getuid()}-{mark}"
            if _made(shelf):
                return shelf
    return None


def place_of(shelf: str | None, folder: str) -> str:
    """Where the files of the allocation in `folder` stand; `shelf` is None behind walls, too."""
    if shelf is None:
        return f"{folder}/{names.SECRETS}"
    return f"{shelf}/{os.path.basename(folder)}"  # noqa: PTH119


def write(place: str, files: Mapping[str, bytes]) -> None:
    """Fills the folder, for this process's user alone. Raises OSError."""
    remove(place)
    os.makedirs(place, 0o700, exist_ok=True)  # behind walls it is there, and empty
    for name, content in files.items():
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(f"{place}/{name}", flags, 0o600)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        finally:
            os.close(descriptor)


def remove(place: str) -> None:
    """Removes the folder, whatever the work made of it. Follows no links; a folder that is not
    there is no fault. What cannot be removed now is tried again by `sweep`."""
    with contextlib.suppress(OSError):
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _empty(descriptor)
        finally:
            os.close(descriptor)
        os.rmdir(place)


def sweep(shelf: str | None, living: Iterable[str]) -> None:
    """Removes the folders of all allocations but the `living` ones, given by their ids."""
    if shelf is None:
        return
    kept = set(living)
    with contextlib.suppress(OSError):
        for name in os.listdir(shelf):
            if name not in kept:
                remove(f"{shelf}/{name}")


def fold(shelf: str | None) -> None:
    """Takes the shelf away when nothing stands on it."""
    if shelf is not None:
        with contextlib.suppress(OSError):
            os.rmdir(shelf)


def _empty(folder: int) -> None:
    with contextlib.suppress(OSError):
        os.fchmod(folder, 0o700)
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            about = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISDIR(about.st_mode):
                os.unlink(name, dir_fd=folder)
                continue
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            below = os.open(name, flags, dir_fd=folder)
            try:
                _empty(below)
            finally:
                os.close(below)
            os.rmdir(name, dir_fd=folder)


def _made(shelf: str) -> bool:
    """Whether the shelf is ours: in a place where everyone may write, another one could have made
    it before us."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(shelf, 0o700)
        about = os.lstat(shelf)
    except OSError:
        return False
    mine = stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()
    return mine and not about.st_mode & 0o022


def _is_memory(place: str) -> bool:
    """Whether it is on a file system in memory, by the longest mount point that it is below."""
    real = os.path.realpath(place)
    best, kind = "", ""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:  # noqa: PTH123
            for line in mounts:
                point, this = line.split(" ")[1:3]
                under = point in ("/", real) or real.startswith(f"{point}/")
                if under and len(point) >= len(best):
                    best, kind = point, this
    except (OSError, ValueError):
        return False
    return kind in _MEMORY_KINDS
