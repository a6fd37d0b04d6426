"""Devices that are handed out in shares of one size, or whole only."""

from alembic import op
import sqlalchemy as sa

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column(
        "devices",
        sa.Column("share_milli", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
