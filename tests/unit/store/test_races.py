"""Two transactions at once on PostgreSQL, held so that each meets the other halfway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from podium.control import schedule
from podium.control.schedule import Scheduler
from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.intake.workloads import workload_cancel
from podium.store import lifecycle, replicas, tables
from podium.store.database import Database, Transaction
from podium.store.replicas import End
from postgresql import PostgresqlServer
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node
from unit.store.laws import Laws

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]


@pytest.fixture
async def house(postgresql_server: PostgresqlServer, clock: TurnedClock) -> AsyncIterator[House]:
    name = postgresql_server.create("podium")
    database = Database(postgresql_server.url(name), clock=clock)
    await database.open()
    made = House(database, clock)
    await made.furnish(node("n1", gpus=4))
    yield made
    await database.read(Laws().check)
    await database.close()
    postgresql_server.drop(name)


class Held:
    """A transaction that has done its work and commits when it is let go."""

    def __init__(self, house: House, function: Callable[[Transaction], Any]) -> None:
        self._done, self._go_on = threading.Event(), threading.Event()

        def run(tx: Transaction) -> Any:
            result = function(tx)
            self._done.set()
            assert self._go_on.wait(30)
            return result

        self.task = asyncio.create_task(house.database.write(run))

    async def ready(self) -> None:
        assert await asyncio.to_thread(self._done.wait, 30)

    async def let_go(self) -> Any:
        self._go_on.set()
        return await self.task


async def blocked(house: House, task: asyncio.Future[Any]) -> None:
    """Until the task waits for another transaction, or is done without."""
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    while not task.done() and not await house.database.read(lambda tx: tx.scalar(waiting)):
        await asyncio.sleep(0.005)


def cancelling(house: House, workload_id: str) -> Callable[[Transaction], Any]:
    def cancel(tx: Transaction) -> None:
        row = lifecycle.workload_rows(tx, [workload_id])[workload_id]
        lifecycle.workload_stop(tx, row, Cause.CANCELLED, house.now_ms, message="By ada.")

    return cancel


@pytest.mark.parametrize("step", ["launch", "run"])
async def test_a_stop_is_not_overwritten_by_a_report(house: House, step: str) -> None:
    workload = await house.submit(document(replicas=2))
    await house.cycle()
    ids = await house.held_ids()
    report = house.launch
    if step == "run":
        await house.launch(ids)
        report = house.run
    cancel = Held(house, cancelling(house, workload))
    await cancel.ready()
    reporting = asyncio.ensure_future(report(ids))
    await blocked(house, reporting)
    await cancel.let_go()
    await reporting
    assert {row["state"] for row in await house.held()} == {ReplicaState.STOPPING}


async def test_an_end_meets_a_stop(house: House) -> None:
    workload = await house.start(document(replicas=2))
    first, second = await house.held_ids()
    cancel = Held(house, cancelling(house, workload))
    await cancel.ready()
    ending = asyncio.ensure_future(house.end([first], Cause.CANCELLED))
    await blocked(house, ending)
    await cancel.let_go()
    await ending
    await house.end([second], Cause.CANCELLED)
    assert (await house.workload(workload)).state == "cancelled"


async def test_a_stop_meets_an_end(house: House) -> None:
    workload = await house.start()
    (held,) = await house.held_ids()
    end = [End(allocation_id=held, cause=Cause.COMPLETED, runtime_ms=5)]
    ending = Held(house, lambda tx: replicas.replicas_ended(tx, end, house.now_ms))
    await ending.ready()
    cancel = asyncio.ensure_future(workload_cancel(house.office, ADMINISTRATOR, workload))
    await blocked(house, cancel)
    await ending.let_go()
    assert (await cancel).state == "succeeded"


async def test_the_last_two_ends_of_a_gang_come_at_once(house: House) -> None:
    workload = await house.start(document(replicas=2))
    first, second = await house.held_ids()
    end = [End(allocation_id=first, cause=Cause.COMPLETED, runtime_ms=5)]
    ending = Held(house, lambda tx: replicas.replicas_ended(tx, end, house.now_ms))
    await ending.ready()
    other = asyncio.ensure_future(house.end([second]))
    await blocked(house, other)
    await ending.let_go()
    await other
    assert (await house.workload(workload)).state == "succeeded"


@pytest.mark.parametrize(("cause", "expected"), [("completed", 0), ("exit_code", None)])
async def test_what_is_submitted_while_its_need_ends(
    house: House, cause: str, expected: int | None
) -> None:
    """It neither waits for ever for what has succeeded, nor starts after what has failed."""
    need = await house.start(document("first"))
    ids = await house.held_ids()
    ends = [End(allocation_id=each, cause=Cause(cause), runtime_ms=5) for each in ids]
    ending = Held(house, lambda tx: replicas.replicas_ended(tx, ends, house.now_ms))
    await ending.ready()
    submitting = asyncio.ensure_future(house.submit(document("second", depends_on=["first"])))
    await blocked(house, submitting)
    await ending.let_go()
    assert (await house.workload(need)).ended_at_ms is not None
    if expected is None:
        with pytest.raises(Exception, match="it cannot succeed"):
            await submitting
        return
    row = (
        await house.rows(
            sa.select(tables.workloads).where(tables.workloads.c.id == await submitting)
        )
    )[0]
    assert row["dependencies_open"] == 0


async def test_a_need_ends_while_something_that_needs_it_is_submitted(house: House) -> None:
    """The other way round: the submission comes first."""
    await house.start(document("first"))
    ids = await house.held_ids()
    dependent = "w-0000000000000000"

    def insert(tx: Transaction) -> None:
        from podium.intake.workloads import _resolve  # the part of a submission in a transaction
        from podium.spec.workload import check
        from podium.store.workloads import workload_insert

        wanted = document("second", depends_on=["first"])
        wish = check(wanted, now_ms=house.now_ms)
        new = _resolve(tx, ADMINISTRATOR, [dependent], [wish], [wanted])
        workload_insert(tx, new, house.now_ms)

    submitting = Held(house, insert)
    await submitting.ready()
    ending = asyncio.ensure_future(house.end(ids))
    await blocked(house, ending)
    await submitting.let_go()
    await ending
    row = (await house.rows(sa.select(tables.workloads).where(tables.workloads.c.id == dependent)))[
        0
    ]
    assert row["dependencies_open"] == 0


async def test_a_refusal_is_not_written_on_what_was_cancelled(house: House) -> None:
    workload = await house.submit(document(resources={"gpus": 8}))
    plan = await house.decide()

    def withdraw(tx: Transaction) -> None:
        row = lifecycle.workload_rows(tx, [workload])[workload]
        lifecycle.workload_withdraw(
            tx, row, lifecycle.WorkloadEvent.CANCELLED, Cause.CANCELLED, house.now_ms, message="No."
        )

    cancel = Held(house, withdraw)
    await cancel.ready()
    committing = asyncio.ensure_future(house.commit(plan))
    await blocked(house, committing)
    await cancel.let_go()
    await committing
    found = await house.workload(workload)
    assert (found.state, found.refusal, found.version) == ("cancelled", None, 2)


async def test_two_schedulers_place_each_workload_once(
    house: House, postgresql_server: PostgresqlServer
) -> None:
    """Two servers, each sure for a moment that it leads: the lease lets one of them write."""
    ids = await house.submit(*(document(f"job-{n}", resources={"gpus": 1}) for n in range(8)))
    other = Database(str(house.database.url.render_as_string(False)), clock=house.clock)
    await other.open()
    second = House(other, house.clock)
    leaders = [
        await house.lead(schedule.LEASE, holder="server-1"),
        await second.lead(schedule.LEASE, holder="server-2"),
    ]
    assert [each.leads(schedule.LEASE) for each in leaders] == [True, False]
    for number in range(4):
        schedulers = [
            Scheduler(each.database, each.office.hints, leader, each.ids)
            for each, leader in zip((house, second), leaders, strict=True)
        ]
        await asyncio.gather(*(each.step() for each in schedulers), return_exceptions=True)
        if number == 1:
            house.clock.advance(16_000)
            await asyncio.gather(*(each.renew() for each in leaders))
        await house.end((await house.held_ids())[:2])
    assert sum(each.leads(schedule.LEASE) for each in leaders) == 1
    rows = await house.rows(sa.select(tables.allocations.c.workload_id))
    assert sorted(row["workload_id"] for row in rows) == sorted(ids)
    await other.close()


async def test_many_servers_start_at_once(house: House) -> None:
    found = await asyncio.gather(
        *(house.lead("schedule", "upkeep", holder=f"server-{n}") for n in range(6))
    )
    assert sum(each.leads("schedule") for each in found) == 1
    assert sum(each.leads("upkeep") for each in found) == 1
