"""The status page of one allocation: written by its shim, read by the engine.

One preallocated block that is overwritten in place, so that a full disk cannot keep an end from
being recorded. A checksum lets readers see a half-written page and read again.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from typing import Any

PAGE_BYTES = 4096
MESSAGE_CHARACTERS_MAX = 600
_HEADER_BYTES = 16
_READ_TRIES = 5

Status = dict[str, Any]


def page_create(path: str) -> int:
    """Makes the page, blocks and all, and returns its descriptor. Raises OSError, such as
    ENOSPC, before anything has started."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.pwrite(descriptor, b" " * PAGE_BYTES, 0) != PAGE_BYTES:
            raise OSError(28, "the disk is full", path)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def page_write(descriptor: int, status: Status) -> None:
    """Overwrites the page. Raises OSError."""
    message = str(status.get("message", ""))
    body = json.dumps({**status, "message": message[:MESSAGE_CHARACTERS_MAX]}).encode()
    assert len(body) <= PAGE_BYTES - _HEADER_BYTES, "a status fits its page"
    header = b"%08x %06d\n" % (zlib.crc32(body), len(body))
    os.pwrite(descriptor, (header + body).ljust(PAGE_BYTES), 0)


def page_read(path: str) -> Status | None:
    """The status, or None where there is no page or never was a whole one."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        for attempt in range(_READ_TRIES):
            status = _parsed(os.pread(descriptor, PAGE_BYTES, 0))
            if status is not None:
                return status
            time.sleep(0.0005 * attempt)  # the writer is inside one pwrite of a page
        return None
    finally:
        os.close(descriptor)


def _parsed(page: bytes) -> Status | None:
    try:
        crc, length = int(page[:8], 16), int(page[9:15])
    except ValueError:
        return None
    body = page[_HEADER_BYTES : _HEADER_BYTES + length]
    if len(body) != length or zlib.crc32(body) != crc:
        return None
    parsed: Status = json.loads(body)
    return parsed
