"""What a look at budgets writes: when each is spent, what people are told, and who is stopped.
`control/budgets` calls it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.budget import FULL, Budget, BudgetLevel, Standing, WhenSpent
from podium.domain.event import SYSTEM_ACTOR
from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import Cause
from podium.domain.rights import Action
from podium.domain.tenancy import UserKind
from podium.spec.views.base import utc
from podium.store import tables
from podium.store.access import holders
from podium.store.audit import AuditEntry, audit_append
from podium.store.budget_ledger import blocks_of
from podium.store.budgets import Kept, budget_find, budget_foretell, budget_told
from podium.store.database import Transaction
from podium.store.lifecycle import workload_rows, workload_stop
from podium.store.notices import notice_insert

REACHED = "budget:reached"
"""What the audit trail calls it when a threshold is reached."""

_STOPPED_MAX = 200
_TOLD_MAX = 100
_SAME_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Acted:
    """What came of it; `more` is left to stop."""

    told: int = 0
    stopped: int = 0
    more: bool = False


def foretold_anew(kept: Kept, standing: Standing) -> bool:
    """Whether something else is to be written than what stands there. A moment still to come may
    be a second off; one that has come stays."""
    if kept.until_ms != standing.span.until_ms:
        return True
    before, now = kept.runs_out_ms, standing.runs_out_ms
    if before is None or now is None:
        return before is not now
    if standing.is_spent:
        return before > standing.at_ms
    return before <= standing.at_ms or abs(before - now) > _SAME_MS


def foretell(tx: Transaction, changed: Sequence[tuple[Kept, Standing]]) -> None:
    for kept, standing in changed:
        budget_foretell(
            tx,
            kept.budget.name,
            runs_out_ms=standing.runs_out_ms,
            until_ms=standing.span.until_ms,
        )


def due(tx: Transaction, looked: Sequence[tuple[Kept, Standing]]) -> list[tuple[Kept, Standing]]:
    """Those that have something to tell or to stop."""
    return [
        (kept, standing)
        for kept, standing in looked
        if _news(kept, standing) or (_stops(standing) and _stoppable(tx, kept, 1))
    ]


def act(tx: Transaction, waiting: Sequence[tuple[Kept, Standing]], now_ms: int) -> Acted:
    told, stopped, more = 0, 0, False
    for kept, standing in waiting:
        fresh = budget_find(tx, kept.budget.name)
        if fresh is None or fresh.budget != kept.budget:
            continue
        if _news(fresh, standing):
            _tell(tx, fresh, standing, now_ms)
            told += 1
        if _stops(standing):
            ids = _stoppable(tx, fresh, _STOPPED_MAX)
            for row in workload_rows(tx, ids).values():
                workload_stop(tx, row, Cause.PREEMPTED, now_ms, message=_stopping(standing))
            stopped += len(ids)
            more |= len(ids) == _STOPPED_MAX
    return Acted(told=told, stopped=stopped, more=more)


def _news(kept: Kept, standing: Standing) -> bool:
    before = kept.told_percent if kept.told_since_ms == standing.span.since_ms else 0
    return standing.reached > before


def _stops(standing: Standing) -> bool:
    return standing.is_spent and standing.budget.when_spent is WhenSpent.STOP


def _tell(tx: Transaction, kept: Kept, standing: Standing, now_ms: int) -> None:
    budget, percent = standing.budget, standing.reached
    budget_told(tx, budget.name, since_ms=standing.span.since_ms, percent=percent)
    people = sorted({kept.updated_by, *_concerned(tx, budget)})
    notice_insert(
        tx,
        [
            {
                "at_ms": now_ms,
                "username": username,
                "budget": budget.name,
                "level": "bad" if percent >= FULL else "plain",
                "sentence": _sentence(standing),
            }
            for username in people
        ],
    )
    entry = AuditEntry(
        actor=SYSTEM_ACTOR,
        action=REACHED,
        subject=budget.name,
        project=budget.target if budget.level is BudgetLevel.PROJECT else None,
        detail={
            "whose": budget.whose,
            "percent": standing.percent,
            "threshold": percent,
            "period_since": utc(standing.span.since_ms).isoformat(),
            "when_spent": budget.when_spent.value,
        },
    )
    audit_append(tx, [entry], now_ms)


def _concerned(tx: Transaction, budget: Budget) -> set[str]:
    """Who answers for what is spent: leads, administrators, or the person themselves."""
    if budget.level is BudgetLevel.USER:
        return {budget.target}
    found = holders(
        tx,
        Action.BUDGET_SET,
        project=budget.target if budget.level is BudgetLevel.PROJECT else None,
        team=budget.target if budget.level is BudgetLevel.TEAM else None,
        limit=_TOLD_MAX,
    )
    return {each.user.username for each in found if each.user.kind is UserKind.PERSON}


def _sentence(standing: Standing) -> str:
    budget = standing.budget
    if not standing.is_spent:
        return f"{standing.percent} % of the budget {budget.name} of {budget.whose} is spent."
    words = f"The budget {budget.name} of {budget.whose} is spent."
    if budget.when_spent is WhenSpent.WARN:
        return words
    until = standing.span.until_ms
    when = "" if until is None else f" until {utc(until):%d %B}"
    more = " What may be preempted is stopped." if _stops(standing) else ""
    return f"{words} Nothing new of theirs starts{when}.{more}"


def _stopping(standing: Standing) -> str:
    budget = standing.budget
    return f"It gives way, because the budget {budget.name} of {budget.whose} is spent."


def _stoppable(tx: Transaction, kept: Kept, limit: int) -> list[str]:
    """Work under way that may be preempted and whose next start the budget would hold back. What
    was stopped before comes first in the queue again, so the newest goes first."""
    blocks = blocks_of(tx, [kept])
    table, held, part = tables.workloads, tables.allocations, tables.allocation_devices
    rows = tx.execute(
        sa.select(table.c.id, table.c.project, table.c.owner, part.c.gpu_type)
        .join(held, held.c.workload_id == table.c.id)
        .join(part, part.c.allocation_id == held.c.id)
        .where(
            held.c.released_at_ms.is_(None),
            table.c.preemptible,
            table.c.state.in_([WorkloadState.STARTING.value, WorkloadState.RUNNING.value]),
        )
        .distinct()
        .order_by(table.c.id.desc())
    )
    found: dict[str, None] = {}
    for workload_id, project, owner, gpu_type in rows:
        if blocks.holds(project, owner, gpu_type):
            found[workload_id] = None
            if len(found) == limit:
                break
    return list(found)
