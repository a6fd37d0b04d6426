"""Values in place of the built-in ones, and pools of nodes."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table, Text, text

from podium.store.tables.columns import metadata, ms

# Values that stand in place of the built-in ones. `level` is cluster, team or project, `name` the
# team's or project's name, `part` a kind of work, or scheduling.
policies = Table(
    "policies",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("value", Text, nullable=False),
    ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
)


pools = Table(
    "pools",
    metadata,
    Column("name", Text, primary_key=True),
    Column("labels", Text, nullable=False),
    Column("note", Text, nullable=False),
    ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
    Column("region", Text, nullable=False, server_default=text("''")),
    Column("approved_for", Text, nullable=False, server_default=text("''")),
)


# Whose work may stand in a pool; everyone's where there is no row in either of the two.
pool_projects = Table(
    "pool_projects",
    metadata,
    Column("pool", Text, ForeignKey("pools.name", ondelete="CASCADE"), primary_key=True),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
)


pool_teams = Table(
    "pool_teams",
    metadata,
    Column("pool", Text, ForeignKey("pools.name", ondelete="CASCADE"), primary_key=True),
    Column("team", Text, ForeignKey("teams.name", onupdate="CASCADE"), primary_key=True),
)
