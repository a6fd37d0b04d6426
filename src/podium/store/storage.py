"""What projects keep here, in bytes, against the limits of their quotas. `intake/uploads` asks
before it keeps more; whatever else stores data for a project is added to `stored_bytes`."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.quota import Counted, QuotaLevel
from podium.store import tables
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageLimit:
    """A limit above a project: whose it is, in words, and what is stored below it."""

    label: str
    limit_bytes: int
    stored_bytes: int

    @property
    def left_bytes(self) -> int:
        return max(0, self.limit_bytes - self.stored_bytes)


def stored_bytes(tx: Transaction, project: str) -> int:
    """Uploaded archives that are kept."""
    return stored_by_project(tx).get(project, 0)


def stored_by_project(tx: Transaction) -> dict[str, int]:
    """The same of all projects that keep something."""
    table = tables.uploads
    rows = tx.execute(
        sa.select(table.c.project, sa.func.sum(table.c.size_bytes)).group_by(table.c.project)
    )
    return {project: int(size) for project, size in rows}


def storage_limits(tx: Transaction, project: str) -> list[StorageLimit]:
    """Of the project, its team and the organisation, those that are set."""
    table, of = tables.quota_ceilings, tables.projects
    rows = tx.execute(
        sa.select(table.c.level, table.c.name, table.c.amount).where(
            table.c.counted == Counted.STORAGE.value
        )
    ).all()
    if not rows:
        return []
    teams = {row[0]: row[1] for row in tx.execute(sa.select(of.c.name, of.c.team))}
    names = {
        QuotaLevel.PROJECT: project,
        QuotaLevel.TEAM: teams.get(project, ""),
        QuotaLevel.ORGANISATION: "",
    }
    stored = stored_by_project(tx)
    found = []
    for level, name, amount in rows:
        if names[QuotaLevel(level)] != name:
            continue
        below = (
            size
            for each, size in stored.items()
            if level == QuotaLevel.ORGANISATION
            or (level == QuotaLevel.TEAM and teams.get(each) == name)
            or (level == QuotaLevel.PROJECT and each == name)
        )
        label = f"{level} {name}" if name else "the organisation"
        found.append(StorageLimit(label=label, limit_bytes=amount, stored_bytes=sum(below)))
    return found
