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
from podium.control.recorder import Noted, Recorder
from podium.control.schedule import Scheduler
from podium.scheduling.record import Record, rebuilt, replayed
from podium.scheduling.snapshot import Snapshot
from podium.store import cycles, scheduler_minutes
from podium.store.cycles import CycleRecord
from postgresql import PostgresqlServer
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
        recorder = Watching(self.database, self.leadership, schedule.LEASE, keyframe_ms=6_000)
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
