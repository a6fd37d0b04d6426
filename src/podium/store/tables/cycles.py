"""What the scheduler decided, so that it can be looked at and decided again."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from podium.store.tables.columns import SEQUENCE, counts, metadata


def _cycle_id() -> Column[int]:
    key = ForeignKey("cycles.id", ondelete="CASCADE")
    return Column("cycle_id", BigInteger, key, primary_key=True, autoincrement=False)


# Cycles of the scheduler that changed something, so that they can be decided again: now and then a
# whole snapshot, in pieces, and for each cycle since then what changed (`step`, from 0 on).
cycle_keyframes = Table(
    "cycle_keyframes",
    metadata,
    Column("id", SEQUENCE, primary_key=True, autoincrement=True),
    *counts("at_ms", "bytes"),
    Column("whole", Boolean, nullable=False),
    sqlite_autoincrement=True,
)


cycle_keyframe_pieces = Table(
    "cycle_keyframe_pieces",
    metadata,
    Column(
        "keyframe_id",
        BigInteger,
        ForeignKey("cycle_keyframes.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("piece", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)


cycles = Table(
    "cycles",
    metadata,
    Column("id", SEQUENCE, primary_key=True, autoincrement=True),
    Column(
        "keyframe_id",
        BigInteger,
        ForeignKey("cycle_keyframes.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("step", Integer, nullable=False),
    *counts("at_ms", "took_us", "read_us", "decide_us", "seed"),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    *counts("nodes", "waiting", "running", "placed", "preempted", "refused", "told"),
    *counts("reserved", "stale", "bytes"),
    Index("cycles_by_keyframe", "keyframe_id", "step", unique=True),
    Index("cycles_by_time", "at_ms"),
    sqlite_autoincrement=True,
)


cycle_records = Table(
    "cycle_records",
    metadata,
    _cycle_id(),
    Column("step", LargeBinary, nullable=False),
    Column("plan", LargeBinary, nullable=False),
)


cycle_reasons = Table(
    "cycle_reasons",
    metadata,
    _cycle_id(),
    Column("reason", Text, primary_key=True),
    *counts("count"),
)


# Figures of all cycles, also of those that changed nothing; `waiting` and the reasons are those of
# the last cycle of the minute that begins at `at_ms`.
scheduler_minutes = Table(
    "scheduler_minutes",
    metadata,
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    *counts("cycles", "recorded", "placed", "preempted", "told", "stale", "waiting"),
    *counts("median_us", "p99_us"),
)


scheduler_minute_reasons = Table(
    "scheduler_minute_reasons",
    metadata,
    Column(
        "at_ms",
        BigInteger,
        ForeignKey("scheduler_minutes.at_ms", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("reason", Text, primary_key=True),
    *counts("count"),
)
