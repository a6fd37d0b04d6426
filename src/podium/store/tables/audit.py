"""The audit trail: its chain, its seals, and where it is forwarded to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, text

from podium.store.tables.columns import metadata, ms

# Append-only and chained: `hash` covers the row and the hash of the row before it. Triggers of the
# migration refuse to change what stands here.
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    ms("at_ms"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("project", Text),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("audit_by_time", "at_ms"),
    Index("audit_by_actor", "actor", "seq"),
    Index("audit_by_action", "action", "seq"),
    Index("audit_by_subject", "subject", "seq"),
    Index("audit_by_project", "project", "seq"),
    Index(
        "audit_refused",
        "seq",
        sqlite_where=text("outcome <> 'allowed'"),
        postgresql_where=text("outcome <> 'allowed'"),
    ),
)


# One row: the last entry of the chain. Who appends holds its lock until the commit.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)


# A signature over the chain up to `seq`. `kind` is `seal`, or `break` where an administrator let
# the chain go on from a place that no longer fits what was sealed before; `note` says why.
audit_seals = Table(
    "audit_seals",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    ms("at_ms"),
    Column("note", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Index("audit_seals_by_time", "at_ms"),
)


# What retention took away from the beginning of the chain, signed; verification goes on from there.
audit_removals = Table(
    "audit_removals",
    metadata,
    Column("last_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    ms("at_ms"),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)


# Where the audit trail is forwarded to, and how far each has got.
audit_forwards = Table(
    "audit_forwards",
    metadata,
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("ca", Text, nullable=False),  # PEM; empty: what the server's machine trusts
    ms("created_at_ms"),
    Column("created_by", Text, nullable=False),
    ms("updated_at_ms"),
    Column("sent_seq", BigInteger, nullable=False),
    ms("sent_at_ms", nullable=True),
    Column("skipped", BigInteger, nullable=False),  # entries that retention removed unsent
    ms("failing_since_ms", nullable=True),
    Column("fault", Text, nullable=False),
)
