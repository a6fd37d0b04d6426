"""Gangs of unlike replicas in the store: read back as written, shown to the scheduler by parts, and
counted by what each group asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from podium.control.environment import environment
from podium.domain.allocation import Allocation
from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE
from podium.domain.workload import member_of, program_of
from podium.scheduling.plan import Reservation
from podium.scheduling.snapshot import Demand, Snapshot
from podium.spec.views.workload import WorkloadSort
from podium.spec.workload import check
from podium.store import (
    allocations,
    groups,
    listing,
    queue,
    queue_plan,
    samples,
    tables,
    workloads,
)
from podium.store.database import Database
from podium.store.listing import WorkloadFilter
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import House, document, node
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio

LEARNER = {"name": "learner", "resources": {"gpus": 2}, "command": "python learner.py"}
ACTOR = {"name": "actor", "replicas": 3, "resources": {"cpus": 2}, "env": {"ROLE": "actor"}}


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(node(gpus=4))
    yield made
    await database.read(Laws().check)


def grouped(*mine: dict[str, Any], name: str = "rl", **fields: Any) -> dict[str, object]:
    return document(name, groups=list(mine) or [ACTOR, LEARNER], env={"ALL": "1"}, **fields)


async def seen(house: House) -> Snapshot:
    return await house.database.read(lambda tx: snapshot(tx, house.now_ms))


async def demand(house: House) -> Demand:
    (found,) = (await seen(house)).demands
    return found


async def test_they_are_read_back_as_they_were_written(house: House) -> None:
    key = await house.submit(grouped())
    wish = check(grouped(), now_ms=house.now_ms)
    found = await house.workload(key)
    assert found.groups == wish.groups
    assert (found.request, found.replicas) == (wish.request, wish.replicas)
    assert found.gpu_milli == 2000
    alike = await house.submit(document("alike", replicas=3, resources={"gpus": 0.5}))
    many = await house.database.read(
        lambda tx: workloads.workload_fetch_many(tx, WHOLE, [key, alike])
    )
    assert many[key] == found
    assert (many[alike].groups, many[alike].gpu_milli) == ((), 1500)


async def test_the_scheduler_sees_parts_with_most_gpus_first(house: House) -> None:
    small = {"name": "small", "resources": {"gpus": 1}}
    await house.submit(grouped(ACTOR, small, LEARNER, {**small, "name": "other"}))
    found = await demand(house)
    learner, both, actors = found.parts
    assert (learner.request.gpu_milli, learner.ranks) == (2000, (4,))
    assert (both.request.gpu_milli, both.ranks) == (1000, (3, 5)), "they ask for the same"
    assert (actors.request.gpu_milli, actors.ranks) == (0, (0, 1, 2))
    assert (found.request, found.minimum) == (learner.request, 6)
    assert found.pending_ranks == (0, 1, 2, 3, 4, 5)


async def test_groups_that_ask_for_the_same_are_a_gang_like_any_other(house: House) -> None:
    await house.submit(grouped(LEARNER, {**LEARNER, "name": "second", "replicas": 2}))
    found = await demand(house)
    assert found.parts == ()
    assert (found.request.gpu_milli, found.minimum) == (2000, 3)


async def test_equal_gangs_share_their_parts(house: House) -> None:
    await house.submit(*(grouped(name=f"rl-{n}") for n in range(3)))
    found = await seen(house)
    assert len({id(each.parts) for each in found.demands}) == 1
    assert {request.gpu_milli: count for request, count in found.mix} == {0: 9, 2000: 3}


async def test_ranks_that_are_pending_only(house: House) -> None:
    """One actor of a gang that replaces what it loses was lost."""
    key = await house.start(grouped(LEARNER, ACTOR, recovery="replace"))
    held = next(each for each in await house.held(key) if each["rank"] == 2)
    await house.end([held["id"]], Cause.NODE_LOST)
    found = await demand(house)
    assert (found.pending_ranks, found.minimum, found.parts) == ((2,), 1, ())
    assert (found.request.cpu_milli, found.request.gpu_milli) == (2000, 0)


async def test_each_rank_gets_what_its_group_asks_for(house: House) -> None:
    key = await house.start(grouped())
    held = {each["rank"]: (each["cpu_milli"], each["gpu_milli"]) for each in await house.held(key)}
    assert held == {0: (2000, 0), 1: (2000, 0), 2: (2000, 0), 3: (1000, 2000)}

    def read(tx: sa.Connection) -> Any:
        return groups.group_counts(tx, key), samples.capacity_now(tx, house.now_ms)

    counts, capacity = await house.database.read(read)
    assert counts == {
        "actor": {ReplicaState.RUNNING: 3},
        "learner": {ReplicaState.RUNNING: 1},
    }
    assert capacity.held_milli == 2000


async def test_what_they_want_is_counted_by_group(house: House) -> None:
    types = {"name": "typed", "replicas": 2, "resources": {"gpus": 1, "gpu_type": "H100"}}
    parts = {"name": "part", "replicas": 2, "resources": {"gpu_memory": "40GiB"}}
    await house.submit(
        grouped(ACTOR, {**LEARNER, "replicas": 3}, types, parts),
        document("alike", replicas=2, resources={"gpus": 4}),
    )

    def read(tx: sa.Connection) -> Any:
        return (
            queue.queue_projects(tx, WHOLE),
            queue.wanted_by_type(tx),
            queue.queue_summary(tx, WHOLE, None, house.now_ms),
            samples.capacity_now(tx, house.now_ms),
        )

    (vision,), by_type, summary, capacity = await house.database.read(read)
    wanted = 6000 + 2000 + 2 * 500 + 8000
    assert vision.gpu_milli_wanted == summary.gpu_milli_wanted == capacity.wanted_milli == wanted
    assert by_type == {"vision": {"": wanted - 2000, "H100": 2000}}


async def test_lists_are_in_order_of_all_that_they_ask_for(house: House) -> None:
    few, gang, many = await house.submit(
        document("few", resources={"gpus": 3}),
        grouped(ACTOR, {**LEARNER, "replicas": 2}),
        document("many", replicas=5, resources={"gpus": 1}),
    )
    found = await house.database.read(
        lambda tx: listing.workload_list(
            tx, WHOLE, WorkloadFilter(), limit=10, sort=WorkloadSort.GPUS
        )
    )
    assert [each.id for each in found.workloads] == [many, gang, few]
    assert [each.gpu_milli for each in found.workloads] == [5000, 4000, 3000]


async def test_nodes_kept_for_them_are_drawn_by_what_all_ask_for(house: House) -> None:
    key = await house.submit(grouped(ACTOR, LEARNER))

    def plan(tx: sa.Connection) -> Any:
        kept = Reservation(key, ("n1", "n2"), None, (3, 1))
        queue_plan.queue_plan_replace(tx, house.now_ms, turns=(), reservations=[kept])
        return queue_plan.queue_plan(tx, WHOLE, house.now_ms)

    (kept,) = (await house.database.write(plan)).reservations
    assert (kept.gpu_milli, kept.replicas, kept.nodes) == (2000, 4, (("n1", 3), ("n2", 1)))


async def test_what_is_deleted_leaves_nothing(house: House) -> None:
    key = await house.submit(grouped())

    def forget(tx: sa.Connection) -> int | None:
        tx.execute(sa.delete(tables.workloads).where(tables.workloads.c.id == key))
        return tx.scalar(sa.select(sa.func.count()).select_from(tables.replica_groups))

    assert await house.database.write(forget) == 0


async def test_the_environment_says_who_one_is(house: House) -> None:
    key = await house.start(grouped(LEARNER, ACTOR))
    found = await house.workload(key)
    program = (await house.database.read(lambda tx: workloads.program_fetch_many(tx, [key])))[key]

    def of(held: Allocation) -> dict[str, str]:
        mine = program_of(program, member_of(found.groups, held.rank))
        return dict(environment(found, mine, held, replicas=4, master_address="127.0.0.1"))

    held = await house.database.read(
        lambda tx: allocations.allocation_list_open(
            tx, nodes=["n1"], states=[ReplicaState.RUNNING], limit=10
        )
    )
    told = {each.rank: of(each) for each in held}
    names = ("RANK", "PODIUM_GROUP", "PODIUM_GROUP_RANK", "PODIUM_GROUP_SIZE", "WORLD_SIZE")
    assert [tuple(told[rank][name] for name in names) for rank in range(4)] == [
        ("0", "learner", "0", "1", "4"),
        ("1", "actor", "0", "3", "4"),
        ("2", "actor", "1", "3", "4"),
        ("3", "actor", "2", "3", "4"),
    ]
    assert (told[0].get("ROLE"), told[3]["ROLE"]) == (None, "actor")
    assert told[0]["ALL"] == told[3]["ALL"] == "1"
    assert "PODIUM_GROUP" not in dict(
        environment(
            await house.workload(await house.submit(document("alone"))),
            program, held[0], replicas=1, master_address="",
        )
    )  # fmt: skip


async def test_plain_work_costs_no_look_at_groups(house: House) -> None:
    await house.submit(*(document(f"job-{n}") for n in range(3)))
    asked: list[str] = []

    def read(tx: sa.Connection) -> None:
        def note(*told: Any) -> None:
            asked.append(told[2])

        sa.event.listen(tx, "before_cursor_execute", note)
        workloads.workload_fetch_many(
            tx, WHOLE, [each.workload_id for each in snapshot(tx, 0).demands]
        )
        sa.event.remove(tx, "before_cursor_execute", note)

    await house.database.read(read)
    looks = [each for each in asked if "FROM replica_groups" in each]
    assert len(looks) == 1, "only the mix of the last week asks, by an index"
