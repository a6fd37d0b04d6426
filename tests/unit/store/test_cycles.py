"""Records of cycles and figures of minutes: what goes in comes out, and old ones go."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.store import cycles, tables
from podium.store.cycles import CycleRow, Kept
from podium.store.database import Database, Transaction
from podium.store.scheduler_minutes import (
    MINUTE_MS,
    Minutes,
    minute_write,
    minutes_between,
    minutes_merged,
)

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000
ROW = CycleRow(
    keyframe_id=0, step=0, at_ms=0, took_us=1500, read_us=500, decide_us=700, seed=0, version="1",
    digest="d", nodes=2, waiting=3, running=1, placed=1, preempted=0, refused=3, told=1,
    reserved=0, stale=0, bytes=4, reasons={"capacity": 2, "quota": 1},
)  # fmt: skip


def chain(tx: Transaction, at_ms: int, count: int, *, whole: bool = True) -> list[int]:
    """A keyframe of two pieces with so many cycles, an hour apart."""
    key = cycles.keyframe_begin(tx, at_ms)
    data = b"k" * (cycles.PIECE_BYTES + 5)
    for number, piece in enumerate(cycles.pieces_of(data)):
        cycles.keyframe_piece(tx, key, number, piece)
    if not whole:
        return []
    cycles.keyframe_finish(tx, key, len(data))
    rows = [
        (
            replace(ROW, keyframe_id=key, step=each, at_ms=at_ms + each * HOUR_MS),
            b"s%d" % each,
            b"p",
        )
        for each in range(count)
    ]
    return cycles.cycle_insert(tx, rows)


async def test_a_record_has_its_keyframe_and_all_steps_up_to_it(database: Database) -> None:
    first, _, last = await database.write(lambda tx: chain(tx, 0, 3))
    found = await database.read(lambda tx: cycles.cycle_record(tx, last))
    assert len(found.keyframe) == cycles.PIECE_BYTES + 5
    assert found.steps == (b"s0", b"s1", b"s2")
    assert (found.plan, found.cycle.reasons) == (b"p", {"capacity": 2, "quota": 1})
    listed = await database.read(lambda tx: cycles.cycle_list(tx, limit=2))
    assert [row.id for row in listed] == [last, last - 1]
    earlier = await database.read(lambda tx: cycles.cycle_list(tx, limit=9, before=last - 1))
    assert earlier == [replace(ROW, id=first, keyframe_id=found.cycle.keyframe_id)]


@pytest.mark.parametrize("what", ["cycles", "cycle_keyframe_pieces"])
async def test_what_lacks_a_part_is_not_decided_again(database: Database, what: str) -> None:
    ids = await database.write(lambda tx: chain(tx, 0, 3))
    table = tables.metadata.tables[what]
    middle = table.c.id == ids[1] if what == "cycles" else table.c.piece == 0
    await database.write(lambda tx: tx.execute(sa.delete(table).where(middle)))
    with pytest.raises(NotFoundError, match="not complete"):
        await database.read(lambda tx: cycles.cycle_record(tx, ids[2]))
    with pytest.raises(NotFoundError, match="no record of cycle 999"):
        await database.read(lambda tx: cycles.cycle_record(tx, 999))


async def trimmed(database: Database, now_ms: int, **limits: int) -> Kept:
    usual = {"age_ms": 24 * HOUR_MS, "cycles_max": 100, "bytes_max": 2**40}

    def trim(tx: Transaction) -> int:
        return cycles.cycles_trim(tx, now_ms, **{**usual, **limits})

    while await database.write(trim):
        pass
    return await database.read(cycles.cycles_kept)


async def test_what_is_old_or_too_much_goes_with_its_keyframe(database: Database) -> None:
    for begun in (0, 10, 20):
        await database.write(lambda tx, at=begun: chain(tx, at * HOUR_MS, 4))
    size = cycles.PIECE_BYTES + 5 + 4 * 4
    assert await trimmed(database, 24 * HOUR_MS) == Kept(12, 3 * size, 0)
    assert (await trimmed(database, 28 * HOUR_MS)).cycles == 8, "the last of the first was at 3"
    assert await trimmed(database, 28 * HOUR_MS, bytes_max=size) == Kept(4, size, 20 * HOUR_MS)
    assert (await trimmed(database, 28 * HOUR_MS, cycles_max=1)).cycles == 4, "it still grows"
    assert await trimmed(database, 60 * HOUR_MS) == Kept(0, 0, None)
    for name in ("cycle_keyframes", "cycle_keyframe_pieces", "cycle_records", "cycle_reasons"):
        count = sa.select(sa.func.count()).select_from(tables.metadata.tables[name])
        assert await database.read(lambda tx, asked=count: tx.scalar(asked)) == 0


async def test_a_keyframe_that_was_never_finished_goes(database: Database) -> None:
    await database.write(lambda tx: chain(tx, 0, 0, whole=False))
    ids = await database.write(lambda tx: chain(tx, HOUR_MS, 1))
    await trimmed(database, 2 * HOUR_MS)
    frames = sa.select(tables.cycle_keyframes.c.whole)
    assert await database.read(lambda tx: list(tx.scalars(frames))) == [True]
    assert await database.read(lambda tx: cycles.cycle_record(tx, ids[0]))


async def test_minutes_are_added_to_what_is_there_and_merged(database: Database) -> None:
    one = Minutes(
        at_ms=MINUTE_MS, cycles=10, recorded=1, placed=3, waiting=9, median_us=100, p99_us=900,
        reasons={"quota": 9},
    )  # fmt: skip
    other = replace(one, cycles=30, waiting=2, median_us=300, p99_us=400, reasons={"capacity": 2})
    later = replace(other, at_ms=2 * MINUTE_MS, reasons={})
    for each in (one, other, later):
        await database.write(lambda tx, minute=each: minute_write(tx, minute))
    found = await database.read(lambda tx: minutes_between(tx, 0, 9 * MINUTE_MS))
    both = replace(
        other, cycles=40, recorded=2, placed=6, median_us=250, p99_us=900, reasons={"capacity": 2}
    )
    assert found == [both, later]
    (whole,) = minutes_merged(found, 5 * MINUTE_MS)
    assert (whole.at_ms, whole.cycles, whole.placed, whole.reasons) == (0, 70, 9, {})
    assert await database.read(lambda tx: minutes_between(tx, 0, MINUTE_MS)) == []
