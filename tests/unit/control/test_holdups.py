"""What keeps work from beginning: written down as it changes, told once, gone when it runs."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from podium.domain.errors import TemporaryError
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE
from podium.engines.contract import AdmissionError, HeldUpError
from podium.store import allocations, holdups, tables
from podium.store.holdups import WorkloadHoldUp
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import House, document

pytestmark = pytest.mark.anyio

PULLED = (None, "Its image is being pulled.")
MISSING = (Cause.IMAGE_FAILED, "The image x:1 cannot be pulled: not found.")


async def placed(house: House, server: Server, **fields: object) -> tuple[str, list[str]]:
    workload: str = await house.submit(document(**fields))
    await server.scheduler.step()
    return workload, await house.held_ids(workload)


async def later(house: House, server: Server, ms: int) -> None:
    house.clock.advance(ms)
    await server.leadership.renew()
    await server.observer.step()


async def hold_up(house: House, workload: str) -> WorkloadHoldUp | None:
    return await house.database.read(lambda tx: holdups.workload_hold_up(tx, WHOLE, workload))


async def notes(house: House) -> list[str]:
    table = tables.events
    kind = table.c.kind == "WorkloadNoted"
    return [
        each["message"]
        for each in await house.rows(sa.select(table).where(kind).order_by(table.c.seq))
    ]


async def test_it_is_told_once_while_it_lasts_and_gone_when_it_runs(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload, (key,) = await placed(house, server)
    engine.held_up[key] = PULLED
    await server.launcher.step()
    await server.observer.step()
    before = await house.workload(workload)
    assert (before.state, before.message) == ("starting", PULLED[1])
    for _ in range(4):
        await later(house, server, 2_000)
    assert (await house.workload(workload)).version == before.version
    engine.held_up[key] = MISSING
    await later(house, server, 2_000)
    told = await hold_up(house, workload)
    assert told is not None
    assert (told.hold_up.cause, told.hold_up.message) == MISSING
    assert told.hold_up.since_ms == house.now_ms
    assert (await house.workload(workload)).message == MISSING[1]
    assert await notes(house) == [PULLED[1], MISSING[1]]
    (rank,) = await house.database.read(
        lambda tx: allocations.rank_list(tx, WHOLE, workload, limit=1)
    )
    assert rank.allocation is not None
    assert rank.allocation.hold_up == told.hold_up
    del engine.held_up[key]
    await server.observer.step()
    after = await house.workload(workload)
    assert (after.state, after.message) == ("running", "")
    assert await hold_up(house, workload) is None


async def test_what_flutters_is_not_told_each_time(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload, (key,) = await placed(house, server)
    engine.held_up[key] = PULLED
    await server.launcher.step()
    for number in range(20):
        engine.held_up[key] = (Cause.VOLUME_MISSING, f"Try {number}.")
        await later(house, server, 500)
    assert 3 <= len(await notes(house)) <= 5
    await later(house, server, 5_000)
    told = await hold_up(house, workload)
    assert told is not None
    assert told.hold_up.message == "Try 19.", "the last word is heard"


async def test_a_gang_says_what_is_wrong_with_its_first_and_how_many_have_it(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload, keys = await placed(house, server, replicas=4, resources={"gpus": 1})
    engine.held_up |= dict.fromkeys(keys, PULLED)
    await server.launcher.step()
    await server.observer.step()
    assert await notes(house) == [PULLED[1]], "once for all of them"
    ranks = {row["id"]: row["rank"] for row in await house.held(workload)}
    late = sorted(keys, key=ranks.__getitem__)[2:]
    engine.held_up |= dict.fromkeys(late, MISSING)
    await later(house, server, 5_000)
    told = await hold_up(house, workload)
    assert told is not None
    assert (told.rank, told.replicas, told.hold_up.cause) == (2, 2, Cause.IMAGE_FAILED)
    assert (await house.workload(workload)).message == f"Replica 2: {MISSING[1]}"
    assert await notes(house) == [PULLED[1], f"Replica 2: {MISSING[1]}"]
    engine.held_up.clear()
    await server.observer.step()
    assert (await house.workload(workload)).state == "running"


async def test_what_its_engine_does_not_take_yet_says_why(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload, _ = await placed(house, server)
    engine.refuse = HeldUpError("The quota of its namespace is used up.", Cause.CLUSTER_QUOTA)
    for _ in range(3):
        with pytest.raises(HeldUpError):
            await server.launcher.step()
        await later(house, server, 4_000)
    told = await hold_up(house, workload)
    assert told is not None
    assert told.hold_up.cause is Cause.CLUSTER_QUOTA
    assert await notes(house) == ["The quota of its namespace is used up."]
    engine.refuse = None
    await server.launcher.step()
    await server.observer.step()
    assert (await house.workload(workload)).state == "running"


async def test_what_is_over_at_the_next_try_is_not_told(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload, _ = await placed(house, server)
    engine.refuse = TemporaryError("Its device is not reported now.")
    with pytest.raises(TemporaryError):
        await server.launcher.step()
    assert await hold_up(house, workload) is None
    with pytest.raises(TemporaryError):
        await server.launcher.step()
    assert await notes(house) == ["Its device is not reported now."]


async def test_what_a_rule_forbids_ends_for_that_cause(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload, _ = await placed(house, server, retries=3)
    engine.refuse = AdmissionError("No pod may be privileged.", Cause.CLUSTER_REFUSED)
    await server.launcher.step()
    found = await house.workload(workload)
    assert (found.state, found.cause) == ("failed", Cause.CLUSTER_REFUSED)
