"""Uploaded source folders: written to a temporary file, named by their digest, recorded."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from podium.domain.errors import FieldFault, TemporaryError, TooLargeError, UserError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, audited, authorise
from podium.store import projects, submissions
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

UPLOAD_BYTES_MAX = 256 * 2**20
_GZIP_MAGIC = b"\x1f\x8b"


async def upload_store(
    office: Office, identity: Identity, project: str, chunks: AsyncIterator[bytes]
) -> tuple[str, int]:
    """Keep a gzipped tar archive for a project. Returns its SHA-256 and size in bytes."""
    authorise(identity, Action.WORKLOAD_SUBMIT, project)
    await office.database.read(lambda tx: projects.project_fetch(tx, identity.known, project))
    folder = office.uploads_path / project
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
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
        submissions.upload_insert(tx, project, digest, size_bytes, identity.username, now_ms)

    await audited(office, entry, record)
    return digest, size_bytes


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
        with path.open("rb") as file:
            if file.read(2) != _GZIP_MAGIC:
                raise UserError(FieldFault("body", "is not a gzipped tar archive."))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return digest.hexdigest(), size_bytes, path
