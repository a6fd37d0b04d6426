"""The folder of one allocation: its file names, and the lock and claim that make it start once.

A shim holds `lock` for its lifetime and makes `claim` while it holds it. So a claim without a
held lock means that the shim is dead, and no claim means that nothing was ever started.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH105, PTH120

from __future__ import annotations

import fcntl
import os
import time

LAUNCH = "launch.json"
LOCK = "lock"
CLAIM = "claim"
STATUS = "status"
STOP = "stop.json"
JOB = "job"  # what is in it belongs to the job, and the rest to Podium
SAVED = f"{JOB}/saved"
SCRIPT = f"{JOB}/script"
WORK = f"{JOB}/work"
TEMPORARY = f"{JOB}/tmp"  # noqa: S108 - below the folder
SECRETS = f"{JOB}/secrets"

_LOCK_TRIES = 100


def lock_acquire(folder: str, *, unless_claimed: bool = True) -> int | None:
    """The descriptor that holds the lock, or None when another holder has it.

    Observers take the lock for an instant to test it, so one refusal proves nothing.
    """
    descriptor = os.open(f"{folder}/{LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if unless_claimed and is_claimed(folder):
                break
            time.sleep(0.005)
        else:
            return descriptor
    os.close(descriptor)
    return None


def lock_is_held(folder: str) -> bool:
    """Whether a live process holds the lock."""
    try:
        descriptor = os.open(f"{folder}/{LOCK}", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def claim_make(folder: str) -> bool:
    """True once in the life of a folder. The caller holds the lock."""
    try:
        descriptor = os.open(f"{folder}/{CLAIM}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    os.close(descriptor)
    return True


def is_claimed(folder: str) -> bool:
    return os.access(f"{folder}/{CLAIM}", os.F_OK)


def write_whole(path: str, content: bytes, *, lasting: bool = False) -> None:
    """Writes a file of mode 0600 that readers see whole or not at all; a `lasting` one also after
    the machine lost power. Raises OSError."""
    beside = f"{path}.new"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if lasting:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(beside, path)
    if lasting:
        room = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(room)
        finally:
            os.close(room)
