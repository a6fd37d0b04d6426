"""Uploaded source folders: written to a temporary file, looked through, named by their digest,
recorded."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from podium.domain.errors import (
    BusyError,
    ConflictError,
    FieldFault,
    TemporaryError,
    TooLargeError,
    UserError,
)
from podium.domain.quantity import format_bytes
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, audited, authorise
from podium.spec.archive import ArchiveError, ArchiveLimits, archive_check
from podium.store import projects, submissions
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.storage import storage_limits

UPLOAD_BYTES_MAX = 256 * 2**20
UPLOADS_AT_ONCE_MAX = 4
"""Of one person. Their bytes lie on the disk before they are known to be good."""
_FREE_BYTES_MIN = 2**28
_GZIP_MAGIC = b"\x1f\x8b"
# Unpacking to look is work for a processor, and there may be many at once.
_lookers = ThreadPoolExecutor(2, thread_name_prefix="archives")
_under_way: Counter[str] = Counter()


async def upload_store(
    office: Office, identity: Identity, project: str, chunks: AsyncIterator[bytes]
) -> tuple[str, int]:
    """Keep a gzipped tar archive for a project. Returns its SHA-256 and size in bytes. Raises
    UserError, TooLargeError, BusyError or TemporaryError, and ConflictError where a quota leaves
    no room."""
    authorise(identity, Action.WORKLOAD_SUBMIT, project)
    await office.database.read(lambda tx: projects.project_open(tx, identity.known, project))
    folder = office.uploads_path / project
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _check_room(folder)
        with _one_of_few(identity.username):
            digest, size_bytes, path = await _receive(folder, chunks)
        path.replace(submissions.upload_path(office.uploads_path, project, digest))
    except OSError as error:
        raise TemporaryError(
            f"The upload could not be kept: {error.strerror}. Nothing was lost; try again later.",
            retry_after_seconds=10,
        ) from error
    now_ms = office.database.now_ms()
    entry = AuditEntry(
        actor=identity.username,
        action=Action.WORKLOAD_SUBMIT,
        subject=f"upload {digest}",
        project=project,
        detail={"size_bytes": size_bytes},
    )

    def record(tx: Transaction) -> None:
        if not submissions.upload_exists(tx, project, digest):
            try:
                _check_quota(tx, project, size_bytes)
            except ConflictError:
                path = submissions.upload_path(office.uploads_path, project, digest)
                path.unlink(missing_ok=True)
                raise
        submissions.upload_insert(tx, project, digest, size_bytes, identity.username, now_ms)

    await audited(office, entry, record)
    return digest, size_bytes


def _check_quota(tx: Transaction, project: str, size_bytes: int) -> None:
    """Raises ConflictError where a limit leaves no room for so much more."""
    for limit in storage_limits(tx, project):
        if size_bytes > limit.left_bytes:
            raise ConflictError(
                f"The upload would go over the storage limit of {limit.label}: "
                f"{format_bytes(limit.stored_bytes)} of {format_bytes(limit.limit_bytes)} are "
                "kept. "
                "Old uploads go by themselves once no work needs them; an administrator can raise "
                "the limit."
            )


async def _receive(folder: Path, chunks: AsyncIterator[bytes]) -> tuple[str, int, Path]:
    digest = hashlib.sha256()
    size_bytes = 0
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".part-")
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            async for chunk in chunks:
                size_bytes += len(chunk)
                if size_bytes > UPLOAD_BYTES_MAX:
                    raise TooLargeError(
                        f"The upload is larger than {UPLOAD_BYTES_MAX // 2**20} MiB. Keep data out "
                        "of the source folder: list it in .podiumignore and mount it as a volume."
                    )
                digest.update(chunk)
                file.write(chunk)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(_lookers, _look_through, path, size_bytes)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return digest.hexdigest(), size_bytes, path


def _look_through(path: Path, size_bytes: int) -> None:
    with path.open("rb") as file:
        if file.read(2) != _GZIP_MAGIC:
            raise UserError(FieldFault("body", "is not a gzipped tar archive."))
        file.seek(0)
        try:
            archive_check(file, ArchiveLimits(), packed_bytes=size_bytes)
        except ArchiveError as error:
            raise UserError(FieldFault("body", f"cannot be used. {error}")) from None


def _check_room(folder: Path) -> None:
    if shutil.disk_usage(folder).free < UPLOAD_BYTES_MAX + _FREE_BYTES_MIN:
        raise TemporaryError(
            "The server's disk has too little room for uploads. Nothing was lost; tell your "
            "operators, and try again later.",
            retry_after_seconds=60,
        )


@contextlib.contextmanager
def _one_of_few(username: str) -> Iterator[None]:
    if _under_way[username] >= UPLOADS_AT_ONCE_MAX:
        raise BusyError(
            f"You have {UPLOADS_AT_ONCE_MAX} uploads under way. Try again when one is done.",
            retry_after_seconds=5,
        )
    _under_way[username] += 1
    try:
        yield
    finally:
        _under_way[username] -= 1
        if not _under_way[username]:
            del _under_way[username]
