"""Refusals are told without filling the disk; looks at data are told once in a while."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from podium.domain.audit import Origin
from podium.intake.refusals import KINDS_MAX, MANY, MERGED_MS, REFUSALS_MAX, Refusals
from podium.intake.sightings import MERGED_MS as LOOKS_MERGED_MS
from podium.intake.sightings import Sightings
from podium.store import tables
from podium.store.audit import ORIGIN, AuditEntry
from podium.store.database import Database
from turned_clock import TurnedClock

pytestmark = pytest.mark.anyio


async def told(database: Database) -> list[dict[str, Any]]:
    statement = sa.select(tables.audit).order_by(tables.audit.c.seq)
    rows = await database.read(lambda tx: tx.execute(statement).mappings().all())
    return [dict(row) for row in rows]


def refused(actor: str = "eve", subject: str = "users") -> AuditEntry:
    return AuditEntry(actor=actor, action="user:administer", subject=subject)


@pytest.fixture
def refusals(database: Database) -> Refusals:
    return Refusals(database)


async def test_the_same_again_is_counted(
    database: Database, refusals: Refusals, clock: TurnedClock
) -> None:
    for _ in range(100):
        await refusals.note(refused())
    await refusals.note(refused(actor="ada"))
    rows = await told(database)
    assert [(row["actor"], row["outcome"], row["detail"]) for row in rows] == [
        ("eve", "refused", ""), ("ada", "refused", ""),
    ]  # fmt: skip
    clock.advance(MERGED_MS)
    await refusals.flush()
    rows = await told(database)
    assert len(rows) == 3
    assert json.loads(rows[-1]["detail"])["times"] == 99
    await refusals.flush(everything=True)
    assert len(await told(database)) == 3
    await refusals.note(refused())
    assert len(await told(database)) == 4, "a new minute"


async def test_one_who_tries_everything_is_bounded(database: Database, refusals: Refusals) -> None:
    for number in range(500):
        await refusals.note(refused(subject=f"projects/{number}"))
    rows = await told(database)
    assert len(rows) == KINDS_MAX + 1
    assert (rows[-1]["actor"], rows[-1]["subject"]) == ("eve", MANY)
    await refusals.flush(everything=True)
    rows = await told(database)
    assert json.loads(rows[-1]["detail"])["times"] == 500 - KINDS_MAX - 1


async def test_many_who_try_are_bounded_too(database: Database, refusals: Refusals) -> None:
    for number in range(1000):
        token = ORIGIN.set(Origin(source=f"10.0.{number // 250}.{number % 250}"))
        await refusals.note(refused(actor=f"nobody-{number}"))
        ORIGIN.reset(token)
    rows = await told(database)
    assert len(rows) == REFUSALS_MAX + 1
    assert rows[-1]["actor"] == MANY


async def test_what_strangers_send_can_be_stored(database: Database, refusals: Refusals) -> None:
    await refusals.note(refused(actor="a\0b\ud800" + "x" * 1000))
    (row,) = await told(database)
    assert row["actor"].startswith("a\ufffdb?xxx")
    assert len(row["actor"]) == 200


def test_looks_at_the_same_thing_are_merged() -> None:
    sightings = Sightings()
    assert sightings.is_first("ada", "log:read", "w-1", 0)
    assert not sightings.is_first("ada", "log:read", "w-1", LOOKS_MERGED_MS - 1)
    assert sightings.is_first("bob", "log:read", "w-1", 1)
    assert sightings.is_first("ada", "log:read", "w-2", 1)
    assert sightings.is_first("ada", "log:read", "w-1", LOOKS_MERGED_MS)
    sightings.forget("ada", "log:read", "w-1")
    assert sightings.is_first("ada", "log:read", "w-1", LOOKS_MERGED_MS)
