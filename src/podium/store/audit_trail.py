"""Reads the audit trail: in the order of the chain, for the notary, exports and whoever passes it
on, or newest first through filters, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.audit import Link, Place
from podium.domain.tenancy import WHOLE, Scope
from podium.store import tables
from podium.store.audit_seals import removal_last, seal_before, seal_list
from podium.store.database import Transaction

SCAN_MAX = 200_000
"""So many entries one page looks through for words."""

_LINK = tuple(
    tables.audit.c[name]
    for name in (
        "seq", "at_ms", "actor", "action", "subject", "project", "outcome", "detail", "source",
        "token_id", "user_agent", "request_id", "hash",
    )
)  # fmt: skip
_NEWEST = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What people look for. `action` ending in `:` is all of a resource; `text` is found anywhere
    in an entry, in any case; `since_ms` belongs to the span and `until_ms` does not."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    project: str | None = None
    outcome: str | None = None
    source: str | None = None
    request_id: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Newest first. `next_before` continues the list, which may be shorter than asked for where
    words were looked for; None at its end."""

    links: list[Link]
    next_before: int | None


def head(tx: Transaction) -> Place:
    """The end of the chain."""
    table = tables.audit_head
    row = tx.execute(sa.select(table.c.seq, table.c.hash)).one()
    return Place(seq=row.seq, hash=bytes(row.hash))


def start(tx: Transaction) -> Place:
    """Where the chain begins by now: after what was removed."""
    removed = removal_last(tx)
    return Place() if removed is None else removed.place


def entries_after(
    tx: Transaction, seq: int, limit: int, *, through_seq: int = _NEWEST, scope: Scope = WHOLE
) -> list[Link]:
    """Up to `limit` entries after one, oldest first; never what a removal covers.

    Entries become visible in the order of their seq, so whoever goes on from the last one that they
    got misses nothing.
    """
    table = tables.audit
    first = max(seq, start(tx).seq)
    statement = (
        sa.select(*_LINK)
        .where(table.c.seq > first, table.c.seq <= through_seq, *_within(scope))
        .order_by(table.c.seq)
        .limit(limit)
    )
    return [_link(row) for row in tx.execute(statement)]


def entry_list(
    tx: Transaction, scope: Scope, wanted: AuditFilter, *, limit: int, before_seq: int = _NEWEST
) -> Found:
    """Up to `limit` entries before one, newest first."""
    table = tables.audit
    conditions = [*_within(scope), *_matching(wanted), table.c.seq < before_seq]
    first = start(tx).seq
    end = min(before_seq, head(tx).seq + 1)
    lowest = first if wanted.text is None else max(first, end - 1 - SCAN_MAX)
    conditions.append(table.c.seq > lowest)
    statement = sa.select(*_LINK).where(*conditions).order_by(table.c.seq.desc()).limit(limit + 1)
    links = [_link(row) for row in tx.execute(statement)]
    if len(links) > limit:
        return Found(links[:limit], links[limit - 1][0])
    return Found(links, lowest + 1 if lowest > first else None)


def entries_matching(
    tx: Transaction, scope: Scope, wanted: AuditFilter, *, limit: int, after_seq: int, end_seq: int
) -> tuple[list[Link], int]:
    """Up to `limit` entries after one and through `end_seq`, oldest first, and the entry after
    which to go on; that is `end_seq` when all was looked through."""
    table = tables.audit
    first = max(after_seq, start(tx).seq)
    last = end_seq if wanted.text is None else min(end_seq, first + SCAN_MAX)
    conditions = [*_within(scope), *_matching(wanted), table.c.seq > first, table.c.seq <= last]
    statement = sa.select(*_LINK).where(*conditions).order_by(table.c.seq).limit(limit)
    links = [_link(row) for row in tx.execute(statement)]
    return links, links[-1][0] if len(links) == limit else last


def entry_fetch(tx: Transaction, seq: int, scope: Scope = WHOLE) -> Link | None:
    table = tables.audit
    row = tx.execute(sa.select(*_LINK).where(table.c.seq == seq, *_within(scope))).first()
    return None if row is None else _link(row)


def actions_known(tx: Transaction, scope: Scope) -> list[str]:
    """The actions that occur, to choose from."""
    table = tables.audit
    found: list[str] = []
    # A handful among millions: each is the next one in the index.
    while True:
        statement = sa.select(sa.func.min(table.c.action)).where(*_within(scope))
        if found:
            statement = statement.where(table.c.action > found[-1])
        action = tx.scalar(statement)
        if action is None:
            return found
        found.append(action)


def _within(scope: Scope) -> Sequence[sa.ColumnElement[bool]]:
    """Who sees some projects sees their entries alone, none of the whole organisation."""
    if scope.projects is None:
        return ()
    return (tables.audit.c.project.in_(sorted(scope.projects)),)


def _matching(wanted: AuditFilter) -> list[sa.ColumnElement[bool]]:
    table = tables.audit
    conditions: list[sa.ColumnElement[bool]] = []
    for name in ("actor", "subject", "project", "outcome", "source", "request_id"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(table.c[name] == value)
    if wanted.action is not None and wanted.action.endswith(":"):
        conditions.append(table.c.action >= wanted.action)
        conditions.append(table.c.action < wanted.action[:-1] + ";")
    elif wanted.action is not None:
        conditions.append(table.c.action == wanted.action)
    if wanted.since_ms is not None:
        conditions.append(table.c.at_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(table.c.at_ms < wanted.until_ms)
    if wanted.text is not None:
        words = f"%{_escaped(wanted.text)}%"
        anywhere = ("actor", "action", "subject", "project", "detail", "source", "user_agent",
                    "request_id")  # fmt: skip
        conditions.append(sa.or_(*(table.c[name].ilike(words, escape="\\") for name in anywhere)))
    return conditions


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _link(row: sa.Row[tuple[object, ...]]) -> Link:
    return tuple(row)  # type: ignore[return-value]


def span(tx: Transaction, since_ms: int | None, until_ms: int | None) -> tuple[Place, Place]:
    """Where an export of a time begins (after that place) and ends: at seals around it, or at the
    ends of the trail."""
    table = tables.audit
    begin, end = start(tx), head(tx)
    if since_ms is not None:
        seal = seal_before(tx, since_ms)
        begin = begin if seal is None else seal.place
    if until_ms is not None:
        last = tx.scalar(sa.select(sa.func.max(table.c.seq)).where(table.c.at_ms < until_ms)) or 0
        later = seal_list(tx, after_seq=last - 1)
        end = later[0].place if later else end
    return begin, max(end, begin, key=lambda place: place.seq)
