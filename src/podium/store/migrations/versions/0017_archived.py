"""Teams and projects that are archived, projects that moved, and tokens that were made by one."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("teams", sa.Column("archived_at_ms", sa.BigInteger()))
    op.add_column("projects", sa.Column("moved_at_ms", sa.BigInteger()))
    op.add_column("projects", sa.Column("archived_at_ms", sa.BigInteger()))
    op.add_column("tokens", sa.Column("mother", sa.Text()))
    op.create_index("tokens_by_mother", "tokens", ["mother"])
