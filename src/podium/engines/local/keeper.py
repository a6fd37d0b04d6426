"""The keeper: process 1 of an allocation's own process ids, forked by the shim before the job.

Orphans of the job become its children. It ends when it is told that the job has ended and the last
of them has too; when it is killed, or the shim is, the kernel ends all of them with it.
"""

from __future__ import annotations

import os
import signal
from typing import Any, NoReturn

from podium.engines.local import kernel
from podium.engines.local.processes import die_with_parent

_DESCRIPTORS_MAX = 1 << 20
_TOLD = {signal.SIGCHLD, signal.SIGTERM}


def keeper_start(walls: dict[str, Any]) -> int:
    """Gives the children of this process ids of their own, and forks the keeper. Returns its id as
    this process sees it, 0 where the job is to share the machine's. Raises OSError."""
    if not walls["own_pids"]:
        return 0
    shim = os.getpid()
    if walls["uid"] is None:
        uid, gid = os.getuid(), os.getgid()
        kernel.unshare(kernel.NEW_USER | kernel.NEW_PIDS | kernel.NEW_IPC)
        for name, content in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            _write(f"/proc/self/{name}", content)
    else:
        kernel.unshare(kernel.NEW_PIDS)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _TOLD)
    pid = os.fork()
    if pid == 0:
        _keep(shim)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def keeper_dismiss(pid: int) -> None:
    """It ends once it has no children any more."""
    os.kill(pid, signal.SIGTERM)


def _keep(shim: int) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        os.closerange(3, _DESCRIPTORS_MAX)  # the shim's lock among them
        os.setsid()
        die_with_parent(shim)
        kernel.drop_capabilities()
        kernel.undumpable()  # the job may be of the same user
        dismissed = False
        while _has_children() or not dismissed:
            if signal.sigwait(_TOLD) == signal.SIGTERM:
                dismissed = True
    finally:
        os._exit(0)


def _has_children() -> bool:
    """Collects the dead first."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        return False
    return True


def _write(path: str, content: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, content.encode())
    finally:
        os.close(descriptor)
