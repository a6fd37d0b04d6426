"""Budgets, what people were told of them, and notices that are about no single workload."""

from alembic import op
import sqlalchemy as sa

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "budgets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text()),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("gpu_types", sa.Text(), nullable=False),
        sa.Column("thresholds", sa.Text(), nullable=False),
        sa.Column("when_spent", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.Column("told_since_ms", sa.BigInteger(), nullable=False),
        sa.Column("told_percent", sa.Integer(), nullable=False),
        sa.Column("runs_out_ms", sa.BigInteger()),
        sa.Column("until_ms", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("budgets_by_target", "budgets", ["level", "target"])
    with op.batch_alter_table("notices", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("workload_id", existing_type=sa.Text(), nullable=True)
        batch.add_column(sa.Column("budget", sa.Text()))
