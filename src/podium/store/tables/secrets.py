"""What is sealed, and the key that seals."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from podium.store.tables.columns import metadata, ms, project_name

# Sealed secrets of the organisation itself, such as those of its providers.
sealed_values = Table(
    "sealed_values",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)


secrets = Table(
    "secrets",
    metadata,
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
    ms("last_used_at_ms", nullable=True),
)


# Which workload names which secret of its project.
workload_secrets = Table(
    "workload_secrets",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    project_name(),
    Index("workload_secrets_by_secret", "project", "name", "workload_id"),
)


# One row: the key that seals now. Who seals holds its lock until the commit.
sealing_key = Table(
    "sealing_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False),
    ms("since_ms"),
    Column("set_by", Text, nullable=False),
)
