"""What was used, what that costs, what was wanted, and budgets."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from podium.store.tables.columns import counts, metadata, ms


def _amounts() -> tuple[Column[int], ...]:
    """What was used; GPU and CPU in thousandths x milliseconds (`domain/metering.Line`)."""
    return (
        *counts("gpu_milli_ms", "borrowed_milli_ms", "measured_milli_ms", "idle_milli_ms"),
        *counts("unbilled_milli_ms", "cpu_milli_ms", "cpu_used_ms", "memory_peak_bytes"),
    )


# What a project held and waited for of a GPU type in the hour from `at_ms` on, and what started.
demand_hours = Table(
    "demand_hours",
    metadata,
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("held_milli_ms", BigInteger, nullable=False),
    Column("wanted_milli_ms", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("wait_ms", BigInteger, nullable=False),
)


# Why it waited: GPU time and workload time that was wanted, by the reason of the refusal.
demand_hour_reasons = Table(
    "demand_hour_reasons",
    metadata,
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("milli_ms", BigInteger, nullable=False),
    Column("workload_ms", BigInteger, nullable=False),
)


# The bill of each released allocation: a line for each GPU type, day (UTC) and price.
bill_lines = Table(
    "bill_lines",
    metadata,
    Column("allocation_id", Text, primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("rate_ms", BigInteger, primary_key=True),  # since when its price held; 0: the first
    Column("workload_id", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("cost_centre", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    ms("until_ms"),
    ms("runtime_ms"),
    *_amounts(),
    Index("bill_lines_by_day", "day_ms"),
    Index("bill_lines_by_workload", "workload_id"),
)


# The same summed by day, written in the transaction of the bill.
usage_days = Table(
    "usage_days",
    metadata,
    Column("day_ms", BigInteger, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("cost_centre", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("rate_ms", BigInteger, primary_key=True),
    *_amounts(),
    Column("replicas", BigInteger, nullable=False),
    Index("usage_days_by_project", "project", "day_ms"),
    Index("usage_days_by_owner", "owner", "day_ms"),
    sqlite_with_rowid=False,  # so that a span of days is read in one go
)


# When devices were there, and in service or not; written when that changes.
device_spans = Table(
    "device_spans",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("since_ms", BigInteger, primary_key=True),
    ms("until_ms", nullable=True),
    Column("node", Text, nullable=False),
    Column("gpu_type", Text, nullable=False),
    Column("in_service", Boolean, nullable=False),
    Index("device_spans_by_end", "until_ms"),
    Index(
        "device_spans_open",
        "node",
        sqlite_where=text("until_ms IS NULL"),
        postgresql_where=text("until_ms IS NULL"),
    ),
)


prices = Table(
    "prices",
    metadata,
    Column("gpu_type", Text, primary_key=True),
    Column("since_ms", BigInteger, primary_key=True),
    Column("micros_per_gpu_hour", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("borrowed_micros_per_gpu_hour", BigInteger),  # null: the same
    Column("idle_micros_per_gpu_hour", BigInteger, nullable=False, server_default=text("0")),
)


# `told_percent` is the highest threshold that people were told of in the period that began at
# `told_since_ms`. From `runs_out_ms` to `until_ms` (null: for ever) the budget is spent, by what
# ran when that was written.
budgets = Table(
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("level", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text),
    Column("period", Text, nullable=False),
    Column("gpu_types", Text, nullable=False),
    Column("thresholds", Text, nullable=False),
    Column("when_spent", Text, nullable=False),
    ms("since_ms"),
    Column("note", Text, nullable=False),
    ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
    ms("told_since_ms"),
    Column("told_percent", Integer, nullable=False),
    ms("runs_out_ms", nullable=True),
    ms("until_ms", nullable=True),
    Index("budgets_by_target", "level", "target"),
)
