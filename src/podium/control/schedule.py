"""The scheduling cycle: snapshot, decide, commit what still holds."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from operator import attrgetter

import structlog

from podium.control.leadership import Leadership
from podium.control.recorder import Noted, Recorder
from podium.control.told import News, Told
from podium.domain.reason import Refusal
from podium.scheduling.decide import decide
from podium.scheduling.plan import Placement, Plan, Preemption, Refused
from podium.scheduling.replay.trail import Step
from podium.scheduling.snapshot import Snapshot
from podium.store.database import Database, Transaction
from podium.store.hints import Hints
from podium.store.ids import IdSource
from podium.store.learning import Learnt
from podium.store.picture import Picture
from podium.store.plans import Committed, commit_plan
from podium.store.queue_plan import queue_plan_replace

LEASE = "schedule"
SEED = 0
_WORKLOADS_MAX = 1000  # in one transaction, so that others can write in between
_PREEMPTIONS_MAX = 250
_REFUSALS_MAX = 2000
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Cycles:
    """Counted for metrics; `stale` are parts of plans that no longer held when they were to be
    written."""

    cycles: int = 0
    placements: int = 0
    preemptions: int = 0
    stale: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """What one cycle saw, and what it decided at `now_ms`."""

    snapshot: Snapshot
    plan: Plan
    now_ms: int
    learnt: Learnt | None


@dataclass(frozen=True, slots=True)
class _Decided:
    """A cycle before anything of it is written."""

    sight: Sight
    came: tuple[Snapshot, Step] | None
    begun: float
    read: float
    decided: float


class Scheduler:
    """`turn` is held while a cycle decides, and by whoever else works on the views of its
    snapshots: they are for one thread at a time. `recorder` is told of each cycle; `before` is done
    before each."""

    def __init__(
        self,
        database: Database,
        hints: Hints,
        leadership: Leadership,
        ids: IdSource,
        recorder: Recorder | None = None,
        before: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.counted = Cycles()
        self._recorder = recorder
        self._before = before
        self._database = database
        self._hints = hints
        self._leadership = leadership
        self._ids = ids
        # Refusals as last written, so that an unchanged queue costs no write.
        self._written: dict[str, Refusal] = {}
        self._picture = Picture()
        self._told = Told()
        self._sight: Sight | None = None
        self.turn = threading.Lock()
        self._next_wake_ms: int | None = None

    def due_seconds(self) -> float:
        """How soon a decision may change by the passing of time alone."""
        if self._next_wake_ms is None:
            return math.inf
        return (self._next_wake_ms - self._database.now_ms()) / 1000

    @property
    def seen(self) -> Snapshot | None:
        """What the last cycle decided on; None while others lead."""
        return None if self._sight is None else self._sight.snapshot

    @property
    def sight(self) -> Sight | None:
        """The same, with what was decided."""
        return self._sight

    async def step(self) -> bool:
        """One cycle. True when part of the plan was stale and must be decided again."""
        self._next_wake_ms = None
        if not self._leadership.leads(LEASE):
            self._written.clear()
            self._picture.forget()
            self._told.forget()
            self._sight = None
            return False
        if self._before is not None:
            await self._before()
        decided = await self._database.read(self._decide)
        plan, before = decided.sight.plan, replace(self.counted)
        self.counted.cycles += 1
        self._next_wake_ms = plan.next_wake_ms
        refusals = {key: each.refusal for each in plan.refusals for key in each.workload_ids}
        # Being placed wipes what was written about a workload, also of an array's other tasks.
        placed = {each.workload_id for each in plan.placements}
        changed = tuple(
            Refused(ids, each.refusal)
            for each in plan.refusals
            if (
                ids := tuple(
                    key
                    for key in each.workload_ids
                    if key in placed or self._written.get(key) != each.refusal
                )
            )
        )
        news = self._told.news(plan, self._database.now_ms())
        pieces = list(_pieces(plan.placements, plan.preemptions, changed))
        if news is not None and not pieces:
            pieces.append(Plan())
        stale = False
        for number, piece in enumerate(pieces, start=1):
            stale |= await self._write(piece, news if number == len(pieces) else None)
        self._written = refusals
        self._told.written(news)
        if self._recorder is not None:
            told = sum(len(each.workload_ids) for each in changed)
            self._recorder.note(self._noted(decided, before, told=told, news=news is not None))
        return stale

    def _noted(self, decided: _Decided, before: Cycles, *, told: int, news: bool) -> Noted:
        sight, counted = decided.sight, self.counted
        return Noted(
            at_ms=sight.now_ms,
            seed=SEED,
            snapshot=sight.snapshot,
            came=decided.came,
            plan=sight.plan,
            placed=counted.placements - before.placements,
            preempted=counted.preemptions - before.preemptions,
            stale=counted.stale - before.stale,
            told=told,
            news=news,
            took_us=_us(time.monotonic() - decided.begun),
            read_us=_us(decided.read - decided.begun),
            decide_us=_us(decided.decided - decided.read),
        )

    async def _write(self, piece: Plan, news: News | None) -> bool:
        """Commit it. True when part of it was stale."""
        committed = await self._leadership.fenced(LEASE, lambda tx: self._commit(tx, piece, news))
        self.counted.placements += committed.placed
        self.counted.stale += len(committed.rejected)
        if committed.placed:
            self._hints.wake("launch", "events")
        self.counted.preemptions += committed.preempted
        if committed.preempted:
            self._hints.wake("stop", "events")
        for workload_id, reason in committed.rejected:
            _log.info("plan_stale", workload=workload_id, reason=reason)
        return bool(committed.rejected)

    def _decide(self, tx: Transaction) -> _Decided:
        with self.turn:
            begun, now_ms = time.monotonic(), self._database.now_ms()
            seen = self._picture.look(tx, now_ms)
            came, self._picture.came = self._picture.came, None
            read = time.monotonic()
            plan = decide(seen, now_ms, SEED)
            self._sight = sight = Sight(seen, plan, now_ms, self._picture.learnt)
        return _Decided(sight, came, begun, read, time.monotonic())

    def _commit(self, tx: Transaction, plan: Plan, news: News | None) -> Committed:
        now_ms = self._database.now_ms()
        if news is not None:
            queue_plan_replace(tx, now_ms, turns=news.turns, reservations=news.reservations)
        return commit_plan(tx, plan, now_ms, new_id=lambda: self._ids.new("a"))


def _us(seconds: float) -> int:
    return round(seconds * 1e6)


def _pieces(
    placements: Sequence[Placement],
    preemptions: Sequence[Preemption],
    refusals: tuple[Refused, ...],
) -> Iterator[Plan]:
    """The plan in transactions of a bounded size; a workload is never divided, nor are those that
    give way to one. Refusals come last, because being placed wipes what was written about the rest
    of an array."""
    by_workload: dict[str, list[Placement]] = {}
    for placement in placements:
        by_workload.setdefault(placement.workload_id, []).append(placement)
    groups = list(by_workload.values())
    for start in range(0, len(groups), _WORKLOADS_MAX):
        yield Plan(placements=tuple(chain(*groups[start : start + _WORKLOADS_MAX])))
    piece: list[Preemption] = []
    for _, giving_way in groupby(preemptions, key=attrgetter("in_favour_of")):
        piece += giving_way
        if len(piece) >= _PREEMPTIONS_MAX:
            yield Plan(preemptions=tuple(piece))
            piece = []
    if piece:
        yield Plan(preemptions=tuple(piece))
    told: list[Refused] = []
    count = 0
    for each in refusals:
        for start in range(0, len(each.workload_ids), _REFUSALS_MAX):
            ids = each.workload_ids[start : start + _REFUSALS_MAX]
            told.append(Refused(ids, each.refusal))
            count += len(ids)
            if count >= _REFUSALS_MAX:
                yield Plan(refusals=tuple(told))
                told, count = [], 0
    if told:
        yield Plan(refusals=tuple(told))
