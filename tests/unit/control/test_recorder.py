"""What is recorded of the scheduler's cycles: each that changed something can be decided again,
whatever happened before, between and after."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis.stateful import rule

from podium.control import schedule
from podium.control.leadership import Leadership
from podium.control.recorder import Noted, Recorder
from podium.control.schedule import Scheduler
from podium.scheduling.replay.record import Record, rebuilt, replayed
from podium.scheduling.snapshot import Snapshot
from podium.store import cycles, scheduler_minutes
from podium.store.cycles import CycleRecord, cycles_trim
from podium.store.database import Database
from postgresql import PostgresqlServer
from turned_clock import TurnedClock
from unit.house import House, document, node
from unit.store.test_histories import Histories, _run, by_id

pytestmark = pytest.mark.anyio


def record_of(kept: CycleRecord) -> Record:
    cycle = kept.cycle
    return rebuilt(
        kept.keyframe,
        kept.steps,
        kept.plan,
        now_ms=cycle.at_ms,
        seed=cycle.seed,
        version=cycle.version,
        digest=cycle.digest,
        refused=cycle.refused,
    )


class Watching(Recorder):
    """Remembers what it was told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told: list[Noted] = []

    def note(self, cycle: Noted) -> None:
        self.told.append(cycle)
        super().note(cycle)


def in_order(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, holds=tuple(sorted(snapshot.holds, key=by_id)))


