"""A trail of its own with a notary, and somebody who owns the database and changes it behind
Podium's back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from podium.control.leadership import Leadership
from podium.control.notary import LEASE, Notary
from podium.domain.audit import GENESIS, Link, chained
from podium.domain.audit_verify import Verdict
from podium.store import audit_trail, tables
from podium.store.audit import AuditEntry, audit_append
from podium.store.database import Database, Transaction
from podium.store.retention import Retention
from podium.store.seal_file import SealFile
from podium.store.signing import SigningKey

TRIGGERS = {
    "audit_unchanged": "audit",
    "audit_undeleted": "audit",
    "audit_seals_unchanged": "audit_seals",
    "audit_removals_unchanged": "audit_removals",
    "audit_removals_undeleted": "audit_removals",
}


class Desk:
    def __init__(self, database: Database, home: Path, keep: Retention | None = None) -> None:
        self.database = database
        self.home = home
        self.keep = keep or Retention()
        self.leadership = Leadership(database, "desk", [LEASE])
        self.notary = self.restarted()

    def restarted(self) -> Notary:
        self.notary = Notary(
            self.database,
            self.leadership,
            SigningKey(self.home / "audit.key"),
            SealFile(self.home / "audit-seals.jsonl"),
            self.keep,
        )
        return self.notary

    async def append(self, count: int, **fields: Any) -> None:
        now_ms = self.database.now_ms()
        some = {"actor": "ada", "action": "quota:set", "subject": "vision", **fields}
        entries = [AuditEntry(**some, detail={"n": each}) for each in range(count)]
        await self.database.write(lambda tx: audit_append(tx, entries, now_ms))

    async def seal(self) -> None:
        await self.leadership.renew()
        await self.notary.step()

    async def sealed(self, count: int, **fields: Any) -> None:
        await self.append(count, **fields)
        await self.seal()

    async def verify(self) -> Verdict:
        return await self.notary.verify()

    async def links(self) -> Sequence[Link]:
        return await self.database.read(lambda tx: audit_trail.entries_after(tx, 0, 10_000))


def disarm(tx: Transaction) -> None:
    """Drop the triggers, as the owner of a database may."""
    for trigger, table in TRIGGERS.items():
        where = f" ON {table}" if tx.dialect.name == "postgresql" else ""
        tx.execute(sa.text(f"DROP TRIGGER {trigger}{where}"))


def rehash(tx: Transaction, *, head: bool = True) -> None:
    """Make all hashes anew, as somebody does who knows how."""
    table = tables.audit
    columns = [column for column in table.c if column.name != "hash"]
    seq, digest = 0, GENESIS
    for row in tx.execute(sa.select(*columns).order_by(table.c.seq)).all():
        seq, digest = row.seq, chained(digest, *row)
        tx.execute(sa.update(table).where(table.c.seq == seq).values(hash=digest))
    if head:
        tx.execute(sa.update(tables.audit_head).values(seq=seq, hash=digest))
