"""Quotas of more than GPUs, their history, and what was wanted by the hour."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("quota_amounts", sa.Column("per_user_milli", sa.BigInteger(), nullable=True))
    op.create_table(
        "quota_ceilings",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("counted", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["level", "name"], ["quotas.level", "quotas.name"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("level", "name", "counted"),
    )
    op.create_table(
        "quota_history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
    )
    op.create_index("quota_history_by_time", "quota_history", ["at_ms"])
    op.create_index("quota_history_by_name", "quota_history", ["level", "name", "id"])
    op.create_table(
        "demand_hours",
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("held_milli_ms", sa.BigInteger(), nullable=False),
        sa.Column("wanted_milli_ms", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("wait_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("at_ms", "project", "gpu_type"),
    )
    op.create_table(
        "demand_hour_reasons",
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("milli_ms", sa.BigInteger(), nullable=False),
        sa.Column("workload_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("at_ms", "project", "gpu_type", "reason"),
    )
