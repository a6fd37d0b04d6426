"""What work says that it has saved: kept within bounds, and told to the scheduler and to people."""

from __future__ import annotations

from typing import Any

import pytest

from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE, Scope
from podium.scheduling.snapshot import Hold
from podium.store.allocations import rank_list, saved_last_ms, saves_record
from podium.store.database import Database
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import House, document, node

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=8))
    return made


def gpus(name: str, **fields: Any) -> dict[str, object]:
    return document(name, resources={"gpus": 1}, **fields)


async def save(house: House, at_ms: int, *ids: str) -> None:
    await house.write(lambda tx, now_ms: saves_record(tx, dict.fromkeys(ids, at_ms), now_ms))


async def holds(house: House, workload: str) -> list[Hold]:
    found = await house.database.read(lambda tx: snapshot(tx, house.now_ms).holds)
    return [each for each in found if each.workload_id == workload]


async def saved(house: House, workload: str) -> list[int | None]:
    return [each.saved_at_ms for each in await holds(house, workload)]


async def last(house: House, workload: str, scope: Scope = WHOLE) -> int | None:
    return await house.database.read(lambda tx: saved_last_ms(tx, scope, workload))


async def test_never_before_the_start_nor_in_the_future(house: House) -> None:
    job = await house.start(gpus("job"))
    (held,) = await house.held_ids(job)
    started_ms = house.now_ms
    house.clock.advance(10 * MINUTE_MS)
    assert await saved(house, job) == [None]
    for told_ms, kept_ms in (
        (started_ms - 1, started_ms),
        (started_ms + MINUTE_MS, started_ms + MINUTE_MS),
        (house.now_ms + MINUTE_MS, house.now_ms),
    ):
        await save(house, told_ms, held)
        assert await saved(house, job) == [kept_ms]
    assert await last(house, job) == house.now_ms
    assert await last(house, job, Scope(frozenset({"speech"}))) is None


async def test_one_rank_saves_for_all_of_a_gang(house: House) -> None:
    gang, tasks = await house.start(gpus("gang", replicas=3), gpus("tasks", array=2))
    house.clock.advance(MINUTE_MS)
    await save(house, house.now_ms - 1000, (await house.held_ids(gang))[1])
    await save(house, house.now_ms, (await house.held_ids(tasks))[0])
    assert await saved(house, gang) == [house.now_ms - 1000] * 3
    assert await saved(house, tasks) == [house.now_ms, None], "each task for itself"


async def test_who_joined_later_has_lost_nothing_before(house: House) -> None:
    first = await house.start(gpus("first", replicas=6))
    gang = await house.start(gpus("gang", replicas={"min": 2, "max": 3}))
    saved_ms = house.now_ms
    await save(house, saved_ms, (await house.held_ids(gang))[0])
    await house.end(await house.held_ids(first))
    house.clock.advance(MINUTE_MS)
    await house.cycle()
    ids = await house.held_ids(gang, ReplicaState.SCHEDULED)
    await house.launch(ids)
    await house.run(ids)
    assert await saved(house, gang) == [saved_ms, saved_ms, house.now_ms]


async def test_what_was_saved_before_a_retry_is_still_known(house: House) -> None:
    job = await house.start(gpus("job", retries=1))
    (held,) = await house.held_ids(job)
    await save(house, house.now_ms, held)
    saved_ms = house.now_ms
    await house.end([held], Cause.EXIT_CODE)
    house.clock.advance(MINUTE_MS)
    await save(house, house.now_ms, held)
    assert await last(house, job) == saved_ms, "it has ended"
    (rank,) = await house.database.read(lambda tx: rank_list(tx, WHOLE, job, limit=1))
    assert rank.allocation is not None
    assert rank.allocation.saved_at_ms == saved_ms
    await house.cycle()
    ids = await house.held_ids(job)
    await house.launch(ids)
    await house.run(ids)
    assert await saved(house, job) == [None], "this attempt has saved nothing yet"
