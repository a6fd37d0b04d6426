"""What somebody has spent in a time and spends now, billed and still running: GPU time and money.
`store/budget_ledger` asks, for many at once: what runs is read once, and what was billed once for
all who ask about the same time at the same level."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.metering import DAY_MS, Dimension
from podium.domain.tariff import Cost, GpuTime, Tariff
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.prices import tariff_fetch
from podium.store.running import Running, running_list

_COLUMNS = {
    Dimension.TEAM: "team",
    Dimension.PROJECT: "project",
    Dimension.COST_CENTRE: "cost_centre",
    Dimension.USER: "owner",
}
_Whose = tuple[Dimension, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose spending is asked for, in the days (UTC) from the one of `since_ms` to the one before
    `until_ms`.

    `level` is organisation (`name` is then empty), team, project, cost centre or user; usage
    belongs to those whom it belonged to when it was billed. `gpu_types` as prices name them, in any
    spelling of capitals; empty: all.
    """

    level: Dimension
    name: str
    since_ms: int
    until_ms: int
    gpu_types: tuple[str, ...] = ()

    @property
    def days(self) -> tuple[int, int]:
        return self.since_ms // DAY_MS * DAY_MS, -(-self.until_ms // DAY_MS) * DAY_MS

    def counts(self, gpu_type: str) -> bool:
        folded = gpu_type.casefold()
        return not self.gpu_types or any(each.casefold() == folded for each in self.gpu_types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """In milli-GPU x milliseconds, and money; no cost where a type that was used has no price.
    What runs now holds `gpu_milli` and adds `micros_per_hour` (millionths of the currency; None
    where a type has no price), without the surcharge for what is idle."""

    gpu_milli_ms: int
    cost: Cost | None
    gpu_milli: int
    micros_per_hour: int | None


def spent(tx: Transaction, accounts: Sequence[Account], now_ms: int) -> list[Spent]:
    """Up to now, one for each, in their order."""
    if not accounts:
        return []
    tariff = tariff_fetch(tx)
    running = _by_whose(running_list(tx, now_ms), {(each.level, each.name) for each in accounts})
    billed: dict[Account, list[GpuTime]] = {}
    together: dict[tuple[Dimension, tuple[int, int]], list[Account]] = {}
    for each in accounts:
        together.setdefault((each.level, each.days), []).append(each)
    for (level, days), group in together.items():
        times = _billed(tx, level, {each.name for each in group}, days)
        billed.update((each, times.get(each.name, [])) for each in group)
    return [
        _spent(each, billed[each], running.get((each.level, each.name), []), tariff, now_ms)
        for each in accounts
    ]


def _spent(
    account: Account,
    billed: Sequence[GpuTime],
    running: Sequence[Running],
    tariff: Tariff,
    now_ms: int,
) -> Spent:
    since_ms, until_ms = days = account.days
    times = [each for each in billed if account.counts(each.gpu_type)]
    milli, micros, priced = 0, 0, tariff.currency is not None
    for each in running:
        times += [
            GpuTime(
                gpu_type=line.gpu_type,
                rate_ms=line.rate_ms,
                gpu_milli_ms=line.gpu_milli_ms,
                borrowed_milli_ms=line.borrowed_milli_ms,
                idle_milli_ms=line.idle_milli_ms,
            )
            for line in each.lines(tariff, days)
            if line.gpu_milli_ms
            and since_ms <= line.day_ms < until_ms
            and account.counts(line.gpu_type)
        ]
        for part in each.metered.parts if each.started else ():
            if not account.counts(part.gpu_type):
                continue
            milli += part.gpu_milli
            price = tariff.price(part.gpu_type, now_ms)
            if price is None:
                priced = False
                continue
            micros += price.micro_milli_ms(
                GpuTime(
                    gpu_type=part.gpu_type,
                    rate_ms=now_ms,
                    gpu_milli_ms=part.gpu_milli,
                    borrowed_milli_ms=part.borrowed_milli,
                )
            )
    return Spent(
        gpu_milli_ms=sum(each.gpu_milli_ms for each in times),
        cost=tariff.cost(times),
        gpu_milli=milli,
        micros_per_hour=micros // 1000 if priced else None,
    )


def _billed(
    tx: Transaction, level: Dimension, names: Collection[str], days: tuple[int, int]
) -> dict[str, list[GpuTime]]:
    """What the days' bills come to for each of the names, by type and price."""
    table = tables.usage_days
    since_ms, until_ms = days
    whose = (sa.literal("") if level is Dimension.ORGANISATION else table.c[_COLUMNS[level]]).label(
        "whose"
    )
    summed = ("gpu_milli_ms", "borrowed_milli_ms", "idle_milli_ms")
    statement = (
        sa.select(
            whose,
            table.c.gpu_type,
            table.c.rate_ms,
            *(sa.func.sum(table.c[each]).label(each) for each in summed),
        )
        .where(table.c.day_ms >= since_ms, table.c.day_ms < until_ms, table.c.gpu_type != "")
        .group_by(whose, table.c.gpu_type, table.c.rate_ms)
    )
    parts = [statement]
    if level is not Dimension.ORGANISATION:
        parts = [statement.where(whose.in_(chunk)) for chunk in chunks(sorted(names))]
    found: dict[str, list[GpuTime]] = {}
    for part in parts:
        for row in tx.execute(part):
            found.setdefault(row.whose, []).append(
                GpuTime(
                    gpu_type=row.gpu_type,
                    rate_ms=row.rate_ms,
                    gpu_milli_ms=int(row.gpu_milli_ms),
                    borrowed_milli_ms=int(row.borrowed_milli_ms),
                    idle_milli_ms=int(row.idle_milli_ms),
                )
            )
    return found


def _by_whose(
    running: Sequence[Running], wanted: Collection[_Whose]
) -> Mapping[_Whose, list[Running]]:
    """What runs of each of those that are asked about."""
    found: dict[_Whose, list[Running]] = {}
    for each in running:
        if not each.metered.parts:
            continue
        places = [(level, getattr(each, column)) for level, column in _COLUMNS.items()]
        for place in ((Dimension.ORGANISATION, ""), *places):
            if place in wanted:
                found.setdefault(place, []).append(each)
    return found
