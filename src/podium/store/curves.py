"""Samples over time as curves of a bounded number of points; `api/curves` asks.

Time is cut into steps at whole multiples of the step's length, which is never shorter than the
spans of the oldest samples asked for: so each step holds samples, or nothing was measured in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from podium.domain.quantity import GPU_MILLI
from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.thinning import TIERS
from podium.store.workloads import workload_fetch

ROUND_MS = 10_000  # how often is measured
EACH_MAX = 16
_OF_ALLOCATION = ("cpu_milli", "memory_bytes", "gpu_busy_milli", "gpu_memory_bytes")
_OF_DEVICE = ("busy_milli", "memory_bytes", "power_milliwatts", "temperature_celsius")
_VALUES_MAX = 20_000  # points of all of a node's lines of one quantity


@dataclass(frozen=True, slots=True)
class Point:
    """The mean over the step that ends at `at_ms`, with the least and the most in it."""

    at_ms: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """Of one rank, of the device with this index, or of everything when both are None."""

    points: tuple[Point, ...]
    rank: int | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity, named by its column: thousandths, bytes, milliwatts or degrees."""

    column: str
    limit: int | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    since_ms: int
    until_ms: int
    step_ms: int
    series: tuple[Series, ...]


def step_for(since_ms: int, until_ms: int, points: int, now_ms: int) -> int:
    """The shortest step that needs at most `points` (2 or more) and that samples as old as
    `since_ms` can fill."""
    finest_ms = ROUND_MS
    for tier in TIERS:
        if now_ms - since_ms > tier.age_ms:
            finest_ms = tier.span_ms
    step_ms = finest_ms * max(1, -(-(until_ms - since_ms) // (points * finest_ms)))
    while (until_ms - 1) // step_ms - since_ms // step_ms >= points:
        step_ms += finest_ms
    return step_ms


def workload_curves(
    tx: Transaction,
    scope: Scope,
    workload_id: str,
    *,
    since_ms: int,
    until_ms: int,
    step_ms: int,
    each: bool = False,
) -> Curves:
    """What a workload used: one line for all ranks together, or one for each of the first 16.
    Attempts of a rank follow each other on its line. Raises NotFoundError."""
    request = workload_fetch(tx, scope, workload_id).request
    held = tables.allocations.c
    chosen = held.workload_id == workload_id
    if each:
        chosen &= held.rank < EACH_MAX
        lines = _by_rank(tx, chosen, since_ms, until_ms, step_ms)
        at_once = 1
    else:
        lines, at_once = _together(tx, chosen, since_ms, until_ms, step_ms)
    gpu_milli, gpu_memory_bytes = _most_held(tx, workload_id)
    limits = {
        "cpu_milli": request.cpu_milli,
        "memory_bytes": request.memory_bytes,
        "gpu_busy_milli": gpu_milli,
        "gpu_memory_bytes": gpu_memory_bytes,
    }
    series = tuple(
        Series(column, limits[column] * at_once or None, lines[column])
        for column in _OF_ALLOCATION
        if lines[column]
    )
    return Curves(since_ms=since_ms, until_ms=until_ms, step_ms=step_ms, series=series)


def node_curves(
    tx: Transaction, node: str, *, since_ms: int, until_ms: int, points: int, now_ms: int
) -> Curves:
    """What each device of a node did; of many devices with fewer points each."""
    sample, device = tables.device_samples, tables.devices
    known = tx.execute(
        sa.select(device.c.index, device.c.memory_bytes)
        .where(device.c.node == node)
        .order_by(device.c.index)
    ).all()
    points = max(2, min(points, _VALUES_MAX // max(1, len(known))))
    step_ms = step_for(since_ms, until_ms, points, now_ms)
    step = ((sample.c.at_ms - 1) // step_ms).label("step")
    statement = (
        sa.select(device.c.index, step, *_figures(sample, _OF_DEVICE))
        .join(sample, sample.c.device_id == device.c.id)
        .where(device.c.node == node, sample.c.at_ms > since_ms, sample.c.at_ms <= until_ms)
        .group_by(device.c.index, sa.text("2"))
        .order_by(device.c.index, sa.text("2"))
    )
    rows = list(tx.execute(statement).mappings())
    limits = {
        "busy_milli": GPU_MILLI,
        "memory_bytes": max((row.memory_bytes for row in known), default=0) or None,
    }
    series = []
    for column in _OF_DEVICE:
        lines = tuple(
            Line(found, index=index)
            for index in dict.fromkeys(row["index"] for row in rows)
            if (found := _points(rows, "index", index, column, step_ms, until_ms))
        )
        if lines:
            series.append(Series(column, limits.get(column), lines))
    return Curves(since_ms=since_ms, until_ms=until_ms, step_ms=step_ms, series=tuple(series))


def _by_rank(
    tx: Transaction, chosen: sa.ColumnElement[bool], since_ms: int, until_ms: int, step_ms: int
) -> dict[str, tuple[Line, ...]]:
    sample, held = tables.allocation_samples, tables.allocations
    step = ((sample.c.at_ms - 1) // step_ms).label("step")
    statement = (
        sa.select(held.c.rank, step, *_figures(sample, _OF_ALLOCATION))
        .join(sample, sample.c.allocation_id == held.c.id)
        .where(chosen, sample.c.at_ms > since_ms, sample.c.at_ms <= until_ms)
        .group_by(held.c.rank, sa.text("2"))
        .order_by(held.c.rank, sa.text("2"))
    )
    rows = tx.execute(statement).mappings().all()
    ranks = dict.fromkeys(row["rank"] for row in rows)
    return {
        column: tuple(
            Line(points, rank=rank)
            for rank in ranks
            if (points := _points(rows, "rank", rank, column, step_ms, until_ms))
        )
        for column in _OF_ALLOCATION
    }


def _together(
    tx: Transaction, chosen: sa.ColumnElement[bool], since_ms: int, until_ms: int, step_ms: int
) -> tuple[dict[str, tuple[Line, ...]], int]:
    """All ranks summed at each moment of measuring, which every server shares, then taken step by
    step; and how many ranks there were at once."""
    sample, held = tables.allocation_samples, tables.allocations
    statement = (
        sa.select(
            sample.c.at_ms,
            sa.func.count().label("ranks"),
            sa.func.max(sample.c.span_ms).label("span_ms"),
            *(sa.func.sum(sample.c[column]).label(column) for column in _OF_ALLOCATION),
        )
        .select_from(held)
        .join(sample, sample.c.allocation_id == held.c.id)
        .where(chosen, sample.c.at_ms > since_ms, sample.c.at_ms <= until_ms)
        .group_by(sample.c.at_ms)
        .order_by(sample.c.at_ms)
    )
    found: dict[str, list[Point]] = {column: [] for column in _OF_ALLOCATION}
    at_once = 1
    for number, group in groupby(tx.execute(statement), lambda row: (row.at_ms - 1) // step_ms):
        moments = list(group)
        most = max(moment.ranks for moment in moments)
        at_once = max(at_once, most)
        at_ms = min(until_ms, (number + 1) * step_ms)
        # The last merged sample of a rank that ended may stand alone at a moment of its own.
        whole = [each for each in moments if each.span_ms < 2 * ROUND_MS or 2 * each.ranks >= most]
        for place, column in enumerate(_OF_ALLOCATION, start=3):
            totals = [float(each[place]) for each in whole if each[place] is not None]
            parts = [
                (float(each[place]), each.span_ms) for each in moments if each[place] is not None
            ]
            if totals:
                covered_ms = max(1, min(step_ms, sum(span_ms for _, span_ms in parts)))
                mean = sum(total * span_ms for total, span_ms in parts) / covered_ms
                low, high = min(totals), max(totals)
                found[column].append(Point(at_ms, min(high, max(low, mean)), low, high))
    lines: dict[str, tuple[Line, ...]] = {
        column: (Line(tuple(points)),) if points else () for column, points in found.items()
    }
    return lines, at_once


def _figures(sample: sa.Table, columns: Sequence[str]) -> list[sa.Label[Any]]:
    """Mean by the spans, least and most of each column, where it was measured."""
    figures: list[sa.Label[Any]] = []
    for name in columns:
        value = sample.c[name]
        # Bytes times milliseconds are more than 64 bits hold.
        weighed = sa.func.sum(sa.cast(value, sa.Double) * sample.c.span_ms)
        span_ms = sa.func.sum(sa.case((value.is_not(None), sample.c.span_ms)))
        figures += [
            (weighed / sa.func.nullif(span_ms, 0)).label(f"{name}_mean"),
            sa.func.min(value).label(f"{name}_low"),
            sa.func.max(value).label(f"{name}_high"),
        ]
    return figures


def _points(
    rows: Sequence[Any], key: str, of: int | None, column: str, step_ms: int, until_ms: int
) -> tuple[Point, ...]:
    return tuple(
        Point(
            min(until_ms, (int(row["step"]) + 1) * step_ms),
            float(row[f"{column}_mean"]),
            float(row[f"{column}_low"]),
            float(row[f"{column}_high"]),
        )
        for row in rows
        if row[key] == of and row[f"{column}_mean"] is not None
    )


def _most_held(tx: Transaction, workload_id: str) -> tuple[int, int]:
    """GPUs in thousandths, and bytes of GPU memory, that a replica held at most."""
    held, part = tables.allocations, tables.allocation_devices
    each = (
        sa.select(
            sa.func.sum(part.c.gpu_milli).label("gpu_milli"),
            sa.func.sum(part.c.memory_bytes).label("memory_bytes"),
        )
        .join(held, held.c.id == part.c.allocation_id)
        .where(held.c.workload_id == workload_id)
        .group_by(part.c.allocation_id)
        .subquery()
    )
    row = tx.execute(
        sa.select(sa.func.max(each.c.gpu_milli), sa.func.max(each.c.memory_bytes))
    ).one()
    return int(row[0] or 0), int(row[1] or 0)
