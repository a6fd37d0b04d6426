"""What is held now, in the terms of its bill to come. `store/spending` and `store/reports` add it
to what was billed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.metering import Line, Metered, Part, lines_of
from podium.domain.tariff import Tariff
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.metering import cost_centre
from podium.store.scoping import within


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """An allocation that is not released, whose it is, and what it comes to so far: by the
    server's clock, which its bill will correct by the engine's."""

    allocation_id: str
    workload_id: str
    project: str
    team: str
    cost_centre: str
    owner: str
    kind: str
    started: bool
    metered: Metered

    def lines(self, tariff: Tariff, cuts_ms: Sequence[int] | None = None) -> list[Line]:
        return lines_of(self.metered, tariff, cuts_ms)


def running_list(
    tx: Transaction, now_ms: int, chosen: sa.ColumnElement[bool] | None = None
) -> list[Running]:
    """All that is held, in the order of ids; or what is `chosen` of it, told by columns of
    allocations, workloads, projects and teams."""
    held, workload, meter = tables.allocations, tables.workloads, tables.busy_meters
    project, team = tables.projects, tables.teams
    is_open = sa.and_(held.c.released_at_ms.is_(None), sa.true() if chosen is None else chosen)
    whole = (
        sa.join(held, workload, workload.c.id == held.c.workload_id)
        .join(project, project.c.name == held.c.project)
        .join(team, team.c.name == project.c.team)
    )
    rows = tx.execute(
        sa.select(
            held.c.id,
            held.c.workload_id,
            held.c.project,
            project.c.team,
            cost_centre().label("cost_centre"),
            workload.c.owner,
            workload.c.kind,
            held.c.cpu_milli,
            held.c.created_at_ms,
            held.c.started_at_ms,
            sa.func.coalesce(meter.c.measured_ms, 0).label("measured_ms"),
            sa.func.coalesce(meter.c.busy_milli_ms, 0).label("busy_milli_ms"),
        )
        .select_from(whole.outerjoin(meter, meter.c.allocation_id == held.c.id))
        .where(is_open)
        .order_by(held.c.id)
    ).all()
    share = tables.allocation_devices
    parts: dict[str, tuple[Part, ...]] = {}
    shares = tx.execute(
        sa.select(
            share.c.allocation_id,
            share.c.gpu_type,
            sa.func.sum(share.c.gpu_milli),
            sa.func.sum(share.c.borrowed_milli),
        )
        .select_from(whole.join(share, share.c.allocation_id == held.c.id))
        .where(is_open)
        .group_by(share.c.allocation_id, share.c.gpu_type)
        .order_by(share.c.allocation_id, share.c.gpu_type)
    )
    for key, gpu_type, milli, borrowed in shares:
        parts[key] = (*parts.get(key, ()), Part(gpu_type, int(milli), int(borrowed)))
    return [
        Running(
            allocation_id=row.id,
            workload_id=row.workload_id,
            project=row.project,
            team=row.team,
            cost_centre=row.cost_centre,
            owner=row.owner,
            kind=row.kind,
            started=row.started_at_ms is not None,
            metered=Metered(
                parts=parts.get(row.id, ()),
                runtime_ms=(0 if row.started_at_ms is None else max(0, now_ms - row.started_at_ms)),
                ended_ms=max(now_ms, row.started_at_ms or row.created_at_ms),
                held_from_ms=row.created_at_ms,
                held_until_ms=max(now_ms, row.created_at_ms),
                cpu_milli=row.cpu_milli,
                measured_ms=row.measured_ms,
                busy_milli_ms=row.busy_milli_ms,
            ),
        )
        for row in rows
    ]


def held_since_before(tx: Transaction, scope: Scope, before_ms: int) -> bool:
    """Whether anything is held that began before: its bill will add to the days until then."""
    held = tables.allocations
    found = tx.scalar(
        sa.select(
            sa.exists().where(
                held.c.released_at_ms.is_(None),
                held.c.created_at_ms < before_ms,
                held.c.gpu_milli > 0,
                within(scope, held.c.project),
            )
        )
    )
    return bool(found)
