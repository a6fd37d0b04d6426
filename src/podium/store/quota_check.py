"""Whether new work could ever keep within the limits of quotas; `intake/workloads` asks when it is
submitted, so that a person hears at once what the scheduler would say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from podium.domain.quota import ORGANISATION, SCHEDULED, Counted, QuotaLevel, mig_slices
from podium.domain.reason import Refusal
from podium.domain.resources import Request
from podium.domain.workload import Kind, Wish
from podium.scheduling.order.ceilings import Capped, Reached
from podium.scheduling.order.fairness import Limit
from podium.scheduling.reasons.limits import counted_refusal, limit_refusal, person_refusal
from podium.store import tables
from podium.store.database import Transaction
from podium.store.workloads import NewWorkload

_Key = tuple[str, str]


def _of_whom(table: sa.Table, order: str) -> sa.Select[Any]:
    """Of the organisation, these `teams` and these `projects`."""
    level, name = table.c.level, table.c.name
    return (
        sa.select(table)
        .where(
            (level == QuotaLevel.ORGANISATION.value)
            | ((level == QuotaLevel.TEAM.value) & name.in_(_names("teams")))
            | ((level == QuotaLevel.PROJECT.value) & name.in_(_names("projects")))
        )
        .order_by(table.c[order])
    )


def _names(key: str) -> sa.BindParameter[Any]:
    return sa.bindparam(key, expanding=True)


_AMOUNTS = _of_whom(tables.quota_amounts, "gpu_type")
_CEILINGS = _of_whom(tables.quota_ceilings, "counted")
# Made once: each submission asks both.


def hopeless(tx: Transaction, new: Sequence[NewWorkload]) -> list[tuple[str, Refusal]]:
    """Those that alone take more than a limit allows, with why they will wait."""
    names = {each.wish.project for each in new}
    teams = {each.team for each in new}
    amounts, ceilings = _limits(tx, names, teams)
    if not amounts and not ceilings:
        return []
    found = []
    for each in new:
        path = (
            (f"{each.team}/{each.wish.project}", (QuotaLevel.PROJECT, each.wish.project)),
            (each.team, (QuotaLevel.TEAM, each.team)),
            (ORGANISATION, (QuotaLevel.ORGANISATION, "")),
        )
        refusals = (
            refusal
            for share, (level, name) in path
            for refusal in _of_share(
                share,
                amounts.get((level.value, name), []),
                ceilings.get((level.value, name), []),
                each,
            )
        )
        refusal = next(refusals, None)
        if refusal is not None:
            found.append((each.id, refusal))
    return found


def _limits(
    tx: Transaction, names: set[str], teams: set[str]
) -> tuple[dict[_Key, list[tuple[str, int | None, int | None]]], dict[_Key, list[tuple[str, int]]]]:
    whose = {"teams": sorted(teams), "projects": sorted(names)}
    amounts: dict[_Key, list[tuple[str, int | None, int | None]]] = {}
    for row in tx.execute(_AMOUNTS, whose):
        mine_too = amounts.setdefault((row.level, row.name), [])
        mine_too.append((row.gpu_type, row.limit_milli, row.per_user_milli))
    ceilings: dict[_Key, list[tuple[str, int]]] = {}
    for row in tx.execute(_CEILINGS, whose):
        ceilings.setdefault((row.level, row.name), []).append((row.counted, row.amount))
    return amounts, ceilings


def _of_share(
    share: str,
    amounts: Sequence[tuple[str, int | None, int | None]],
    ceilings: Sequence[tuple[str, int]],
    new: NewWorkload,
) -> Iterator[Refusal]:
    asked = list(_asked(new.wish))
    milli = sum(request.gpu_milli * count for request, count in asked)
    named = {name.casefold() for request, _ in asked for name in request.gpu_types}
    for gpu_type, limit, cap in amounts:
        if not milli or (gpu_type and named != {gpu_type.casefold()}):
            continue
        if limit is not None and milli > limit:
            yield limit_refusal(Limit(share, gpu_type, limit, 0), milli)
        if cap is not None and milli > cap:
            yield person_refusal(Capped(share, new.owner, gpu_type, cap, 0), milli)
    takes = {
        Counted.CPU: sum(request.cpu_milli * count for request, count in asked),
        Counted.MEMORY: sum(request.memory_bytes * count for request, count in asked),
        Counted.MIG_SLICES: sum(
            mig_slices(request.mig_profile) * request.mig_count * count
            for request, count in asked
            if request.mig_profile is not None
        ),
        Counted.WORKSPACES: int(new.wish.kind is Kind.WORKSPACE),
    }
    for name, limit in ceilings:
        what = Counted(name)
        if what in SCHEDULED and takes[what] > limit:
            yield counted_refusal(Reached(share, what, limit, 0, takes[what]))


def _asked(wish: Wish) -> Iterator[tuple[Request, int]]:
    """What must be had at once, at least."""
    if wish.groups:
        yield from ((group.request, group.count) for group in wish.groups)
    else:
        yield wish.request, wish.replicas.minimum
