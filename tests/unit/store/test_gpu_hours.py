"""GPU time between moments is exact: against a count of every millisecond's holders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.api.days import HOUR_MS, days_around
from podium.domain.tenancy import WHOLE, Scope
from podium.store import tables
from podium.store.database import Database, Transaction
from podium.store.gpu_hours import gpu_time_between

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # sets its clocks by half an hour
    "America/Havana",  # sets them at midnight
    "Pacific/Apia",
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


VISION = Scope(frozenset({"vision"}))
READERS = ((WHOLE, None), (VISION, None), (WHOLE, "speech"), (VISION, "speech"))


def ms(at: datetime) -> int:
    return (at.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1)


# In all of these, clocks are set somewhere within a day or two of some of them.
NEAR = [ms(datetime(2026, month, day, tzinfo=UTC)) for month, day in (
    (3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1), (6, 15))]  # fmt: skip


def row(index: int, project: str, gpu_milli: int, started: int | None, released: int | None) -> Any:
    return {
        "id": f"a-{index}", "workload_id": "w-1", "project": project, "rank": 0, "attempt": index,
        "node": "n1", "state": "running", "cpu_milli": 0, "memory_bytes": 0,
        "gpu_milli": gpu_milli, "created_at_ms": started or 0, "started_at_ms": started,
        "released_at_ms": released, "message": "", "runtime_ms": 0, "cpu_time_ms": 0,
        "memory_peak_bytes": 0, "removed": False,
    }  # fmt: skip


@st.composite
def stores(draw: st.DrawFn) -> tuple[int, str, list[dict[str, Any]]]:
    now = draw(st.sampled_from(NEAR)) + draw(st.integers(0, 60 * HOUR_MS))
    offsets = st.one_of(
        st.integers(0, 80 * HOUR_MS), st.integers(0, 80).map(lambda hours: hours * HOUR_MS)
    )
    rows = []
    for index in range(draw(st.integers(0, 6))):
        started = now - draw(offsets)
        length = draw(st.one_of(st.none(), st.integers(0, 40 * HOUR_MS)))
        released = None if length is None or started + length > now else started + length
        never = draw(st.integers(0, 9)) == 0
        rows.append(
            row(
                index,
                draw(st.sampled_from(["vision", "speech"])),
                draw(st.sampled_from([0, 500, 1000, 8000])),
                None if never else started,
                released,
            )
        )
    return now, draw(st.sampled_from(ZONES)), rows


def overlap(rows: list[dict[str, Any]], start: int, end: int, now: int) -> int:
    return sum(
        each["gpu_milli"]
        * max(0, min(end, now if each["released_at_ms"] is None else each["released_at_ms"])
              - max(start, each["started_at_ms"]))
        for each in rows
        if each["started_at_ms"] is not None
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(stores())
def test_every_span_holds_what_overlaps_it(store: tuple[int, str, list[dict[str, Any]]]) -> None:
    now, zone, rows = store
    days = days_around(now, ZoneInfo(zone))
    marks = sorted(
        {*days.hours_ms, days.yesterday_ms, days.yesterday_so_far_ms, days.today_ms, now}
    )
    engine = sa.create_engine("sqlite://")
    with engine.begin() as tx:
        tables.allocations.create(tx)
        if rows:
            tx.execute(sa.insert(tables.allocations), rows)
        for scope, project in READERS:
            seen = [
                each
                for each in rows
                if scope.admits(each["project"]) and project in (None, each["project"])
            ]
            told = gpu_time_between(tx, scope, project, marks)
            assert told == [overlap(seen, start, end, now) for start, end in pairwise(marks)]


@given(
    st.sampled_from(NEAR).flatmap(
        lambda near: st.integers(near - 72 * HOUR_MS, near + 72 * HOUR_MS)
    ),
    st.sampled_from(ZONES),
)
def test_days_are_those_of_the_calendar(now: int, zone: str) -> None:
    """Against a walk back, minute by minute, over what the clock on the wall showed."""
    days = days_around(now, ZoneInfo(zone))
    wall = (EPOCH + timedelta(milliseconds=now)).astimezone(ZoneInfo(zone))
    today = wall.date()
    minute = now - now % 60_000

    def date_at(at_ms: int) -> Any:
        return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(ZoneInfo(zone)).date()

    begins = {}
    for back in range(60 * 60):
        at = minute - back * 60_000
        begins[date_at(at)] = at
    assert days.today_ms == begins[today]
    assert days.yesterday_ms == begins[today - timedelta(days=1)]
    assert days.yesterday_ms <= days.yesterday_so_far_ms <= days.today_ms
    assert len(days.hours_ms) == 48
    assert {end - start for start, end in pairwise(days.hours_ms)} == {HOUR_MS}
    assert 0 <= now - days.hours_ms[-1] < HOUR_MS


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 30), 23),
        ("Europe/Berlin", (2026, 10, 26), 25),
        ("America/New_York", (2026, 3, 9), 23),
        ("America/Havana", (2026, 3, 9), 23),
        ("UTC", (2026, 3, 30), 24),
    ],
)
def test_days_on_which_clocks_are_set(zone: str, day: tuple[int, int, int], hours: int) -> None:
    noon = datetime(*day, 12, tzinfo=ZoneInfo(zone))
    days = days_around(ms(noon), ZoneInfo(zone))
    assert days.today_ms - days.yesterday_ms == hours * HOUR_MS


@pytest.mark.anyio
async def test_the_same_on_each_database(database: Database) -> None:
    now = NEAR[0]
    rows = [
        row(1, "vision", 8000, now - 5 * HOUR_MS, now - 2 * HOUR_MS),
        row(2, "vision", 500, now - 3 * HOUR_MS, None),
        row(3, "speech", 1000, now - 90 * HOUR_MS, now),
        row(4, "vision", 1000, None, now - HOUR_MS),
    ]
    marks = [now - 4 * HOUR_MS, now - 3 * HOUR_MS, now - HOUR_MS, now]

    def fill(tx: Transaction) -> list[int]:
        if tx.dialect.name == "postgresql":
            tx.execute(sa.text("SET LOCAL session_replication_role = replica"))
        else:
            tx.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
        tx.execute(sa.insert(tables.allocations), rows)
        told = gpu_time_between(tx, WHOLE, None, marks)
        tx.execute(sa.delete(tables.allocations))
        return told

    told = await database.write(fill)
    assert told == [overlap(rows, start, end, now) for start, end in pairwise(marks)]
