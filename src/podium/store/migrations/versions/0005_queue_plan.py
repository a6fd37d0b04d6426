"""What the scheduler planned last."""

from alembic import op
import sqlalchemy as sa

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "plan_turns",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "plan_reservations",
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("workload_id"),
    )
    op.create_table(
        "plan_nodes",
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("replicas", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workload_id"], ["plan_reservations.workload_id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workload_id", "node"),
    )
