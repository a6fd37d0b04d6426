"""Figures of the scheduler's cycles, minute by minute: `control/recorder` writes them, the
Scheduler page reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from podium.store import tables
from podium.store.database import Transaction

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """One minute, or several as one, from `at_ms` on. `recorded` are the cycles that changed
    something; `waiting` and `reasons` (workloads refused, by reason) are those of its end; times
    are in microseconds of one cycle."""

    at_ms: int
    cycles: int = 0
    recorded: int = 0
    placed: int = 0
    preempted: int = 0
    told: int = 0
    stale: int = 0
    waiting: int = 0
    median_us: int = 0
    p99_us: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


_COUNTED = ("cycles", "recorded", "placed", "preempted", "told", "stale")
_COLUMNS = tuple(column.name for column in tables.scheduler_minutes.columns)


def minute_write(tx: Transaction, minute: Minutes) -> None:
    """Added to what is there of that minute already, from before a restart or another server."""
    table, reason = tables.scheduler_minutes, tables.scheduler_minute_reasons
    there = minutes_between(tx, minute.at_ms, minute.at_ms + MINUTE_MS)
    tx.execute(sa.delete(table).where(table.c.at_ms == minute.at_ms))
    whole = _together([*there, minute], minute.at_ms)
    tx.execute(sa.insert(table).values({name: getattr(whole, name) for name in _COLUMNS}))
    reasons = [
        {"at_ms": whole.at_ms, "reason": name, "count": count}
        for name, count in sorted(whole.reasons.items())
    ]
    if reasons:
        tx.execute(sa.insert(reason), reasons)


def minutes_between(tx: Transaction, since_ms: int, until_ms: int) -> list[Minutes]:
    """Those that begin in this time, oldest first."""
    table, reason = tables.scheduler_minutes, tables.scheduler_minute_reasons
    found: dict[int, dict[str, int]] = {}
    for at_ms, name, count in tx.execute(
        sa.select(reason)
        .where(reason.c.at_ms >= since_ms, reason.c.at_ms < until_ms)
        .order_by(reason.c.at_ms, reason.c.reason)
    ):
        found.setdefault(at_ms, {})[name] = count
    rows = tx.execute(
        sa.select(table)
        .where(table.c.at_ms >= since_ms, table.c.at_ms < until_ms)
        .order_by(table.c.at_ms)
    ).mappings()
    return [
        Minutes(**{name: row[name] for name in _COLUMNS}, reasons=found.get(row["at_ms"], {}))
        for row in rows
    ]


def minutes_merged(minutes: Sequence[Minutes], span_ms: int) -> list[Minutes]:
    """In spans that begin at whole multiples of `span_ms`."""
    spans: dict[int, list[Minutes]] = {}
    for each in minutes:
        spans.setdefault(each.at_ms // span_ms * span_ms, []).append(each)
    return [_together(some, at_ms) for at_ms, some in spans.items()]


def _together(some: Sequence[Minutes], at_ms: int) -> Minutes:
    """Counts are added, the last says who waits, the median is the mean of medians by cycles, and
    the 99th percentile the highest one."""
    if len(some) == 1:
        return replace(some[0], at_ms=at_ms)
    cycles = sum(each.cycles for each in some)
    median_us = sum(each.median_us * each.cycles for each in some) // max(1, cycles)
    return Minutes(
        at_ms=at_ms,
        **{name: sum(getattr(each, name) for each in some) for name in _COUNTED},
        waiting=some[-1].waiting,
        median_us=median_us,
        p99_us=max(each.p99_us for each in some),
        reasons=some[-1].reasons,
    )
