"""What devices did, by day and type, for those who run them: billed, held but not billed, free, and
out of service. The four are all the time that devices were there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.metering import DAY_MS
from podium.domain.quantity import GPU_MILLI
from podium.store import tables
from podium.store.database import Transaction
from podium.store.prices import tariff_fetch
from podium.store.running import running_list

_Place = tuple[int, str]
"""A day and a type."""


@dataclass(slots=True)
class DeviceTime:
    """One type on one day, in milli-GPU x milliseconds. `unbilled` was held while nothing ran in
    it, such as starting and stopping. `out` is out of service and held by nobody."""

    day_ms: int
    gpu_type: str
    there_milli_ms: int = 0
    billed_milli_ms: int = 0
    unbilled_milli_ms: int = 0
    free_milli_ms: int = 0
    out_milli_ms: int = 0


def device_time(tx: Transaction, *, since_ms: int, until_ms: int, now_ms: int) -> list[DeviceTime]:
    """From midnight to midnight (UTC) and up to now, by day, then by type.

    What is held counts as held also on a device that went out of service meanwhile; where a clock
    was set back the parts of a day may differ from the whole, which `free` and `out` then bear.
    """
    until_ms = min(until_ms, now_ms)
    in_service, out = _there(tx, since_ms, until_ms)
    billed, unbilled = _held(tx, since_ms, until_ms, now_ms)
    held_out = _held_out_of_service(tx, since_ms, until_ms, now_ms)
    found = []
    for day_ms, gpu_type in sorted({*in_service, *out, *billed}):
        place = (day_ms, gpu_type)
        there = in_service.get(place, 0) + out.get(place, 0)
        held = billed.get(place, 0) + unbilled.get(place, 0)
        idle_out = max(0, out.get(place, 0) - held_out.get(place, 0))
        found.append(
            DeviceTime(
                day_ms=day_ms,
                gpu_type=gpu_type,
                there_milli_ms=there,
                billed_milli_ms=billed.get(place, 0),
                unbilled_milli_ms=unbilled.get(place, 0),
                free_milli_ms=max(0, there - held - idle_out),
                out_milli_ms=max(0, min(idle_out, there - held)),
            )
        )
    return found


def _there(
    tx: Transaction, since_ms: int, until_ms: int
) -> tuple[dict[_Place, int], dict[_Place, int]]:
    span = tables.device_spans
    rows = tx.execute(
        sa.select(span).where(
            span.c.since_ms < until_ms,
            span.c.until_ms.is_(None) | (span.c.until_ms > since_ms),
        )
    )
    in_service: dict[_Place, int] = {}
    out: dict[_Place, int] = {}
    for row in rows:
        sums = in_service if row.in_service else out
        end_ms = until_ms if row.until_ms is None else row.until_ms
        for day_ms, length_ms in _days(max(row.since_ms, since_ms), min(end_ms, until_ms)):
            place = (day_ms, row.gpu_type)
            sums[place] = sums.get(place, 0) + length_ms * GPU_MILLI
    return in_service, out


def _held(
    tx: Transaction, since_ms: int, until_ms: int, now_ms: int
) -> tuple[dict[_Place, int], dict[_Place, int]]:
    table = tables.usage_days
    rows = tx.execute(
        sa.select(
            table.c.day_ms,
            table.c.gpu_type,
            sa.func.sum(table.c.gpu_milli_ms),
            sa.func.sum(table.c.unbilled_milli_ms),
        )
        .where(table.c.day_ms >= since_ms, table.c.day_ms < until_ms, table.c.gpu_type != "")
        .group_by(table.c.day_ms, table.c.gpu_type)
    )
    billed: dict[_Place, int] = {}
    unbilled: dict[_Place, int] = {}
    for day_ms, gpu_type, gpu, more in rows:
        billed[day_ms, gpu_type] = int(gpu)
        unbilled[day_ms, gpu_type] = int(more)
    tariff = tariff_fetch(tx)
    for each in running_list(tx, now_ms, tables.allocations.c.gpu_milli > 0):
        for line in each.lines(tariff):
            if since_ms <= line.day_ms < until_ms:
                place = (line.day_ms, line.gpu_type)
                billed[place] = billed.get(place, 0) + line.gpu_milli_ms
                unbilled[place] = unbilled.get(place, 0) + line.unbilled_milli_ms
    return billed, unbilled


def _held_out_of_service(
    tx: Transaction, since_ms: int, until_ms: int, now_ms: int
) -> dict[_Place, int]:
    """Of what was out of service, what somebody held all the same."""
    span, part, held = tables.device_spans, tables.allocation_devices, tables.allocations
    span_end = sa.func.coalesce(span.c.until_ms, until_ms)
    held_end = sa.func.coalesce(held.c.released_at_ms, now_ms)
    rows = tx.execute(
        sa.select(
            span.c.gpu_type,
            span.c.since_ms,
            span_end,
            held.c.created_at_ms,
            held_end,
            part.c.gpu_milli,
        )
        .select_from(
            held.join(part, part.c.allocation_id == held.c.id).join(
                span, span.c.device_id == part.c.device_id
            )
        )
        .where(
            span.c.in_service.is_(False),
            span.c.since_ms < until_ms,
            span_end > since_ms,
            held.c.created_at_ms < span_end,
            held_end > span.c.since_ms,
            held.c.released_at_ms.is_(None) | (held.c.released_at_ms > since_ms),
        )
    )
    found: dict[_Place, int] = {}
    for gpu_type, span_from, span_until, held_from, held_until, milli in rows:
        from_ms = max(since_ms, span_from, held_from)
        for day_ms, length_ms in _days(from_ms, min(until_ms, span_until, held_until)):
            place = (day_ms, gpu_type)
            found[place] = found.get(place, 0) + length_ms * milli
    return found


def _days(from_ms: int, until_ms: int) -> Iterator[tuple[int, int]]:
    """Each day between, and how much of it."""
    while from_ms < until_ms:
        day_ms = from_ms // DAY_MS * DAY_MS
        end_ms = min(until_ms, day_ms + DAY_MS)
        yield day_ms, end_ms - from_ms
        from_ms = end_ms
