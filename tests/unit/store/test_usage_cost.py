"""What work cost: bills and what runs now, by the prices of the time."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
import sqlalchemy as sa

from podium.domain.errors import ForbiddenError, UserError
from podium.domain.rights import Rights
from podium.domain.tenancy import WHOLE, Identity
from podium.intake.prices import check_currency, price_set
from podium.spec.views.price import PriceRequest
from podium.store import prices, tables, usage
from podium.store.database import Database
from podium.store.retention import Retention, history_trim
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node

pytestmark = pytest.mark.anyio
HOUR_MS = 3_600_000
GPU = {"resources": {"gpus": 1}}


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node())
    return made


async def set_price(
    house: House, amount: str, gpu_type: str = "A100", currency: str = "EUR"
) -> None:
    request = PriceRequest(per_gpu_hour=Decimal(amount))
    await price_set(house.office, ADMINISTRATOR, gpu_type, request, currency=currency)


async def cost(house: House, workload_id: str) -> str | None:
    bill = await house.database.read(
        lambda tx: usage.usage_of_workload(tx, WHOLE, workload_id, house.now_ms)
    )
    return None if bill.cost is None else f"{bill.cost.amount} {bill.cost.currency}"


async def costs(house: House) -> dict[str, str | None]:
    found = await house.database.read(lambda tx: usage.usage_by_project(tx, WHOLE, house.now_ms))
    return {
        each.project: None if each.bill.cost is None else str(each.bill.cost.amount)
        for each in found
    }


async def test_running_and_ended_work_by_the_prices_of_its_time(house: House) -> None:
    going = await house.start(document("going", **GPU))
    (held,) = await house.held_ids(going)
    assert await cost(house, going) is None, "no price at all"
    await set_price(house, "2")
    house.clock.advance(HOUR_MS)
    assert await cost(house, going) == "2.00 EUR"
    await set_price(house, "5")
    house.clock.advance(HOUR_MS)
    assert await cost(house, going) == "7.00 EUR"
    await house.end([held], runtime_ms=2 * HOUR_MS)
    house.clock.advance(HOUR_MS)
    assert await cost(house, going) == "7.00 EUR", "the bill was divided at the change, too"
    await set_price(house, "1000")
    assert await cost(house, going) == "7.00 EUR", "what is over keeps its price"
    assert (await costs(house))["vision"] == "7.00"
    first, second = await house.rows(
        sa.select(tables.bill_lines).order_by(tables.bill_lines.c.rate_ms)
    )
    assert (first["gpu_type"], first["runtime_ms"], first["rate_ms"]) == ("A100", HOUR_MS, 0)
    assert (second["gpu_type"], second["runtime_ms"]) == ("A100", HOUR_MS)


async def test_many_bills_between_and_over_changes(house: House) -> None:
    """Summed by the database where it can be, and to the cent what one by one would give."""
    await set_price(house, "1")
    expected = 0
    for price in (1, 3, 10):
        await set_price(house, str(price))
        house.clock.advance(HOUR_MS)
        for _ in range(3):
            made = await house.start(document(**GPU))
            house.clock.advance(HOUR_MS)
            await house.end(await house.held_ids(made), runtime_ms=HOUR_MS)
            expected += price
    over = await house.start(document(**GPU))
    house.clock.advance(HOUR_MS // 2)
    await set_price(house, "20")
    house.clock.advance(HOUR_MS // 2)
    await house.end(await house.held_ids(over), runtime_ms=HOUR_MS)
    assert await cost(house, over) == "15.00 EUR"
    assert await costs(house) == {"speech": "0.00", "vision": f"{expected + 15}.00"}


async def test_no_cost_where_one_type_has_no_price(house: House) -> None:
    await set_price(house, "1", "H100")
    made = await house.start(document(**GPU))
    house.clock.advance(HOUR_MS)
    assert await cost(house, made) is None
    assert await costs(house) == {"speech": "0.00", "vision": None}
    cpu = await house.submit(document("cpu"))
    assert await cost(house, cpu) == "0.00 EUR"


async def test_mig_instances_have_a_price_of_their_own(
    database: Database, clock: TurnedClock
) -> None:
    house = House(database, clock)
    whole = node(gpus=1)
    part = whole.devices[0].__class__(
        id="mig", node="n1", index=0, uuid="mig", type="H100", model="H100", memory_bytes=10 << 30,
        mig_profile="1g.10gb",
    )  # fmt: skip
    await house.furnish(node(gpus=0, devices=(part,)))
    await set_price(house, "8", "H100")
    made = await house.start(document(resources={"mig": "1g.10gb"}))
    house.clock.advance(HOUR_MS)
    assert await cost(house, made) is None
    await set_price(house, "0.50", "H100 1g.10gb")
    assert await cost(house, made) == "0.50 EUR"


async def test_setting_prices(house: House) -> None:
    await set_price(house, "2", "a100")
    await set_price(house, "2.000000", "A100")
    house.clock.advance(1000)
    rows = await house.rows(sa.select(tables.prices))
    assert [(row["gpu_type"], row["micros_per_gpu_hour"]) for row in rows] == [("A100", 2_000_000)]
    await set_price(house, "2", currency="USD")
    (now,) = await house.database.read(lambda tx: prices.price_list(tx, house.now_ms + 1))
    assert (now.currency, str(now.per_gpu_hour)) == ("USD", "2")
    trail = await house.rows(sa.select(tables.audit).where(tables.audit.c.action == "price:set"))
    assert len(trail) == 3
    assert json.loads(trail[-1]["detail"]) == {
        "before": {"per_gpu_hour": "2", "currency": "EUR"},
        "after": {"per_gpu_hour": "2", "currency": "USD"},
    }
    with pytest.raises(UserError, match="gpu_type"):
        await set_price(house, "1", " ")
    ada = Identity(username="ada", rights=Rights(), token_id="")
    with pytest.raises(ForbiddenError):
        await price_set(
            house.office, ada, "A100", PriceRequest(per_gpu_hour=Decimal(1)), currency="EUR"
        )
    for wrong in ("eur", "EURO", ""):
        with pytest.raises(UserError, match="currency"):
            check_currency(wrong)


async def test_prices_that_no_bill_needs_go(house: House) -> None:
    for price in ("1", "2", "3"):
        await set_price(house, price)
        house.clock.advance(HOUR_MS)
    keep = Retention(usage_days=30)
    await house.write(lambda tx, now_ms: history_trim(tx, keep, now_ms))
    assert len(await house.rows(sa.select(tables.prices))) == 3
    house.clock.advance(31 * 24 * HOUR_MS)
    await house.write(lambda tx, now_ms: history_trim(tx, keep, now_ms))
    (left,) = await house.rows(sa.select(tables.prices))
    assert left["micros_per_gpu_hour"] == 3_000_000
