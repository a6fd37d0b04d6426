"""What work holds or held, and who had to give way for it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from podium.store.tables.columns import SEQUENCE, metadata, ms, project_name

allocations = Table(
    "allocations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), nullable=False),
    project_name(),
    Column("rank", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("node", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cpu_milli", BigInteger, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("gpu_milli", BigInteger, nullable=False),
    ms("created_at_ms"),
    ms("started_at_ms", nullable=True),
    ms("saved_at_ms", nullable=True),
    ms("released_at_ms", nullable=True),
    Column("cause", Text),
    Column("message", Text, nullable=False),
    Column("exit_code", Integer),
    Column("signal", Integer),
    Column("runtime_ms", BigInteger, nullable=False),
    Column("cpu_time_ms", BigInteger, nullable=False),
    Column("memory_peak_bytes", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),
    # While it has not begun: what keeps it from it.
    Column("holdup_cause", Text),
    Column("holdup_message", Text),
    ms("holdup_since_ms", nullable=True),
    # Released without having been seen to end: its processes may still be there.
    Column("given_up", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("workload_id", "rank", "attempt", name="allocations_once"),
    Index(
        "allocations_open",
        "state",
        "id",
        sqlite_where=text("released_at_ms IS NULL"),
        postgresql_where=text("released_at_ms IS NULL"),
    ),
    # With all that hours of GPU time are counted from.
    Index("allocations_by_release", "released_at_ms", "started_at_ms", "gpu_milli", "project"),
    Index("allocations_by_start", "started_at_ms", "gpu_milli", "project"),
    Index(
        "allocations_by_node",
        "released_at_ms",
        "node",
        "id",
        "gpu_milli",
        sqlite_where=text("released_at_ms IS NULL"),
        postgresql_where=text("released_at_ms IS NULL"),
    ),
    Index(
        "allocations_given_up",
        "node",
        "id",
        sqlite_where=text("given_up = 1"),
        postgresql_where=text("given_up"),
    ),
)


allocation_devices = Table(
    "allocation_devices",
    metadata,
    Column(
        "allocation_id", Text, ForeignKey("allocations.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("device_id", Text, primary_key=True),
    Column("gpu_milli", BigInteger, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("mig_profile", Text, nullable=False, server_default=text("''")),
    Column("mig_start", Integer, primary_key=True, server_default=text("0")),
    # The name that it has a price under, and how much was borrowed, as of the grant.
    Column("gpu_type", Text, nullable=False, server_default=text("''")),
    Column("borrowed_milli", BigInteger, nullable=False, server_default=text("0")),
)


# How busy GPUs of running work were, since it started; gone with its bill.
busy_meters = Table(
    "busy_meters",
    metadata,
    Column(
        "allocation_id", Text, ForeignKey("allocations.id", ondelete="CASCADE"), primary_key=True
    ),
    ms("measured_ms"),
    Column("busy_milli_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


# Who had to give way for whom. What the people concerned are told is in their events.
preemptions = Table(
    "preemptions",
    metadata,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    ms("at_ms"),
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), nullable=False),
    Column("ranks", Text, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("in_favour_of", Text, nullable=False),
    Column("justification", Text, nullable=False),
    Column("lost_milli_ms", BigInteger, nullable=False),
    Index("preemptions_by_workload", "workload_id"),
    sqlite_autoincrement=True,
)
