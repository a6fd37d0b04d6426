"""Random histories: whatever is submitted, placed, started, ended, stopped or lost, in whatever
order, the laws hold after each step and everything ends when it is driven to its end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from podium.control import deadlines, schedule
from podium.control.deadlines import Deadlines
from podium.control.leadership import LEASE_SECONDS
from podium.control.schedule import Scheduler
from podium.domain.errors import ConflictError, LeaseLostError
from podium.domain.lifecycle import WORKLOAD_ENDS, ReplicaState
from podium.domain.reason import Cause
from podium.intake.changes import workload_change
from podium.intake.workloads import workload_cancel
from podium.scheduling.plan import Plan, Preemption
from podium.scheduling.snapshot import Hold
from podium.spec.views.workload import ChangeRequest
from podium.store import lifecycle, nodes, tables
from podium.store.database import Database, Transaction
from podium.store.picture import Picture
from podium.store.snapshot import snapshot
from postgresql import PostgresqlServer
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, ENGINE, House, document, node
from unit.store.laws import Laws

Result = TypeVar("Result")

MACHINES = (node("n1", gpus=2, cpus=6), node("n2", gpus=4, cpus=6))
ENDS = (
    *[Cause.COMPLETED] * 4,
    Cause.EXIT_CODE,
    Cause.SIGNAL,
    Cause.OUT_OF_MEMORY,
    Cause.COMMAND_NOT_FOUND,
    Cause.LOST,
    Cause.NODE_LOST,
    Cause.START_FAILED,
)
SHAPES = st.one_of(
    st.fixed_dictionaries({}),
    st.fixed_dictionaries({"replicas": st.integers(2, 3)}),
    st.fixed_dictionaries({"replicas": st.just({"min": 1, "max": 4})}),
    st.fixed_dictionaries({"replicas": st.just({"min": 2, "max": 6})}),
    st.fixed_dictionaries({"array": st.integers(1, 6)}),
)
GPUS = st.sampled_from([0, 0, 1, 1, 0.5, 2])


def by_id(hold: Hold) -> str:
    return hold.allocation_id


class Histories(RuleBasedStateMachine):
    """Drives the store as the rooms do; the test owns the clock and the machines."""

    url = ""  # set by whoever runs it

    workloads = Bundle("workloads")
    plans = Bundle("plans")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = TurnedClock()
        self.database = Database(self.new_store(), clock=self.clock)
        self.laws = Laws()
        self.picture = Picture()
        self.count = 0
        self.looks = 0
        self.servers = 1
        self.wait(self.database.open())
        self.house = House(self.database, self.clock)

    def new_store(self) -> str:
        raise NotImplementedError

    def drop_store(self) -> None:
        raise NotImplementedError

    def wait(self, awaitable: Awaitable[Result]) -> Result:
        async def of() -> Result:
            return await awaitable

        return self.loop.run_until_complete(of())

    @initialize()
    def furnish(self) -> None:
        self.wait(self.house.furnish(*MACHINES))
        self.take_over()

    def take_over(self) -> None:
        """A server comes up: its own leases, its own loops, nothing remembered."""
        names = (schedule.LEASE, deadlines.LEASE)
        self.leadership = self.wait(self.house.lead(*names, holder=f"server-{self.servers}"))
        assert self.leadership.leads(schedule.LEASE)
        office = self.house.office
        self.scheduler = Scheduler(self.database, office.hints, self.leadership, office.ids)
        self.deadlines = Deadlines(self.database, office.hints, self.leadership)

    @rule(
        target=workloads,
        shape=SHAPES,
        gpus=GPUS,
        retries=st.integers(0, 2),
        priority=st.sampled_from([25, 50, 75]),
        deadline=st.sampled_from([None, None, None, 5, 20]),
    )
    def submit(
        self, shape: dict[str, Any], gpus: float, retries: int, priority: int, deadline: int | None
    ) -> Any:
        return self.wait(self.house.submit(self.document(shape, gpus, retries, priority, deadline)))

    @rule(
        target=workloads, shape=SHAPES, gpus=GPUS, needs=st.lists(workloads, min_size=1, max_size=3)
    )
    def submit_dependent(self, shape: dict[str, Any], gpus: float, needs: list[str]) -> Any:
        alive = [
            each
            for each in dict.fromkeys(needs)
            if self.wait(self.house.states(each))[0] not in ("failed", "cancelled")
        ]
        return self.wait(
            self.house.submit({**self.document(shape, gpus, 0, 50, None), "depends_on": alive})
        )

    @rule(target=workloads)
    def submit_chain(self) -> Any:
        """Three at once, each after the one before."""
        chain = [self.document({}, 0, 0, 50, 20 if each == 1 else None) for each in range(3)]
        for before, after in itertools.pairwise(chain):
            after["depends_on"] = [before["name"]]
        return multiple(*self.wait(self.house.submit(*chain)))

    def document(
        self, shape: dict[str, Any], gpus: float, retries: int, priority: int, deadline: int | None
    ) -> dict[str, Any]:
        self.count += 1
        resources: dict[str, Any] = {"cpus": 1, "memory": "1GiB"}
        if gpus:
            resources["gpus"] = gpus
        found = document(
            f"job-{self.count}", **shape, resources=resources, retries=retries, priority=priority
        )
        if self.count % 5 == 0 and (deadline is None or deadline > 5):
            found["start"] = {"not_before": "5s"}
        return found if deadline is None else {**found, "deadline": f"{deadline}s"}

    @rule()
    def schedule(self) -> None:
        self.wait(self.scheduler.step())

    @rule(target=plans)
    def decide(self) -> Plan:
        return self.wait(self.house.decide())

    @rule(plan=consumes(plans))
    def commit_stale(self, plan: Plan) -> None:
        """Commit what was decided a while ago; the cache of the scheduler knows nothing of it."""
        before = {row["id"] for row in self.wait(self.house.held())}
        told = self.wait(self.house.commit(plan))
        after = {row["id"] for row in self.wait(self.house.held())}
        assert len(after - before) == told.placed
        self.take_over()

    @rule(data=st.data())
    def launch(self, data: st.DataObject) -> None:
        self.wait(self.house.launch(self.some(data, ReplicaState.SCHEDULED)))

    @rule(data=st.data())
    def run(self, data: st.DataObject) -> None:
        self.wait(self.house.run(self.some(data, ReplicaState.STARTING)))

    @rule(data=st.data(), again=st.booleans())
    def end(self, data: st.DataObject, again: bool) -> None:
        rows = self.wait(self.house.held())
        if not rows:
            return
        chosen = data.draw(st.lists(st.sampled_from(rows), max_size=4, unique_by=lambda r: r["id"]))
        for row in chosen:
            cause = data.draw(st.sampled_from(ENDS))
            if row["state"] == ReplicaState.SCHEDULED:
                cause = Cause.START_FAILED
            elif row["state"] == ReplicaState.STOPPING:
                cause = data.draw(st.sampled_from([Cause.CANCELLED, cause]))
            seen = data.draw(st.booleans())
            for _ in range(1 + again):  # what is told twice counts once
                self.wait(self.house.end([row["id"]], cause, stop_seen=seen))

    @rule(data=st.data())
    def end_together(self, data: st.DataObject) -> None:
        """One transaction for all that is held, as after a crash."""
        rows = self.wait(self.house.held())
        cause = data.draw(st.sampled_from(ENDS))
        self.wait(self.house.end([row["id"] for row in rows], cause))

    @rule(workload=workloads)
    def cancel(self, workload: str) -> None:
        self.wait(workload_cancel(self.house.office, ADMINISTRATOR, workload))

    @rule(workload=workloads, priority=st.sampled_from([10, 90]))
    def change(self, workload: str, priority: int) -> None:
        request = ChangeRequest(priority=priority)
        ended = self.wait(self.house.states(workload))[0] in WORKLOAD_ENDS
        with pytest.raises(ConflictError) if ended else contextlib.nullcontext():
            self.wait(workload_change(self.house.office, ADMINISTRATOR, workload, request))

    @rule(workload=workloads, cause=st.sampled_from([Cause.PREEMPTED, Cause.MAX_RUNTIME]))
    def stop(self, workload: str, cause: Cause) -> None:
        def write(tx: Transaction, now_ms: int) -> None:
            row = lifecycle.workload_rows(tx, [workload])[workload]
            if row["state"] in ("scheduled", "starting", "running"):
                lifecycle.workload_stop(tx, row, cause, now_ms, message="It must give way.")

        self.wait(self.house.write(write))

    @rule(data=st.data(), to=workloads, partly=st.booleans())
    def give_way(self, data: st.DataObject, to: str, partly: bool) -> None:
        """Whatever is asked, only what may be stopped is stopped."""
        rows = self.wait(self.house.held())
        if not rows:
            return
        victim = data.draw(st.sampled_from(rows))["workload_id"]
        ranks = [row["rank"] for row in rows if row["workload_id"] == victim]
        if partly:
            ranks = data.draw(st.lists(st.sampled_from(ranks), min_size=1, unique=True))
        preemption = Preemption(victim, tuple(sorted(ranks)), to, "it is cheaper")
        told = self.wait(self.house.commit(Plan(preemptions=(preemption,))))
        assert told.preempted + len(told.rejected) == 1

    @rule(seconds=st.integers(1, 8))
    def pass_time(self, seconds: int) -> None:
        self.clock.advance(seconds * 1000)
        self.wait(self.leadership.renew())
        while self.wait(self.deadlines.step()):
            pass

    @rule()
    def server_dies(self) -> None:
        """Another one takes over when the leases are out; the first may not write any more."""
        old, old_scheduler = self.leadership, self.scheduler
        self.servers += 1
        other = self.wait(self.house.lead(schedule.LEASE, holder=f"server-{self.servers}"))
        assert not other.leads(schedule.LEASE)
        self.clock.advance(int(LEASE_SECONDS * 1000) + 1)
        self.take_over()
        with pytest.raises(LeaseLostError):
            self.wait(old.fenced(schedule.LEASE, lambda tx: tx.execute(sa.delete(tables.events))))
        assert self.wait(old_scheduler.step()) is False
        while self.wait(self.deadlines.step()):
            pass

    @rule(cordoned=st.booleans(), name=st.sampled_from(["n1", "n2"]))
    def cordon(self, name: str, cordoned: bool) -> None:
        self.wait(self.house.write(lambda tx, _: nodes.node_cordon(tx, name, cordoned=cordoned)))

    @rule(count=st.sampled_from([2, 2, 1]))
    def report(self, count: int) -> None:
        """With fewer, the others are lost."""
        seen = MACHINES[:count]
        self.wait(self.house.write(lambda tx, now_ms: nodes.node_report(tx, ENGINE, seen, now_ms)))

    def some(self, data: st.DataObject, state: ReplicaState) -> list[str]:
        ids = self.wait(self.house.held_ids(None, state))
        return data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []

    @invariant()
    def the_picture_is_true(self) -> None:
        """Kept up to date from what changed, it is what reading everything would give."""
        now_ms = self.clock.now_ms()
        self.looks += 1
        kept = self.wait(self.database.read(lambda tx: self.picture.look(tx, now_ms)))
        fresh = self.wait(self.database.read(lambda tx: snapshot(tx, now_ms)))
        assert kept.demands == fresh.demands
        assert sorted(kept.holds, key=by_id) == sorted(fresh.holds, key=by_id)
        assert kept.shares == fresh.shares
        assert [each.name for each in kept.nodes] == [each.name for each in fresh.nodes]

    @invariant()
    def laws_hold(self) -> None:
        self.wait(self.database.read(self.laws.check))

    def teardown(self) -> None:
        try:
            self.drive_to_the_end()
            assert self.picture.reads_of_all < self.looks / 2 + 9, "most of it was carried on"
        finally:
            self.wait(self.database.close())
            self.loop.close()
            self.drop_store()

    def drive_to_the_end(self) -> None:
        self.report(2)
        for name in ("n1", "n2"):
            self.cordon(name, cordoned=False)
        for _ in range(8 * (self.count + 2)):
            self.wait(self.scheduler.step())
            self.wait(self.house.launch(self.wait(self.house.held_ids())))
            self.wait(self.house.run(self.wait(self.house.held_ids())))
            for row in self.wait(self.house.held()):
                stopping = row["state"] == ReplicaState.STOPPING
                cause = Cause.CANCELLED if stopping else Cause.COMPLETED
                self.wait(self.house.end([row["id"]], cause))
            left = self.wait(
                self.house.rows(
                    sa.select(tables.workloads).where(tables.workloads.c.ended_at_ms.is_(None))
                )
            )
            if not left:
                break
            self.pass_time(1)
        else:
            told = [(row["id"], row["state"], row["refusal_message"]) for row in left]
            raise AssertionError(f"these never end: {told}")
        self.laws_hold()


def test_on_sqlite(sqlite_template: Path) -> None:
    class OnSqlite(Histories):
        def new_store(self) -> str:
            self.folder = Path(tempfile.mkdtemp(prefix="podium-history-"))
            shutil.copy(sqlite_template, self.folder / "podium.db")
            return f"sqlite:///{self.folder / 'podium.db'}"

        def drop_store(self) -> None:
            shutil.rmtree(self.folder)

    _run(OnSqlite, examples=20)


@pytest.mark.postgresql
def test_on_postgresql(postgresql_server: PostgresqlServer) -> None:
    class OnPostgresql(Histories):
        def new_store(self) -> str:
            self.name = postgresql_server.create("podium")
            return postgresql_server.url(self.name)

        def drop_store(self) -> None:
            postgresql_server.drop(self.name)

    _run(OnPostgresql, examples=5)


def _run(machine: type[Histories], *, examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            # A history is read faster than it shrinks.
            phases=[Phase.explicit, Phase.generate],
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
