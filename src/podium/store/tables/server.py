"""What servers share: this Podium's id, events, notices, views, leases and answers kept."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from podium.store.tables.columns import SEQUENCE, metadata, ms

# One row, made with the table: tells this Podium from others, e.g. in a cluster that they share.
installation = Table("installation", metadata, Column("id", Text, primary_key=True))


events = Table(
    "events",
    metadata,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    ms("at_ms"),
    Column("project", Text, nullable=False),
    Column("workload_id", Text, nullable=False),
    Column("rank", Integer),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Index("events_by_workload", "workload_id", "seq"),
    Index("events_by_time", "at_ms"),
    sqlite_autoincrement=True,
)


notices = Table(
    "notices",
    metadata,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    ms("at_ms"),
    Column("username", Text, nullable=False),
    # One of the two is what it is about.
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE")),
    Column("level", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("budget", Text),
    Index("notices_by_user", "username", "seq"),
    Index("notices_by_workload", "workload_id"),
    Index("notices_by_time", "at_ms"),
    sqlite_autoincrement=True,
)


saved_views = Table(
    "saved_views",
    metadata,
    Column("username", Text, ForeignKey("users.username"), primary_key=True),
    Column("page", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("search", Text, nullable=False),
    ms("updated_at_ms"),
)


idempotency = Table(
    "idempotency",
    metadata,
    Column("username", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("workload_ids", Text, nullable=False),
    ms("created_at_ms"),
    Index("idempotency_by_time", "created_at_ms"),
)


leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    ms("expires_at_ms"),
)
