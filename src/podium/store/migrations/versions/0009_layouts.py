"""Layouts of GPUs in MIG mode that operators want, and changes that others made."""

from alembic import op
import sqlalchemy as sa

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column(
        "devices", sa.Column("drift", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column("devices", sa.Column("drift_at_ms", sa.BigInteger()))
    op.create_table(
        "mig_layouts",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("moves", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("stands_at_ms", sa.BigInteger()),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device_id"),
    )
    op.create_table(
        "mig_layout_instances",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["mig_layouts.device_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "start"),
    )
    op.create_table(
        "mig_modes",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("asked_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device_id"),
    )
