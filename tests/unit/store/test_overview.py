"""What the overview counts, beside GPU time and the queue, and what nodes hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.lifecycle import WorkloadState
from podium.domain.node import Node
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE, Scope
from podium.store import capacity, holdings, nodes, overview, tables
from podium.store.capacity import CapacityPoint
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import ENGINE, House, document, node

pytestmark = pytest.mark.anyio

VISION, SPEECH = Scope(frozenset({"vision"})), Scope(frozenset({"speech"}))
HOUR_MS = 3_600_000


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    mixed = node("n3", gpus=2)
    devices = (mixed.devices[0], replace(mixed.devices[1], type="H100", virtual=False))
    unhealthy = node("n2", gpus=2)
    broken = replace(unhealthy.devices[0], healthy=False)
    await made.furnish(
        node("n1", gpus=4),
        replace(unhealthy, devices=(broken, unhealthy.devices[1])),
        replace(mixed, devices=devices),
    )
    return made


async def measure(house: House, **busy: int | None) -> None:
    at_ms = house.now_ms - 5000
    await house.database.write(
        lambda tx: tx.execute(
            sa.insert(tables.device_samples),
            [
                {"device_id": key.replace("_", "-"), "at_ms": at_ms, "span_ms": 10_000,
                 "busy_milli": value, "memory_bytes": 1, "power_milliwatts": 250_000,
                 "temperature_celsius": 60}
                for key, value in busy.items()
            ],
        )
    )  # fmt: skip


async def types(house: House) -> dict[str, Any]:
    found = await house.database.read(lambda tx: overview.gpu_type_loads(tx, house.now_ms))
    return {f"{'virtual ' if each.virtual else ''}{each.type}": each for each in found}


async def test_gpus_by_type(house: House) -> None:
    await house.start(
        document("whole", resources={"gpus": 4}),
        document("other", project="speech", resources={"gpus": 1, "gpu_type": "H100"}),
    )
    found = await types(house)
    a100, h100 = found["virtual A100"], found["H100"]
    assert list(found) == ["virtual A100", "H100"]
    assert (a100.devices, a100.unhealthy, a100.held_milli) == (7, 1, 4000)
    assert (h100.devices, h100.unhealthy, h100.held_milli) == (1, 0, 1000)
    assert (a100.busy_milli, a100.idle_devices) == (None, 0), "nothing measures it"
    await measure(house, n1_gpu0=900, n1_gpu1=49, n1_gpu2=50, n3_gpu0=0, n3_gpu1=None)
    found = await types(house)
    # Of the held ones, one does less than 5 % of what is held; one that is not held cannot idle.
    assert (found["virtual A100"].busy_milli, found["virtual A100"].idle_devices) == (999, 1)
    assert (found["H100"].busy_milli, found["H100"].idle_devices) == (None, 0)


async def test_a_share_below_one_half_does_not_idle(house: House) -> None:
    await house.start(document("small", resources={"gpus": 0.4}))
    device = (await house.rows(sa.select(tables.allocation_devices)))[0]["device_id"]
    await measure(house, **{device.replace("-", "_"): 0})
    assert (await types(house))["virtual A100"].idle_devices == 0


async def test_nodes_and_those_that_are_lost(house: House) -> None:
    await house.database.write(lambda tx: nodes.node_cordon(tx, "n2", cordoned=True))
    await house.write(
        lambda tx, now_ms: nodes.node_report(tx, ENGINE, [node("n1"), node("n2")], now_ms)
    )
    found = await house.database.read(overview.node_health)
    assert (found.ready, found.cordoned, found.lost) == (1, 1, 1)
    assert found.unhealthy_devices == 2, "devices of a lost node take no work"
    assert (await types(house))["H100"].unhealthy == 1


async def test_a_fault_is_told_until_the_device_is_well(house: House) -> None:
    async def fault_after(seen: Node) -> tuple[bool, str]:
        await house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, [seen], now_ms))
        (kept,) = (await house.database.read(lambda tx: nodes.node_fetch(tx, "n9"))).devices
        return kept.healthy, kept.fault

    well = node("n9", gpus=1)
    ill = replace(well, devices=(replace(well.devices[0], healthy=False, fault="XID 62"),))
    assert [await fault_after(seen) for seen in (well, ill, well)] == [
        (True, ""), (False, "XID 62"), (True, ""),
    ]  # fmt: skip


async def test_workloads_by_state_of_a_scope(house: House) -> None:
    await house.start(document("one"), document("two", project="speech"))
    await house.submit(document("waits", resources={"gpus": 8}))

    def counts(scope: Scope, project: str | None = None) -> Any:
        return house.database.read(lambda tx: overview.workload_counts(tx, scope, project))

    running, queued = WorkloadState.RUNNING, WorkloadState.QUEUED
    assert await counts(WHOLE) == {queued: 1, running: 2}
    assert await counts(VISION) == await counts(WHOLE, "vision") == {queued: 1, running: 1}
    assert await counts(SPEECH) == {running: 1}
    assert await counts(SPEECH, "vision") == {}


async def test_the_latest_failures(house: House) -> None:
    for index in range(4):
        house.clock.advance(HOUR_MS)
        await house.start(document(f"job-{index}", project="speech" if index == 2 else "vision"))
        await house.end(await house.held_ids(), Cause.EXIT_CODE)
    since = house.now_ms - 2 * HOUR_MS

    async def failed(scope: Scope, project: str | None = None) -> tuple[int, list[str]]:
        count, ids = await house.database.read(
            lambda tx: overview.failed_since(tx, scope, project, since, latest=2)
        )
        return count, [(await house.workload(each)).name for each in ids]

    assert await failed(WHOLE) == (3, ["job-3", "job-2"])
    assert await failed(VISION) == (2, ["job-3", "job-1"])
    assert await failed(WHOLE, "speech") == (1, ["job-2"])


async def test_what_finishes_soonest(house: House) -> None:
    begin = house.now_ms
    await house.start(
        document("two-hours", max_runtime="2h"),
        document("one-hour", max_runtime="1h", project="speech"),
        document("deadline", max_runtime="5h", deadline="2026-01-02T03:20:00Z"),
        document("array", array=2, max_runtime="1min"),
        document("endless"),
    )

    async def finishing(scope: Scope, limit: int = 5) -> list[tuple[str, int]]:
        found = await house.database.read(
            lambda tx: overview.finishing_soonest(tx, scope, None, limit=limit)
        )
        return [((await house.workload(each.workload_id)).name, each.by_ms) for each in found]

    whole = await finishing(WHOLE)
    assert whole == [
        ("deadline", 1_767_324_000_000),
        ("one-hour", begin + HOUR_MS),
        ("two-hours", begin + 2 * HOUR_MS),
    ]
    assert await finishing(VISION) == [whole[0], whole[2]]
    assert await finishing(WHOLE, limit=1) == whole[:1]


async def test_an_attempt_has_its_time_for_itself(house: House) -> None:
    workload = await house.start(document("again", max_runtime="1h", retries=1))
    house.clock.advance(HOUR_MS // 2)
    await house.end(await house.held_ids(), Cause.EXIT_CODE)
    house.clock.advance(60_000)
    await house.cycle()
    house.clock.advance(60_000)
    ids = await house.held_ids()
    await house.launch(ids)
    await house.run(ids)
    (found,) = await house.database.read(
        lambda tx: overview.finishing_soonest(tx, WHOLE, None, limit=5)
    )
    assert (found.workload_id, found.by_ms) == (workload, house.now_ms + HOUR_MS)


async def test_pages_of_nodes_and_who_is_on_them(house: House) -> None:
    await house.start(
        document("pair", replicas=2, resources={"gpus": 2, "gpu_type": "A100"}),
        document("theirs", project="speech", resources={"gpus": 1, "gpu_type": "H100"}),
    )

    def page(**how: Any) -> Any:
        return house.database.read(lambda tx: nodes.node_page(tx, **how))

    everything = await house.database.read(nodes.node_list)
    assert await page(limit=10) == everything
    assert await page(limit=2) == everything[:2]
    assert await page(limit=2, after="n2") == everything[2:]
    assert await house.database.read(lambda tx: nodes.node_fetch(tx, "n2")) == everything[1]
    with pytest.raises(NotFoundError):
        await house.database.read(lambda tx: nodes.node_fetch(tx, "n9"))

    def loads(scope: Scope, names: list[str] | None = None) -> Any:
        return house.database.read(lambda tx: holdings.node_loads(tx, scope, names))

    whole = await loads(WHOLE)
    assert await loads(WHOLE, ["n1", "n2", "n3"]) == whole
    assert await loads(WHOLE, ["n3"]) == {"n3": whole["n3"]}
    assert (await loads(VISION))["n3"].gpu_milli == whole["n3"].gpu_milli
    seen = [each for load in (await loads(VISION)).values() for each in load.holders]
    assert {each.project for each in seen} == {"vision"}
    assert sorted((each.rank, each.gpu_milli) for each in seen) == [
        (0, 1000), (0, 1000), (1, 1000), (1, 1000)]  # fmt: skip
    (theirs,) = [each for each in whole["n3"].holders if each.project == "speech"]
    assert (theirs.name, theirs.owner, theirs.since_ms) == ("theirs", "root", house.now_ms)
    assert sum(load.replicas for load in whole.values()) == 3


async def test_replicas_of_a_node(house: House) -> None:
    await house.start(document("pair", replicas=2, resources={"gpus": 2}))
    await house.start(document("theirs", project="speech", resources={"gpus": 1}))
    name = (await house.held())[0]["node"]

    def replicas(scope: Scope, **how: Any) -> Any:
        return house.database.read(
            lambda tx: holdings.node_replicas(tx, scope, name, **{"limit": 10, **how})
        )

    whole = await replicas(WHOLE)
    held = [each for each in await house.held() if each["node"] == name]
    assert [each.allocation_id for each in whole] == [each["id"] for each in held]
    assert await replicas(VISION) == [each for each in whole if each.project == "vision"]
    assert await replicas(WHOLE, limit=1) == whole[:1]
    assert await replicas(WHOLE, after=whole[0].allocation_id) == whole[1:]
    assert (whole[0].devices, whole[0].state.value) == ((0, 1), "running")
    await house.end([whole[0].allocation_id])
    assert whole[0] not in await replicas(WHOLE)


async def test_capacity_is_the_mean_of_its_notes(house: House) -> None:
    def note(at: int, span: int, held: int, busy: int | None) -> dict[str, Any]:
        return {"at_ms": at, "span_ms": span, "devices_milli": 8000, "held_milli": held,
                "busy_milli": busy, "wanted_milli": 500}  # fmt: skip

    rows = [
        note(1000, 1000, 4000, None),
        note(1500, 500, 1000, 300),
        note(2000, 500, 2000, None),
        note(4000, 1000, 3000, 3000),
        note(9000, 1000, 3000, 3000),
    ]
    await house.database.write(lambda tx: tx.execute(sa.insert(tables.capacity_samples), rows))
    found = await house.database.read(
        lambda tx: capacity.capacity_points(tx, since_ms=0, until_ms=8000, step_ms=2000)
    )
    assert found == [
        CapacityPoint(
            at_ms=2000, devices_milli=8000, held_milli=2750, busy_milli=300, wanted_milli=500
        ),
        CapacityPoint(
            at_ms=4000, devices_milli=8000, held_milli=3000, busy_milli=3000, wanted_milli=500
        ),
    ]


async def test_marks_tell_when_a_node_or_a_device_changed(house: House) -> None:
    seen = [await house.database.read(nodes.node_marks)]

    async def differs() -> bool:
        seen.append(await house.database.read(nodes.node_marks))
        return seen[-1] != seen[-2]

    assert not await differs()
    await house.database.write(lambda tx: nodes.node_cordon(tx, "n1", cordoned=True))
    assert await differs()
    device = tables.devices
    await house.database.write(
        lambda tx: tx.execute(
            sa.update(device).where(device.c.id == "n1-gpu0").values(healthy=False)
        )
    )
    assert await differs()
    await house.start(document())
    assert not await differs(), "what is held is heard of through its events"
