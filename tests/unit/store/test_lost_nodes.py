"""Work that is given up on lost nodes: once, billed until the node was last seen, no retry used."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.errors import ConflictError, ForbiddenError, NotFoundError
from podium.domain.lifecycle import ReplicaState
from podium.domain.node import NodeState
from podium.domain.reason import Cause
from podium.intake.nodes import Released, node_release
from podium.store import lifecycle, lost_nodes, nodes, tables
from podium.store.database import Database
from podium.store.lost_nodes import LeftBehind, Release
from podium.store.snapshot import snapshot
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, ENGINE, House, document, node, person
from unit.store.laws import Laws

pytestmark = pytest.mark.anyio

MACHINES = tuple(node(f"n{number}", gpus=1, cpus=4) for number in range(1, 5))
NAMES = tuple(each.name for each in MACHINES)
GPU = {"gpus": 1}


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> AsyncIterator[House]:
    made = House(database, clock)
    await made.furnish(*MACHINES)
    yield made
    await database.read(Laws().check)


def gang(name: str = "gang", **fields: Any) -> dict[str, object]:
    given = {"replicas": 3, **fields}
    return document(name, resources=GPU, **{key: value for key, value in given.items() if value})


async def lose(house: House, *names: str, quiet_ms: int = 20_000) -> None:
    """The others report once more, after which these have been quiet for so long."""
    house.clock.advance(quiet_ms)
    others = [each for each in MACHINES if each.name not in names]
    await house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, others, now_ms))
    await house.write(lambda tx, now_ms: lost_nodes.node_lose(tx, now_ms - 16_000, now_ms))


async def release(house: House, name: str) -> Released:
    return await node_release(house.office, ADMINISTRATOR, name)


async def report(house: House, *names: str) -> None:
    found = [each for each in MACHINES if not names or each.name in names]
    await house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, found, now_ms))


async def known(house: House, name: str) -> Any:
    return await house.database.read(lambda tx: nodes.node_fetch(tx, name))


async def node_of(house: House, workload: str, rank: int = 0) -> str:
    (row,) = [each for each in await house.held(workload) if each["rank"] == rank]
    return str(row["node"])


async def ranks_of(house: House, workload: str) -> list[str]:
    table = tables.replicas
    rows = await house.rows(
        sa.select(table).where(table.c.workload_id == workload).order_by(table.c.rank)
    )
    return [row["state"] for row in rows]


async def bills(house: House) -> list[Any]:
    return await house.rows(
        sa.select(tables.bill_lines).order_by(tables.bill_lines.c.allocation_id)
    )


async def test_a_single_workload_is_queued_again_and_billed_until_it_was_seen(
    house: House,
) -> None:
    job = await house.start(document("job", resources=GPU))
    where = await node_of(house, job)
    house.clock.advance(5_000)
    await report(house)
    seen_ms = house.now_ms
    await lose(house, where, quiet_ms=60_000)
    house.clock.advance(3_600_000)
    assert await release(house, where) == Released(replicas=1, workloads=1, reports_again=False)
    found = await house.workload(job)
    assert (found.state, found.attempt, found.cause) == ("queued", 2, Cause.NODE_LOST)
    (row,) = await house.rows(sa.select(tables.workloads))
    assert (row["failures"], row["message"]) == (
        0,
        f"Queued again for attempt 2. Node {where} was lost, and its work was given up.",
    )
    (bill,) = await bills(house)
    assert (bill["runtime_ms"], bill["until_ms"]) == (5_000, seen_ms)
    (past,) = await house.rows(sa.select(tables.past_use))
    assert past["at_ms"] == house.now_ms


async def test_what_started_after_the_node_was_seen_costs_nothing(house: House) -> None:
    house.clock.advance(1_000)
    ran, placed = await house.start(document("job", resources=GPU)), await house.submit()
    await house.cycle()
    for where in {await node_of(house, ran), await node_of(house, placed)}:
        await lose(house, where)
        await release(house, where)
    assert [bill["runtime_ms"] for bill in await bills(house)] == [0, 0]
    assert await house.states(ran, placed) == ["queued", "queued"]


async def test_only_a_lost_node_is_released_and_only_by_administrators(house: House) -> None:
    job = await house.start(document("job", resources=GPU))
    where = await node_of(house, job)
    house.clock.advance(3_000)
    with pytest.raises(ConflictError, match=f"Node {where} is not lost: it reported 3 s ago"):
        await release(house, where)
    with pytest.raises(NotFoundError):
        await release(house, "none")
    await lose(house, where)
    with pytest.raises(ForbiddenError):
        await node_release(house.office, person(), where)
    assert await house.states(job) == ["running"]
    assert await house.rows(sa.select(tables.audit).where(tables.audit.c.subject == where)) == []


async def test_a_second_release_finds_nothing(house: House) -> None:
    job = await house.start(document("job", resources=GPU))
    where = await node_of(house, job)
    await lose(house, where)
    await release(house, where)
    events = await house.rows(sa.select(tables.events))
    assert await release(house, where) == Released(replicas=0, workloads=0, reports_again=False)
    assert await house.rows(sa.select(tables.events)) == events
    assert len(await bills(house)) == 1
    told = await house.rows(
        sa.select(tables.audit).where(tables.audit.c.action == "node:release").order_by("seq")
    )
    assert [(row["actor"], row["subject"], json.loads(row["detail"])) for row in told] == [
        ("root", where, {"replicas": 1, "workloads": 1}),
        ("root", where, {"replicas": 0, "workloads": 0}),
    ]


async def test_a_gang_that_replaces_goes_on_and_one_that_restarts_begins_anew(
    house: House,
) -> None:
    made = await house.start(gang(recovery="replace"))
    where = await node_of(house, made, 1)
    await lose(house, where)
    assert (await release(house, where)).replicas == 1
    assert await house.states(made) == ["running"]
    assert await ranks_of(house, made) == ["running", "waiting", "running"]
    (demand,) = (await house.database.read(lambda tx: snapshot(tx, house.now_ms))).demands
    assert demand.stood == ()
    assert (await house.cycle()).placed == 1
    await house.end(await house.held_ids(made), Cause.EXIT_CODE)

    anew = await house.start(gang("anew"))
    before = {rank: await node_of(house, anew, rank) for rank in range(3)}
    await report(house, *(each.name for each in MACHINES if each.name != where))
    await lose(house, where, before[2])
    await release(house, before[2])
    assert await house.states(anew) == ["stopping"]
    assert await ranks_of(house, anew) == ["stopping", "stopping", "failed"]
    await house.end(await house.held_ids(anew), Cause.CANCELLED)
    assert await house.states(anew) == ["queued"]
    (again,) = (await house.database.read(lambda tx: snapshot(tx, house.now_ms))).demands
    assert again.stood == ((0, before[0]), (1, before[1])), "not where it was given up"
    rows = await house.rows(sa.select(tables.workloads).where(tables.workloads.c.id == anew))
    assert rows[0]["failures"] == 0


async def test_tasks_of_an_array_are_repeated_and_what_was_stopping_has_ended(
    house: House,
) -> None:
    needs = {"cpus": 2, "memory": "1GiB"}
    array = await house.start(document("tasks", resources=needs, array=8))
    counts = Counter(row["node"] for row in await house.held(array))
    assert sum(counts.values()) == 8
    await lose(house, "n1")
    assert (await release(house, "n1")).replicas == counts["n1"]
    assert Counter(await ranks_of(house, array)) == {
        "running": 8 - counts["n1"],
        "waiting": counts["n1"],
    }
    table = tables.replicas
    rows = await house.rows(sa.select(table).where(table.c.state == "waiting"))
    assert {(row["attempt"], row["failures"]) for row in rows} == {(2, 0)}

    def cancel(tx: Any, now_ms: int) -> None:
        row = lifecycle.workload_rows(tx, [array])[array]
        lifecycle.workload_stop(tx, row, Cause.CANCELLED, now_ms, message="")

    await house.write(cancel)
    assert await house.states(array) == ["stopping"]
    for name in ("n2", "n3", "n4"):
        await lose(house, "n1", "n2", "n3", "n4")
        await release(house, name)
    assert await house.states(array) == ["cancelled"]


async def test_a_plan_made_before_is_rejected(house: House) -> None:
    job = await house.submit(document("job", resources=GPU))
    plan = await house.decide()
    (placement,) = plan.placements
    await lose(house, placement.node)
    await release(house, placement.node)
    told = await house.commit(plan)
    assert told.rejected == ((job, f"{placement.node} is lost"),)
    await report(house)
    assert (await house.commit(plan)).placed == 1


async def test_a_node_that_reports_in_the_middle_keeps_the_rest(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_nodes, "_WORKLOADS_MAX", 2)
    needs = {"cpus": 0.5, "memory": "1GiB"}
    await house.start(*(document(f"job{number}", resources=needs) for number in range(5)))
    counts = Counter(row["node"] for row in await house.held())
    ((where, count),) = counts.items()
    assert count == 5, "all on one node"
    await lose(house, where)
    real, calls = lost_nodes.node_release, 0

    def releasing(tx: Any, name: str, now_ms: int, *, actor: str) -> Release:
        nonlocal calls
        calls += 1
        if calls == 2:
            nodes.node_report(tx, ENGINE, MACHINES, now_ms)
        return real(tx, name, now_ms, actor=actor)

    monkeypatch.setattr(lost_nodes, "node_release", releasing)
    # What the refused part had done is undone, the report in it too: so it comes once more.
    told = await release(house, where)
    assert told == Released(replicas=2, workloads=2, reports_again=True)
    await report(house)
    assert len(await house.held()) == 3
    states = Counter(row["state"] for row in await house.rows(sa.select(tables.workloads)))
    assert states == {"running": 3, "queued": 2}
    monkeypatch.setattr(lost_nodes, "node_release", real)
    with pytest.raises(ConflictError):
        await release(house, where)


async def test_the_node_takes_nothing_new_until_all_is_over(house: House) -> None:
    job = await house.start(document("job", resources=GPU))
    where = await node_of(house, job)
    (held,) = await house.held_ids(job)
    await lose(house, where)
    assert (await known(house, where)).lost_at_ms == house.now_ms
    await release(house, where)
    house.clock.advance(1_000)
    await report(house)
    found = await known(house, where)
    assert (found.state, found.lost_at_ms) == (NodeState.CORDONED, None)
    await house.write(lambda tx, _: nodes.node_cordon(tx, where, cordoned=False))
    assert (await known(house, where)).state is NodeState.CORDONED
    assert await house.database.read(lambda tx: lost_nodes.given_up_counts(tx, [where, "x"])) == {
        where: 1
    }
    assert await house.database.read(lambda tx: lost_nodes.left_behind(tx, [where], [])) == [
        LeftBehind(allocation_id=held, workload_id=job, node=where, grace_seconds=10, marked=True)
    ]
    for _ in range(2):
        await house.write(lambda tx, now_ms: lost_nodes.given_up_over(tx, [held], [], now_ms))
    await report(house)
    assert (await known(house, where)).state is NodeState.READY
    notes = await house.rows(
        sa.select(tables.events).where(tables.events.c.kind == "WorkloadNoted")
    )
    assert [(row["state"], row["cause"], row["message"]) for row in notes] == [
        ("queued", "node_lost", f"Attempt 1 ended on {where} after it had been given up there.")
    ]
    assert len(await bills(house)) == 1


async def test_what_runs_although_it_was_released_is_found(house: House) -> None:
    job = await house.start(document("job", resources=GPU))
    (held,) = await house.held_ids(job)

    async def found(*running: str) -> list[tuple[str, bool]]:
        rows = await house.database.read(
            lambda tx: lost_nodes.left_behind(tx, ["n1", "n2", "n3", "n4"], running)
        )
        return [(each.allocation_id, each.marked) for each in rows]

    assert await found(held, "never-known") == []
    await house.end([held])
    assert await found(held) == [(held, False)]
    await house.write(lambda tx, _: lost_nodes.given_up_mark(tx, [held]))
    assert await found(held) == [(held, True)]
    assert await found() == [(held, True)]
    await house.write(lambda tx, now_ms: lost_nodes.given_up_over(tx, [], [held], now_ms))
    assert await found() == []


async def test_a_node_marked_before_this_version_is_marked_anew(house: House) -> None:
    await lose(house, "n1")
    marked_ms = house.now_ms
    changed = sa.update(tables.nodes).where(tables.nodes.c.name == "n1").values(lost_at_ms=None)
    await house.write(lambda tx, _: tx.execute(changed))
    await lose(house, "n1")
    assert (await known(house, "n1")).lost_at_ms == house.now_ms > marked_ms
    later_ms = house.now_ms
    await lose(house, "n1")
    assert (await known(house, "n1")).lost_at_ms == later_ms, "it is lost since then"


async def test_reports_and_releases_at_once_take_turns(house: House) -> None:
    """Whoever comes first, a node is never ready while what was given up may run on it."""
    for number in range(8):
        job = await house.start(document(f"job{number}", resources=GPU))
        where = await node_of(house, job)
        await lose(house, where)
        both = [release(house, where), report(house)]
        told = await asyncio.gather(*both[:: 1 - number % 2 * 2], return_exceptions=True)
        assert all(isinstance(each, Released | ConflictError | None) for each in told), told
        found = await known(house, where)
        left = await house.database.read(lambda tx: lost_nodes.left_behind(tx, NAMES, []))
        assert found.state is (NodeState.CORDONED if left else NodeState.READY)
        assert await house.states(job) == ["queued" if left else "running"]
        ids = [each.allocation_id for each in left]
        await house.write(lambda tx, at_ms, ids=ids: lost_nodes.given_up_over(tx, ids, [], at_ms))
        await house.cycle()
        for key in await house.held_ids(job):
            await house.end([key])
        await report(house)


async def test_what_is_given_up_is_found_by_an_index(house: House) -> None:
    if house.database.dialect != "sqlite":
        return
    seen = []

    def look(tx: Any) -> None:
        def explain(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
            if statement.startswith("SELECT allocations.id, allocations.workload_id"):
                plan = tx.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
                seen.extend(row[3] for row in plan)

        sa.event.listen(tx, "before_cursor_execute", explain)
        lost_nodes.left_behind(tx, ["n1"], ["a"])

    await house.database.read(look)
    assert [line for line in seen if line.startswith("SCAN")] == []
    assert any("allocations_given_up" in line for line in seen), seen


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_is_lost_comes_back_whole(data: st.DataObject, sqlite_template: Any) -> None:
    """Any gang on any nodes, in any order of losses: it runs or waits, never in between, with no
    retry used and one bill for each allocation."""
    fields = data.draw(
        st.sampled_from(
            [
                {"replicas": 3},
                {"replicas": 4, "recovery": "replace"},
                {"replicas": {"min": 2, "max": 4}},
                {"array": 4, "replicas": None},
            ]
        )
    )
    losses = data.draw(st.lists(st.sampled_from(["n1", "n2", "n3", "n4"]), min_size=1, max_size=4))

    async def story() -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "podium.db"
            shutil.copy(sqlite_template, path)
            clock = TurnedClock()
            database = Database(f"sqlite:///{path}", clock=clock)
            await database.open()
            try:
                house = House(database, clock, Path(folder))
                await house.furnish(*MACHINES)
                made, laws = await house.start(gang(**fields)), Laws()
                for name in losses:
                    await lose(house, name)
                    await release(house, name)
                    await database.read(laws.check)
                    stopping = await house.held_ids(made, ReplicaState.STOPPING)
                    await house.end(stopping, Cause.CANCELLED, stop_seen=True)
                    await database.read(laws.check)
                    await report(house)
                    ids = [
                        each.allocation_id
                        for each in await database.read(
                            lambda tx: lost_nodes.left_behind(tx, NAMES, [])
                        )
                    ]
                    await house.write(
                        lambda tx, now_ms, ids=ids: lost_nodes.given_up_over(tx, ids, [], now_ms)
                    )
                    await report(house)
                    await house.cycle()
                    scheduled = await house.held_ids(made, ReplicaState.SCHEDULED)
                    await house.launch(scheduled)
                    await house.run(scheduled)
                    await database.read(laws.check)
                assert await house.states(made) == ["running"]
                (row,) = await house.rows(sa.select(tables.workloads))
                assert row["failures"] == 0
                assert set(await ranks_of(house, made)) == {"running"}
            finally:
                await database.close()

    asyncio.run(story())
