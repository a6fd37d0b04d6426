"""What the scheduler planned and expects, what is booked, and what was used before."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from podium.store.tables.columns import metadata, ms

# What the scheduler planned last, for people to look at: one row says since when, and three tables
# what. They are replaced as a whole, and name workloads and nodes that may have gone since.
plans = Table("plans", metadata, Column("name", Text, primary_key=True), ms("made_at_ms"))


plan_turns = Table(
    "plan_turns",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("workload_id", Text, nullable=False),
    Column("inside", Boolean, nullable=False),
)


plan_reservations = Table(
    "plan_reservations",
    metadata,
    Column("workload_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    ms("from_ms", nullable=True),
)


plan_nodes = Table(
    "plan_nodes",
    metadata,
    Column(
        "workload_id",
        Text,
        ForeignKey("plan_reservations.workload_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("node", Text, primary_key=True),
    Column("replicas", Integer, nullable=False),
)


# When work that waits is expected to start, as it is said; and what was forecast first, to learn
# from how it came.
etas = Table(
    "etas",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    ms("early_ms"),
    ms("likely_ms"),
    ms("late_ms"),
    ms("asked_at_ms"),
    ms("asked_early_ms"),
    ms("asked_likely_ms"),
    ms("asked_late_ms"),
    Index("etas_by_age", "asked_at_ms"),
)


# Released GPU time of each project as it counted at `at_ms`, faded by the half-life.
past_use = Table(
    "past_use",
    metadata,
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    ms("at_ms"),
    Column("milli_ms", BigInteger, nullable=False),
)


bookings = Table(
    "bookings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE")),
    ms("from_ms"),
    ms("until_ms"),
    Column("note", Text, nullable=False),
    ms("created_at_ms"),
    Column("created_by", Text, nullable=False),
    Index("bookings_by_end", "until_ms"),
)


# Without a reference to the node, which may be away for a while.
booking_nodes = Table(
    "booking_nodes",
    metadata,
    Column("booking", Text, ForeignKey("bookings.name", ondelete="CASCADE"), primary_key=True),
    Column("node", Text, primary_key=True),
)
