"""How good the expected starts are: a trace through `decide`, with runtimes learnt as jobs end and
a forecast when a job is refused first. `podium simulate --eta` calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from podium.domain.policy import Order, SchedulingPolicy
from podium.scheduling.decide import decide
from podium.scheduling.forecast.eta import Eta, forecast
from podium.scheduling.forecast.runtimes import Like, Runtimes
from podium.scheduling.forecast.track import Track
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Expected, Hold, Snapshot
from podium.simulation.queueing.once import Tell
from podium.simulation.queueing.product import trace_jobs, trace_nodes
from podium.simulation.queueing.trace import Machines, Trace
from podium.simulation.timeline import Life
from podium.simulation.world import World

_SCHEDULING = SchedulingPolicy(order=Order.FAIR)
_FEW_MS = 60_000


@dataclass(frozen=True, slots=True)
class Foretold:
    """One job that had to wait: when it was asked about, what was said, when it started."""

    asked_at_ms: int
    eta: Eta | None
    started_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Of the jobs that had to wait. `inside`, `before` and `after` are shares of those with a
    forecast; `width` is that of the range as part of the wait, at the median; times in seconds,
    all medians."""

    waited: int
    forecast: int
    inside: float | None
    before: float | None
    after: float | None
    median_error_s: float | None
    median_wait_s: float | None
    median_width_s: float | None
    width: float | None


def foretell(
    trace: Trace,
    machines: Machines,
    estimates_ms: list[int] | None,
    seed: int,
    tell: Tell,
    *,
    scheduling: SchedulingPolicy = _SCHEDULING,
) -> list[Foretold]:
    """Every job that waits, in the order in which they were refused first. Estimates become limits;
    without them runtimes are learnt from jobs that ended before."""
    jobs = trace_jobs(trace, machines, estimates_ms)
    known = {job.workload_id: job.request.gpu_milli * job.replicas.maximum for job in jobs}
    watched = _Learning(known, tell)
    lives = (
        World(trace_nodes(machines), jobs, seed=seed, policy=watched, scheduling=scheduling)
        .run()
        .lives
    )
    return _found(lives, watched)


def _found(lives: Sequence[Life], watched: _Learning) -> list[Foretold]:
    started = {life.workload_id: life.started_at_ms for life in lives}
    found = []
    for workload_id, (at_ms, eta) in watched.told.items():
        start_ms = started[workload_id]
        if start_ms is not None:
            found.append(Foretold(at_ms, eta, start_ms))
    return found


def calibration(found: Sequence[Foretold]) -> Calibration:
    given = [(each, each.eta) for each in found if each.eta is not None]
    count = len(given)

    def share(number: int) -> float | None:
        return round(number / count, 4) if count else None

    before = sum(each.started_at_ms < eta.early_ms for each, eta in given)
    after = sum(each.started_at_ms > eta.late_ms for each, eta in given)
    waits = [each.started_at_ms - each.asked_at_ms for each, _ in given]
    widths = [eta.late_ms - eta.early_ms for _, eta in given]
    errors = [abs(eta.likely_ms - each.started_at_ms) for each, eta in given]
    parts = [width / max(_FEW_MS, wait) for width, wait in zip(widths, waits, strict=True)]
    return Calibration(
        waited=len(found),
        forecast=count,
        inside=share(count - before - after),
        before=share(before),
        after=share(after),
        median_error_s=_median_s(errors),
        median_wait_s=_median_s(waits),
        median_width_s=_median_s(widths),
        width=round(sorted(parts)[count // 2], 3) if parts else None,
    )


class _Learning:
    """`decide` with what was learnt so far in place of what nobody says."""

    def __init__(self, gpu_milli: dict[str, int], tell: Tell) -> None:
        self.told: dict[str, tuple[int, Eta | None]] = {}
        self._gpu_milli = gpu_milli
        self._tell = tell
        self._track = Track()
        self._open: dict[str, tuple[int, Eta]] = {}  # forecasts of those who still wait
        self._runtimes = Runtimes()
        self._running: dict[str, Hold] = {}
        self._expected: dict[Like, Expected | None] = {}
        self._done = 0

    def __call__(self, snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
        self._learn(snapshot, now_ms)
        known = self._filled(snapshot)
        plan = decide(known, now_ms, seed)
        fresh = [key for each in plan.refusals for key in each.workload_ids if key not in self.told]
        if fresh:
            etas = forecast(known, now_ms)
            said = self._track.all_widened(
                {key: etas[key] for key in fresh if key in etas}, now_ms, self._open.values()
            )
            for key in fresh:
                self.told[key] = (now_ms, said.get(key))
                if key in etas:
                    self._open[key] = (now_ms, etas[key])
        for key in dict.fromkeys(placement.workload_id for placement in plan.placements):
            if key in self._open:
                self._track.add(*self._open.pop(key), now_ms)
        return plan

    def _learn(self, snapshot: Snapshot, now_ms: int) -> None:
        running = {hold.workload_id: hold for hold in snapshot.holds}
        waiting = {demand.workload_id for demand in snapshot.demands}
        for workload_id, hold in self._running.items():
            if workload_id in running or workload_id in waiting or hold.started_at_ms is None:
                continue
            self._runtimes.add(self._like(hold), now_ms - hold.started_at_ms)
            self._expected.clear()
            self._done += 1
        self._running = running
        self._tell(self._done)

    def _filled(self, snapshot: Snapshot) -> Snapshot:
        return replace(
            snapshot,
            holds=tuple(
                replace(hold, expected=self._of(self._like(hold))) for hold in snapshot.holds
            ),
            demands=tuple(
                replace(
                    demand,
                    expected=self._of(
                        Like(
                            project=demand.project,
                            kind=demand.kind,
                            gpu_milli=self._gpu_milli[demand.workload_id],
                        )
                    ),
                )
                for demand in snapshot.demands
            ),
        )

    def _like(self, hold: Hold) -> Like:
        assert hold.kind is not None
        return Like(
            project=hold.project, kind=hold.kind, gpu_milli=self._gpu_milli[hold.workload_id]
        )

    def _of(self, like: Like) -> Expected | None:
        if like not in self._expected:
            self._expected[like] = self._runtimes.expected(like)
        return self._expected[like]


def _median_s(times_ms: list[int]) -> float | None:
    return sorted(times_ms)[len(times_ms) // 2] / 1000 if times_ms else None
