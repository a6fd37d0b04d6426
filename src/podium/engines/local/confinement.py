"""Puts the process that becomes a job behind the walls that its order names, before anything of the
project's is read or run. Called by the job's first steps, and by the trial of a server's start."""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH102

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Sequence
from typing import Any

from podium.engines.local import folder as names
from podium.engines.local import kernel
from podium.engines.local.data_mounts import Order
from podium.engines.local.view import view_enter


def rooms_make(walls: dict[str, Any] | None, folder: str) -> None:
    """The folders that belong to the job, inside the one that does not. Nothing of the project has
    run there yet, so nothing can have been put in the way. Raises OSError."""
    for name in (names.JOB, names.WORK, names.TEMPORARY):
        with contextlib.suppress(FileExistsError):
            os.mkdir(f"{folder}/{name}", 0o700)
        if walls is not None and walls["uid"] is not None:
            os.chown(f"{folder}/{name}", walls["uid"], walls["uid"], follow_symlinks=False)


def confine(walls: dict[str, Any], folder: str, data: Sequence[Order] = ()) -> None:
    """The shim has made a keeper already. Raises OSError, and PrepareError for its data; then this
    process must end."""
    view_enter(walls, folder, data)
    kernel.leave_keys_behind()
    most = walls["processes_max"]
    if most:
        _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    uid = walls["uid"]
    if uid is None:
        kernel.drop_capabilities()
    else:
        for descriptor in (1, 2):  # or /dev/stderr could not be opened
            os.fchown(descriptor, uid, uid)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    kernel.no_new_privileges()
