"""What an hour of a GPU costs, as administrators set it: one price, or a whole list."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from podium.domain.errors import FieldFault, UserError
from podium.domain.price_list import Entry, planned
from podium.domain.rights import Action
from podium.domain.tariff import MICROS, Price
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise
from podium.spec.views.base import milliseconds, utc
from podium.spec.views.price import PriceListRequest, PricePeriod, PriceRequest
from podium.store import prices
from podium.store.audit import AuditEntry, audit_append
from podium.store.database import Transaction

_TYPE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._+ -]{0,61}[A-Za-z0-9])?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def check_currency(currency: str) -> None:
    """Raises UserError."""
    if _CURRENCY.fullmatch(currency) is None:
        raise UserError(
            FieldFault(
                "currency",
                f"'{currency}' is not the code of a currency.",
                "Write three capital letters, such as EUR or USD.",
            )
        )


async def price_set(
    office: Office, identity: Identity, gpu_type: str, request: PriceRequest, *, currency: str
) -> Price:
    """Set what an hour of one GPU costs, from now or a later time on; prices that were set for
    after that stay. Returns the price as it stands. Raises UserError."""
    period = PricePeriod(gpu_type=gpu_type, **request.model_dump())
    found = await _set(office, identity, [("", period)], currency, whole=False)
    return found[0]


async def price_list_set(
    office: Office, identity: Identity, request: PriceListRequest, *, currency: str
) -> list[Price]:
    """Set all that a list says, or nothing. For each type that it names, what was set for later
    and is not in it goes. Returns every price that is kept. Raises UserError with all faults."""
    authorise(identity, Action.PRICE_SET)
    if request.currency is not None:
        check_currency(request.currency)
        if request.currency != currency:
            raise UserError(
                FieldFault(
                    "currency",
                    f"Prices here are in {currency}, not in {request.currency}.",
                    f"Write {currency}, or leave it out.",
                )
            )
    periods = [(f"prices.{number}", each) for number, each in enumerate(request.prices)]
    await _set(office, identity, periods, currency, whole=True)
    return await office.database.read(prices.price_history)


async def _set(
    office: Office,
    identity: Identity,
    periods: Sequence[tuple[str, PricePeriod]],
    currency: str,
    *,
    whole: bool,
) -> list[Price]:
    """The price of each type that is named, as it stands at the beginning of the first period."""
    authorise(identity, Action.PRICE_SET)
    faults = [
        FieldFault(
            f"{field}.gpu_type".lstrip("."),
            f"'{each.gpu_type}' cannot be a type of GPU.",
            "Write it as devices show it, such as H100, or 'H100 1g.10gb' for MIG instances.",
        )
        for field, each in periods
        if _TYPE.fullmatch(each.gpu_type) is None
    ]
    if faults:
        raise UserError(*faults)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> list[Price]:
        types = prices.gpu_types(tx)
        entries = [
            _entry(field, each, prices.gpu_type_spelt(types, each.gpu_type), currency, identity)
            for field, each in periods
        ]
        before = prices.price_history(tx)
        plan = planned(entries, before, now_ms, whole=whole)
        if plan.faults:
            raise UserError(*plan.faults)
        prices.prices_change(tx, plan.dropped, plan.added)
        after = prices.price_history(tx)
        named = list(dict.fromkeys(each.price.gpu_type for each in entries))
        audit_append(
            tx,
            [
                AuditEntry(
                    actor=identity.username,
                    action=Action.PRICE_SET,
                    subject=name,
                    detail={
                        "before": _told(before, name, now_ms),
                        "after": _told(after, name, now_ms),
                    },
                )
                for name in named
            ],
            now_ms,
        )
        first = {
            each.price.gpu_type: now_ms if each.since_ms is None else each.since_ms
            for each in reversed(entries)
        }
        return [_holding(after, name, first[name]) for name in named]

    return await office.database.write(write)


def _entry(
    field: str, period: PricePeriod, gpu_type: str, currency: str, identity: Identity
) -> Entry:
    borrowed = period.borrowed_per_gpu_hour
    price = Price(
        gpu_type=gpu_type,
        since_ms=0,
        micros_per_gpu_hour=_micros(period.per_gpu_hour),
        currency=currency,
        borrowed_micros_per_gpu_hour=None if borrowed is None else _micros(borrowed),
        idle_micros_per_gpu_hour=_micros(period.idle_per_gpu_hour),
        set_by=identity.username,
    )
    return Entry(
        field=field,
        price=price,
        since_ms=None if period.since is None else milliseconds(period.since),
        until_ms=None if period.until is None else milliseconds(period.until),
    )


def _micros(amount: Decimal) -> int:
    micros = int(amount * MICROS)
    assert Decimal(micros) == amount * MICROS, "the document allows six decimals"
    return micros


def _holding(known: Sequence[Price], gpu_type: str, at_ms: int) -> Price:
    """The price of a type then; where the clock went back, the first one after that."""
    mine = [each for each in known if each.gpu_type == gpu_type]
    begun = [each for each in mine if each.since_ms <= at_ms]
    return begun[-1] if begun else mine[0]


def _told(known: Sequence[Price], gpu_type: str, now_ms: int) -> dict[str, Any] | None:
    """What holds, and what is to come."""
    mine = [each for each in known if each.gpu_type == gpu_type]
    if not mine:
        return None
    holds = _holding(mine, gpu_type, now_ms)
    later = [
        {"from": utc(each.since_ms).isoformat(timespec="seconds"), **_said(each)}
        for each in mine
        if each.since_ms > max(now_ms, holds.since_ms)
    ]
    return {**_said(holds), "later": later} if later else _said(holds)


def _said(price: Price) -> dict[str, str]:
    said = {"per_gpu_hour": str(price.per_gpu_hour), "currency": price.currency}
    if price.borrowed_micros != price.micros_per_gpu_hour:
        said["borrowed_per_gpu_hour"] = str(price.borrowed_per_gpu_hour)
    if price.idle_micros_per_gpu_hour:
        said["idle_per_gpu_hour"] = str(price.idle_per_gpu_hour)
    return said
