"""The calls of the Linux kernel that put a job behind walls, for which Python 3.11 has no names.

The keeper, the job's first steps and the trial of a start use them. Each raises OSError.
"""

from __future__ import annotations

import ctypes
import os
import sys

NEW_MOUNTS = 0x0002_0000
NEW_IPC = 0x0800_0000
NEW_USER = 0x1000_0000
NEW_PIDS = 0x2000_0000

READ_ONLY = 0x1
NO_SETUID = 0x2
NO_DEVICES = 0x4
NO_PROGRAMS = 0x8
_REMOUNT = 0x20
BIND = 0x1000
RECURSIVE = 0x4000
PRIVATE = 0x4_0000
_KEPT = READ_ONLY | NO_SETUID | NO_DEVICES | NO_PROGRAMS  # what a mount has, it must keep

_PR_SET_DUMPABLE = 4
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_ROOT_IS_NOBODY = 0b11  # being user 0 gives no capability, and this stays so
_CAPABILITY_VERSION = 0x2008_0522

_KEYCTL = {"x86_64": 250, "aarch64": 219}  # libc has no function for it
_JOIN_SESSION_KEYRING = 1

_MOUNT_SETATTR = 442  # on every kind of machine
_HERE = -100
_AND_BELOW = 0x8000

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def unshare(namespaces: int) -> None:
    """Namespaces of its own for this process; those of process ids for its children alone."""
    _checked("unshare", ctypes.c_int(namespaces))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _checked(
        "mount",
        source.encode(),
        os.fsencode(target),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
        what=target,
    )


def bind(descriptor: int, target: str, flags: int = 0) -> None:
    """Shows an open file or folder at `target` too, with `flags` on top of those it has."""
    mount(f"/proc/self/fd/{descriptor}", target, "", BIND | RECURSIVE)
    if flags:
        restrict(target, flags)


def restrict(target: str, flags: int) -> None:
    """More flags for what is mounted at `target`."""
    kept = os.statvfs(target).f_flag & _KEPT
    mount("none", target, "", BIND | _REMOUNT | kept | flags)


def restrict_tree(target: str, flags: int) -> None:
    """As `restrict`, for what is mounted inside of it, too. Needs Linux 5.12."""
    attributes = (ctypes.c_uint64 * 4)(flags, 0, 0, 0)  # these flags have the same numbers there
    if _LIBC is None:
        raise OSError(78, "only Linux can do that")
    done = _LIBC.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(_HERE),
        os.fsencode(target),
        ctypes.c_uint(_AND_BELOW),
        attributes,
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount_setattr: {os.strerror(number)}", target)


def no_new_privileges() -> None:
    """Programs with a setuid bit or capabilities of their own get none of it, now and below."""
    _checked("prctl", _PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0)))


def undumpable() -> None:
    """Nobody of the same user can look into this process."""
    _checked("prctl", _PR_SET_DUMPABLE, *map(ctypes.c_ulong, (0, 0, 0, 0)))


def drop_capabilities() -> None:
    """All of them, for good, whichever user this is."""
    _checked("prctl", _PR_SET_SECUREBITS, *map(ctypes.c_ulong, (_ROOT_IS_NOBODY, 0, 0, 0)))
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _checked("capset", header, (ctypes.c_uint32 * 6)())


def leave_keys_behind() -> None:
    """A new session keyring: keys that the server's user has with the kernel are not inherited.
    Where there are no keyrings, or this machine's kind is not known, there is nothing to leave."""
    number = _KEYCTL.get(os.uname().machine)
    if _LIBC is not None and number is not None:
        _LIBC.syscall(ctypes.c_long(number), ctypes.c_long(_JOIN_SESSION_KEYRING), None)


def _checked(call: str, *arguments: object, what: str | None = None) -> None:
    if _LIBC is None:
        raise OSError(78, "only Linux can do that")
    if getattr(_LIBC, call)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}", what)
