"""Prices of GPU types, each from a time on. What was set before stays, for work of that time."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from podium.domain.tariff import Price, Tariff
from podium.store import tables
from podium.store.database import Transaction


def price_list(tx: Transaction, now_ms: int) -> list[Price]:
    """The price of each type that holds now, by type; of a type whose first price is yet to come
    that one, which holds before, too."""
    known: dict[str, Price] = {}
    for price in price_history(tx):
        if price.since_ms <= now_ms or price.gpu_type not in known:
            known[price.gpu_type] = price
    return [known[name] for name in sorted(known)]


def price_history(tx: Transaction) -> list[Price]:
    """Every price that is kept, those to come included, in order of time."""
    table = tables.prices
    rows = tx.execute(sa.select(table).order_by(table.c.since_ms, table.c.gpu_type)).mappings()
    return [Price(**row) for row in rows]


def tariff_fetch(tx: Transaction) -> Tariff:
    return Tariff(price_history(tx))


def prices_change(tx: Transaction, dropped: Sequence[Price], added: Sequence[Price]) -> None:
    """Take some away, and then let others hold from their times on."""
    table = tables.prices
    for price in dropped:
        mine = (table.c.gpu_type == price.gpu_type) & (table.c.since_ms == price.since_ms)
        tx.execute(sa.delete(table).where(mine))
    for price in added:
        tx.execute(
            sa.insert(table).values(
                gpu_type=price.gpu_type,
                since_ms=price.since_ms,
                micros_per_gpu_hour=price.micros_per_gpu_hour,
                borrowed_micros_per_gpu_hour=price.borrowed_micros_per_gpu_hour,
                idle_micros_per_gpu_hour=price.idle_micros_per_gpu_hour,
                currency=price.currency,
                set_by=price.set_by,
            )
        )


def gpu_types(tx: Transaction) -> list[str]:
    """The names of GPU types as devices, bills of them and prices have them, in order."""
    device, span = tables.devices, tables.device_spans
    name = sa.case(
        (device.c.mig_profile.is_not(None), device.c.type + " " + device.c.mig_profile),
        else_=device.c.type,
    )
    known = {
        *tx.scalars(sa.select(name).distinct()),
        *tx.scalars(sa.select(span.c.gpu_type).distinct()),
        *tx.scalars(sa.select(tables.prices.c.gpu_type).distinct()),
    }
    return sorted(known)


def gpu_type_spelt(known: Sequence[str], name: str) -> str:
    """As devices or earlier prices spell it, where that differs in capitals alone."""
    if name in known:
        return name
    return next((each for each in known if each.casefold() == name.casefold()), name)
