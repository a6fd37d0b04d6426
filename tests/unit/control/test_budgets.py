"""Budgets that act: what is foretold, whom they tell, what they hold back and what they stop."""

from __future__ import annotations

import asyncio
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.control.budgets import LEASE, Budgets
from podium.domain.budget import BudgetLevel, Period, WhenSpent
from podium.domain.reason import WaitReason
from podium.intake.budgets import budget_remove, budget_set
from podium.intake.prices import price_set
from podium.spec.views.budget import BudgetRequest
from podium.spec.views.price import PriceRequest
from podium.store import tables
from podium.store.budget_ledger import standings
from podium.store.budgets import budget_list
from podium.store.database import Database, Transaction
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
TEAM, PROJECT, USER = BudgetLevel.TEAM, BudgetLevel.PROJECT, BudgetLevel.USER


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=4), node("n2", gpus=4, labels=(("gpu", "other"),)))
    return made


@pytest.fixture
async def watch(house: House) -> Budgets:
    return Budgets(house.database, house.office.hints, await house.lead(LEASE))


async def give(house: House, name: str = "b", **fields: Any) -> None:
    wanted = {"level": PROJECT, "target": "vision", "gpu_hours": "8", "when_spent": "block"}
    if "money" in fields:
        wanted["gpu_hours"] = None
    await budget_set(house.office, ADMINISTRATOR, name, BudgetRequest(**{**wanted, **fields}))


async def foretell(watch: Budgets) -> None:
    await watch._leadership.renew()
    await watch.foretell()


async def look(house: House, watch: Budgets) -> None:
    await watch._leadership.renew()
    while await watch.step():
        pass


async def why(house: House, workload_id: str) -> Any:
    plan = await house.decide()
    return next(each.refusal for each in plan.refusals if workload_id in each.workload_ids)


async def percent(house: House, name: str = "b") -> int:
    def read(tx: Any) -> int:
        (kept,) = (each for each in budget_list(tx) if each.budget.name == name)
        return standings(tx, [kept.budget], house.now_ms)[0].percent

    return await house.database.read(read)


async def test_it_holds_back_what_is_new_and_lets_go_in_the_next_period(
    house: House, watch: Budgets
) -> None:
    await give(house, period="day")
    first = await house.start(document("first", resources={"gpus": 2}))
    await foretell(watch)
    (kept,) = await house.database.read(budget_list)
    assert kept.runs_out_ms == house.now_ms + 4 * HOUR_MS, "8 hours of 2 GPUs"
    house.clock.advance(3 * HOUR_MS)
    second = await house.submit(document("second", resources={"gpus": 1}))
    await foretell(watch)
    assert (await house.cycle()).placed == 1, "a fourth of it is left"
    house.clock.advance(HOUR_MS)
    third, plain = await house.submit(
        document("third", resources={"gpus": 1}), document("plain", resources={"cpus": 1})
    )
    other = await house.submit(document("other", project="speech", resources={"gpus": 1}))
    refusal = await why(house, third)
    assert refusal.reason is WaitReason.BUDGET
    assert refusal.message.startswith("The budget b of project vision is spent until 20")
    assert "ask root" in refusal.remedy
    assert (await house.cycle()).placed == 2, "what costs nothing, and other projects, go on"
    assert await house.states(first, second, third, plain, other) == [
        "running", "scheduled", "queued", "scheduled", "scheduled",
    ]  # fmt: skip
    house.clock.advance(24 * HOUR_MS)
    await look(house, watch)
    assert await percent(house) > 100, "what ran on counts in the new day"
    ids = await house.held_ids()
    await house.end(ids, runtime_ms=HOUR_MS)
    house.clock.advance(24 * HOUR_MS)
    await foretell(watch)
    assert await percent(house) == 0
    assert (await house.cycle()).placed == 1


async def test_a_plan_made_before_is_not_written_after(house: House, watch: Budgets) -> None:
    await give(house, gpu_hours="1")
    await house.start(document("first", resources={"gpus": 1}))
    await foretell(watch)
    late = await house.submit(document("late", resources={"gpus": 1}))
    plan = await house.decide()
    assert [each.workload_id for each in plan.placements] == [late]
    house.clock.advance(HOUR_MS)
    told = await house.commit(plan)
    assert told.placed == 0
    assert "budget b" in dict(told.rejected)[late]


async def test_people_are_told_once_in_each_period(house: House, watch: Budgets) -> None:
    await give(house, period="day", gpu_hours="4", thresholds=[50, 100], when_spent="warn")
    await house.start(document("first", resources={"gpus": 1}))
    for _ in range(6):
        await look(house, watch)
        house.clock.advance(HOUR_MS)
    rows = await house.rows(sa.select(tables.notices).where(tables.notices.c.budget == "b"))
    assert [(row["username"], row["level"], row["sentence"]) for row in rows] == [
        (name, level, words)
        for level, words in (
            ("plain", "50 % of the budget b of project vision is spent."),
            ("bad", "The budget b of project vision is spent."),
        )
        for name in ("ada", "root")
    ]
    trail = await house.rows(
        sa.select(tables.audit).where(tables.audit.c.action == "budget:reached")
    )
    assert [(row["actor"], row["subject"]) for row in trail] == [("podium", "b")] * 2
    house.clock.advance(24 * HOUR_MS)
    await look(house, watch)
    assert len(await house.rows(sa.select(tables.notices))) > len(rows), "a new day is told anew"


