"""Pools in the store: whose nodes they have, who sees them, and where work may stand."""

from __future__ import annotations

from typing import Any

import pytest

from podium.domain.errors import NotFoundError
from podium.domain.pool import Pool
from podium.domain.reason import WaitReason
from podium.domain.tenancy import WHOLE, Scope
from podium.scheduling.snapshot import Demand, Snapshot
from podium.store import nodes, pools
from podium.store.database import Database
from podium.store.picture import Picture
from podium.store.pool_stock import stocks
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import ENGINE, House, document, node

pytestmark = pytest.mark.anyio

SAFE = (("zone", "secure"),)
VISION, SPEECH = Scope(frozenset({"vision"})), Scope(frozenset({"speech"}))


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node("n1", gpus=2), node("n2", gpus=4, labels=SAFE))
    return made


async def put(house: House, name: str = "secure", labels: Any = SAFE, **users: Any) -> None:
    pool = Pool(name=name, labels=labels, **users)
    await house.write(lambda tx, now_ms: pools.pool_put(tx, pool, now_ms, "root"))


async def demand(house: House) -> Demand:
    now_ms = house.now_ms
    (found,) = (await house.database.read(lambda tx: snapshot(tx, now_ms))).demands
    return found


async def names(house: House, scope: Scope) -> list[str]:
    found = await house.database.read(lambda tx: pools.pools_seen(tx, scope))
    return [each.name for each in found]


async def test_nodes_are_read_with_their_pool(house: House) -> None:
    async def read() -> list[str]:
        return [each.pool for each in await house.database.read(nodes.node_list)]

    assert await read() == ["", ""]
    await put(house)
    assert await read() == ["", "secure"]
    await put(house, labels=(("os", "linux"),))
    assert await read() == ["secure", ""]
    await put(house, "a-first", (("os", "linux"),))
    assert await read() == ["a-first", ""]
    await house.write(lambda tx, _: pools.pool_delete(tx, "a-first"))
    assert await read() == ["secure", ""]
    with pytest.raises(NotFoundError, match="no pool a-first"):
        await house.write(lambda tx, _: pools.pool_delete(tx, "a-first"))


async def test_a_node_keeps_its_domain(house: House) -> None:
    seen = (node("n1", nvlink="d1"),)
    assert await house.write(lambda tx, now: nodes.node_report(tx, ENGINE, seen, now))
    found = await house.database.read(lambda tx: nodes.node_fetch(tx, "n1"))
    assert found.nvlink == "d1"


async def test_everyone_sees_the_pools_that_are_open_to_them(house: House) -> None:
    await put(house, "open", (("os", "linux"),))
    await put(house, "red", teams=("product",))
    await put(house, "blue", projects=("vision",))
    assert await names(house, WHOLE) == ["blue", "open", "red"]
    assert await names(house, VISION) == ["blue", "open"]
    assert await names(house, SPEECH) == ["open", "red"]
    assert await names(house, Scope(frozenset())) == ["open"]
    with pytest.raises(NotFoundError, match="no pool red that you can see"):
        await house.database.read(lambda tx: pools.pool_fetch(tx, VISION, "red"))


async def test_work_stands_only_where_its_project_may(house: House) -> None:
    await house.submit(document("one", resources={"gpus": 1}))
    assert (await demand(house)).request.pools == ()
    await put(house)
    assert (await demand(house)).request.pools == ()
    await put(house, teams=("product",))
    assert (await demand(house)).request.pools == ("",)
    await put(house, teams=("product", "research"))
    assert (await demand(house)).request.pools == ()
    await put(house, projects=("vision",))
    assert (await demand(house)).request.pools == ()
    await put(house, projects=("speech",))
    await put(house, "open", (("os", "linux"),))
    assert (await demand(house)).request.pools == ("", "open")


async def test_equal_requests_of_projects_alike_are_one_object(house: House) -> None:
    await put(house, projects=("speech",))
    await house.submit(*(document(f"w{i}", resources={"gpus": 1}) for i in range(3)))
    await house.submit(document("other", project="speech", resources={"gpus": 1}))
    now_ms = house.now_ms
    found = await house.database.read(lambda tx: snapshot(tx, now_ms))
    first, second, third, other = (each.request for each in found.demands)
    assert first is second is third
    assert (first.pools, other.pools) == (("",), ())


