"""Who was refused what, for the audit trail. Merged, so that a loop of refused requests does not
fill the disk. The API notes them (`api/refused`); the server writes what is left now and then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from podium.domain.audit import REFUSED, Origin
from podium.store import audit
from podium.store.audit import ORIGIN, AuditEntry
from podium.store.database import Database

MERGED_MS = 60_000
KINDS_MAX = 30  # of one actor, or of one address where nobody is signed in
REFUSALS_MAX = 300
MANY = "(many)"
_TEXT_MAX = 200

_Key = tuple[str, str, str, str | None, str, str]


@dataclass(slots=True)
class _Merged:
    entry: AuditEntry
    origin: Origin
    since_ms: int
    times: int = 0  # beyond the first, which is written at once


class Refusals:
    """The first of its kind is written at once; those of the same kind in the minute after it
    become one entry with their number. Kinds are bounded too: who is refused very different things
    is told of as `(many)`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._merged: dict[_Key, _Merged] = {}
        self._kinds: dict[str, int] = {}

    async def note(self, entry: AuditEntry) -> None:
        """Raises TemporaryError when it cannot be written now."""
        now_ms = self._database.now_ms()
        await self.flush()
        origin = ORIGIN.get() or Origin()
        entry = replace(
            entry, actor=_plain(entry.actor), subject=_plain(entry.subject), outcome=REFUSED
        )
        who = entry.actor or origin.source
        key = _key(entry, origin)
        if key not in self._merged and self._kinds.get(who, 0) >= KINDS_MAX:
            entry = replace(entry, action=MANY, subject=MANY, project=None)
            key = _key(entry, origin)
        if key not in self._merged and len(self._merged) >= REFUSALS_MAX:
            entry = replace(entry, actor=MANY, action=MANY, subject=MANY, project=None)
            origin = Origin(source=MANY)
            key = _key(entry, origin)
        merged = self._merged.get(key)
        if merged is not None:
            merged.times += 1
            merged.origin = origin
            return
        self._merged[key] = _Merged(entry, origin, now_ms)
        self._kinds[who] = self._kinds.get(who, 0) + 1
        await self._write(entry, origin, now_ms)

    async def flush(self, *, everything: bool = False) -> None:
        """Write those whose minute is over."""
        now_ms = self._database.now_ms()
        due = [
            (key, each)
            for key, each in self._merged.items()
            if everything or now_ms - each.since_ms >= MERGED_MS
        ]
        for key, _ in due:
            del self._merged[key]
        if not self._merged:
            self._kinds.clear()
        for _, each in due:
            if each.times:
                detail = {**each.entry.detail, "times": each.times, "since_ms": each.since_ms}
                await self._write(replace(each.entry, detail=detail), each.origin, now_ms)

    async def _write(self, entry: AuditEntry, origin: Origin, now_ms: int) -> None:
        with _as_from(origin):
            await self._database.write(lambda tx: audit.audit_append(tx, [entry], now_ms))


@contextlib.contextmanager
def _as_from(origin: Origin) -> Iterator[None]:
    token = ORIGIN.set(origin)
    try:
        yield
    finally:
        ORIGIN.reset(token)


def _key(entry: AuditEntry, origin: Origin) -> _Key:
    method = str(entry.detail.get("method", "")) if entry.action != MANY else ""
    return entry.actor, str(entry.action), entry.subject, entry.project, origin.source, method


def _plain(text: str) -> str:
    """What a stranger sent, so that every database can keep it."""
    return text[:_TEXT_MAX].replace("\0", "�").encode("utf-8", "replace").decode()
