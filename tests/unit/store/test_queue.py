"""The queue as it is read: positions are those of the order of service, and a reader sees only
their own part of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.reason import Refusal, WaitReason
from podium.domain.tenancy import WHOLE, Scope
from podium.scheduling.order.queue import queue_order
from podium.store import queue, tables
from podium.store.database import Database
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import House, document, node

VISION, SPEECH = Scope(frozenset({"vision"})), Scope(frozenset({"speech"}))
BOTH = Scope(frozenset({"vision", "speech"}))
NOBODY = Scope(frozenset())


def row(index: int, **changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for column in tables.workloads.columns:
        if not column.nullable:
            plain[column.name] = "" if isinstance(column.type, sa.Text) else 0
    return {**plain, "id": f"w-{index:02}", "replicas_max": 1, "state": "queued", **changes}


WAITING = st.lists(
    st.fixed_dictionaries(
        {
            "priority": st.sampled_from([10, 50, 90]),
            "submitted_at_ms": st.integers(1, 3),
            "project": st.sampled_from(["vision", "speech", "other"]),
            "state": st.sampled_from(["queued", "queued", "queued", "running"]),
        }
    ),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(
    WAITING,
    st.integers(1, 8),
    st.sampled_from([WHOLE, VISION, BOTH, NOBODY]),
    st.sampled_from([None, "vision"]),
)
def test_pages_are_the_order_of_service(
    fields: list[Mapping[str, Any]], limit: int, scope: Scope, project: str | None
) -> None:
    rows = [row(index, **each) for index, each in enumerate(fields)]
    everyone = sorted(
        (each for each in rows if each["state"] == "queued"),
        key=lambda each: (-each["priority"], each["submitted_at_ms"], each["id"]),
    )
    wanted = [
        (position, each["id"])
        for position, each in enumerate(everyone, start=1)
        if scope.admits(each["project"]) and project in (None, each["project"])
    ]
    engine = sa.create_engine("sqlite://")
    with engine.begin() as tx:
        tables.workloads.create(tx)
        if rows:
            tx.execute(sa.insert(tables.workloads), rows)
        told: list[tuple[int, str]] = []
        while True:
            after = told[-1][0] if told else 0
            page = queue.queue_page(tx, scope, project, limit=limit, after=after)
            told += page
            if len(page) < limit:
                break
        assert told == wanted
        assert queue.queue_length(tx, scope, project) == len(wanted)


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=4))
    return made


@pytest.mark.anyio
async def test_it_is_the_order_in_which_the_scheduler_serves(house: House) -> None:
    for index, priority in enumerate([50, 90, 10, 50, 90]):
        house.clock.advance(1000)
        await house.submit(document(f"job-{index}", priority=priority))
    served = await house.database.read(
        lambda tx: [each.workload_id for each in queue_order(snapshot(tx, 0).demands)]
    )
    page = await house.database.read(lambda tx: queue.queue_page(tx, WHOLE, limit=10))
    assert [each for _, each in page] == served
    assert [position for position, _ in page] == [1, 2, 3, 4, 5]
    for position, workload_id in page:
        found = await house.database.read(lambda tx, of=workload_id: queue.queue_position(tx, of))
        assert found == (position, 5)


@pytest.mark.anyio
async def test_what_each_project_waits_for_and_holds(house: House) -> None:
    await house.start(document("held", resources={"gpus": 3}))
    first = house.now_ms
    await house.submit(
        document("gang", resources={"gpus": 2}, replicas=3),
        document("shared", resources={"gpu_memory": "20GiB"}),
        document("cpu-only"),
        document("far", project="speech", resources={"gpus": 8}),
    )
    house.clock.advance(5000)
    await house.submit(document("later", resources={"gpus": 0.5}))

    def read(scope: Scope, project: str | None = None) -> Any:
        return house.database.read(lambda tx: queue.queue_projects(tx, scope, project))

    speech, vision = await read(WHOLE)
    assert (vision.project, vision.team, vision.waiting, vision.running) == (
        "vision", "research", 4, 1)  # fmt: skip
    # 3 × 2 devices, half a device, and 20 of the 80 GiB of one.
    assert vision.gpu_milli_wanted == 6000 + 500 + 250
    assert vision.gpu_milli_held == 3000
    assert vision.oldest_queued_at_ms == first
    assert (speech.project, speech.gpu_milli_wanted, speech.gpu_milli_held) == ("speech", 8000, 0)
    assert await read(SPEECH) == [speech]
    assert await read(BOTH, "vision") == [vision]
    assert await read(SPEECH, "vision") == await read(NOBODY) == []


@pytest.mark.anyio
async def test_of_an_array_what_has_not_ended_is_wanted(house: House) -> None:
    array = await house.submit(document("array", array=6, resources={"gpus": 1}))
    (project,) = await house.database.read(lambda tx: queue.queue_projects(tx, WHOLE))
    assert project.gpu_milli_wanted == 6000

    def done(tx: sa.Connection) -> None:
        replica = tables.replicas
        mine = (replica.c.workload_id == array) & (replica.c.rank < 2)
        tx.execute(sa.update(replica).where(mine).values(state="succeeded"))

    await house.database.write(done)
    (project,) = await house.database.read(lambda tx: queue.queue_projects(tx, WHOLE))
    assert project.gpu_milli_wanted == 4000


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("ages", "median", "longest"), [([1], 1, 1), ([1, 9], 5, 9), ([1, 3, 9], 3, 9)]
)
async def test_waits(house: House, ages: list[int], median: int, longest: int) -> None:
    begin = house.now_ms
    for age in sorted(ages, reverse=True):
        house.clock.advance(begin + (10 - age) * 1000 - house.now_ms)
        await house.submit(document(f"job-{age}"))
    now = house.clock.advance(begin + 10_000 - house.now_ms)
    found = await house.database.read(lambda tx: queue.queue_summary(tx, WHOLE, None, now))
    assert (found.wait_median_ms, found.wait_max_ms) == (median * 1000, longest * 1000)


@pytest.mark.anyio
async def test_reasons_come_with_the_sentence_of_the_one_that_waits_longest(house: House) -> None:
    ids = []
    for index in range(5):
        house.clock.advance(1000)
        ids.append(await house.submit(document(f"job-{index}", resources={"gpus": 1})))
    other = await house.submit(document("elsewhere", project="speech"))

    def refuse(tx: sa.Connection, now_ms: int) -> None:
        told = [(ids[index], Refusal(WaitReason.CAPACITY, f"{index} waits.")) for index in (1, 2)]
        told.append((other, Refusal(WaitReason.POLICY, "secret of speech")))
        told.append((ids[3], Refusal(WaitReason.PRIORITY, "3 waits.")))
        told.append((ids[0], Refusal(WaitReason.PRIORITY, "0 waits.")))
        queue.refusal_update(tx, told, now_ms)

    await house.write(refuse)
    found = await house.database.read(lambda tx: queue.queue_summary(tx, VISION, None, 2**50))
    assert [(each.reason, each.count, each.message) for each in found.reasons] == [
        (WaitReason.CAPACITY, 2, "1 waits."),
        (WaitReason.PRIORITY, 2, "0 waits."),
        (WaitReason.NEW, 1, ""),
    ]
    assert found.waiting == 5
    whole = await house.database.read(lambda tx: queue.queue_summary(tx, WHOLE, None, 2**50))
    assert whole.waiting == 6
