"""What belongs to submitting: idempotency keys and uploaded sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from podium.store import tables
from podium.store.database import Transaction


def idempotency_find(tx: Transaction, username: str, key: str) -> tuple[str, list[str]] | None:
    """Digest and workload ids of an earlier submission with this key."""
    table = tables.idempotency
    row = tx.execute(
        sa.select(table.c.digest, table.c.workload_ids).where(
            table.c.username == username, table.c.key == key
        )
    ).first()
    return None if row is None else (row.digest, row.workload_ids.split(","))


def idempotency_insert(
    tx: Transaction, username: str, key: str, digest: str, workload_ids: Sequence[str], now_ms: int
) -> None:
    tx.execute(
        sa.insert(tables.idempotency).values(
            username=username,
            key=key,
            digest=digest,
            workload_ids=",".join(workload_ids),
            created_at_ms=now_ms,
        )
    )


def upload_insert(
    tx: Transaction, project: str, sha256: str, size_bytes: int, username: str, now_ms: int
) -> None:
    """Idempotent: the same archive in the same project is one upload, kept from now on anew."""
    table = tables.uploads
    mine = (table.c.project == project) & (table.c.sha256 == sha256)
    if upload_exists(tx, project, sha256):
        tx.execute(sa.update(table).where(mine).values(created_at_ms=now_ms))
        return
    tx.execute(
        sa.insert(tables.uploads).values(
            project=project,
            sha256=sha256,
            size_bytes=size_bytes,
            username=username,
            created_at_ms=now_ms,
        )
    )


def upload_exists(tx: Transaction, project: str, sha256: str) -> bool:
    table = tables.uploads
    found = tx.scalar(
        sa.select(table.c.sha256).where(table.c.project == project, table.c.sha256 == sha256)
    )
    return found is not None


def upload_expire(tx: Transaction, before_ms: int, limit: int) -> list[tuple[str, str]]:
    """Forget uploads from before `before_ms` that no work which has not ended needs. Returns
    project and SHA-256 of each, whose archives may be deleted."""
    table, workload = tables.uploads, tables.workloads
    needed = sa.exists().where(
        workload.c.upload_sha256 == table.c.sha256,
        workload.c.project == table.c.project,
        workload.c.ended_at_ms.is_(None),
    )
    rows = tx.execute(
        sa.select(table.c.project, table.c.sha256)
        .where(table.c.created_at_ms < before_ms, ~needed)
        .order_by(table.c.created_at_ms)
        .limit(limit)
    ).all()
    for row in rows:
        tx.execute(
            sa.delete(table).where(table.c.project == row.project, table.c.sha256 == row.sha256)
        )
    return [(row.project, row.sha256) for row in rows]


def upload_path(root: Path, project: str, sha256: str) -> Path:
    """Where the archive itself lies, below the folder that holds all uploads."""
    return root / project / f"{sha256}.tar.gz"
