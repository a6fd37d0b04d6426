"""Where one person may hold only so much: the scheduler is told owners of such work alone, so that
other work which asks for the same stays one line. `demands`, `standing` and `picture` ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from podium.domain.quota import QuotaLevel
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction


class CappedProjects:
    """Asked once for a reading."""

    def __init__(self, tx: Transaction) -> None:
        table = tables.quota_amounts
        rows = tx.execute(
            sa.select(table.c.level, table.c.name)
            .where(table.c.per_user_milli.is_not(None))
            .distinct()
            .order_by(table.c.level, table.c.name)
        ).all()
        self.marks: tuple[tuple[Any, ...], ...] = tuple(map(tuple, rows))
        self._all = any(level == QuotaLevel.ORGANISATION for level, _ in rows)
        teams = {name for level, name in rows if level == QuotaLevel.TEAM}
        self._names = {name for level, name in rows if level == QuotaLevel.PROJECT}
        if teams and not self._all:
            project = tables.projects
            self._names |= set(
                tx.scalars(sa.select(project.c.name).where(project.c.team.in_(sorted(teams))))
            )

    def owner(self, project: str, owner: str) -> str:
        """The owner where it matters, else ""."""
        return owner if self._all or project in self._names else ""


def owners(tx: Transaction, ids: Iterable[str]) -> dict[str, str]:
    """Whose work these workloads are."""
    table, found = tables.workloads, dict[str, str]()
    for chunk in chunks(ids):
        rows = tx.execute(sa.select(table.c.id, table.c.owner).where(table.c.id.in_(chunk)))
        found.update((row[0], row[1]) for row in rows)
    return found
