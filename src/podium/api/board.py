"""The overview as a document, and the board on which its live readers find it.

The board computes each overview once for everyone who watches the same one: after a change, but
at most once a second, and every ten seconds without one, because waits and GPU time go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

import structlog

from podium.api.days import days_around
from podium.api.render import workload_view
from podium.domain.errors import FieldFault, TemporaryError, UserError
from podium.domain.reason import WaitReason
from podium.domain.tenancy import Scope
from podium.spec.views.base import utc
from podium.spec.views.overview import (
    FinishingView,
    GpuHoursView,
    GpuTypeView,
    HourView,
    NodeHealthView,
    OverviewView,
    QueueSummaryView,
    ReasonCountView,
)
from podium.spec.views.workload import WorkloadView
from podium.store import gpu_hours, overview, queue, workloads
from podium.store.database import Database, Transaction
from podium.store.hints import Hints

NEWS = "news"
"""The hint that something was told to live readers, which the board looks at, too."""

_DAY_MS = 86_400_000
_SHOWN = 5
_NEW = "Just submitted; the scheduler looks at it next."
_GPU_MILLI_MS = 1_000_000  # thousandths of a GPU × milliseconds in one GPU-second
_PERIOD_SECONDS = 10.0
_PAUSE_SECONDS = 1.0
_SHARE = 4  # of the time that computing took, for all overviews together, is left for others
_log = structlog.get_logger(__name__)


def zone_of(name: str) -> tzinfo:
    """Raises UserError for a name that no time zone has."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UserError(
            FieldFault("time_zone", f"'{name}' is not known.", "Write an IANA name: Europe/Berlin.")
        ) from None


def overview_read(
    tx: Transaction, scope: Scope, project: str | None, zone: tzinfo, now_ms: int
) -> OverviewView:
    """The cluster now, and the scope's work in it (of one project, when it is named)."""
    nodes = overview.node_health(tx)
    failed, failed_ids = overview.failed_since(tx, scope, project, now_ms - _DAY_MS, latest=_SHOWN)
    finishing = overview.finishing_soonest(tx, scope, project, limit=_SHOWN)
    views = _views(tx, scope, [*failed_ids, *(each.workload_id for each in finishing)])
    return OverviewView(
        at=utc(now_ms),
        gpus=[
            GpuTypeView(
                type=each.type,
                virtual=each.virtual,
                devices=each.devices,
                unhealthy=each.unhealthy,
                held_milli=each.held_milli,
                busy_milli=each.busy_milli,
                idle_devices=each.idle_devices,
            )
            for each in overview.gpu_type_loads(tx, now_ms)
        ],
        workloads=overview.workload_counts(tx, scope, project),
        queue=_queue(tx, scope, project, now_ms),
        nodes=NodeHealthView(
            ready=nodes.ready,
            cordoned=nodes.cordoned,
            lost=nodes.lost,
            unhealthy_devices=nodes.unhealthy_devices,
        ),
        failed_last_day=failed,
        failed=[views[each] for each in failed_ids],
        finishing=[
            FinishingView(workload=views[each.workload_id], by=utc(each.by_ms))
            for each in finishing
        ],
        gpu_hours=_gpu_hours(tx, scope, project, zone, now_ms),
    )


def _views(tx: Transaction, scope: Scope, ids: list[str]) -> dict[str, WorkloadView]:
    found = workloads.workload_fetch_many(tx, scope, ids)
    counts = workloads.replica_counts_many(tx, found)
    return {key: workload_view(each, counts[key], scope) for key, each in found.items()}


