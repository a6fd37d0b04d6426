"""Data sources with their grants, and what they ask of the places where work stands."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from podium.domain.data import (
    Classification,
    DataSource,
    Grant,
    GranteeKind,
    SourceKind,
)
from podium.domain.errors import NotFoundError
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction

USERS_SHOWN = 20


def sources_fetch(
    tx: Transaction, ids: Collection[str] | None = None, *, lock: bool = False
) -> dict[str, DataSource]:
    """All of them, or those of `ids` that exist, by id. With `lock` they stay so until the
    transaction ends."""
    table = tables.data_sources
    base = sa.select(table).order_by(table.c.id)
    if lock:
        base = base.with_for_update(read=True)
    rows: list[sa.Row[tuple[object, ...]]] = []
    if ids is None:
        rows.extend(tx.execute(base))
    else:
        for chunk in chunks(ids):
            rows.extend(tx.execute(base.where(table.c.id.in_(chunk))))
    if not rows:
        return {}
    grants = _grants(tx, None if ids is None else [row.id for row in rows])
    return {row.id: _source(row, grants.get(row.id, ())) for row in rows}


def source_fetch(tx: Transaction, key: str) -> DataSource | None:
    return sources_fetch(tx, [key]).get(key)


def source_put(tx: Transaction, source: DataSource) -> None:
    """Make it, or put it in the place of the one of that id. Grants stay as they are."""
    table = tables.data_sources
    values = {
        "kind": source.kind.value,
        "location": json.dumps(dict(source.location), sort_keys=True),
        "classification": source.classification.value,
        "regions": " ".join(source.regions),
        "description": source.description,
        "updated_at_ms": source.updated_at_ms,
        "updated_by": source.updated_by,
    }
    mine = table.c.id == source.id
    if tx.scalar(sa.select(table.c.id).where(mine).with_for_update()) is None:
        own = {"id": source.id, "name": source.name, "project": source.project or None}
        tx.execute(sa.insert(table).values(**own, **values))
    else:
        tx.execute(sa.update(table).where(mine).values(values))


def source_delete(tx: Transaction, key: str) -> None:
    """With its grants. Raises NotFoundError."""
    table = tables.data_sources
    if not tx.execute(sa.delete(table).where(table.c.id == key)).rowcount:
        raise NotFoundError(f"There is no data source {key} that you can see.")


def grant_set(tx: Transaction, key: str, grant: Grant) -> None:
    grant_remove(tx, key, grant.kind, grant.name)
    tx.execute(
        sa.insert(tables.data_grants).values(
            source=key, kind=grant.kind.value, name=grant.name, write=grant.write
        )
    )


def grant_remove(tx: Transaction, key: str, kind: GranteeKind, name: str) -> bool:
    """Whether there was one."""
    # Whoever decides on a launch by these grants holds the source's row.
    source, table = tables.data_sources, tables.data_grants
    tx.execute(sa.select(source.c.id).where(source.c.id == key).with_for_update())
    mine = (table.c.source == key) & (table.c.kind == kind.value) & (table.c.name == name)
    return bool(tx.execute(sa.delete(table).where(mine)).rowcount)


def source_users(tx: Transaction, key: str) -> Sequence[str]:
    """Ids of the newest workloads that ask for it and have not ended."""
    use, workload = tables.workload_data, tables.workloads
    return tx.scalars(
        sa.select(use.c.workload_id)
        .join(workload, workload.c.id == use.c.workload_id)
        .where(use.c.source == key, workload.c.ended_at_ms.is_(None))
        .order_by(use.c.workload_id.desc())
        .limit(USERS_SHOWN)
    ).all()


def grantee_exists(tx: Transaction, kind: GranteeKind, name: str) -> bool:
    column = {
        GranteeKind.PROJECT: tables.projects.c.name,
        GranteeKind.TEAM: tables.teams.c.name,
        GranteeKind.USER: tables.users.c.username,
    }[kind]
    return tx.scalar(sa.select(column).where(column == name)) is not None


def teams_of(tx: Transaction) -> dict[str, str]:
    """The team of each project."""
    table = tables.projects
    return {row[0]: row[1] for row in tx.execute(sa.select(table.c.name, table.c.team))}


def _grants(tx: Transaction, ids: Collection[str] | None) -> dict[str, tuple[Grant, ...]]:
    table = tables.data_grants
    base = sa.select(table).order_by(table.c.source, table.c.kind, table.c.name)
    rows: list[sa.Row[tuple[object, ...]]] = []
    if ids is None:
        rows.extend(tx.execute(base))
    else:
        for chunk in chunks(ids):
            rows.extend(tx.execute(base.where(table.c.source.in_(chunk))))
    found: dict[str, list[Grant]] = {}
    for row in rows:
        found.setdefault(row.source, []).append(
            Grant(GranteeKind(row.kind), row.name, bool(row.write))
        )
    return {key: tuple(each) for key, each in found.items()}


def _source(row: sa.Row[tuple[object, ...]], grants: tuple[Grant, ...]) -> DataSource:
    return DataSource(
        id=row.id,
        name=row.name,
        project=row.project or "",
        kind=SourceKind(row.kind),
        location=json.loads(row.location),
        classification=Classification(row.classification),
        regions=tuple(row.regions.split()),
        description=row.description,
        grants=grants,
        updated_at_ms=row.updated_at_ms,
        updated_by=row.updated_by,
    )
