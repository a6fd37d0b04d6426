"""Expected starts through the loops: learnt from history, said, kept quiet, learnt from again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from podium.domain.policy import Order
from podium.domain.tenancy import WHOLE
from podium.scheduling.forecast.eta import Eta
from podium.store import etas, tables
from podium.store.database import Transaction
from podium.store.learning import learn
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import House, document

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
ALL = {"resources": {"gpus": 4}, "replicas": 2}


async def said(house: House, workload_id: str) -> Eta | None:
    found = await house.database.read(lambda tx: etas.etas_of(tx, WHOLE, [workload_id]))
    return found.get(workload_id)


async def blocked(house: House, server: Server, **fields: object) -> str:
    """Something waits for work that holds everything."""
    await house.submit(document("first", **ALL, **fields))
    await server.round()
    waiting: str = await house.submit(document("second", **ALL))
    await server.round()
    await server.expecter.step()
    return waiting


async def test_it_is_said_when_work_ends_by_its_limit(
    house: House, engine: FakeEngine, server: Server
) -> None:
    waiting = await blocked(house, server, max_runtime="1h", expected_runtime="30min")
    eta = await said(house, waiting)
    assert eta is not None
    assert house.now_ms < eta.early_ms < eta.likely_ms < eta.late_ms
    assert eta.likely_ms < house.now_ms + 2 * HOUR_MS


async def test_nobody_knows_behind_a_service(
    house: House, engine: FakeEngine, server: Server
) -> None:
    waiting = await blocked(house, server, kind="service")
    assert await said(house, waiting) is None


async def test_what_hardly_moves_is_not_written_again(
    house: House, engine: FakeEngine, server: Server
) -> None:
    waiting = await blocked(house, server, expected_runtime="10h")
    first = await said(house, waiting)
    assert first is not None
    house.clock.advance(5_000)
    await server.expecter.step()
    assert await said(house, waiting) == first
    house.clock.advance(10 * HOUR_MS)
    await server.leadership.renew()
    await server.scheduler.step()
    await server.expecter.step()
    later = await said(house, waiting)
    assert later is not None
    assert later.likely_ms > first.likely_ms, "it has run for longer than expected"
    (row,) = await house.rows(sa.select(tables.etas))
    assert row["asked_at_ms"] < house.now_ms - HOUR_MS, "what was forecast first stays"


async def test_it_is_learnt_from_and_survives_a_restart(
    house: House, engine: FakeEngine, server: Server
) -> None:
    waiting = await blocked(house, server, expected_runtime="1h")
    house.clock.advance(HOUR_MS)
    await server.leadership.renew()
    for held in await house.held_ids():
        engine.finish(held)
    await server.round()
    await server.round()
    assert await house.states(waiting) == ["running"]
    ((asked_at_ms, eta, started_at_ms),) = await house.database.read(
        lambda tx: etas.etas_held(tx, latest=10)
    )
    assert asked_at_ms < started_at_ms
    assert eta.early_ms <= eta.likely_ms <= eta.late_ms
    restarted = await Server.up(house, engine)
    await restarted.round()
    await restarted.expecter.step()
    third = await house.submit(document("third", **ALL))
    await restarted.round()
    await restarted.expecter.step()
    assert await said(house, third) is not None


async def test_runtimes_are_learnt_from_what_ended_by_itself(
    house: House, engine: FakeEngine, server: Server
) -> None:
    for number in range(4):
        await house.submit(document(f"run-{number}", **ALL))
        await server.round()
        house.clock.advance(HOUR_MS)
        await server.leadership.renew()
        for held in await house.held_ids():
            engine.finish(held)
        await server.round()
    await house.submit(document("run-5", **ALL), document("given", **ALL, expected_runtime="5min"))
    await server.round()

    def look(tx: Transaction) -> list[int | None]:
        learnt = learn(tx, house.now_ms, Order.ATTAINED)
        assert learnt.past is not None
        assert sum(learnt.past.finished) == 4
        known = [
            learnt.expected(
                project=project, kind="training", gpu_milli=8000, owner="root", name="run-9",
                limit_seconds=limit,
            )
            for project, limit in (("vision", None), ("vision", 60))
        ]  # fmt: skip
        return [each and each.likely_ms for each in known]

    assert await house.database.read(look) == [HOUR_MS, 60_000]
    server.scheduler._picture.forget()
    await server.scheduler.step()
    seen = server.scheduler.seen
    assert seen is not None
    assert [hold.expected and hold.expected.likely_ms for hold in seen.holds] == [HOUR_MS] * 2
    (demand,) = seen.demands
    assert demand.expected is not None
    assert demand.expected.likely_ms == 5 * 60_000, "what is said of it wins"
