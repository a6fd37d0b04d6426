"""What is guaranteed to whom, and how much they may use."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, Table, Text

from podium.store.tables.columns import metadata, ms

# `level` is organisation, team or project, `name` the team's or project's name, and empty for the
# organisation. `gpu_type` '' is all types together.
quotas = Table(
    "quotas",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("weight", Integer, nullable=False),
    ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
)


quota_amounts = Table(
    "quota_amounts",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("guarantee_milli", BigInteger, nullable=False),
    Column("limit_milli", BigInteger),
    Column("per_user_milli", BigInteger),
    ForeignKeyConstraint(["level", "name"], ["quotas.level", "quotas.name"], ondelete="CASCADE"),
)


# Limits of what is no GPU: see domain.quota.Counted.
quota_ceilings = Table(
    "quota_ceilings",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("counted", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    ForeignKeyConstraint(["level", "name"], ["quotas.level", "quotas.name"], ondelete="CASCADE"),
)


# One change of a quota; `before` and `after` are JSON, `null` where nothing was set.
quota_history = Table(
    "quota_history",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("level", Text, nullable=False),
    Column("name", Text, nullable=False),
    ms("at_ms"),
    Column("username", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Index("quota_history_by_time", "at_ms"),
    Index("quota_history_by_name", "level", "name", "id"),
)
