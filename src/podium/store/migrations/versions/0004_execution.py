"""Preemption, elastic gangs, start times, policies and bookings."""

from alembic import op
import sqlalchemy as sa

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "workloads",
        sa.Column("replicas_resize", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "workloads",
        sa.Column("preemptible", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.execute("UPDATE workloads SET preemptible = false WHERE kind IN ('service', 'workspace')")
    op.add_column("workloads", sa.Column("expected_runtime_seconds", sa.BigInteger()))
    op.add_column("workloads", sa.Column("not_before_ms", sa.BigInteger()))
    op.add_column("workloads", sa.Column("start_window", sa.Text()))
    op.create_table(
        "preemptions",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("ranks", sa.Text(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("in_favour_of", sa.Text(), nullable=False),
        sa.Column("justification", sa.Text(), nullable=False),
        sa.Column("lost_milli_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("seq"),
        sqlite_autoincrement=True,
    )
    op.create_index("preemptions_by_workload", "preemptions", ["workload_id"])
    op.create_table(
        "policies",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("level", "name", "part", "field"),
    )
    op.create_table(
        "bookings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("bookings_by_end", "bookings", ["until_ms"])
    op.create_table(
        "booking_nodes",
        sa.Column("booking", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["booking"], ["bookings.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("booking", "node"),
    )
