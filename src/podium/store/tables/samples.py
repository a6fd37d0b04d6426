"""Measured use over time, thinned with age."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from podium.store.tables.columns import metadata, ms

# A sample stands for the `span_ms` before it; old ones are merged into longer spans.
allocation_samples = Table(
    "allocation_samples",
    metadata,
    Column(
        "allocation_id", Text, ForeignKey("allocations.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("at_ms", BigInteger, primary_key=True),
    Column("span_ms", BigInteger, nullable=False),
    Column("cpu_milli", BigInteger, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("gpu_busy_milli", BigInteger),
    Column("gpu_memory_bytes", BigInteger),
    Index("allocation_samples_by_time", "at_ms"),
    sqlite_with_rowid=False,
)


device_samples = Table(
    "device_samples",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("span_ms", BigInteger, nullable=False),
    Column("busy_milli", BigInteger),
    Column("memory_bytes", BigInteger),
    Column("power_milliwatts", BigInteger),
    Column("temperature_celsius", Integer),
    Index("device_samples_by_time", "at_ms"),
    sqlite_with_rowid=False,
)


capacity_samples = Table(
    "capacity_samples",
    metadata,
    Column("at_ms", BigInteger, primary_key=True),
    Column("span_ms", BigInteger, nullable=False),
    Column("devices_milli", BigInteger, nullable=False),
    Column("held_milli", BigInteger, nullable=False),
    Column("busy_milli", BigInteger),
    Column("wanted_milli", BigInteger, nullable=False),
)


# `stock` is "pool/GPU type".
fragmentation_samples = Table(
    "fragmentation_samples",
    metadata,
    Column("stock", Text, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("span_ms", BigInteger, nullable=False),
    Column("free_milli", BigInteger, nullable=False),
    Column("stranded_milli", BigInteger, nullable=False),
    Column("split_milli", BigInteger, nullable=False),
    Index("fragmentation_samples_by_time", "at_ms"),
    sqlite_with_rowid=False,
)


# How far a table's samples have been merged into spans of one length: up to a time, and in the
# stretch after that up to a key.
thinned = Table(
    "thinned",
    metadata,
    Column("samples", Text, primary_key=True),
    Column("span_ms", BigInteger, primary_key=True),
    ms("until_ms"),
    Column("after_key", Text, nullable=False),
)
