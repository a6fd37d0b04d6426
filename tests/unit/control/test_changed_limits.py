"""Limits that are changed while work waits or runs are kept as if they had been there before."""

from __future__ import annotations

import pytest

from podium.domain.reason import Cause
from podium.intake.changes import workload_change
from podium.spec.views.workload import ChangeRequest
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import House, document, person

pytestmark = pytest.mark.anyio

ADA = person("ada")


async def change(house: House, workload: str, **values: str) -> None:
    assert await workload_change(house.office, ADA, workload, ChangeRequest(**values))  # type: ignore[arg-type]


async def test_a_time_limit_below_what_has_run_stops_it(
    house: House, engine: FakeEngine, server: Server
) -> None:
    short, longer = await house.submit(
        document("short", max_runtime="1h"), document("longer", max_runtime="1m")
    )
    await server.round()
    await change(house, longer, max_runtime="1h")
    house.clock.advance(300_000)
    await server.round()
    assert await house.states(short, longer) == ["running", "running"]
    await change(house, short, max_runtime="2m")
    for _ in range(2):
        await server.round()
    found = await house.workload(short)
    assert (found.state, found.cause) == ("failed", Cause.MAX_RUNTIME)
    assert "2 min" in found.message
    assert await house.states(longer) == ["running"]


async def test_a_deadline_given_later_ends_what_waits_and_one_taken_away_does_not(
    house: House, engine: FakeEngine, server: Server
) -> None:
    wide = {"resources": {"gpus": 40}}
    hurried, spared = await house.submit(
        document("hurried", **wide), document("spared", deadline="1m", **wide)
    )
    await server.round()
    await change(house, hurried, deadline="1m")
    await change(house, spared, deadline="none")
    house.clock.advance(60_000)
    for _ in range(2):
        await server.round()
    assert await house.states(hurried, spared) == ["failed", "queued"]
    assert (await house.workload(hurried)).cause == Cause.DEADLINE
