"""What an hour of a GPU costs, as administrators set it."""

from __future__ import annotations

import re
from decimal import Decimal

from podium.domain.errors import FieldFault, UserError
from podium.domain.rights import Action
from podium.domain.tariff import MICROS, Price
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise
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
    office: Office, identity: Identity, *, gpu_type: str, per_gpu_hour: Decimal, currency: str
) -> Price:
    """Set what an hour of one GPU costs from now on. `per_gpu_hour` has six decimals at most."""
    authorise(identity, Action.PRICE_SET)
    if _TYPE.fullmatch(gpu_type) is None:
        raise UserError(
            FieldFault(
                "gpu_type",
                f"'{gpu_type}' cannot be a type of GPU.",
                "Write it as devices show it, such as H100, or 'H100 1g.10gb' for MIG instances.",
            )
        )
    micros = int(per_gpu_hour * MICROS)
    assert Decimal(micros) == per_gpu_hour * MICROS, "the document allows six decimals"
    price = Price(
        gpu_type=gpu_type,
        since_ms=office.database.now_ms(),
        micros_per_gpu_hour=micros,
        currency=currency,
        set_by=identity.username,
    )

    def write(tx: Transaction) -> Price:
        earlier = {each.gpu_type: each for each in prices.price_list(tx)}
        holds = prices.price_set(tx, price)
        entry = AuditEntry(
            actor=identity.username,
            action=Action.PRICE_SET,
            subject=holds.gpu_type,
            detail={"before": _said(earlier.get(holds.gpu_type)), "after": _said(holds)},
        )
        audit_append(tx, [entry], price.since_ms)
        return holds

    return await office.database.write(write)


def _said(price: Price | None) -> dict[str, str] | None:
    if price is None:
        return None
    return {"per_gpu_hour": str(price.per_gpu_hour), "currency": price.currency}