async def test_what_may_be_preempted_is_stopped(house: House, watch: Budgets) -> None:
    await give(house, gpu_hours="1", when_spent="stop")
    cheap, firm = await house.start(
        document("cheap", preemptible=True, resources={"gpus": 1}),
        document("firm", preemptible=False, resources={"gpus": 1}),
    )
    await look(house, watch)
    assert await house.states(cheap, firm) == ["running", "running"]
    house.clock.advance(HOUR_MS)
    await look(house, watch)
    assert await house.states(cheap, firm) == ["stopping", "running"]
    await house.end(await house.held_ids(cheap), stop_seen=True)
    assert await house.states(cheap) == ["queued"], "it is never lost"
    assert (await why(house, cheap)).reason is WaitReason.BUDGET
    assert not (await house.cycle()).placed
    await budget_remove(house.office, ADMINISTRATOR, "b")
    assert (await house.cycle()).placed == 1


async def test_a_spent_type_is_left_out(house: House, watch: Budgets) -> None:
    await give(house, gpu_hours="1", gpu_types=["A100"])
    await house.start(document("first", resources={"gpus": 1}))
    house.clock.advance(HOUR_MS)
    await foretell(watch)
    late = await house.submit(document("late", resources={"gpus": 1}))
    assert (await why(house, late)).reason is WaitReason.BUDGET, "there is no other type"
    free = await house.submit(document("free", project="speech", resources={"gpus": 1}))
    assert (await house.cycle()).placed == 1
    assert await house.states(free) == ["scheduled"]


async def test_money_and_people_and_cost_centres(house: House, watch: Budgets) -> None:
    price = PriceRequest(per_gpu_hour=Decimal(2))
    await price_set(house.office, ADMINISTRATOR, "A100", price, currency="EUR")
    await give(house, "purse", level=USER, target="root", money="4")
    await house.start(document("first", resources={"gpus": 2}))
    await foretell(watch)
    (kept,) = await house.database.read(budget_list)
    assert kept.runs_out_ms == house.now_ms + HOUR_MS
    house.clock.advance(HOUR_MS)
    late = await house.submit(document("late", project="speech", resources={"gpus": 1}))
    assert (await why(house, late)).message.startswith("The budget purse of root is spent")


BUDGETS = st.lists(
    st.tuples(
        st.sampled_from(Period),
        st.integers(1, 30),
        st.sampled_from([(PROJECT, "vision"), (TEAM, "research"), (USER, "root")]),
        st.sampled_from(WhenSpent),
    ),
    min_size=1,
    max_size=3,
)
MOVES = st.lists(
    st.tuples(
        st.sampled_from(["submit", "end", "wait"]),
        st.sampled_from([0.5, 1, 2]),
        st.integers(1, 10 * HOUR_MS),
    ),
    min_size=2,
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(budgets=BUDGETS, moves=MOVES)
def test_one_cycle_of_work_at_most_after_it_is_spent(
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    budgets: list[tuple[Period, int, tuple[BudgetLevel, str], WhenSpent]],
    moves: list[tuple[str, float, int]],
) -> None:
    """Whatever starts, ends and waits: a cycle that begins when more is spent than there is
    places nothing that counts."""
    home = tmp_path_factory.mktemp("spent")
    shutil.copy(sqlite_template, home / "podium.db")
    asyncio.run(_lived(home, budgets, moves))
    shutil.rmtree(home)


async def _lived(
    home: Path,
    budgets: list[tuple[Period, int, tuple[BudgetLevel, str], WhenSpent]],
    moves: list[tuple[str, float, int]],
) -> None:
    clock = TurnedClock()
    database = Database(f"sqlite:///{home / 'podium.db'}", clock=clock)
    await database.open()
    try:
        house = House(database, clock, home)
        await house.furnish(node(gpus=4), node("n2", gpus=4))
        watch = Budgets(database, house.office.hints, await house.lead(LEASE))
        for number, (period, hours, (level, target), act) in enumerate(budgets):
            wanted = {"level": level, "target": target, "gpu_hours": hours, "period": period}
            await give(house, f"b{number}", **wanted, when_spent=act)
        for what, gpus, ms in moves:
            if what == "submit":
                await house.submit(document(resources={"gpus": gpus, "cpus": 0.1}))
            elif what == "end" and (ids := await house.held_ids()):
                await house.end(ids[:1], runtime_ms=ms)
            house.clock.advance(ms)
            await foretell(watch)
            over = await house.database.read(lambda tx: _is_spent(tx, house.now_ms))
            told = await house.cycle()
            assert not (over and told.placed)
            started = await house.held_ids()
            await house.launch(started)
            await house.run(started)
    finally:
        await database.close()


def _is_spent(tx: Transaction, now_ms: int) -> bool:
    """By all that was billed and runs, whatever was foretold."""
    kept = [each.budget for each in budget_list(tx)]
    return any(each.is_spent and each.budget.stops_new_work for each in standings(tx, kept, now_ms))
