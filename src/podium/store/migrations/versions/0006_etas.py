"""When work that waits is expected to start."""

from alembic import op
import sqlalchemy as sa

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "etas",
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("early_ms", sa.BigInteger(), nullable=False),
        sa.Column("likely_ms", sa.BigInteger(), nullable=False),
        sa.Column("late_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_early_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_likely_ms", sa.BigInteger(), nullable=False),
        sa.Column("asked_late_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workload_id"),
    )
    op.create_index("etas_by_age", "etas", ["asked_at_ms"])
