"""Which key seals secrets, when each was last used, and which workloads name it."""

from __future__ import annotations

import json

from alembic import op
import sqlalchemy as sa

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("secrets", sa.Column("last_used_at_ms", sa.BigInteger()))
    op.create_table(
        "sealing_key",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    made = op.create_table(
        "workload_secrets",
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], onupdate="CASCADE"),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workload_id", "name"),
    )
    _fill(made)
    op.create_index(
        "workload_secrets_by_secret", "workload_secrets", ["project", "name", "workload_id"]
    )


def _fill(made: sa.Table) -> None:
    """From the programs of work that has not ended."""
    connection = op.get_bind()
    living = connection.execute(
        sa.text(
            "SELECT documents.workload_id, workloads.project, documents.program FROM documents "
            "JOIN workloads ON workloads.id = documents.workload_id "
            'WHERE workloads.ended_at_ms IS NULL AND documents.program LIKE \'%"secrets":["%\''
        )
    )
    rows = [
        {"workload_id": workload_id, "project": project, "name": name}
        for workload_id, project, program in living
        for name in json.loads(program)["secrets"]
    ]
    if rows:
        connection.execute(sa.insert(made), rows)
