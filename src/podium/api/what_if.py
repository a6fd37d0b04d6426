"""What changes of the cluster would do, tried on the last cycle; nothing is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Context, Ctx, Who
from podium.api.explained import Teller
from podium.control.schedule import SEED, Sight
from podium.domain.tenancy import Scope
from podium.intake.what_if import WhatIf, what_if_checked
from podium.scheduling.explain.edits import Edit
from podium.scheduling.explain.values import Difference, Moved, Stopped
from podium.scheduling.explain.what_if import ETAS, what_if, with_owners
from podium.scheduling.reasons.wording import listed
from podium.scheduling.snapshot import Demand, Snapshot
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.explain import (
    HiddenView,
    MovedView,
    NamedWorkloadView,
    ReasonShiftView,
    StoppedView,
    WhatIfRequest,
    WhatIfView,
)
from podium.store import policies
from podium.store.caps import owners
from podium.store.database import Transaction
from podium.store.wished import wished
from podium.store.workloads import NewWorkload

router = APIRouter(tags=["what-if"])

Item = TypeVar("Item", Moved, Stopped)
Shown = TypeVar("Shown")

_ETAS_SIZE_MAX = 60_000
"""Of larger clusters only what starts now is compared."""


@router.post("/what-if", response_model=WhatIfView)
async def try_changes(request: WhatIfRequest, context: Ctx, who: Who) -> Response:
    """Who would start earlier, who later, and who would be stopped if this were done: a quota
    edited, a node drained or lost, nodes added or booked, a GPU cut anew, work submitted,
    cancelled or raised.

    Administrators may try all of it, others what they may do to their own work. Nothing is done.
    """
    asked = await what_if_checked(context.office, who, request.changes)
    sight = await context.foresight.look()
    now_ms = context.database.now_ms()
    demands = await context.database.read(
        lambda tx: wished(
            tx,
            asked.new,
            now_ms,
            policies.policies_fetch(tx),
            sight.learnt,
            sight.snapshot.nodes,
        )
    )
    whose = await _owners(context, sight, asked)
    at_ms, found = await context.foresight.ask_long(
        lambda sight: (sight.now_ms, _difference(sight, asked, demands, whose))
    )
    return answer(
        await context.database.read(lambda tx: told(tx, who.scope, asked.new, found, at_ms))
    )


async def _owners(context: Context, sight: Sight, asked: WhatIf) -> dict[str, str]:
    """By workload, where a cap for each person is tried; else nobody asks."""
    if not asked.caps_people:
        return {}
    whose = {each.id: each.owner for each in asked.new}
    return whose | await owners_of(context, sight)


async def owners_of(context: Context, sight: Sight) -> dict[str, str]:
    """Whose all work is that waits or runs."""
    ids = {each.workload_id for each in sight.snapshot.demands}
    ids |= {each.workload_id for each in sight.snapshot.holds}
    return await context.database.read(lambda tx: owners(tx, ids))


def _difference(
    sight: Sight, asked: WhatIf, demands: Sequence[Demand], whose: Mapping[str, str]
) -> Difference:
    snapshot = sight.snapshot
    if whose:
        snapshot = with_owners(snapshot, whose)
        demands = [replace(each, owner=whose[each.workload_id]) for each in demands]
    return compared(snapshot, asked.edits(snapshot, demands, sight.now_ms), sight.now_ms)


def compared(snapshot: Snapshot, edits: Sequence[Edit], now_ms: int) -> Difference:
    """With forecasts where the cluster is not too large for that."""
    size = len(snapshot.nodes) + len(snapshot.holds) + len(snapshot.demands)
    etas = ETAS if size <= _ETAS_SIZE_MAX else 0
    return what_if(snapshot, edits, now_ms, SEED, etas=etas)


def told(
    tx: Transaction, scope: Scope, new: Sequence[NewWorkload], found: Difference, at_ms: int
) -> WhatIfView:
    """As the reader may see it."""
    wishes = {each.id: each for each in new}
    moved = (found.earlier, found.later, found.never, found.possible, found.fresh)
    stopped = (found.stopped, found.spared)
    ids = {one.workload_id for each in (*moved, *stopped) for one in each}
    teller = Teller(tx, scope, ids - wishes.keys())

    def named(workload_id: str) -> NamedWorkloadView | None:
        wish = wishes.get(workload_id)
        if wish is None:
            return teller.named(workload_id)
        return NamedWorkloadView(
            id="", name=wish.wish.name, project=wish.wish.project, owner=wish.owner
        )

    def of_moved(each: Moved) -> MovedView | None:
        name = named(each.workload_id)
        if name is None:
            return None
        return MovedView(
            workload=name,
            before=utc_or_none(each.before_ms),
            after=utc_or_none(each.after_ms),
            why=each.why,
        )

    def of_stopped(each: Stopped) -> StoppedView | None:
        name = named(each.workload_id)
        return None if name is None else StoppedView(workload=name, why=each.why)

    earlier, later, never, possible, fresh = (_seen(each, of_moved) for each in moved)
    stops, spared = (_seen(each, of_stopped) for each in stopped)
    return WhatIfView(
        sentence=_sentence(found, wishes, at_ms),
        stopped=stops,
        spared=spared,
        earlier=earlier,
        later=later,
        never=never,
        possible=possible,
        fresh=fresh,
        hidden=HiddenView(
            earlier=len(found.earlier) - len(earlier),
            later=len(found.later) - len(later),
            never=len(found.never) - len(never),
            possible=len(found.possible) - len(possible),
            stopped=len(found.stopped) - len(stops),
            spared=len(found.spared) - len(spared),
        ),
        reasons=[
            ReasonShiftView(reason=reason, before=before, after=after)
            for reason, before, after in found.reasons
            if before != after
        ],
        waiting=found.waiting,
        looked_at_starts=found.looked_at,
        looked_at=utc(at_ms),
    )


def _seen(items: Iterable[Item], view: Callable[[Item], Shown | None]) -> list[Shown]:
    return [shown for each in items if (shown := view(each)) is not None]


def _sentence(found: Difference, wishes: dict[str, NewWorkload], at_ms: int) -> str:
    parts: list[str] = []
    for each in found.fresh:
        if each.workload_id in wishes:
            name = wishes[each.workload_id].wish.name
            parts.append(f"{name} {'starts now' if each.after_ms == at_ms else 'waits'}")
    counts = (
        (found.stopped, "{} running {} would stop"),
        (found.spared, "{} {} would not have to give way"),
        (found.earlier, "{} {} would start earlier"),
        (found.later, "{} {} would start later"),
        (found.never, "{} {} could not start any more"),
        (found.possible, "{} {} could start that cannot now"),
    )
    for items, words in counts:
        if items:
            noun = "workload" if len(items) == 1 else "workloads"
            parts.append(words.format(f"{len(items):,}", noun))
    if not parts:
        return "Nothing that runs or waits would be affected."
    return f"{listed(parts)}."
