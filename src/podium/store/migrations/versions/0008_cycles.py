"""Cycles of the scheduler: records that can be decided again, and figures of each minute."""

from alembic import op
import sqlalchemy as sa

revision = "0008"
down_revision = "0007"

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _counts(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "cycle_keyframes",
        sa.Column("id", _SEQUENCE, autoincrement=True, nullable=False),
        *_counts("at_ms", "bytes"),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "cycle_keyframe_pieces",
        sa.Column("keyframe_id", sa.BigInteger(), nullable=False),
        sa.Column("piece", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["keyframe_id"], ["cycle_keyframes.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("keyframe_id", "piece"),
    )
    op.create_table(
        "cycles",
        sa.Column("id", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("keyframe_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        *_counts("at_ms", "took_us", "read_us", "decide_us", "seed"),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        *_counts("nodes", "waiting", "running", "placed", "preempted", "refused", "told"),
        *_counts("reserved", "stale", "bytes"),
        sa.ForeignKeyConstraint(["keyframe_id"], ["cycle_keyframes.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("cycles_by_keyframe", "cycles", ["keyframe_id", "step"], unique=True)
    op.create_index("cycles_by_time", "cycles", ["at_ms"])
    op.create_table(
        "cycle_records",
        sa.Column("cycle_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step", sa.LargeBinary(), nullable=False),
        sa.Column("plan", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cycle_id"),
    )
    op.create_table(
        "cycle_reasons",
        sa.Column("cycle_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycles.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("cycle_id", "reason"),
    )
    op.create_table(
        "scheduler_minutes",
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        *_counts("cycles", "recorded", "placed", "preempted", "told", "stale", "waiting"),
        *_counts("median_us", "p99_us"),
        sa.PrimaryKeyConstraint("at_ms"),
    )
    op.create_table(
        "scheduler_minute_reasons",
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["at_ms"], ["scheduler_minutes.at_ms"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("at_ms", "reason"),
    )