class RecordedHistories(Histories):
    """Random histories, with a recorder that writes now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.recorders: list[Watching] = []

    def take_over(self) -> None:
        super().take_over()
        recorder = Watching(
            self.database,
            self.leadership,
            schedule.LEASE,
            version="0.0.0",
            keyframe_ms=6_000,
        )
        self.recorders.append(recorder)
        office = self.house.office
        self.scheduler = Scheduler(
            self.database, office.hints, self.leadership, office.ids, recorder
        )

    @rule()
    def record(self) -> None:
        self.wait(self.recorders[-1].step())

    def drive_to_the_end(self) -> None:
        super().drive_to_the_end()
        self.record()
        seen = {}
        for recorder in self.recorders:
            for each in recorder.told:
                if each.changed:
                    seen.setdefault(each.at_ms, []).append(each)
        kept = self.wait(self.database.read(lambda tx: cycles.cycle_list(tx, limit=10_000)))
        assert kept or not seen
        last = [each for each in self.recorders[-1].told if each.changed]
        assert {each.at_ms for each in last} <= {row.at_ms for row in kept}
        for row in kept:
            found = self.wait(
                self.database.read(lambda tx, key=row.id: cycles.cycle_record(tx, key))
            )
            record = record_of(found)
            assert any(record.snapshot == in_order(each.snapshot) for each in seen[row.at_ms])
            again = replayed(record)
            assert again.same, again.difference
        minutes = self.wait(
            self.database.read(lambda tx: scheduler_minutes.minutes_between(tx, 0, 2**60))
        )
        assert sum(each.cycles for each in minutes) <= sum(len(r.told) for r in self.recorders)


def test_every_cycle_replays_on_sqlite(sqlite_template: Path) -> None:
    class OnSqlite(RecordedHistories):
        def new_store(self) -> str:
            self.folder = Path(tempfile.mkdtemp(prefix="podium-recorded-"))
            shutil.copy(sqlite_template, self.folder / "podium.db")
            return f"sqlite:///{self.folder / 'podium.db'}"

        def drop_store(self) -> None:
            shutil.rmtree(self.folder)

    _run(OnSqlite, examples=15)


@pytest.mark.postgresql
def test_every_cycle_replays_on_postgresql(postgresql_server: PostgresqlServer) -> None:
    class OnPostgresql(RecordedHistories):
        def new_store(self) -> str:
            self.name = postgresql_server.create("podium")
            return postgresql_server.url(self.name)

        def drop_store(self) -> None:
            postgresql_server.drop(self.name)

    _run(OnPostgresql, examples=3)


class Desk:
    """A house with a scheduler whose cycles are recorded."""

    def __init__(self, house: House, leadership: Leadership) -> None:
        self.house = house
        self.leadership = leadership
        self.recorder = Recorder(house.database, leadership, schedule.LEASE, version="0.0.0")
        office = house.office
        self.scheduler = Scheduler(
            house.database, office.hints, leadership, office.ids, self.recorder
        )

    async def cycle(self, *documents: dict[str, object]) -> None:
        if documents:
            await self.house.submit(*documents)
        await self.scheduler.step()

    async def rows(self) -> list[cycles.CycleRow]:
        """Oldest first."""
        found = await self.house.database.read(lambda tx: cycles.cycle_list(tx, limit=100))
        return found[::-1]

    async def replays(self) -> bool:
        for row in await self.rows():
            kept = await self.house.database.read(
                lambda tx, key=row.id: cycles.cycle_record(tx, key)
            )
            if not replayed(record_of(kept)).same:
                return False
        return True


@pytest.fixture
async def desk(database: Database, clock: TurnedClock) -> Desk:
    house = House(database, clock)
    await house.furnish(node("n1", gpus=2), node("n2", gpus=2))
    return Desk(house, await house.lead(schedule.LEASE))


def job(name: str, gpus: int = 2) -> dict[str, object]:
    return document(name, resources={"gpus": gpus, "cpus": 1, "memory": "1GiB"})


async def test_only_what_changed_something_is_recorded(desk: Desk) -> None:
    await desk.cycle(job("one"))
    for _ in range(3):
        await desk.cycle()
    await desk.cycle(job("two"), job("three"))
    await desk.recorder.step()
    rows = await desk.rows()
    assert [(row.step, row.placed, row.refused) for row in rows] == [(0, 1, 0), (1, 1, 1)]
    assert rows[0].keyframe_id == rows[1].keyframe_id
    assert rows[1].reasons == {"capacity": 1}
    assert (rows[1].nodes, rows[1].waiting, rows[1].running, rows[1].told) == (2, 2, 1, 1)
    assert await desk.replays()


async def test_what_changed_unseen_is_found_by_comparing(desk: Desk) -> None:
    """Everything was read anew, or a cycle failed before it was told of."""
    await desk.cycle(job("one"))
    desk.scheduler._picture.forget()
    await desk.cycle(job("two"))
    await desk.scheduler._database.read(desk.scheduler._decide)
    await desk.cycle(job("three"), job("four"))
    await desk.recorder.step()
    assert [row.step for row in await desk.rows()] == [0, 1, 2]
    assert await desk.replays()


async def test_a_write_that_fails_costs_a_few_cycles_and_no_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.cycle(job("one"))
    await desk.recorder.step()

    def broken(*_: object) -> None:
        raise RuntimeError("The disk is gone.")

    await desk.cycle(job("two"))
    with monkeypatch.context() as patch:
        patch.setattr(cycles, "cycle_insert", broken)
        with pytest.raises(RuntimeError):
            await desk.recorder.step()
    await desk.cycle(job("three"))
    await desk.recorder.step()
    rows = await desk.rows()
    assert [row.step for row in rows] == [0, 0], "the second keyframe stands for itself"
    assert len({row.keyframe_id for row in rows}) == 2
    assert await desk.replays()


async def test_a_server_that_dies_while_it_writes_a_keyframe_spoils_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.cycle(job("one"))

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cycles, "keyframe_finish", dies)
        with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever ends a process
            await desk.recorder.step()
    assert await desk.rows() == []
    again = Desk(desk.house, desk.leadership)
    await again.cycle(job("two"))
    await again.recorder.step()
    assert len(await again.rows()) == 1
    assert await again.replays()
    now_ms = desk.house.now_ms + 2 * 3_600_000

    def trim(tx: Any) -> int:
        return cycles_trim(tx, now_ms, age_ms=10**9, cycles_max=9, bytes_max=10**9)

    assert await desk.house.database.write(trim) == 1
    assert await again.replays()


async def test_cycles_that_come_too_fast_are_counted(desk: Desk) -> None:
    for number in range(70):
        await desk.cycle(job(f"job-{number}"))
    await desk.recorder.step()
    rows = await desk.rows()
    assert len(rows) == 64
    assert desk.recorder.recording.skipped == 6
    await desk.cycle(job("last"))
    await desk.recorder.step()
    assert len(await desk.rows()) == 65
    assert await desk.replays()


async def test_a_cluster_that_is_too_large_is_not_recorded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("podium.control.recorder.OBJECTS_MAX", 1)
    await desk.cycle(job("one"), job("two"), job("three"))
    await desk.recorder.step()
    assert desk.recorder.recording.too_large == 3
    assert await desk.rows() == []


async def test_a_new_keyframe_is_made_when_the_last_is_old(desk: Desk) -> None:
    await desk.cycle(job("one"))
    await desk.recorder.step()
    for name in ("two", "three"):
        desk.house.clock.advance(400_000)
        await desk.leadership.renew()
        await desk.cycle(job(name))
        await desk.recorder.step()
    assert [row.step for row in await desk.rows()] == [0, 1, 0]
    assert await desk.replays()


async def test_minutes_count_all_cycles(desk: Desk) -> None:
    await desk.cycle(job("one"))
    await desk.cycle()
    desk.house.clock.advance(60_000)
    await desk.leadership.renew()
    await desk.recorder.step()
    (minute,) = await desk.house.database.read(
        lambda tx: scheduler_minutes.minutes_between(tx, 0, 2**60)
    )
    assert (minute.cycles, minute.recorded, minute.placed) == (2, 1, 1)
    assert 0 < minute.median_us <= minute.p99_us


async def test_who_does_not_lead_records_nothing(desk: Desk) -> None:
    await desk.cycle(job("one"))
    desk.house.clock.advance(60_000)
    await desk.recorder.step()
    assert await desk.rows() == []
    await desk.leadership.renew()
    await desk.cycle(job("two"))
    await desk.recorder.step()
    assert await desk.replays()
