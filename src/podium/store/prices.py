"""Prices of GPU types, each from a time on. What was set before stays, for work of that time."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.tariff import Price, Tariff
from podium.store import tables
from podium.store.database import Transaction


def price_list(tx: Transaction) -> list[Price]:
    """The newest price of each type, by type."""
    newest: dict[str, Price] = {}
    for price in _all(tx):
        newest[price.gpu_type] = price
    return [newest[name] for name in sorted(newest)]


def tariff_fetch(tx: Transaction) -> Tariff:
    return Tariff(_all(tx))


def price_set(tx: Transaction, price: Price) -> Price:
    """Let it hold from its time on. The same price in the same currency again changes nothing.
    Returns the price that holds now, under the name that devices of this type have."""
    table = tables.prices
    name = _known_type(tx, price.gpu_type)
    before = next((each for each in price_list(tx) if each.gpu_type == name), None)
    values = (price.micros_per_gpu_hour, price.currency)
    if before is not None and (before.micros_per_gpu_hour, before.currency) == values:
        return before
    # A clock that went back must not put the new price behind the old one.
    since_ms = max(price.since_ms, before.since_ms + 1 if before is not None else 0)
    tx.execute(
        sa.insert(table).values(
            gpu_type=name,
            since_ms=since_ms,
            micros_per_gpu_hour=price.micros_per_gpu_hour,
            currency=price.currency,
            set_by=price.set_by,
        )
    )
    return Price(
        gpu_type=name,
        since_ms=since_ms,
        micros_per_gpu_hour=price.micros_per_gpu_hour,
        currency=price.currency,
        set_by=price.set_by,
    )


def _all(tx: Transaction) -> list[Price]:
    """In order of time."""
    table = tables.prices
    rows = tx.execute(sa.select(table).order_by(table.c.since_ms, table.c.gpu_type))
    return [
        Price(
            gpu_type=row.gpu_type,
            since_ms=row.since_ms,
            micros_per_gpu_hour=row.micros_per_gpu_hour,
            currency=row.currency,
            set_by=row.set_by,
        )
        for row in rows
    ]


def _known_type(tx: Transaction, name: str) -> str:
    """The spelling of devices or earlier prices, where one differs in capitals alone."""
    known = [
        *tx.scalars(sa.select(tables.devices.c.type).distinct()),
        *tx.scalars(sa.select(tables.prices.c.gpu_type).distinct()),
    ]
    if name in known:
        return name
    return next((each for each in sorted(known) if each.casefold() == name.casefold()), name)
