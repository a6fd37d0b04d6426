"""Makes work of what people hand to an engine without Podium, such as pods of kubectl: stored like
any submission, told why it waits, cancelled when they take it back, and removed when it is over
before it began. `control/launch` starts it once it is placed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from podium.control.guest_work import Wanted, gathered
from podium.control.machine import Machine
from podium.domain.cluster import cluster_of, kubectl_owner
from podium.domain.errors import PodiumError, TemporaryError
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadEvent, WorkloadState
from podium.domain.policies import Policies
from podium.domain.reason import Cause
from podium.domain.rights import Action
from podium.domain.tenancy import WHOLE
from podium.engines.guests import Guest
from podium.spec.workload import check, resolved
from podium.store import audit, guests, lifecycle, policies, projects, workloads
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.guests import KnownGuest
from podium.store.ids import IdSource
from podium.store.queue import refusal_update
from podium.store.quota_check import hopeless
from podium.store.workloads import NewWorkload

_BATCH = 100
_WORDS_MAX = 1000
_TELLS_MAX = 64  # in one step
_TOLD_EVERY_MS = 60_000  # at most, to each
_AGAIN_MS = 15_000  # after which what was refused is tried again: a project may be there by then
_GONE = "Its pod was deleted in the cluster before it began."
_SPENT = "Its pod is used up, and only who made it can make another."
_log = structlog.get_logger(__name__)


class Guests:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._owner = kubectl_owner(cluster_of(machine.engine.name))
        self._ids = IdSource(machine.database.clock)
        self._any = True  # the store may know some that are gone since
        self._refused: dict[str, tuple[int, str]] = {}
        self._told_ms: dict[str, int] = {}

    async def step(self) -> bool:
        """True when there may be more to store."""
        machine = self._machine
        if not machine.leads:
            return False
        # The engine first: what it does not have any more was gone before the store is read.
        seen = {each.uid: each for each in await machine.engine.guests()}
        if not seen and not self._any:
            return False
        name = machine.engine.name
        unclaimed = {each.project for each in seen.values() if each.unclaimed}
        known, ours = await machine.database.read(
            lambda tx: (
                guests.guests_known(tx, name, seen),
                projects.projects_there(tx, WHOLE, unclaimed),
            )
        )
        self._any = bool(seen or known)
        self._forget(seen)
        waiting = {key: each for key, each in seen.items() if not each.allocation_id}
        if await self._cancel(seen, waiting, known):
            return True
        now_ms = machine.database.now_ms()
        resting = {key for key, (until_ms, _) in self._refused.items() if now_ms < until_ms}
        fresh = [each for key, each in waiting.items() if key not in known and key not in resting]
        new = [each for each in fresh if not each.unclaimed]
        found = gathered(new, cluster_of(name))
        held = found.held | {key: self._refused[key][1] for key in resting}
        held |= {
            each.uid: each.unclaimed for each in fresh if each.unclaimed and each.project in ours
        }
        held |= await self._store(found.wanted[:_BATCH])
        await self._discard(seen, known)
        await self._tell(waiting, known, held)
        return len(found.wanted) > _BATCH

    def _forget(self, seen: Mapping[str, Guest]) -> None:
        """What was noted of those that are gone."""
        self._refused = {key: each for key, each in self._refused.items() if key in seen}
        self._told_ms = {key: each for key, each in self._told_ms.items() if key in seen}

    async def _store(self, wanted: Sequence[Wanted]) -> dict[str, str]:
        """Returns why some could not be, by uid."""
        if not wanted:
            return {}
        machine = self._machine
        refused = await machine.leadership.fenced(machine.lease, partial(self._insert, wanted))
        until_ms = machine.database.now_ms() + _AGAIN_MS
        self._refused |= {key: (until_ms, words) for key, words in refused.items()}
        machine.hints.wake("schedule", "events")
        return refused

    def _insert(self, wanted: Sequence[Wanted], tx: Transaction) -> dict[str, str]:
        now_ms = self._machine.database.now_ms()
        name = self._machine.engine.name
        holds = policies.policies_fetch(tx)
        there = guests.guests_known(tx, name, [each.uid for one in wanted for each in one.guests])
        refused: dict[str, str] = {}
        new: list[tuple[NewWorkload, Wanted]] = []
        for each in wanted:
            uids = [guest.uid for guest in each.guests]
            if there.keys() & set(uids):
                continue
            try:
                new.append((self._checked(tx, each, holds, now_ms), each))
            except PodiumError as error:
                refused |= dict.fromkeys(uids, f"Podium cannot take it. {error.message}")
        if new:
            made = [each for each, _ in new]
            workloads.workload_insert(tx, made, now_ms)
            for workload, each in new:
                uids = [guest.uid for guest in each.guests]
                guests.guests_insert(tx, name, workload.id, uids)
            refusal_update(tx, hopeless(tx, made), now_ms)
            audit.audit_append(tx, [self._submitted(*each) for each in new], now_ms)
        return refused

    def _checked(
        self, tx: Transaction, wanted: Wanted, holds: Policies, now_ms: int
    ) -> NewWorkload:
        """Raises UserError for what no workload can be, NotFoundError, and ConflictError for a
        project that is archived."""
        project = projects.project_held(tx, WHOLE, wanted.project)
        wish = check(wanted.document, now_ms=now_ms, policies=holds)
        return NewWorkload(
            id=self._ids.new("w"),
            wish=wish,
            team=project.team,
            owner=self._owner,
            needs=(),
            needs_open=0,
            submitted=wanted.document,
            resolved=resolved(wish),
        )

    def _submitted(self, workload: NewWorkload, wanted: Wanted) -> AuditEntry:
        pods = {each.name: each.uid for each in wanted.guests[:20]}
        return AuditEntry(
            actor=self._owner,
            action=Action.WORKLOAD_SUBMIT,
            subject=workload.id,
            project=workload.wish.project,
            detail={"name": workload.wish.name, "pods": pods},
        )

    async def _cancel(
        self,
        seen: Mapping[str, Guest],
        waiting: Mapping[str, Guest],
        known: Mapping[str, KnownGuest],
    ) -> bool:
        """End work that is queued and whose pods were taken back, or were used by an attempt
        before. What is left of a gang may become another one."""
        of_work: defaultdict[str, list[str]] = defaultdict(list)
        for key, each in known.items():
            if each.state is WorkloadState.QUEUED:
                of_work[each.workload_id].append(key)
        gone = {
            workload_id: _SPENT if any(key in seen for key in lost) else _GONE
            for workload_id, keys in of_work.items()
            if (lost := [key for key in keys if key not in waiting])
        }
        if not gone:
            return False

        def write(tx: Transaction) -> None:
            now_ms = self._machine.database.now_ms()
            rows = lifecycle.workload_rows(tx, gone)
            entries = []
            for workload_id, words in gone.items():
                row = rows.get(workload_id)
                if row is None or row["state"] != WorkloadState.QUEUED:
                    continue
                lifecycle.workload_withdraw(
                    tx,
                    row,
                    WorkloadEvent.CANCELLED,
                    Cause.CANCELLED,
                    now_ms,
                    message=words,
                    actor=self._owner,
                )
                left = [key for key in of_work[workload_id] if key in waiting]
                guests.guests_forget(tx, left)
                entries.append(
                    AuditEntry(
                        actor=self._owner,
                        action=Action.WORKLOAD_CONTROL,
                        subject=workload_id,
                        project=row["project"],
                        detail={
                            "before": {"state": row["state"]},
                            "after": {"cancelled": True},
                            "reason": words,
                        },
                    )
                )
            audit.audit_append(tx, entries, now_ms)

        machine = self._machine
        await machine.leadership.fenced(machine.lease, write)
        machine.hints.wake("schedule", "events")
        return True

    async def _discard(self, seen: Mapping[str, Guest], known: Mapping[str, KnownGuest]) -> None:
        """Those whose work is over must not begin."""
        over = [each for key, each in known.items() if key in seen and each.state in WORKLOAD_ENDS]
        for each in over:
            words = each.message or f"Its work {each.workload_id} is over."
            await self._machine.engine.guest_discard(each.uid, words)

    async def _tell(
        self,
        waiting: Mapping[str, Guest],
        known: Mapping[str, KnownGuest],
        held: Mapping[str, str],
    ) -> None:
        now_ms = self._machine.database.now_ms()
        news: list[tuple[str, str, str]] = []
        for key, guest in waiting.items():
            work = known.get(key)
            words, workload_id = held.get(key, ""), ""
            if work is not None and work.state is WorkloadState.QUEUED:
                words, workload_id = work.waits_for, work.workload_id
            due_ms = self._told_ms.get(key, now_ms - _TOLD_EVERY_MS) + _TOLD_EVERY_MS
            words = words[:_WORDS_MAX]
            if words and words != guest.told and now_ms >= due_ms:
                news.append((key, workload_id, words))
        engine = self._machine.engine
        for uid, _, _ in news[:_TELLS_MAX]:
            self._told_ms[uid] = now_ms
        answers = await asyncio.gather(
            *(engine.guest_tell(*each) for each in news[:_TELLS_MAX]), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, TemporaryError):
                raise answer
            if isinstance(answer, BaseException):
                _log.warning("guest_not_told", reason=str(answer))
