"""Seals the audit trail: verifies what is new, signs how far the chain has got, and keeps the
signature in the database and in a file outside it. Retention takes entries away through it.

It remembers the last seal, so whoever changes entries before the next one is noticed. It does not
sign for them: it raises the alarm, and signs again once the trail is as it was, or an administrator
has declared a break.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal

import structlog

from podium.control.audit_check import check_all, check_since
from podium.control.leadership import Leadership
from podium.domain.audit import Break, Place, Removal, Seal
from podium.domain.audit_verify import Verdict, is_signed_by
from podium.domain.errors import ConflictError
from podium.domain.event import SYSTEM_ACTOR
from podium.store import audit_seals, audit_trail
from podium.store.audit import AuditEntry, audit_append
from podium.store.audit_seals import thinned
from podium.store.database import Database, Transaction
from podium.store.retention import Retention
from podium.store.seal_file import SealFile
from podium.store.signing import SigningKey

LEASE = "notary"
PERIOD_SECONDS = 10.0
ALARM_ACTION = "audit:alarm"
REMOVE_ACTION = "audit:remove"
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_log = structlog.get_logger(__name__)


class Notary:
    """One for each server; only the one that holds the lease signs."""

    def __init__(
        self,
        database: Database,
        leadership: Leadership,
        key: SigningKey,
        file: SealFile,
        keep: Retention,
    ) -> None:
        self.key = key
        self._database = database
        self._leadership = leadership
        self._file = file
        self._keep = keep
        self._turn = asyncio.Lock()
        self._last: Seal | None = None
        self._recalled = False
        self._fault = ""  # since the last seal
        self._old_fault = ""  # before it, found when something was to be removed
        self._tidied_ms = 0

    @property
    def alarm(self) -> str:
        """What is wrong with the trail, in words; empty while nothing is."""
        return self._fault or self._old_fault

    @property
    def keys(self) -> Mapping[str, bytes]:
        """The public keys whose seals count, by id."""
        return {self.key.id: self.key.public_key}

    @property
    def audit_days(self) -> int:
        return self._keep.audit_days

    async def step(self) -> bool:
        """Seal what is new; once an hour, take away what is old."""
        async with self._turn:
            if not self._leadership.leads(LEASE):
                self._recalled = False  # somebody else may go on meanwhile
                return False
            await self._seal()
            now_ms = self._database.now_ms()
            if not self._fault and now_ms - self._tidied_ms >= _HOUR_MS:
                await self._retire(now_ms)
                await self._thin(now_ms)
                self._tidied_ms = now_ms
        return False

    async def verify(self) -> Verdict:
        """All of the trail, against the seals in the database and in the file."""
        return await check_all(self._database, self.keys, self._file.read)

    async def declare_break(self, by: str, reason: str) -> Seal:
        """Let the chain go on from where it ends now, in spite of what is found in it now. Raises
        ConflictError while nothing is wrong, and LeaseLostError where another server signs."""
        async with self._turn:
            verdict = await self.verify()
            if verdict.ok and not self.alarm:
                raise ConflictError("Nothing is wrong with the audit trail: it needs no break.")
            head = await self._database.read(audit_trail.head)
            wrong = [each for each in verdict.faults if each.first_seq <= head.seq]
            note = Break(
                by=by,
                reason=reason,
                first_seq=min((each.first_seq for each in wrong), default=0),
                last_seq=max((min(each.last_seq, head.seq) for each in wrong), default=0),
            ).note
            made = await self._sign(head, kind="break", note=note)
            self._recalled = True
            await self._tell("")
            self._old_fault = ""
            return made

    async def _seal(self) -> None:
        if not self._recalled:
            await self._recall()
            self._recalled = True
        start = Place() if self._last is None else self._last.place
        fault, trusted = await self._database.read(lambda tx: _standing(tx, start))
        head = start
        if not fault:
            verdict, head = await check_since(self._database, trusted)
            fault = verdict.faults[0].sentence if verdict.faults else ""
        await self._tell(fault)
        if not fault and head != start:
            await self._sign(head)

    async def _recall(self) -> None:
        """The last seal that this key made, wherever it is still known."""
        stored = await self._database.read(audit_seals.seal_list)
        kept = await asyncio.to_thread(self._file.read)
        stored = [each for each in stored if is_signed_by(self.keys, each)]
        kept = [each for each in kept if is_signed_by(self.keys, each)]
        newest_ms = max((each.at_ms for each in kept), default=-1)
        # A crash between the database and the file.
        behind = [each for each in stored if each.at_ms > newest_ms]
        if behind:
            await asyncio.to_thread(self._file.append, behind)
        self._last = max((*kept, *behind), key=lambda each: (each.at_ms, each.seq), default=None)

    async def _sign(
        self, place: Place, *, kind: Literal["seal", "break"] = "seal", note: str = ""
    ) -> Seal:
        seal = self.key.seal(
            Seal(
                seq=place.seq,
                hash=place.hash,
                at_ms=self._database.now_ms(),
                kind=kind,
                note=note,
            )
        )
        await self._leadership.fenced(LEASE, lambda tx: audit_seals.seal_insert(tx, seal))
        await asyncio.to_thread(self._file.append, [seal])
        self._last = seal
        return seal

    async def _tell(self, fault: str) -> None:
        before, self._fault = self._fault, fault
        if fault and not before:
            await self._alarm(fault)
        elif before and not fault:
            _log.info("audit_trail_whole_again")

    async def _alarm(self, fault: str) -> None:
        _log.error("audit_trail_changed", fault=fault)
        entry = AuditEntry(
            actor=SYSTEM_ACTOR, action=ALARM_ACTION, subject="audit", detail={"fault": fault}
        )
        await self._append(entry)

    async def _append(self, entry: AuditEntry) -> None:
        now_ms = self._database.now_ms()
        await self._database.write(lambda tx: audit_append(tx, [entry], now_ms))

    async def _retire(self, now_ms: int) -> None:
        """Once a day, replace the entries that are too old by one signed record of them."""
        before_ms = now_ms - self._keep.audit_days * _DAY_MS
        seal = await self._database.read(lambda tx: _removable(tx, before_ms))
        if seal is None:
            return
        verdict = await self.verify()
        if not verdict.ok:
            self._old_fault = verdict.faults[0].sentence
            await self._alarm(self._old_fault)
            return
        self._old_fault = ""

        def remove(tx: Transaction) -> None:
            earlier = audit_seals.removal_last(tx)
            count, first_seq = audit_seals.removable(tx, seal.place)
            removal = self.key.removal(
                Removal(
                    first_seq=first_seq if earlier is None else earlier.first_seq,
                    last_seq=seal.seq,
                    entries=count + (0 if earlier is None else earlier.entries),
                    hash=seal.hash,
                    at_ms=now_ms,
                )
            )
            audit_seals.removal_set(tx, removal)
            entry = AuditEntry(
                actor=SYSTEM_ACTOR,
                action=REMOVE_ACTION,
                subject="audit",
                detail={"first": first_seq, "last": seal.seq, "entries": count,
                        "days": self._keep.audit_days},
            )  # fmt: skip
            audit_append(tx, [entry], now_ms)

        await self._leadership.fenced(LEASE, remove)

    async def _thin(self, now_ms: int) -> None:
        """Of a day ago, one seal an hour is enough. First in the file, which must never have what
        the database lacks."""
        seals = await asyncio.to_thread(self._file.read)
        removal = await self._database.read(audit_seals.removal_last)
        first_seq = 0 if removal is None else removal.last_seq
        old = [each for each in seals if each.seq < first_seq]
        young = [each for each in seals if each.seq >= first_seq]
        gone = [*old, *thinned(young, now_ms)]
        if not gone:
            return
        left = [each for each in young if each not in gone]
        await asyncio.to_thread(self._file.replace, left)
        await self._leadership.fenced(LEASE, lambda tx: audit_seals.seal_thin(tx, gone))


def _standing(tx: Transaction, sealed: Place) -> tuple[str, Place]:
    """What is wrong at the last seal, and from where on the chain is to be looked at."""
    removal = audit_seals.removal_last(tx)
    if removal is not None and removal.last_seq >= sealed.seq:
        return "", removal.place
    if not sealed.seq:
        return "", sealed
    link = audit_trail.entry_fetch(tx, sealed.seq)
    if link is None:
        return (
            f"The trail was sealed through entry {sealed.seq}, which is not there any more: "
            "entries were removed."
        ), sealed
    if link[12] != sealed.hash:
        return f"Entry {sealed.seq}, or one before it, is not the one that was sealed.", sealed
    return "", sealed


def _removable(tx: Transaction, before_ms: int) -> Seal | None:
    """The seal up to which entries are older than `before_ms`, when they are worth a record."""
    seal = audit_seals.seal_before(tx, before_ms)
    if seal is None:
        return None
    first = audit_trail.entries_after(tx, 0, 1)
    return seal if first and first[0][1] < before_ms - _DAY_MS else None
