"""Data sources, their classes and grants, and what pools are approved for."""

from alembic import op
import sqlalchemy as sa

revision = "0019"
down_revision = "0018"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=sa.text("''"))


def upgrade() -> None:
    op.add_column("pools", _text("region"))
    op.add_column("pools", _text("approved_for"))
    op.add_column("workloads", _text("classification"))
    op.add_column("workloads", _text("data_uses"))
    op.create_table(
        "data_sources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("classification", sa.Text(), nullable=False),
        sa.Column("regions", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("data_sources_by_project", "data_sources", ["project"])
    op.create_table(
        "data_grants",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("write", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["source"], ["data_sources.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source", "kind", "name"),
    )
    op.create_table(
        "workload_data",
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workload_id", "source"),
    )
    op.create_index("workload_data_by_source", "workload_data", ["source", "workload_id"])
    op.create_table(
        "data_launches",
        sa.Column("allocation_id", sa.Text(), nullable=False),
        sa.Column("exposed_at_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["allocation_id"], ["allocations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("allocation_id"),
    )
