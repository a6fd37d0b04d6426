"""Quotas, and what was used in the past as it counts for fairness."""

from alembic import op
import sqlalchemy as sa

revision = "0003"
down_revision = "0002"

_DAY_MS = 86_400_000
_HALF_LIFE_DAYS = 7


def upgrade() -> None:
    op.create_table(
        "quotas",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("level", "name"),
    )
    op.create_table(
        "quota_amounts",
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("guarantee_milli", sa.BigInteger(), nullable=False),
        sa.Column("limit_milli", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["level", "name"], ["quotas.level", "quotas.name"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("level", "name", "gpu_type"),
    )
    op.create_table(
        "past_use",
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("gpu_type", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("milli_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("project", "gpu_type"),
    )
    _fill()


def _fill() -> None:
    """From the bills of the last weeks, by days, which is as fine as a half-life of a week needs.
    A bill for MIG instances or several types names them; its first word or words are the type."""
    connection = op.get_bind()
    bills = connection.execute(
        sa.text(
            "SELECT project, gpu_type, ended_at_ms / 86400000 AS day, SUM(gpu_ms) FROM usage "
            "WHERE gpu_type <> '' AND project IN (SELECT name FROM projects) "
            "GROUP BY 1, 2, 3"
        )
    ).all()
    if not bills:
        return
    types = sorted(connection.scalars(sa.text("SELECT DISTINCT type FROM devices")), key=len)
    newest = max(int(day) for _, _, day, _ in bills)
    sums: dict[tuple[str, str], float] = {}
    for project, billed, day, gpu_ms in bills:
        first = billed.partition(" + ")[0]
        known = [each for each in types if f"{first} ".startswith(f"{each} ")]
        key = (project, known[-1] if known else first)
        faded = 2.0 ** -((newest - int(day)) / _HALF_LIFE_DAYS)
        sums[key] = sums.get(key, 0.0) + int(gpu_ms) * 1000 * faded
    table = sa.table(
        "past_use",
        sa.column("project", sa.Text),
        sa.column("gpu_type", sa.Text),
        sa.column("at_ms", sa.BigInteger),
        sa.column("milli_ms", sa.BigInteger),
    )
    op.bulk_insert(
        table,
        [
            {
                "project": project,
                "gpu_type": gpu_type,
                "at_ms": (newest + 1) * _DAY_MS,
                "milli_ms": int(milli_ms),
            }
            for (project, gpu_type), milli_ms in sorted(sums.items())
        ],
    )
