"""Merges old samples into longer spans, a slice at a time. Called by `store/retention`.

Nothing that was used gets lost by it: the mean of a merged sample, weighted by the spans, times
its span is what its parts held. 1,000 GPUs over a month come to about 6 million device samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from podium.store import tables
from podium.store.database import Transaction

MINUTE_MS = 60_000
ROWS_MAX = 10_000  # read in one slice
_INSERTED_MAX = 1000  # rows of one statement

Sample = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tier:
    """Samples older than `age_ms` are merged into spans of `span_ms`."""

    age_ms: int
    span_ms: int


TIERS = (Tier(2 * 60 * MINUTE_MS, MINUTE_MS), Tier(2 * 24 * 60 * MINUTE_MS, 15 * MINUTE_MS))
_FIXED = frozenset({"at_ms", "span_ms"})
_SAMPLED = (
    tables.allocation_samples,
    tables.device_samples,
    tables.capacity_samples,
    tables.fragmentation_samples,
)


def samples_thin(tx: Transaction, now_ms: int, *, rows_max: int = ROWS_MAX) -> int:
    """Merge a slice of what is due. Returns how many samples it looked at; 0 when none is due."""
    for table in _SAMPLED:
        for tier in TIERS:
            looked_at = _slice(tx, table, tier, now_ms, rows_max)
            if looked_at:
                return looked_at
    return 0


def merged(samples: Iterable[Sample], key: str | None, span_ms: int) -> Iterator[dict[str, Any]]:
    """Samples of the same `key` (None: all) and place of `span_ms` as one; `samples` are in order
    of key and time.

    Those in which something was not measured stay apart from those in which it was, so that each
    mean belongs to the whole span. A merged sample has the time of its last part.
    """

    def place(sample: Sample) -> tuple[object, ...]:
        # The moment at which a place ends belongs to it.
        return (sample[key] if key else None, (sample["at_ms"] - 1) // span_ms)

    for _, together in groupby(samples, place):
        alike: dict[tuple[str, ...], list[Sample]] = {}
        for sample in together:
            missing = tuple(name for name, value in sample.items() if value is None)
            alike.setdefault(missing, []).append(sample)
        for parts in alike.values():
            yield _mean(parts, key)


def _mean(parts: list[Sample], key: str | None) -> dict[str, Any]:
    last = parts[-1]
    if len(parts) == 1:
        return dict(last)
    total_ms = sum(part["span_ms"] for part in parts)
    made = {"at_ms": last["at_ms"], "span_ms": total_ms}
    for name, value in last.items():
        if name == key or value is None:
            made[name] = value
        elif name not in _FIXED:
            weighed = sum(part[name] * part["span_ms"] for part in parts)
            made[name] = (2 * weighed + total_ms) // (2 * total_ms) if total_ms else value
    return made


def _slice(tx: Transaction, table: sa.Table, tier: Tier, now_ms: int, rows_max: int) -> int:
    time = table.c.at_ms
    limit_ms = (now_ms - tier.age_ms) // tier.span_ms * tier.span_ms
    done_ms, after = _reached(tx, table, tier)
    first_ms = tx.scalar(sa.select(sa.func.min(time)).where(time > done_ms))
    if first_ms is None or first_ms > limit_ms:
        return 0
    since_ms = (first_ms - 1) // tier.span_ms * tier.span_ms
    beyond_ms = tx.scalar(
        sa.select(time).where(time > since_ms).order_by(time).offset(rows_max).limit(1)
    )
    until_ms = limit_ms
    if beyond_ms is not None:
        whole_ms = (beyond_ms - 1) // tier.span_ms * tier.span_ms  # ends before that one
        until_ms = min(limit_ms, max(whole_ms, since_ms + tier.span_ms))
    key = next((each for each in table.primary_key.columns if each is not time), None)
    chosen = (time > since_ms) & (time <= until_ms)
    if key is None:
        rows = _read(tx, sa.select(table).where(chosen).order_by(time))
    else:
        # One place may hold more than a slice: then some keys of it are done at a time.
        chosen &= key > after
        statement = sa.select(table).where(chosen).order_by(key, time).limit(rows_max + 1)
        rows = _read(tx, statement)
        after = ""
        if len(rows) > rows_max:
            rows = [row for row in rows if row[key.name] != rows[-1][key.name]] or rows
            after = rows[-1][key.name]
            chosen &= key <= after
    thinner = list(merged(rows, None if key is None else key.name, tier.span_ms))
    if len(thinner) < len(rows):
        tx.execute(sa.delete(table).where(chosen))
        for start in range(0, len(thinner), _INSERTED_MAX):
            tx.execute(sa.insert(table), thinner[start : start + _INSERTED_MAX])
    _reach(tx, table, tier, done_ms if after else until_ms, after)
    return max(1, len(rows))


def _read(tx: Transaction, statement: sa.Select[Any]) -> list[Sample]:
    return [dict(row) for row in tx.execute(statement).mappings()]


def _reached(tx: Transaction, table: sa.Table, tier: Tier) -> tuple[int, str]:
    """How far the merging has come. Holds the row, so that two servers take turns."""
    known = tables.thinned
    mine = (known.c.samples == table.name) & (known.c.span_ms == tier.span_ms)
    found = tx.execute(
        sa.select(known.c.until_ms, known.c.after_key).where(mine).with_for_update()
    ).first()
    if found is None:
        tx.execute(
            sa.insert(known).values(
                samples=table.name, span_ms=tier.span_ms, until_ms=0, after_key=""
            )
        )
        return 0, ""
    return int(found.until_ms), str(found.after_key)


def _reach(tx: Transaction, table: sa.Table, tier: Tier, until_ms: int, after: str) -> None:
    known = tables.thinned
    tx.execute(
        sa.update(known)
        .where(known.c.samples == table.name, known.c.span_ms == tier.span_ms)
        .values(until_ms=until_ms, after_key=after)
    )
