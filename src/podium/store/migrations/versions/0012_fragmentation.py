"""How much of the free GPU capacity is stranded, minute by minute."""

from alembic import op
import sqlalchemy as sa

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "fragmentation_samples",
        sa.Column("stock", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("span_ms", sa.BigInteger(), nullable=False),
        sa.Column("free_milli", sa.BigInteger(), nullable=False),
        sa.Column("stranded_milli", sa.BigInteger(), nullable=False),
        sa.Column("split_milli", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stock", "at_ms"),
        sqlite_with_rowid=False,
    )
    op.create_index("fragmentation_samples_by_time", "fragmentation_samples", ["at_ms"])
