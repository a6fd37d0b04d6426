"""Pods that people submit to a cluster with kubectl, and the work that each of them is."""

from alembic import op
import sqlalchemy as sa

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "guests",
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("uid"),
    )
    op.create_index("guests_by_workload", "guests", ["workload_id", "rank"])
