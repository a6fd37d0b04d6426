"""What keeps a replica from beginning, and since when."""

from alembic import op
import sqlalchemy as sa

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("allocations", sa.Column("holdup_cause", sa.Text()))
    op.add_column("allocations", sa.Column("holdup_message", sa.Text()))
    op.add_column("allocations", sa.Column("holdup_since_ms", sa.BigInteger()))
