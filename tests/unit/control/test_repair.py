"""Replaced replicas and saved points through the loops, and loops that wake in time."""

from __future__ import annotations

import asyncio
import math

import pytest

from podium.control.loop import Loop
from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.intake.bookings import booking_create
from podium.spec.views.booking import BookingRequest
from podium.store.hints import Hints
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import ADMINISTRATOR, House, document

pytestmark = pytest.mark.anyio


async def test_a_replaced_member_meets_where_the_others_are(
    house: House, engine: FakeEngine, server: Server
) -> None:
    gang = await house.submit(document("gang", replicas=3, recovery="replace", retries=1))
    await server.round()
    await server.round()
    lost = next(key for key, each in engine.processes.items() if each.launch.rank == 2)
    engine.lose(lost)
    for _ in range(3):
        await server.round()
    assert len(await house.held_ids(gang, ReplicaState.RUNNING)) == 3
    assert (await house.workload(gang)).attempt == 1
    env = [dict(each.launch.env) for each in engine.processes.values()]
    assert sorted((each["RANK"], each["PODIUM_ATTEMPT"]) for each in env) == [
        ("0", "1"), ("1", "1"), ("2", "2"),
    ]  # fmt: skip
    for name in ("MASTER_ADDR", "MASTER_PORT", "PET_RDZV_ENDPOINT", "PET_RDZV_ID"):
        assert len({each[name] for each in env}) == 1, name
    assert {(each["WORLD_SIZE"], each["PET_NNODES"]) for each in env} == {("3", "3:3")}


async def test_what_is_saved_is_written_now_and_then_and_at_the_end(
    house: House, engine: FakeEngine, server: Server
) -> None:
    job = await house.submit(document("job"))
    await server.round()
    (held,) = await house.held_ids(job)

    async def written() -> int | None:
        (row,) = await house.held(job)
        at_ms: int | None = row["saved_at_ms"]
        return at_ms

    engine.processes[held].saved_at_ms = first_ms = house.now_ms
    await server.observer.step()
    assert await written() == first_ms
    house.clock.advance(1000)
    engine.processes[held].saved_at_ms = house.now_ms
    await server.observer.step()
    assert await written() == first_ms, "a second later is too soon for another write"
    house.clock.advance(4000)
    await server.leadership.renew()
    await server.observer.step()
    assert await written() == first_ms + 1000
    engine.processes[held].saved_at_ms = house.now_ms
    engine.finish(held, Cause.EXIT_CODE)
    await server.observer.step()
    assert await house.states(job) == ["failed"]
    found = await house.database.read(lambda tx: _saved(tx, job))
    assert found == house.now_ms


async def test_the_scheduler_says_when_it_is_due(house: House, server: Server) -> None:
    await server.scheduler.step()
    assert server.scheduler.due_seconds() == math.inf
    booking = BookingRequest(nodes=["n1"], from_at="1m", until_at="1h", maintenance=True)
    await booking_create(house.office, ADMINISTRATOR, booking)
    house.clock.advance(1000)
    await server.scheduler.step()
    assert server.scheduler.due_seconds() == 59


async def test_a_loop_does_not_wait_beyond_what_is_due() -> None:
    due = iter([0.01, -5.0, math.inf])
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        return False

    hints = Hints()
    loop = Loop("test", step, hints, period_seconds=3600, due_seconds=lambda: next(due))
    running = asyncio.create_task(loop.run())
    async with asyncio.timeout(20):
        while steps < 3:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    assert steps == 3, "the third has no other end than its period"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def _saved(tx: object, workload: str) -> int | None:
    from podium.domain.tenancy import WHOLE
    from podium.store.allocations import saved_last_ms

    return saved_last_ms(tx, WHOLE, workload)  # type: ignore[arg-type]
