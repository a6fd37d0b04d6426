"""Keeps each cycle that changed something, so that it can be decided again, and figures of all of
them. `control/schedule` tells of a cycle when it is over, at hardly any cost; the recorder's own
loop packs and writes later, with pauses, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import structlog

from podium.control.demand import DemandWatch
from podium.control.leadership import Leadership
from podium.control.minute import Minute
from podium.domain.errors import LeaseLostError
from podium.scheduling.plan import Plan
from podium.scheduling.replay.record import Record, packed_in_pieces, packed_value, slim
from podium.scheduling.replay.trail import NOWHERE, Step, between, rest_of, then, with_rest
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.view import view_of
from podium.store import cycles
from podium.store.cycles import CycleRow
from podium.store.database import Database, Transaction
from podium.store.demand_hours import demand_add
from podium.store.retention import Retention
from podium.store.scheduler_minutes import minute_write

PERIOD_SECONDS = 2
KEYFRAME_MS = 600_000
KEYFRAME_MS_MAX = 7_200_000
OBJECTS_MAX = 400_000
"""Holds and demands; what is larger is not recorded."""

_WAITING_MAX = 64  # plans that wait to be written
_STEPS_MAX = 2000
_STEPS_BYTES_MAX = 16 * 2**20
_HOUR_MS = 3_600_000
_PAUSE_SECONDS = 0.002
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One cycle: what it saw and decided, what became of it, and how long that took. `came` is the
    snapshot before and the way from there, if it was carried on. `told` workloads heard something
    new about why they wait; `news`: so did the plan's readers."""

    at_ms: int
    seed: int
    snapshot: Snapshot
    came: tuple[Snapshot, Step] | None
    plan: Plan
    placed: int
    preempted: int
    told: int
    stale: int
    news: bool
    took_us: int
    read_us: int
    decide_us: int

    @property
    def changed(self) -> bool:
        return bool(self.placed or self.preempted or self.told or self.stale or self.news)


@dataclass(slots=True)
class _Entry:
    """What waits to be written. `pair`: compare these two to get the step. `whole`: begin with it.
    Without a row nothing is recorded, and only the way goes on."""

    rest: Snapshot
    step: Step = NOWHERE
    pair: tuple[Snapshot, Snapshot] | None = None
    whole: Snapshot | None = None
    row: CycleRow | None = None
    plan: Plan | None = None


@dataclass(slots=True)
class _Chain:
    """A keyframe with the cycles since. `rest` is that of the last one written."""

    keyframe_id: int
    rest: Snapshot
    way: Step = NOWHERE
    steps: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Recording:
    """For people to look at: of this server's own scheduler. `too_large` is the number of holds
    and demands for which nothing is recorded now, `skipped` counts cycles that came too fast."""

    too_large: int = 0
    skipped: int = 0


