"""What somebody has spent in a time and spends now, billed and still running: GPU time and money.
Budgets ask this.

A look at many budgets reads what runs once: `running = running_list(tx, now_ms)`, and hands it to
each question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.metering import DAY_MS, Dimension
from podium.domain.tariff import Cost, GpuTime, Tariff
from podium.store import tables
from podium.store.database import Transaction
from podium.store.metering import cost_centre
from podium.store.prices import tariff_fetch
from podium.store.running import Running, running_list
from podium.store.usage import gpu_time

_COLUMNS = {
    Dimension.TEAM: "team",
    Dimension.PROJECT: "project",
    Dimension.COST_CENTRE: "cost_centre",
    Dimension.USER: "owner",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """In milli-GPU x milliseconds, and money; no cost where a type that was used has no price."""

    gpu_milli_ms: int
    cost: Cost | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """What runs now: milli-GPU, and millionths of the currency an hour; None where a type has no
    price."""

    gpu_milli: int
    micros_per_hour: int | None


def spent(
    tx: Transaction,
    *,
    level: Dimension,
    name: str,
    gpu_types: tuple[str, ...] | None,
    since_ms: int,
    until_ms: int,
    now_ms: int,
    running: Sequence[Running] | None = None,
    tariff: Tariff | None = None,
) -> Spent:
    """In the days (UTC) from the one of `since_ms` to the one before `until_ms`, up to now.

    `level` is organisation (`name` is then of no matter), team, project, cost centre or user;
    usage belongs to those whom it belonged to when it was billed. `gpu_types` as prices name them,
    in any spelling of capitals; None: all.
    """
    table = tables.usage_days
    tariff = tariff or tariff_fetch(tx)
    since_ms = since_ms // DAY_MS * DAY_MS
    until_ms = -(-until_ms // DAY_MS) * DAY_MS
    chosen = (table.c.day_ms >= since_ms) & (table.c.day_ms < until_ms)
    if level is not Dimension.ORGANISATION:
        chosen &= table.c[_COLUMNS[level]] == name
    summed = ("gpu_milli_ms", "borrowed_milli_ms", "idle_milli_ms")
    rows = tx.execute(
        sa.select(
            table.c.gpu_type,
            table.c.rate_ms,
            *(sa.func.sum(table.c[each]).label(each) for each in summed),
        )
        .where(chosen, table.c.gpu_type != "")
        .group_by(table.c.gpu_type, table.c.rate_ms)
    )
    times = [gpu_time(row) for row in rows]
    for each in _mine(tx, level, name, now_ms, running):
        times += [
            gpu_time(line)
            for line in each.lines(tariff, (since_ms, until_ms))
            if line.gpu_milli_ms and since_ms <= line.day_ms < until_ms
        ]
    wanted = None if gpu_types is None else {each.casefold() for each in gpu_types}
    counted = [each for each in times if wanted is None or each.gpu_type.casefold() in wanted]
    return Spent(gpu_milli_ms=sum(each.gpu_milli_ms for each in counted), cost=tariff.cost(counted))


def burn(
    tx: Transaction,
    *,
    level: Dimension,
    name: str,
    gpu_types: tuple[str, ...] | None,
    now_ms: int,
    running: Sequence[Running] | None = None,
    tariff: Tariff | None = None,
) -> Burn:
    """What is spent at this moment; the surcharge for what is idle is not in it. As `spent`."""
    tariff = tariff or tariff_fetch(tx)
    wanted = None if gpu_types is None else {each.casefold() for each in gpu_types}
    milli, micros, priced = 0, 0, tariff.currency is not None
    for each in _mine(tx, level, name, now_ms, running):
        if not each.started:
            continue
        for part in each.metered.parts:
            if wanted is not None and part.gpu_type.casefold() not in wanted:
                continue
            milli += part.gpu_milli
            price = tariff.price(part.gpu_type, now_ms)
            if price is None:
                priced = False
                continue
            time = GpuTime(
                gpu_type=part.gpu_type,
                rate_ms=now_ms,
                gpu_milli_ms=part.gpu_milli,
                borrowed_milli_ms=part.borrowed_milli,
            )
            micros += price.micro_milli_ms(time)
    return Burn(gpu_milli=milli, micros_per_hour=micros // 1000 if priced else None)


def _mine(
    tx: Transaction,
    level: Dimension,
    name: str,
    now_ms: int,
    running: Sequence[Running] | None,
) -> Iterable[Running]:
    if running is None:
        return running_list(tx, now_ms, _chosen(level, name))
    if level is Dimension.ORGANISATION:
        return running
    column = _COLUMNS[level]
    return (each for each in running if getattr(each, column) == name)


def _chosen(level: Dimension, name: str) -> sa.ColumnElement[bool] | None:
    if level is Dimension.ORGANISATION:
        return None
    if level is Dimension.TEAM:
        return tables.projects.c.team == name
    if level is Dimension.PROJECT:
        return tables.allocations.c.project == name
    if level is Dimension.USER:
        return tables.workloads.c.owner == name
    return cost_centre() == name