async def test_a_plan_from_before_a_pool_was_closed_is_rejected(house: House) -> None:
    await put(house)
    one = await house.submit(document("one", resources={"gpus": 4}))
    plan = await house.decide()
    assert [each.node for each in plan.placements] == ["n2"]
    await put(house, teams=("product",))
    committed = await house.commit(plan)
    assert not await house.held()
    assert [each[0] for each in committed.rejected] == [one]
    await house.cycle()
    found = await house.workload(one)
    assert found.refusal is not None
    assert found.refusal.reason is WaitReason.POLICY
    assert found.refusal.message == (
        "Other nodes could run it, but they are in pools that are not open to its project."
    )
    await put(house)
    await house.cycle()
    assert len(await house.held(one)) == 1


async def test_work_that_named_a_pool_waits_when_that_is_closed(house: House) -> None:
    await put(house)
    one = await house.submit(document("one", resources={"pool": "secure", "gpus": 1}))
    plan = await house.decide()
    assert [each.node for each in plan.placements] == ["n2"]
    await put(house, teams=("product",), projects=("speech",))
    assert [each[0] for each in (await house.commit(plan)).rejected] == [one]
    await house.cycle()
    found = (await house.workload(one)).refusal
    assert found is not None
    assert found.message == (
        "It may not start where it asks to: pool secure is no longer open to its project."
    )
    await put(house, "other", teams=("product",))
    for message in (
        "It may not start where it asks to: there is no pool secure any more.",
        "No node is in pool secure.",
    ):
        await house.write(lambda tx, _: pools.pool_delete(tx, "secure"))
        await house.cycle()
        found = (await house.workload(one)).refusal
        assert found is not None
        assert found.message == message
        if "any more" in message:
            await put(house)
            await house.write(lambda tx, _: pools.pool_delete(tx, "other"))


async def test_the_picture_notices_pools_and_domains(house: House) -> None:
    picture = Picture()

    async def look() -> Snapshot:
        now_ms = house.now_ms
        return await house.database.read(lambda tx: picture.look(tx, now_ms))

    await house.submit(document("one"))
    await look()
    await put(house, teams=("product",))
    seen = await look()
    assert [each.pool for each in seen.nodes] == ["", "secure"]
    assert [each.name for each in seen.pools] == ["secure"]
    assert seen.demands[0].request.pools == ("",)
    await house.submit(document("two"))
    seen = await look()
    assert seen.demands[1].request is seen.demands[0].request
    assert [each.name for each in seen.pools] == ["secure"]
    assert picture.reads_of_all == 2
    await put(house)
    assert (await look()).demands[0].request.pools == ()
    machines = (node("n1", gpus=2), node("n2", gpus=4, labels=SAFE, nvlink="d"))
    await house.write(lambda tx, now: nodes.node_report(tx, ENGINE, machines, now))
    assert (await look()).nodes[1].nvlink == "d"
    machines = (node("n1", gpus=2, labels=SAFE), machines[1])
    await house.write(lambda tx, now: nodes.node_report(tx, ENGINE, machines, now))
    assert [each.pool for each in (await look()).nodes] == ["secure", "secure"]
    assert picture.reads_of_all == 5


async def test_what_is_in_a_pool_is_counted(house: House) -> None:
    assert await house.database.read(stocks) == {}
    await put(house)
    await house.start(document("one", resources={"gpus": 0.5, "pool": "secure"}))
    await house.write(lambda tx, _: nodes.node_cordon(tx, "n2", cordoned=True))
    found = (await house.database.read(stocks))["secure"]
    assert (found.nodes, found.nodes_ready) == (1, 0)
    ((kind, gpus),) = found.gpus.items()
    assert (kind, gpus.count, gpus.gpu_milli, gpus.gpu_milli_used) == ("A100", 4, 4000, 500)
