"""Policies in place of the built-in ones: who may set them, what is refused, where they show."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.errors import ForbiddenError, NotFoundError, UserError
from podium.domain.policies import Policies, PolicyLevel
from podium.domain.workload import Kind
from podium.intake.changes import workload_change
from podium.intake.policies import policy_reset, policy_set
from podium.spec.policy import written
from podium.spec.views.workload import ChangeRequest
from podium.store import policies, tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node, person

pytestmark = pytest.mark.anyio

CLUSTER, TEAM, PROJECT = PolicyLevel.CLUSTER, PolicyLevel.TEAM, PolicyLevel.PROJECT


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=4))
    return made


async def put(house: House, level: PolicyLevel, name: str, part: str, **values: Any) -> None:
    await policy_set(house.office, ADMINISTRATOR, level=level, name=name, part=part, values=values)


async def holds(house: House) -> Policies:
    return await house.database.read(policies.policies_fetch)


async def test_a_spec_takes_what_holds_in_its_project(house: House) -> None:
    await put(house, CLUSTER, "", "batch", priority=20, memory="2GiB")
    await put(house, TEAM, "research", "batch", cpus=3, preemptible=False)
    await put(house, PROJECT, "vision", "batch", priority=30, grace="2m")
    ids = await house.submit(document("one"), document("two", project="speech"))
    vision, speech = [await house.workload(each) for each in ids]
    assert (vision.priority, vision.grace_seconds) == (30, 120)
    assert (vision.request.cpu_milli, vision.request.memory_bytes) == (3000, 2 * 2**30)
    assert (speech.priority, speech.request.cpu_milli) == (20, 1000)
    rows = await house.rows(
        sa.select(tables.workloads.c.preemptible).order_by(tables.workloads.c.id)
    )
    assert [row["preemptible"] for row in rows] == [False, True]


async def test_a_spec_may_not_ask_for_more_priority_than_is_allowed(house: House) -> None:
    await put(house, PROJECT, "vision", "training", priority_max=40)
    with pytest.raises(UserError) as raised:
        await house.submit(document("one", kind="training", priority=41))
    (fault,) = raised.value.faults
    assert (fault.field, "40 at most" in fault.message) == ("priority", True)
    workload = await house.submit(document("one", kind="training"))
    assert (await house.workload(workload)).priority == 40, "the default is bounded, too"


async def test_a_change_may_not_ask_for_more_either(house: House) -> None:
    workload = await house.submit(document("one", priority=70))
    await put(house, PROJECT, "vision", "batch", priority_max=40)
    with pytest.raises(UserError, match="40 at most"):
        await workload_change(house.office, ADMINISTRATOR, workload, ChangeRequest(priority=71))
    assert await workload_change(
        house.office, ADMINISTRATOR, workload, ChangeRequest(priority=60, max_runtime="1h")
    ), "less than it had is always allowed"


async def test_reset_of_one_field_and_of_a_part(house: House) -> None:
    await put(house, CLUSTER, "", "scheduling", order="attained", patience="10m", half_life="3d")
    found = (await holds(house)).scheduling
    assert (found.order, found.patience_ms) == ("attained", 600_000)
    assert found.half_life_ms == 3 * 86_400_000
    reset = {"level": CLUSTER, "name": "", "part": "scheduling"}
    await policy_reset(house.office, ADMINISTRATOR, field="order", **reset)  # type: ignore[arg-type]
    found = (await holds(house)).scheduling
    assert (found.order, found.patience_ms) == ("fair", 600_000)
    await policy_reset(house.office, ADMINISTRATOR, **reset)  # type: ignore[arg-type]
    assert (await holds(house)).scheduling == Policies().scheduling
    actions = [row["action"] for row in await house.rows(sa.select(tables.audit))]
    assert actions == ["policy:set"] * 3


async def test_when_a_lost_node_is_released_or_never(house: House) -> None:
    assert (await holds(house)).scheduling.lost_after_ms is None
    assert written((await holds(house)).scheduling)["lost_node_after"] == "never"
    await put(house, CLUSTER, "", "scheduling", lost_node_after="10m")
    assert (await holds(house)).scheduling.lost_after_ms == 600_000
    assert written((await holds(house)).scheduling)["lost_node_after"] == "10m"
    await put(house, CLUSTER, "", "scheduling", lost_node_after="Never")
    assert (await holds(house)).scheduling.lost_after_ms is None


async def test_set_again_replaces(house: House) -> None:
    await put(house, CLUSTER, "", "training", minimum_runtime="30m")
    await put(house, CLUSTER, "", "training", minimum_runtime="none")
    assert (await holds(house)).at(Kind.TRAINING).minimum_runtime_ms is None
    assert len(await house.rows(sa.select(tables.policies))) == 1


@pytest.mark.parametrize(
    ("part", "values", "field"),
    [
        ("training", {"priority": 101}, "priority"),
        ("training", {"priority": 50, "priority_max": 40}, "priority"),
        ("training", {"prioriti": 50}, "prioriti"),
        ("training", {"order": "fair"}, "order"),
        ("training", {"preemptible": "sometimes"}, "preemptible"),
        ("training", {"memory": "much"}, "memory"),
        ("training", {}, ""),
        ("scheduling", {"order": "best"}, "order"),
        ("scheduling", {"half_life": "1s"}, "half_life"),
        ("scheduling", {"reservations_max": -1}, "reservations_max"),
        ("scheduling", {"lost_node_after": "30s"}, "lost_node_after"),
        ("scheduling", {"lost_node_after": "none"}, "lost_node_after"),
    ],
)
async def test_wrong_values_name_their_field(
    house: House, part: str, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(UserError) as raised:
        await put(house, CLUSTER, "", part, **values)
    assert [fault.field for fault in raised.value.faults] == [field]
    assert await house.rows(sa.select(tables.policies)) == []


async def test_every_wrong_value_is_told_at_once(house: House) -> None:
    with pytest.raises(UserError) as raised:
        await put(house, CLUSTER, "", "batch", priority=-1, cpus="x", grace="2d")
    assert sorted(fault.field for fault in raised.value.faults) == ["cpus", "grace", "priority"]


async def test_whom_it_is_for(house: House) -> None:
    for level, name in ((TEAM, "nobody"), (PROJECT, "nothing")):
        with pytest.raises(NotFoundError, match=name):
            await put(house, level, name, "batch", priority=1)
    with pytest.raises(NotFoundError, match="no policy baking"):
        await put(house, CLUSTER, "", "baking", priority=1)
    with pytest.raises(UserError, match="whole cluster"):
        await put(house, TEAM, "research", "scheduling", order="fifo")
    for level, name in ((CLUSTER, ""), (PROJECT, "vision")):
        with pytest.raises(ForbiddenError):
            await policy_set(
                house.office, person(), level=level, name=name, part="batch", values={"priority": 1}
            )


async def test_the_trail_tells_what_was_set(house: House) -> None:
    await put(house, PROJECT, "vision", "training", priority_max=60)
    (row,) = await house.rows(sa.select(tables.audit))
    assert (row["actor"], row["subject"], row["project"]) == ("root", "vision", "vision")
    assert json.loads(row["detail"]) == {
        "level": "project", "part": "training", "before": {}, "after": {"priority_max": "60"},
    }  # fmt: skip
