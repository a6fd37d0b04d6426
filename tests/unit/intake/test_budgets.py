"""Setting budgets: who may, what is wrong with one, and who sees it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.budget import Budget, BudgetLevel, Period
from podium.domain.errors import ForbiddenError, NotFoundError, UserError
from podium.domain.rights import BUILT_IN_ROLES, LEAD, Action, Rights
from podium.domain.tenancy import Identity
from podium.intake.budgets import budget_remove, budget_set, visible_budget
from podium.intake.prices import price_set
from podium.spec.calendar import span_of
from podium.spec.views.budget import BudgetRequest
from podium.spec.views.price import PriceRequest
from podium.store import tables
from podium.store.budgets import budget_list
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, node, person

pytestmark = pytest.mark.anyio

TEAM_LEAD = Identity(
    username="ada",
    rights=Rights(
        teams={"research": BUILT_IN_ROLES[LEAD].actions},
        projects={"vision": BUILT_IN_ROLES[LEAD].actions},
    ),
    token_id="t-2",
)


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=4))
    return made


async def give(house: House, who: Identity = ADMINISTRATOR, name: str = "b", **fields: Any) -> None:
    wanted = {"level": "project", "target": "vision", "gpu_hours": "8", **fields}
    await budget_set(house.office, who, name, BudgetRequest.model_validate(wanted))


async def faults(house: House, **fields: Any) -> dict[str, str]:
    with pytest.raises(UserError) as caught:
        await give(house, **fields)
    assert not await house.database.read(budget_list), "nothing is half set"
    return {each.field: f"{each.message} {each.remedy}" for each in caught.value.faults}


async def test_it_replaces_what_was_set_and_is_told_of(house: House) -> None:
    await give(house, thresholds=[100, 50, 50])
    await give(house, thresholds=[50, 100])
    (kept,) = await house.database.read(budget_list)
    assert (kept.budget.amount, kept.budget.thresholds) == (8000, (50, 100))
    await give(house, gpu_hours="9.125", note=" more ")
    await budget_remove(house.office, ADMINISTRATOR, "b")
    trail = await house.rows(sa.select(tables.audit).where(tables.audit.c.action == "budget:set"))
    said = [json.loads(row["detail"]) for row in trail]
    assert said[2]["before"]["amount"] == "8"
    assert (said[2]["after"]["amount"], said[2]["after"]["note"]) == ("9.125", "more")
    assert said[3]["after"] is None
    with pytest.raises(NotFoundError, match="There is no budget b"):
        await budget_remove(house.office, ADMINISTRATOR, "b")


async def test_who_is_limited_does_not_set_it(house: House) -> None:
    """A lead of the project may not, a lead of its team may; the team's own is above them."""
    with pytest.raises(ForbiddenError):
        await give(house, person())
    await give(house, TEAM_LEAD)
    with pytest.raises(ForbiddenError):
        await give(house, TEAM_LEAD, "c", level="team", target="research")
    with pytest.raises(NotFoundError):
        await give(house, TEAM_LEAD, "c", target="speech")
    await give(house, name="above", level="team", target="research")
    with pytest.raises(ForbiddenError):
        await give(house, TEAM_LEAD, "above")
    with pytest.raises(ForbiddenError):
        await budget_remove(house.office, TEAM_LEAD, "above")
    with pytest.raises(ForbiddenError):
        await budget_remove(house.office, person(), "b")
    await budget_remove(house.office, TEAM_LEAD, "b")


async def test_strangers_see_none(house: House) -> None:
    await give(house)
    await give(house, name="own", level="user", target="bob")
    await give(house, name="all", level="organisation", target="")
    await give(house, name="team", level="team", target="research")
    seen = {
        who.username + who.token_id: [
            name for name in ("all", "b", "own", "team") if await _sees(house, who, name)
        ]
        for who in (ADMINISTRATOR, person(), person("bob", project="speech"), TEAM_LEAD)
    }
    assert seen == {
        "roott-0": ["all", "b", "own", "team"],
        "adat-1": ["b"],
        "bobt-1": ["own"],
        "adat-2": ["b", "team"],
    }
    with pytest.raises(NotFoundError, match="There is no budget b that you can see"):
        await budget_remove(house.office, person("bob", project="speech"), "b")


async def _sees(house: House, who: Identity, name: str) -> bool:
    try:
        await house.database.read(lambda tx: visible_budget(tx, who, name))
    except NotFoundError:
        return False
    return True


async def test_each_fault_names_its_field(house: House) -> None:
    assert await faults(house, name="Über", gpu_hours=None) == {
        "name": "may hold lower-case letters, digits and inner hyphens only. Try 'ber'.",
        "gpu_hours": "is missing. Give one of gpu_hours and money.",
    }
    assert list(await faults(house, money="5")) == ["gpu_hours", "money"]
    assert "nothing has a price yet" in (await faults(house, money="5", gpu_hours=None))["money"]
    price = PriceRequest(per_gpu_hour=Decimal(2))
    await price_set(house.office, ADMINISTRATOR, "A100", price, currency="EUR")
    wrong = await faults(house, money="5", gpu_hours=None, currency="DKK")
    assert wrong == {
        "currency": "'DKK' is not the currency of the prices. Write EUR, or leave it out."
    }
    assert list(await faults(house, currency="EUR")) == ["currency"]
    assert await faults(house, gpu_types=["H900"]) == {
        "gpu_types": "There is no GPU type H900. Write one of: A100."
    }
    for level, target, words in (
        ("organisation", "x", "is named for the organisation."),
        ("project", "", "is missing."),
        ("team", "x", "There is no team x."),
        ("project", "x", "There is no project x."),
        ("user", "x", "There is no person x."),
        ("cost-centre", "x", "No team or project is billed to 'x'."),
    ):
        found = await faults(house, level=level, target=target)
        assert found["target"].startswith(words), found


def test_periods_begin_and_end_at_midnight() -> None:
    leap_day_ms = 1_709_210_096_000  # 2024-02-29 12:34:56 UTC, a Thursday
    day_ms = 86_400_000
    midnight_ms = leap_day_ms // day_ms * day_ms
    found = {}
    for period in Period:
        budget = Budget(
            name="b", level=BudgetLevel.ORGANISATION, amount=1, period=period, since_ms=7
        )
        span = span_of(budget, leap_day_ms)
        found[period] = (
            (span.since_ms - midnight_ms) // day_ms,
            None if span.until_ms is None else (span.until_ms - midnight_ms) // day_ms,
        )
    assert found == {
        Period.DAY: (0, 1),
        Period.WEEK: (-3, 4),
        Period.MONTH: (-28, 1),
        Period.QUARTER: (-59, 32),
        Period.YEAR: (-59, 307),
        Period.TOTAL: ((7 - midnight_ms) // day_ms, None),
    }


def test_only_leads_and_administrators_have_the_action() -> None:
    assert [name for name, role in BUILT_IN_ROLES.items() if Action.BUDGET_SET in role.actions] == [
        "administrator",
        "lead",
    ]
