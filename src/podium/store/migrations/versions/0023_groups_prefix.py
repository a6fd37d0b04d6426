"""What a cluster puts before the names of groups that sign-in gives it."""

from alembic import op
import sqlalchemy as sa

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column(
        "clusters",
        sa.Column("groups_prefix", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