class Recorder:
    """Of one server; writes only while it holds `lease`. Keyframes are at least `keyframe_ms`
    apart."""

    def __init__(
        self,
        database: Database,
        leadership: Leadership,
        lease: str,
        keep: Retention | None = None,
        *,
        version: str,
        keyframe_ms: int = KEYFRAME_MS,
    ) -> None:
        """`version` is that of the program which decides."""
        self.recording = Recording()
        self._database = database
        self._leadership = leadership
        self._lease = lease
        self._version = version
        self._keep = keep or Retention()
        self._keyframe_ms = keyframe_ms
        self._minute: Minute | None = None
        self._minutes: list[Minute] = []
        self._demand = DemandWatch()
        self._entries: list[_Entry] = []
        self._plans = 0
        self._at: Snapshot | None = None  # what was noted last; None: begin with a keyframe
        self._begun_ms = 0
        self._steps = 0
        self._keyframe_bytes = 0
        self._chain: _Chain | None = None

    def forget(self) -> None:
        """Begin anew with the next cycle: others lead, or a write failed."""
        self._entries.clear()
        self._plans = 0
        self._at = self._chain = None

    def note(self, cycle: Noted) -> None:
        """One cycle is over. Quick: what takes time is left to `step`."""
        reasons = Counter[str]()
        for each in cycle.plan.refusals:
            reasons[each.refusal.reason.value] += len(each.workload_ids)
        self._count(cycle, reasons)
        self._demand.note(cycle.at_ms, cycle.snapshot, cycle.plan)
        snapshot = cycle.snapshot
        size = len(snapshot.holds) + len(snapshot.demands)
        self.recording.too_large = size if size > OBJECTS_MAX else 0
        if self.recording.too_large:
            self.forget()
            return
        changed = cycle.changed
        if changed and self._plans >= _WAITING_MAX:
            self.recording.skipped += 1
            changed = False
        whole = self._at is None or (changed and self._due(cycle.at_ms))
        if whole and not changed:
            return
        entry = _Entry(rest_of(snapshot))
        if whole:
            entry.whole = snapshot
            self._begun_ms, self._steps = cycle.at_ms, 0
        elif cycle.came is not None and cycle.came[0] is self._at:
            entry.step = cycle.came[1]
        elif snapshot is not self._at:
            assert self._at is not None
            entry.pair = (self._at, snapshot)
        self._at = snapshot
        if changed:
            entry.plan = cycle.plan
            entry.row = _row(cycle, reasons, self._version)
            self._plans += 1
            self._steps += 1
            self._entries.append(entry)
        elif entry.pair is not None or entry.step is not NOWHERE:
            last = self._entries[-1] if self._entries else None
            if last is not None and last.row is None and last.pair is entry.pair is None:
                last.step, last.rest = then(last.step, entry.step), entry.rest
            else:
                self._entries.append(entry)

    async def step(self) -> bool:
        """Write what was noted."""
        if not self._leadership.leads(self._lease):
            self.forget()
            self._minutes.clear()
            self._minute = None
            self._demand.forget()
            return False
        await self._write_minutes()
        try:
            return await self._write_entries()
        except BaseException as error:
            self.forget()
            if isinstance(error, LeaseLostError):
                return False
            raise

    def _due(self, at_ms: int) -> bool:
        """A large keyframe is made less often, so that they take no more than half the room."""
        budget = max(1, self._keep.cycles_bytes // 2)
        fair_ms = self._keep.cycles_hours * _HOUR_MS * self._keyframe_bytes // budget
        every_ms = min(KEYFRAME_MS_MAX, max(self._keyframe_ms, fair_ms))
        chain = self._chain
        return (
            not 0 <= at_ms - self._begun_ms < every_ms
            or self._steps >= _STEPS_MAX
            or (chain is not None and chain.bytes >= _STEPS_BYTES_MAX)
        )

    def _count(self, cycle: Noted, reasons: Mapping[str, int]) -> None:
        if self._minute is None or self._minute.begins_ms != Minute.of(cycle.at_ms):
            if self._minute is not None:
                self._minutes.append(self._minute)
            self._minute = Minute(Minute.of(cycle.at_ms))
        self._minute.add(
            cycle.took_us,
            recorded=cycle.changed,
            placed=cycle.placed,
            preempted=cycle.preempted,
            told=cycle.told,
            stale=cycle.stale,
            waiting=len(cycle.snapshot.demands),
            reasons=reasons,
        )

    async def _write_minutes(self) -> None:
        minute = self._minute
        if minute is not None and minute.begins_ms != Minute.of(self._database.now_ms()):
            self._minutes.append(minute)
            self._minute = None
        if not self._minutes:
            return
        written, demanded = [each.figures() for each in self._minutes], self._demand.take()

        def write(tx: Transaction) -> None:
            for each in written:
                minute_write(tx, each)
            demand_add(tx, demanded)

        try:
            await self._leadership.fenced(self._lease, write)
        except BaseException:
            self._demand.give_back(demanded)
            raise
        del self._minutes[: len(written)]

    async def _write_entries(self) -> bool:
        entries, self._entries, self._plans = self._entries, [], 0
        rows: list[tuple[CycleRow, bytes, bytes]] = []
        for entry in entries:
            if entry.whole is not None:
                await self._write_rows(rows)
                rows = []
                await self._begin(entry)
            chain = self._chain
            if chain is None:
                continue
            if entry.pair is not None:
                entry.step = await asyncio.to_thread(between, *entry.pair, _pause)
                entry.pair = None
            if entry.whole is None:
                chain.way = then(chain.way, entry.step)
            if entry.row is not None:
                rows.append(await asyncio.to_thread(_packed, chain, entry.row, entry))
        await self._write_rows(rows)
        return False

    async def _begin(self, entry: _Entry) -> None:
        """Write a keyframe."""
        whole, row = entry.whole, entry.row
        assert whole is not None
        assert row is not None
        record = Record(
            snapshot=whole, now_ms=row.at_ms, seed=row.seed, version=row.version, digest=""
        )
        entry.whole = None
        data = await asyncio.to_thread(_packed_slowly, record)
        write = partial(self._leadership.fenced, self._lease)
        key = await write(lambda tx: cycles.keyframe_begin(tx, row.at_ms))
        for number, piece in enumerate(cycles.pieces_of(data)):
            put = partial(cycles.keyframe_piece, keyframe_id=key, piece=number, data=piece)
            await write(put)
        await write(lambda tx: cycles.keyframe_finish(tx, key, len(data)))
        self._keyframe_bytes = len(data)
        self._chain = _Chain(key, entry.rest)

    async def _write_rows(self, rows: list[tuple[CycleRow, bytes, bytes]]) -> None:
        if rows:
            await self._leadership.fenced(self._lease, lambda tx: cycles.cycle_insert(tx, rows))


def _row(cycle: Noted, reasons: Mapping[str, int], version: str) -> CycleRow:
    """What is not known yet is filled in when it is packed."""
    snapshot, plan = cycle.snapshot, cycle.plan
    return CycleRow(
        keyframe_id=0,
        step=0,
        at_ms=cycle.at_ms,
        took_us=cycle.took_us,
        read_us=cycle.read_us,
        decide_us=cycle.decide_us,
        seed=cycle.seed,
        version=version,
        digest="",
        nodes=len(snapshot.nodes),
        waiting=len(snapshot.demands),
        running=len(view_of(snapshot).held),
        placed=cycle.placed,
        preempted=cycle.preempted,
        refused=sum(reasons.values()),
        told=cycle.told,
        reserved=len(plan.reservations),
        stale=cycle.stale,
        bytes=0,
        reasons=reasons,
    )


def _packed(chain: _Chain, row: CycleRow, entry: _Entry) -> tuple[CycleRow, bytes, bytes]:
    """The next of the chain, with its step from the one before and its plan."""
    step = packed_value(with_rest(chain.way, chain.rest, entry.rest))
    plan = entry.plan or Plan()
    kept = packed_value(slim(plan))
    size = len(step) + len(kept)
    whole = replace(
        row,
        keyframe_id=chain.keyframe_id,
        step=chain.steps,
        digest=plan.digest(),
        bytes=size,
    )
    chain.way, chain.rest = NOWHERE, entry.rest
    chain.steps += 1
    chain.bytes += size
    return whole, step, kept


def _packed_slowly(record: Record) -> bytes:
    found = []
    for piece in packed_in_pieces(record):
        found.append(piece)
        _pause()
    return b"".join(found)


def _pause() -> None:
    """Let others have the interpreter."""
    time.sleep(_PAUSE_SECONDS)
