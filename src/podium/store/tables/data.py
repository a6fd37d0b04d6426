"""Data sources, who may use them, and who does."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text

from podium.store.tables.columns import metadata, ms

# Data sources. `id` is the name, for a project's own with `PROJECT/` before it.
data_sources = Table(
    "data_sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE")),
    Column("kind", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("classification", Text, nullable=False),
    Column("regions", Text, nullable=False),
    Column("description", Text, nullable=False),
    ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
    Index("data_sources_by_project", "project"),
)


data_grants = Table(
    "data_grants",
    metadata,
    Column("source", Text, ForeignKey("data_sources.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("write", Boolean, nullable=False),
)


# Which workload asks for which source; the source may be gone by now.
workload_data = Table(
    "workload_data",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("source", Text, primary_key=True),
    Index("workload_data_by_source", "source", "workload_id"),
)


# Allocations that may have their data, which the audit trail was told; and since when they stand
# where they should not.
data_launches = Table(
    "data_launches",
    metadata,
    Column(
        "allocation_id", Text, ForeignKey("allocations.id", ondelete="CASCADE"), primary_key=True
    ),
    ms("exposed_at_ms", nullable=True),
)
