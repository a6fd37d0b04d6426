"""The loops over an engine that keeps its contract: from the queue to the bill, through crashes."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from podium.control.leadership import LEASE_SECONDS
from podium.domain.allocation import Usage
from podium.domain.errors import LeaseLostError, PermanentError, TemporaryError
from podium.domain.lifecycle import ReplicaState
from podium.domain.reason import Cause
from podium.domain.tenancy import WHOLE
from podium.engines.contract import SecretFile
from podium.intake.secrets import secret_remove, secret_set
from podium.intake.workloads import workload_cancel
from podium.store import allocations, events, secrets, tables, usage
from unit.control.fake_engine import CrashError, FakeEngine
from unit.control.servers import Server
from unit.house import ADMINISTRATOR, House, document, node

pytestmark = pytest.mark.anyio

DAY_MS = 86_400_000


async def test_from_the_queue_to_the_bill(house: House, engine: FakeEngine, server: Server) -> None:
    workload = await house.submit(document(resources={"gpus": 2, "cpus": 3}))
    await server.round()
    (held,) = await house.held_ids()
    house.clock.advance(60_000)
    engine.finish(held)
    await server.round()
    found = await house.workload(workload)
    assert (found.state, found.message) == ("succeeded", "Ran for 1 min.")
    assert not await house.held_ids()
    used = await house.database.read(
        lambda tx: usage.usage_of_workload(tx, WHOLE, workload, house.now_ms)
    )
    assert used.usage == Usage(
        gpu_milli_ms=120_000_000, cpu_milli_ms=180_000_000, cpu_used_ms=7, memory_peak_bytes=11
    )
    told = await house.database.read(lambda tx: events.event_list(tx, WHOLE, workload, limit=99))
    assert [each.state for each in told] == [
        "queued", "scheduled", "starting", "running", "succeeded",
    ]  # fmt: skip
    assert await engine.observe() == [], "settled"


async def test_a_gang_meets_at_one_port_and_knows_its_size(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await house.submit(document(replicas=3, resources={"gpus": 2}))
    await server.round()
    launches = [each.launch for each in engine.processes.values()]
    told = [dict(each.env) for each in launches]
    assert sorted(each["RANK"] for each in told) == ["0", "1", "2"]
    for name, value in (("WORLD_SIZE", "3"), ("MASTER_PORT", "40001"), ("PODIUM_ATTEMPT", "1")):
        assert {each[name] for each in told} == {value}
    assert {device.uuid for each in launches for device in each.devices} <= {
        device.uuid for each in engine.nodes for device in each.devices
    }
    assert [len(each.devices) for each in launches] == [2, 2, 2]


async def test_a_crash_between_start_and_writing_it_down(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload = await house.submit(document(replicas=2))
    await server.scheduler.step()
    engine.crash_after_ensure = True
    with pytest.raises(CrashError):
        await server.launcher.step()
    assert (await house.workload(workload)).state == "scheduled"
    engine.crash_after_ensure = False
    port = (await house.workload(workload)).rendezvous_port
    again = await Server.up(house, engine)
    await again.round()
    assert (await house.workload(workload)).state == "running"
    assert (await house.workload(workload)).rendezvous_port == port
    assert set(engine.starts.values()) == {1}


async def test_work_that_ends_while_nobody_looks(
    house: House, engine: FakeEngine, server: Server
) -> None:
    """Started, then the server died, then it ended: neither started again nor lost."""
    workload = await house.submit()
    await server.scheduler.step()
    engine.crash_after_ensure = True
    with pytest.raises(CrashError):
        await server.launcher.step()
    engine.crash_after_ensure = False
    (held,) = await house.held_ids()
    house.clock.advance(5_000)
    engine.finish(held, Cause.EXIT_CODE, "It ended with exit code 3.")
    again = await Server.up(house, engine)
    await again.observer.step()
    assert len(await engine.observe()) == 1, "not settled before it is written down"
    await again.round()
    assert engine.starts == {held: 1}
    found = await house.workload(workload)
    assert (found.state, found.cause) == ("failed", Cause.EXIT_CODE)


async def test_a_crash_between_the_end_and_settling(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload = await house.submit()
    await server.round()
    (held,) = await house.held_ids()
    engine.finish(held)
    engine.crash_in_settle = True
    with pytest.raises(CrashError):
        await server.round()
    assert (await house.workload(workload)).state == "succeeded"
    engine.crash_in_settle = False
    again = await Server.up(house, engine)
    await again.round()
    assert await engine.observe() == []
    assert len(await house.rows(sa.select(tables.bill_lines))) == 1


async def test_what_the_engine_has_no_trace_of_is_lost(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload = await house.submit(document(retries=1))
    await server.round()
    (held,) = await house.held_ids()
    engine.lose(held)
    await server.observer.step()
    found = await house.workload(workload)
    assert (found.state, found.attempt, found.cause) == ("queued", 2, Cause.LOST)
    assert "no trace" in found.message
    await server.round()
    (second,) = await house.held_ids()
    engine.lose(second)
    await server.observer.step()
    assert (await house.workload(workload)).state == "failed"
    assert engine.starts == {held: 1, second: 1}


@pytest.mark.parametrize("after", ["submit", "schedule", "crash"])
async def test_a_stop_before_the_start(
    house: House, engine: FakeEngine, server: Server, after: str
) -> None:
    workload = await house.submit(document(replicas=2))
    if after != "submit":
        await server.scheduler.step()
    if after == "crash":
        engine.crash_after_ensure = True
        with pytest.raises(CrashError):
            await server.launcher.step()
        engine.crash_after_ensure = False
    await workload_cancel(house.office, ADMINISTRATOR, workload, reason="Changed my mind.")
    for _ in range(2):
        await server.round()
    found = await house.workload(workload)
    assert (found.state, found.cause) == ("cancelled", Cause.CANCELLED)
    assert "Changed my mind." in found.message
    assert not await house.held_ids()
    if after != "crash":
        assert not engine.starts
    assert await engine.observe() == []


async def test_a_stop_gives_grace_and_holds_until_the_end(
    house: House, engine: FakeEngine, server: Server
) -> None:
    engine.stubborn = True
    workload = await house.submit(document(grace="20s", resources={"gpus": 4}))
    await server.round()
    await workload_cancel(house.office, ADMINISTRATOR, workload)
    for _ in range(3):
        await server.round()
        house.clock.advance(5_000)
    (held,) = await house.held()
    assert (held["state"], engine.stops[0]) == (ReplicaState.STOPPING, (held["id"], 20))
    house.clock.advance(6_000)
    await server.round()
    assert (await house.workload(workload)).state == "cancelled"


async def test_one_of_a_gang_fails_and_the_others_are_stopped(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload = await house.submit(document(replicas=3, retries=1))
    await server.round()
    first, second, third = await house.held_ids()
    engine.finish(second, Cause.OUT_OF_MEMORY, "It ran out of memory.")
    await server.observer.step()
    assert (await house.workload(workload)).state == "stopping"
    await server.stopper.step()
    await server.observer.step()
    found = await house.workload(workload)
    assert (found.state, found.attempt, found.cause) == ("queued", 2, Cause.OUT_OF_MEMORY)
    assert {each for each, _ in engine.stops} == {first, third}
    await server.round()
    assert len(await house.held_ids(None, ReplicaState.RUNNING)) == 3
    assert set(engine.starts.values()) == {1}


async def test_tasks_of_an_array_end_each_for_itself(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload = await house.submit(document(array=10, retries=1, resources={"gpus": 2}))
    for _ in range(10):
        await server.round()
        for held in await house.held_ids(None, ReplicaState.RUNNING):
            failed = engine.processes[held].launch.rank == 3
            engine.finish(held, Cause.EXIT_CODE if failed else Cause.COMPLETED)
        if (await house.workload(workload)).ended_at_ms is not None:
            break
    found = await house.workload(workload)
    assert (found.state, found.message) == ("failed", "1 of 10 tasks failed.")
    assert len(engine.starts) == 11, "the failed task had one more attempt"


async def test_engine_time_ends_what_runs_too_long(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload = await house.submit(document(max_runtime="1m"))
    await server.round()
    house.clock.advance(59_999)
    await server.round()
    assert (await house.workload(workload)).state == "running"
    house.clock.jump_wall(10 * DAY_MS)
    await server.round()
    assert (await house.workload(workload)).state == "running"
    house.clock.advance(1)
    for _ in range(2):
        await server.round()
    found = await house.workload(workload)
    assert (found.state, found.cause) == ("failed", Cause.MAX_RUNTIME)
    assert "1 min" in found.message


async def test_each_task_of_an_array_has_its_time_for_itself(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload = await house.submit(document(array=3, max_runtime="1m", resources={"gpus": 4}))
    await server.round()
    house.clock.advance(60_000)
    for _ in range(3):
        await server.round()
    assert (await house.workload(workload)).state == "running", "the third task had to wait"
    engine.finish((await house.held_ids())[0])
    await server.round()
    found = await house.workload(workload)
    assert (found.state, found.message) == ("failed", "2 of 3 tasks failed.")
    ranks = await house.database.read(
        lambda tx: allocations.rank_list(tx, WHOLE, workload, limit=9)
    )
    assert [each.state for each in ranks] == ["failed", "failed", "succeeded"]
    late = ranks[0].allocation
    assert late is not None
    assert (late.cause, "1 min" in late.message) == (Cause.MAX_RUNTIME, True)


async def test_deadlines_end_what_runs_and_what_waits(
    house: House, engine: FakeEngine, server: Server
) -> None:
    runs, waits, after = await house.submit(
        document("runs", deadline="1m", resources={"gpus": 4}),
        document("waits", deadline="1m", resources={"gpus": 8}),
        document("after", deadline="1m", depends_on=["waits"]),
    )
    await server.round()
    house.clock.advance(59_999)
    await server.round()
    assert await house.states(runs, waits, after) == ["running", "queued", "queued"]
    house.clock.advance(1)
    for _ in range(2):
        await server.round()
    assert await house.states(runs, waits, after) == ["failed"] * 3
    found = [await house.workload(each) for each in (runs, waits, after)]
    assert [each.cause for each in found[:2]] == [Cause.DEADLINE] * 2
    assert found[2].cause in (Cause.DEADLINE, Cause.DEPENDENCY_FAILED)


@pytest.mark.parametrize("jump_ms", [400 * DAY_MS, -400 * DAY_MS])
async def test_a_clock_that_jumps_leaves_work_alone(
    house: House, engine: FakeEngine, server: Server, jump_ms: int
) -> None:
    workload = await house.submit(document(max_runtime="1h", deadline="2h"))
    await server.round()
    started = (await house.workload(workload)).started_at_ms
    house.clock.jump_wall(jump_ms)
    assert house.clock.drift_ms() == jump_ms
    house.clock.advance(1000)
    for _ in range(2):
        await server.round()
        await server.reaper.step()
    found = await house.workload(workload)
    assert (found.state, found.started_at_ms) == ("running", started)
    engine.finish((await house.held_ids())[0])
    await server.round()
    told = await house.database.read(lambda tx: events.event_list(tx, WHOLE, workload, limit=99))
    assert [each.at_ms for each in told] == sorted(each.at_ms for each in told)


async def test_what_can_never_start_fails_and_what_can_later_is_tried_again(
    house: House, engine: FakeEngine, server: Server
) -> None:
    first = await house.submit()
    engine.refuse = PermanentError("The volume data does not exist on node n1.")
    await server.round()
    found = await house.workload(first)
    assert (found.state, found.cause) == ("failed", Cause.START_FAILED)
    assert found.message == "The volume data does not exist on node n1."
    second = await house.submit()
    await server.scheduler.step()
    engine.refuse = TemporaryError("Too many processes.")
    for _ in range(3):
        with pytest.raises(TemporaryError):
            await server.launcher.step()
    assert (await house.workload(second)).state == "scheduled"
    engine.refuse = None
    await server.round()
    assert (await house.workload(second)).state == "running"


async def test_secrets_reach_the_work_and_a_removed_one_is_named(
    house: House, engine: FakeEngine, server: Server
) -> None:
    async def put() -> None:
        await secret_set(house.office, ADMINISTRATOR, project="vision", name="KEY", value="s3")

    await put()
    first = await house.submit(document("first", secrets=["KEY"]))
    second = await house.submit(document("second", secrets=["KEY"]))
    await server.scheduler.step()
    await server.launcher.step()
    assert {each.launch.secrets for each in engine.processes.values()} == {(("KEY", "s3"),)}
    used = await house.rows(sa.select(tables.audit).where(tables.audit.c.action == "secret:use"))
    assert sorted((row["actor"], row["subject"], row["detail"]) for row in used) == sorted(
        ("root", each, '{"ranks": [0], "secrets": ["KEY"]}') for each in (first, second)
    )
    (record,) = await house.database.read(lambda tx: secrets.secret_list(tx, "vision", limit=2))
    assert record.last_used_at_ms == house.now_ms
    third = await house.submit(document("third", secrets=["KEY"]))
    await secret_remove(house.office, ADMINISTRATOR, project="vision", name="KEY")
    await server.round()
    assert await house.states(second, third) == ["running", "failed"]
    gone = await house.workload(third)
    assert gone.cause is Cause.SECRET_MISSING
    assert "The secret KEY was removed" in gone.message


async def test_secrets_come_as_files_and_a_missing_key_is_a_cause_of_its_own(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await secret_set(house.office, ADMINISTRATOR, project="vision", name="KEY", value="s3")
    wishes = [{"name": "KEY", "as": "file"}, {"name": "KEY", "env": "OTHER"}]
    first = await house.submit(document("first", secrets=wishes))
    await server.scheduler.step()
    await server.launcher.step()
    (process,) = engine.processes.values()
    assert process.launch.secrets == (("OTHER", "s3"),)
    assert process.launch.secret_files == (
        SecretFile(name="KEY", variable="KEY_FILE", content=b"s3"),
    )
    assert "s3" not in repr(process.launch)
    users = await house.database.read(lambda tx: secrets.secret_users(tx, "vision", ["KEY"]))
    assert [each.id for each in users["KEY"].first] == [first]
    house.office.sealer.ring.path.unlink()
    locked = await house.submit(document("locked", secrets=["KEY"]))
    await server.round()
    assert (await house.workload(locked)).cause is Cause.SECRET_LOCKED


async def test_a_server_that_lost_its_lease_writes_nothing(
    house: House, engine: FakeEngine, server: Server
) -> None:
    workload = await house.submit()
    await server.scheduler.step()
    entered, go_on = asyncio.Event(), asyncio.Event()
    plain = engine.ensure

    async def slow(launch: object) -> None:
        await plain(launch)  # type: ignore[arg-type]
        entered.set()
        await go_on.wait()

    engine.ensure = slow  # type: ignore[method-assign, assignment]
    launching = asyncio.create_task(server.launcher.step())
    await entered.wait()
    engine.ensure = plain  # type: ignore[method-assign]
    house.clock.advance(int(LEASE_SECONDS * 1000) + 1)
    other = await Server.up(house, engine, "server-2")
    go_on.set()
    with pytest.raises(LeaseLostError):
        await launching
    assert (await house.workload(workload)).state == "scheduled"
    assert not await server.launcher.step()
    assert not await server.observer.step()
    await other.round()
    assert (await house.workload(workload)).state == "running"
    assert set(engine.starts.values()) == {1}


async def test_a_node_that_is_gone_takes_nothing_new(
    house: House, engine: FakeEngine, server: Server
) -> None:
    engine.nodes = (node("n1", gpus=4),)
    first = await house.submit(document(resources={"gpus": 4}))
    second = await house.submit(document(resources={"gpus": 4}))
    await server.round()
    assert await house.states(first, second) == ["running", "queued"]
    engine.nodes = (node("n1", gpus=4), node("n2", gpus=4))
    await server.round()
    assert await house.states(first, second) == ["running", "running"]


async def test_a_renamed_node_brings_its_gpus_along(
    house: House, engine: FakeEngine, server: Server
) -> None:
    """A machine that got a new name reports the same GPUs from another node."""
    old = node("n1", gpus=2)
    moved = tuple(
        type(each)(**{**{n: getattr(each, n) for n in each.__slots__}, "node": "new"})
        for each in old.devices
    )
    engine.nodes = (node("new", devices=moved), node("n2", gpus=4))
    await server.inventory.step()
    workload = await house.submit(document(resources={"gpus": 2}))
    await server.round()
    assert (await house.workload(workload)).state == "running"


async def test_old_logs_then_old_rows(house: House, engine: FakeEngine, server: Server) -> None:
    await house.submit()
    await server.round()
    (held,) = await house.held_ids()
    engine.finish(held)
    await server.round()
    house.clock.advance(29 * DAY_MS)
    await server.round()
    await server.reaper.step()
    assert engine.removed == []
    house.clock.advance(2 * DAY_MS)
    await server.leadership.renew()
    while await server.reaper.step():
        pass
    assert engine.removed == [held]
    house.clock.advance(150 * DAY_MS)
    await server.leadership.renew()
    while await server.reaper.step():
        pass
    assert engine.removed == [held]
    assert await house.rows(sa.select(tables.workloads)) == []


async def test_logs_of_other_machines_are_left_to_their_engines(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await house.submit(document(array=8, resources={"gpus": 1}))
    await server.round()
    for held in await house.held_ids():
        engine.finish(held)
    await server.round()
    house.clock.advance(40 * DAY_MS)
    mine = FakeEngine(house.clock, (node("n1", gpus=4),), name="another")
    other = await Server.up(house, mine, "server-2")
    while await other.reaper.step():
        pass
    of_n1 = await house.rows(
        sa.select(tables.allocations.c.id).where(tables.allocations.c.node == "n1")
    )
    assert sorted(mine.removed) == sorted(row["id"] for row in of_n1)
    left = await house.database.read(
        lambda tx: allocations.allocation_removable(tx, house.now_ms, 100, nodes=["n2"])
    )
    assert len(left) == 8 - len(of_n1)


async def test_an_unchanged_queue_writes_nothing(
    house: House, engine: FakeEngine, server: Server
) -> None:
    waiting = [document(f"w{n}", resources={"gpus": 8}) for n in range(10)]
    await house.submit(*waiting)
    await house.submit(document("sweep", array=20, resources={"gpus": 1}))
    for _ in range(3):
        await server.round()

    async def versions() -> list[tuple[str, int]]:
        rows = await house.rows(sa.select(tables.workloads).order_by(tables.workloads.c.id))
        assert all(row["refusal_reason"] for row in rows)
        return [(row["id"], row["version"]) for row in rows]

    before = await versions()
    writes = 0
    fenced = server.leadership.fenced

    async def counted(*arguments: object) -> object:
        nonlocal writes
        writes += 1
        return await fenced(*arguments)  # type: ignore[arg-type]

    server.leadership.fenced = counted  # type: ignore[method-assign, assignment]
    for _ in range(1000 if house.database.dialect == "sqlite" else 50):
        await server.scheduler.step()
    assert writes == 0
    again = await Server.up(house, engine)
    await again.scheduler.step()  # a fresh server knows nothing, compares, and changes nothing
    assert await versions() == before
