"""What projects held and waited for, hour by hour: `control/demand` writes it with the minutes of
the scheduler, `api/capacity` sums it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.metering import cost_centre
from podium.store.scoping import within

HOUR_MS = 3_600_000

_KEY = ("at_ms", "project", "gpu_type")

Key = tuple[int, str, str]
"""When the hour begins, project, and GPU type ("": any of several)."""


@dataclass(slots=True)
class Demanded:
    """Of one hour, project and GPU type: GPU time held and waited for in milli-GPU x milliseconds,
    how many workloads started for the first time, and how long these had waited in all. `reasons`
    are (milli-GPU x ms, workloads x ms) by the reason to wait."""

    held_milli_ms: int = 0
    wanted_milli_ms: int = 0
    started: int = 0
    wait_ms: int = 0
    reasons: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, other: Demanded) -> None:
        self.held_milli_ms += other.held_milli_ms
        self.wanted_milli_ms += other.wanted_milli_ms
        self.started += other.started
        self.wait_ms += other.wait_ms
        for reason, (milli_ms, workload_ms) in other.reasons.items():
            before = self.reasons.get(reason, (0, 0))
            self.reasons[reason] = (before[0] + milli_ms, before[1] + workload_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRow:
    """`held_milli_ms` and the rest as in `Demanded`."""

    at_ms: int
    project: str
    team: str
    cost_centre: str
    gpu_type: str
    demanded: Demanded


def demand_add(tx: Transaction, rows: Mapping[Key, Demanded]) -> None:
    """Added to what is there of these hours; of projects that are gone nothing is kept."""
    if not rows:
        return
    there = set(tx.scalars(sa.select(tables.projects.c.name)))
    rows = {key: each for key, each in rows.items() if key[1] in there}
    table, reason = tables.demand_hours, tables.demand_hour_reasons
    whole: dict[Key, Demanded] = {key: Demanded() for key in rows}
    for at_ms in {key[0] for key in rows}:
        for row in tx.execute(sa.select(table).where(table.c.at_ms == at_ms)):
            if (key := (at_ms, row.project, row.gpu_type)) in whole:
                whole[key].add(
                    Demanded(row.held_milli_ms, row.wanted_milli_ms, row.started, row.wait_ms)
                )
        for row in tx.execute(sa.select(reason).where(reason.c.at_ms == at_ms)):
            if (key := (at_ms, row.project, row.gpu_type)) in whole:
                whole[key].reasons[row.reason] = (row.milli_ms, row.workload_ms)
    for key, each in rows.items():
        whole[key].add(each)
    for old in (table, reason):
        mine = [old.c[name] == sa.bindparam(f"of_{name}") for name in _KEY]
        if whole:
            names = [f"of_{name}" for name in _KEY]
            keys = [dict(zip(names, key, strict=True)) for key in whole]
            tx.execute(sa.delete(old).where(*mine), keys)
    if whole:
        amounts = ("held_milli_ms", "wanted_milli_ms", "started", "wait_ms")
        tx.execute(
            sa.insert(table),
            [
                dict(zip(_KEY, key, strict=True)) | {name: getattr(each, name) for name in amounts}
                for key, each in whole.items()
            ],
        )
    told = [
        dict(zip(_KEY, key, strict=True))
        | {"reason": name, "milli_ms": milli_ms, "workload_ms": workload_ms}
        for key, each in whole.items()
        for name, (milli_ms, workload_ms) in each.reasons.items()
    ]
    if told:
        tx.execute(sa.insert(reason), told)


def demand_between(
    tx: Transaction, scope: Scope, since_ms: int, until_ms: int, gpu_type: str | None = None
) -> list[DemandRow]:
    """Of the projects of the scope, by hour; with their team and cost centre as they are now."""
    table, reason = tables.demand_hours, tables.demand_hour_reasons
    project, team = tables.projects, tables.teams
    found: dict[Key, DemandRow] = {}
    chosen = (table.c.at_ms >= since_ms) & (table.c.at_ms < until_ms)
    why = (reason.c.at_ms >= since_ms) & (reason.c.at_ms < until_ms)
    if gpu_type is not None:
        chosen &= sa.func.lower(table.c.gpu_type) == gpu_type.lower()
    for row in tx.execute(
        sa.select(table, project.c.team, cost_centre().label("cost_centre"))
        .join(project, project.c.name == table.c.project)
        .join(team, team.c.name == project.c.team)
        .where(chosen, within(scope, table.c.project))
        .order_by(table.c.at_ms, table.c.project, table.c.gpu_type)
    ):
        found[row.at_ms, row.project, row.gpu_type] = DemandRow(
            at_ms=row.at_ms,
            project=row.project,
            team=row.team,
            cost_centre=row.cost_centre,
            gpu_type=row.gpu_type,
            demanded=Demanded(row.held_milli_ms, row.wanted_milli_ms, row.started, row.wait_ms),
        )
    for row in tx.execute(sa.select(reason).where(why, within(scope, reason.c.project))):
        of = found.get((row.at_ms, row.project, row.gpu_type))
        if of is not None:
            of.demanded.reasons[row.reason] = (row.milli_ms, row.workload_ms)
    return list(found.values())
