"""The audit trail as a chain: origin and hash of each entry, its head, seals and removals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic import op
import sqlalchemy as sa

from podium.domain.audit import GENESIS, chained

revision = "0010"
down_revision = "0009"

_SLICE = 1000
_FORBIDDEN = "the audit trail is append-only"


def upgrade() -> None:
    connection = op.get_bind()
    connection.execute(sa.text("CREATE TABLE audit_before AS SELECT * FROM audit"))
    op.drop_table("audit")
    audit = op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("project", sa.Text()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_seals",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", "kind"),
    )
    op.create_index("audit_seals_by_time", "audit_seals", ["at_ms"])
    op.create_table(
        "audit_removals",
        sa.Column("last_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("last_seq"),
    )
    seq, digest = 0, GENESIS
    for rows in _chained(connection):
        connection.execute(sa.insert(audit), rows)
        seq, digest = rows[-1]["seq"], rows[-1]["hash"]
    connection.execute(sa.insert(head), [{"id": 1, "seq": seq, "hash": digest}])
    op.drop_table("audit_before")
    op.create_index("audit_by_time", "audit", ["at_ms"])
    for column in ("actor", "action", "subject", "project"):
        op.create_index(f"audit_by_{column}", "audit", [column, "seq"])
    where = sa.text("outcome <> 'allowed'")
    op.create_index("audit_refused", "audit", ["seq"], sqlite_where=where, postgresql_where=where)
    for statement in _GUARDS[connection.dialect.name]:
        connection.execute(sa.text(statement))


def _chained(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    """The entries from before there was a chain, in slices, each bound to the one before it."""
    names = ("seq", "at_ms", "actor", "action", "subject", "project", "outcome", "detail")
    before = sa.table("audit_before", *(sa.column(name) for name in names))
    after, digest = -1, GENESIS
    while True:
        found = connection.execute(
            sa.select(before).where(before.c.seq > after).order_by(before.c.seq).limit(_SLICE)
        ).all()
        if not found:
            return
        rows = []
        for each in found:
            fields: Any = (*each, "", "", "", "")
            digest = chained(digest, *fields)
            row = {"source": "", "token_id": "", "user_agent": "", "request_id": ""}
            rows.append({**each._mapping, **row, "hash": digest})
        yield rows
        after = found[-1].seq


# Entries may be changed never, and deleted only after a signed removal covers them. Whoever owns
# the database can drop these; the seals find out then.
_REMOVED = "(SELECT COALESCE(MAX(last_seq), 0) FROM audit_removals)"
_GUARDS = {
    "sqlite": [
        *(
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{_FORBIDDEN}'); END"
            for table in ("audit", "audit_seals", "audit_removals")
        ),
        (
            "CREATE TRIGGER audit_undeleted BEFORE DELETE ON audit "
            f"WHEN OLD.seq > {_REMOVED} BEGIN SELECT RAISE(ABORT, '{_FORBIDDEN}'); END"
        ),
        (
            "CREATE TRIGGER audit_removals_undeleted BEFORE DELETE ON audit_removals "
            f"WHEN OLD.last_seq = {_REMOVED} BEGIN SELECT RAISE(ABORT, '{_FORBIDDEN}'); END"
        ),
    ],
    "postgresql": [
        (
            "CREATE FUNCTION audit_forbidden() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_FORBIDDEN}'; END $$"
        ),
        (
            f"CREATE FUNCTION audit_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF OLD.seq > {_REMOVED} THEN RAISE EXCEPTION '{_FORBIDDEN}'; END IF; "
            "RETURN OLD; END $$"
        ),
        (
            f"CREATE FUNCTION audit_removal_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF OLD.last_seq = {_REMOVED} THEN RAISE EXCEPTION '{_FORBIDDEN}'; END IF; "
            "RETURN OLD; END $$"
        ),
        *(
            f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_forbidden()"
            for table in ("audit", "audit_seals", "audit_removals")
        ),
        (
            "CREATE TRIGGER audit_undeleted BEFORE DELETE ON audit "
            "FOR EACH ROW EXECUTE FUNCTION audit_delete()"
        ),
        (
            "CREATE TRIGGER audit_removals_undeleted BEFORE DELETE ON audit_removals "
            "FOR EACH ROW EXECUTE FUNCTION audit_removal_delete()"
        ),
    ],
}
