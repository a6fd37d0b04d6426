"""What was planned last, and nodes over time: read back as written, without others' names."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.booking import Reserved
from podium.domain.tenancy import WHOLE, Scope
from podium.intake.workloads import workload_cancel
from podium.scheduling.plan import Plan, Preemption, Reservation, Turn
from podium.store import bookings, node_lines, nodes, preemptions, queue_plan, tables
from podium.store.database import Database
from podium.store.node_lines import NodeLine, NodeLines
from podium.store.queue_plan import QueuePlan
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
VISION, SPEECH = Scope(frozenset({"vision"})), Scope(frozenset({"speech"}))
NOBODY = Scope(frozenset())


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node("n1"), node("n2"), node("n3"), node("n4"))
    return made


async def replace(house: House, turns: Any, reservations: Any) -> None:
    await house.write(
        lambda tx, now_ms: queue_plan.queue_plan_replace(
            tx, now_ms, turns=turns, reservations=reservations
        )
    )


async def planned(house: House, scope: Scope = WHOLE) -> QueuePlan:
    now_ms = house.now_ms
    return await house.database.read(lambda tx: queue_plan.queue_plan(tx, scope, now_ms))


async def drawn(house: House, scope: Scope = WHOLE, limit: int = 10) -> NodeLines:
    now_ms = house.now_ms
    plan = await planned(house, scope)
    return await house.database.read(
        lambda tx: node_lines.node_lines(
            tx, scope, plan.reservations, now_ms, until_ms=now_ms + 24 * HOUR_MS, limit=limit
        )
    )


def line(lines: NodeLines, name: str) -> NodeLine:
    return next(each for each in lines.lines if each.node.name == name)


async def test_nothing_before_the_first_plan(house: House) -> None:
    assert await planned(house) == QueuePlan(made_at_ms=None, turns=(), reservations=())


async def test_each_part_is_replaced_as_a_whole(house: House, clock: TurnedClock) -> None:
    first, second = await house.submit(document("first"), document("second"))
    kept = Reservation(second, ("n2", "n1"), 77, (1, 3))
    await replace(house, [Turn(first, True), Turn(second, False)], [kept])
    made_ms = house.now_ms
    clock.advance(5000)
    plan = await planned(house)
    assert plan.made_at_ms == made_ms
    assert [(each.workload_id, each.inside, each.waits_ms) for each in plan.turns] == [
        (first, True, 5000), (second, False, 5000)
    ]  # fmt: skip
    assert [each.from_ms for each in plan.turns] == [None, 77]
    (told,) = plan.reservations
    assert (told.workload_id, told.nodes) == (second, (("n1", 3), ("n2", 1)))
    await replace(house, [Turn(second, False)], None)
    plan = await planned(house)
    assert plan.made_at_ms == made_ms + 5000
    assert [each.workload_id for each in plan.turns] == [second]
    assert plan.reservations == (told,)
    await replace(house, None, [])
    plan = await planned(house)
    assert ([each.from_ms for each in plan.turns], plan.reservations) == ([None], ())
    assert await house.rows(sa.select(tables.plan_nodes)) == []


async def test_who_does_not_wait_any_more_is_left_out(house: House) -> None:
    first, second = await house.submit(document("first"), document("second"))
    await replace(
        house, [Turn(first, True), Turn(second, True)], [Reservation(first, ("n1",), 77, (1,))]
    )
    await workload_cancel(house.office, ADMINISTRATOR, first)
    plan = await planned(house)
    assert [each.workload_id for each in plan.turns] == [second]
    assert plan.reservations == ()
    assert line(await drawn(house), "n1").planned == ()


async def test_of_others_only_amounts(house: House) -> None:
    theirs = await house.submit(document("theirs", priority=60))
    mine = await house.submit(document("mine", project="speech"))
    await replace(
        house, [Turn(theirs, True), Turn(mine, False)], [Reservation(theirs, ("n1",), 77, (1,))]
    )
    plan = await planned(house, SPEECH)
    first, second = plan.turns
    assert (first.workload_id, first.share_ppm) == (None, None)
    assert (first.priority, first.inside, first.from_ms) == (60, True, 77)
    assert (second.workload_id, second.share_ppm) == (mine, 0)
    (kept,) = plan.reservations
    assert (kept.seen, kept.nodes) == (False, (("n1", 1),))
    assert [each.workload_id for each in (await planned(house)).turns] == [theirs, mine]


async def test_a_node_over_time(house: House) -> None:
    begun_ms = house.now_ms
    ids = await house.start(
        document("limited", resources={"gpus": 1}, max_runtime="2h"),
        document("usual", resources={"gpus": 1}, expected_runtime="1h"),
        document("endless", resources={"gpus": 1}),
    )
    limited, usual, endless = ids
    gang = await house.submit(
        document("gang", resources={"gpus": 2}, replicas=3, max_runtime="3h", priority=90)
    )
    later_ms = begun_ms + 5 * HOUR_MS
    await replace(house, [], [Reservation(gang, ("n1", "n2"), later_ms, (1, 2))])
    stood = (await house.held())[0]["node"]
    spans = line(await drawn(house), stood).running
    assert [(each.workload_id, each.gpu_milli) for each in spans] == [
        (each, 1000) for each in (limited, usual, endless)
    ]
    assert [(each.from_ms, each.certain) for each in spans] == [
        (begun_ms, True), (begun_ms, False), (begun_ms, False)
    ]  # fmt: skip
    # What has no limit rarely takes more than twice as long as was said.
    assert [each.until_ms for each in spans] == [begun_ms + 2 * HOUR_MS] * 2 + [None]
    lines = await drawn(house)
    assert line(lines, stood).free_milli == 1000
    second = line(lines, "n2").planned
    assert [(each.gpu_milli, each.from_ms, each.until_ms) for each in second] == [
        (4000, later_ms, later_ms + 3 * HOUR_MS)
    ]
    house.clock.advance(3 * HOUR_MS)
    late = line(await drawn(house), stood).running
    until_ms = {each.workload_id: each.until_ms for each in late}
    assert until_ms[usual] == house.now_ms + HOUR_MS, "as long again as it is late"


async def test_work_of_others_is_one_amount_on_a_node(house: House) -> None:
    await house.start(
        document("theirs", resources={"gpus": 1}, max_runtime="1h"),
        document("more", resources={"gpus": 2}, max_runtime="2h"),
    )
    stood = (await house.held())[0]["node"]
    for scope in (SPEECH, NOBODY):
        found = line(await drawn(house, scope), stood)
        (span,) = found.running
        assert (span.workload_id, span.gpu_milli) == (None, 3000)
        assert (span.from_ms, span.until_ms, span.certain) == (None, None, False)
        assert found.free_milli == 1000
    assert len(line(await drawn(house, VISION), stood).running) == 2


async def test_which_nodes_come_first(house: House) -> None:
    now_ms = house.now_ms
    waits = await house.submit(document("waits", resources={"gpus": 64}))
    await replace(house, [], [Reservation(waits, ("n4",), None, (1,))])
    await house.write(
        lambda tx, _: bookings.booking_insert(
            tx,
            Reserved(
                name="firmware", nodes=("n3",), project=None, from_ms=now_ms - 1,
                until_ms=now_ms + HOUR_MS, note="", created_at_ms=now_ms, created_by="root",
            ),
        )
    )  # fmt: skip
    await house.start(document("soon", resources={"gpus": 4}, max_runtime="1h", preemptible=False))
    lines = await drawn(house)
    (held,) = await house.held()
    names = [each.node.name for each in lines.lines]
    assert names[:3] == ["n4", "n3", held["node"]]
    assert sorted(names) == ["n1", "n2", "n3", "n4"]
    assert line(lines, "n3").free_milli == 0, "nobody may use it now"
    assert [each.name for each in line(lines, "n3").booked] == ["firmware"]
    few = await drawn(house, limit=3)
    assert [each.node.name for each in few.lines] == names[:3]
    assert few.left_out == 1
    await house.write(lambda tx, _: nodes.node_cordon(tx, "n4", cordoned=True))
    assert line(await drawn(house), "n4").free_milli == 0


async def test_who_gave_way(house: House) -> None:
    victim = await house.start(document("victim", resources={"gpus": 1}))
    other = await house.submit(document("other", project="speech", resources={"gpus": 16}))
    plan = Plan(preemptions=(Preemption(victim, (0,), other, "it is cheaper", 7_000_000),))
    assert (await house.commit(plan)).preempted == 1

    async def told(scope: Scope) -> list[Any]:
        return await house.database.read(lambda tx: preemptions.preemption_list(tx, scope, limit=5))

    (one,) = await told(WHOLE)
    assert (one.workload_id, one.in_favour_of) == (victim, other)
    assert (one.replicas, one.lost_milli_ms, one.at_ms) == (1, 7_000_000, house.now_ms)
    (one,) = await told(VISION)
    assert (one.workload_id, one.in_favour_of) == (victim, None)
    (one,) = await told(SPEECH)
    assert (one.workload_id, one.in_favour_of) == (None, other)
    assert await told(NOBODY) == []