def _queue(tx: Transaction, scope: Scope, project: str | None, now_ms: int) -> QueueSummaryView:
    found = queue.queue_summary(tx, scope, project, now_ms)
    return QueueSummaryView(
        waiting=found.waiting,
        wait_seconds_median=_seconds(found.wait_median_ms),
        wait_seconds_max=_seconds(found.wait_max_ms),
        gpu_milli_wanted=found.gpu_milli_wanted,
        reasons=[
            ReasonCountView(
                reason=each.reason,
                count=each.count,
                example=each.message or (_NEW if each.reason is WaitReason.NEW else ""),
            )
            for each in found.reasons
        ],
    )


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _gpu_hours(
    tx: Transaction, scope: Scope, project: str | None, zone: tzinfo, now_ms: int
) -> GpuHoursView:
    days = days_around(now_ms, zone)
    marks = sorted(
        {*days.hours_ms, days.yesterday_ms, days.yesterday_so_far_ms, days.today_ms, now_ms}
    )
    held = gpu_hours.gpu_time_between(tx, scope, project, marks)
    up_to = dict.fromkeys(marks, 0)
    total = 0
    for mark, part in zip(marks[1:], held, strict=True):
        total += part
        up_to[mark] = total

    def seconds(start_ms: int, end_ms: int) -> float:
        return (up_to[end_ms] - up_to[start_ms]) / _GPU_MILLI_MS

    hours = (*days.hours_ms, now_ms)
    return GpuHoursView(
        today_gpu_seconds=seconds(days.today_ms, now_ms),
        yesterday_gpu_seconds=seconds(days.yesterday_ms, days.today_ms),
        yesterday_so_far_gpu_seconds=seconds(days.yesterday_ms, days.yesterday_so_far_ms),
        hours=[
            HourView(start=utc(start), gpu_seconds=seconds(start, end))
            for start, end in pairwise(hours)
        ],
    )


@dataclass(frozen=True, slots=True)
class Topic:
    """Which overview: of whose work, and with whose days."""

    scope: Scope
    project: str | None
    time_zone: str


Hear = Callable[[OverviewView], None]


@dataclass(slots=True, eq=False)
class _Shown:
    """One overview, and who is told when it changes."""

    hearers: set[Hear] = field(default_factory=set)
    latest: OverviewView | None = None
    task: asyncio.Task[None] | None = None


class Board:
    """Computes only while somebody watches."""

    def __init__(self, database: Database, hints: Hints) -> None:
        self._database = database
        self._hints = hints
        self._shown: dict[Topic, _Shown] = {}
        # One after the other, so that many readers of different overviews leave room for others.
        self._turn = asyncio.Semaphore(1)

    @property
    def watched(self) -> int:
        """How many different overviews are computed now."""
        return len(self._shown)

    def watch(self, topic: Topic, hear: Hear) -> None:
        """Tell `hear` the overview as soon as it is known, and whenever it differs."""
        shown = self._shown.get(topic)
        if shown is None:
            shown = self._shown[topic] = _Shown()
            shown.task = asyncio.create_task(self._run(topic, shown))
        shown.hearers.add(hear)
        if shown.latest is not None:
            hear(shown.latest)

    def leave(self, topic: Topic, hear: Hear) -> None:
        shown = self._shown.get(topic)
        if shown is None:
            return
        shown.hearers.discard(hear)
        if not shown.hearers:
            del self._shown[topic]
            if shown.task is not None:
                shown.task.cancel()

    async def _run(self, topic: Topic, shown: _Shown) -> None:
        zone = zone_of(topic.time_zone)
        listener = self._hints.listener(NEWS)
        try:
            while True:
                took_seconds = 0.0
                try:
                    async with self._turn:
                        began = time.monotonic()
                        view = await self._database.read(
                            partial(self._read, topic=topic, zone=zone)
                        )
                        took_seconds = time.monotonic() - began
                except TemporaryError as error:
                    _log.warning("overview could not be read", error=error.message)
                else:
                    self._show(shown, view)
                await asyncio.sleep(max(_PAUSE_SECONDS, took_seconds * len(self._shown) * _SHARE))
                await listener.wait(_PERIOD_SECONDS - _PAUSE_SECONDS)
        finally:
            listener.close()

    def _read(self, tx: Transaction, *, topic: Topic, zone: tzinfo) -> OverviewView:
        return overview_read(tx, topic.scope, topic.project, zone, self._database.now_ms())

    def _show(self, shown: _Shown, view: OverviewView) -> None:
        before = shown.latest
        if before is not None and before == view.model_copy(update={"at": before.at}):
            return
        shown.latest = view
        for hear in list(shown.hearers):
            hear(view)
