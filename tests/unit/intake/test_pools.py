"""Pools as administrators set them, and what a spec may name of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.errors import ForbiddenError, NotFoundError, UserError
from podium.domain.policies import PolicyLevel
from podium.domain.tenancy import WHOLE
from podium.domain.workload import Kind
from podium.intake.changes import workload_change
from podium.intake.policies import policy_set
from podium.intake.pools import pool_remove, pool_set
from podium.spec.views.pool import PoolRequest
from podium.spec.views.workload import ChangeRequest
from podium.store import policies, pools, tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node, person

pytestmark = pytest.mark.anyio

SAFE = {"zone": "secure"}


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node("n1"), node("n2", labels=(("zone", "secure"),)))
    return made


async def put(house: House, name: str = "secure", **fields: Any) -> None:
    request = PoolRequest(**{"labels": SAFE, **fields})
    await pool_set(house.office, ADMINISTRATOR, name, request)


async def test_only_administrators_change_pools(house: House) -> None:
    await put(house)
    for who in (person(), person("bob", project="speech")):
        with pytest.raises(ForbiddenError):
            await pool_set(house.office, who, "mine", PoolRequest(labels=SAFE))
        with pytest.raises(ForbiddenError):
            await pool_remove(house.office, who, "secure")


async def test_all_that_is_wrong_is_told_at_once(house: House) -> None:
    with pytest.raises(UserError) as raised:
        await put(
            house, "My Pool", labels={"!": "x"}, projects=["vision", "none"], teams=["no-team"]
        )
    assert [each.field for each in raised.value.faults] == [
        "name", "labels.!", "projects.1", "teams.0",
    ]  # fmt: skip
    assert raised.value.faults[2].message == "There is no project none."
    assert await house.database.read(pools.pool_list) == ()


async def test_changes_are_audited(house: House) -> None:
    await put(house, teams=["research"], note=" patient data ")
    (pool,) = await house.database.read(pools.pool_list)
    assert (pool.teams, pool.projects, pool.note) == (("research",), (), "patient data")
    await pool_remove(house.office, ADMINISTRATOR, "secure")
    with pytest.raises(NotFoundError):
        await pool_remove(house.office, ADMINISTRATOR, "secure")
    rows = await house.rows(sa.select(tables.audit).order_by(tables.audit.c.seq))
    found = [
        (row["actor"], row["subject"], json.loads(row["detail"]))
        for row in rows
        if row["action"] == "pool:set"
    ]
    made = {
        "labels": SAFE,
        "projects": [],
        "teams": ["research"],
        "note": "patient data",
        "region": "",
        "approved_for": [],
    }
    assert found == [
        ("root", "secure", {"before": None, "after": made}),
        ("root", "secure", {"before": made, "after": None}),
    ]


async def test_a_spec_may_name_only_pools_open_to_its_project(house: House) -> None:
    await put(house, teams=["product"])
    await put(house, "plain", labels={"os": "linux"})
    for name in ("secure", "gone"):
        with pytest.raises(UserError) as raised:
            await house.submit(document(resources={"pool": name}))
        (fault,) = raised.value.faults
        assert fault.field == "resources.pool"
        assert fault.message == f"project vision has no pool '{name}' to use."
        assert fault.remedy == "Open to it: plain."
    with pytest.raises(UserError) as raised:
        await house.submit(
            document("a", resources={"pool": ["plain", "secure"]}),
            document("b", project="speech", resources={"pool": ["plain", "secure"]}),
        )
    assert [each.field for each in raised.value.faults] == ["workloads.0.resources.pool.1"]
    await pool_remove(house.office, ADMINISTRATOR, "plain")
    with pytest.raises(UserError) as raised:
        await house.submit(document(resources={"pool": "secure"}))
    assert raised.value.faults[0].remedy == "Leave it out: no pool is open to this project."


async def test_groups_name_pools_too(house: House) -> None:
    await put(house)
    groups = [
        {"name": "one", "replicas": 1, "resources": {"pool": "secure"}},
        {"name": "two", "replicas": 1, "resources": {"pool": "gone"}},
    ]
    with pytest.raises(UserError) as raised:
        await house.submit(document(groups=groups))
    assert [each.field for each in raised.value.faults] == ["groups.1.resources.pool"]


async def test_what_holds_in_a_pool_holds_for_work_that_names_it_alone(house: House) -> None:
    await put(house)
    await put(house, "plain", labels={"os": "linux"})

    async def hold(level: PolicyLevel, name: str, **values: Any) -> None:
        await policy_set(
            house.office, ADMINISTRATOR, level=level, name=name, part="batch", values=values
        )

    await hold(PolicyLevel.CLUSTER, "", priority=20, grace="5s")
    await hold(PolicyLevel.POOL, "secure", priority=35, memory="2GiB", priority_max=40)
    await hold(PolicyLevel.TEAM, "research", memory="3GiB")
    with pytest.raises(NotFoundError, match="There is no pool none"):
        await hold(PolicyLevel.POOL, "none", priority=35)
    ids = await house.submit(
        document("one", resources={"pool": "secure"}),
        document("two", resources={"pool": ["secure", "plain"]}),
        document("three", project="speech", resources={"pool": ["secure"]}),
    )
    one, two, three = [await house.workload(each) for each in ids]
    assert (one.priority, one.grace_seconds, one.request.memory_bytes) == (35, 5, 3 * 2**30)
    assert (two.priority, two.request.memory_bytes) == (20, 3 * 2**30)
    assert (three.priority, three.request.memory_bytes) == (35, 2 * 2**30)
    for wanted, refused in ((ids[0], True), (ids[1], False)):
        change = workload_change(house.office, ADMINISTRATOR, wanted, ChangeRequest(priority=60))
        if refused:
            with pytest.raises(UserError, match="may have 40 at most"):
                await change
        else:
            await change
    await pool_remove(house.office, ADMINISTRATOR, "secure")
    after = await house.database.read(policies.policies_fetch)
    assert after.of(Kind.BATCH, "vision", "secure").priority == 20


async def test_a_project_without_a_pool_sees_none_of_its_names(house: House) -> None:
    await put(house, projects=["speech"])
    found = await house.database.read(lambda tx: pools.pools_seen(tx, person().scope))
    assert found == ()
    assert await house.database.read(lambda tx: pools.pools_seen(tx, WHOLE))
