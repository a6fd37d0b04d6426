"""What a run of workload documents comes to: each one's way, and the totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podium.domain.quantity import GPU_MILLI
from podium.domain.workload import asked_text
from podium.simulation.cluster.inventory import Cluster
from podium.simulation.cluster.workloads import Planned
from podium.simulation.queueing.measures import SLOWDOWN_BOUND_MS, Spread, jain, spread
from podium.simulation.timeline import RefusalNote, Span, Timeline


@dataclass(frozen=True, slots=True)
class Stay:
    """One replica on one node, with the indexes of its GPUs. `until_s` None: it still ran."""

    rank: int
    node: str
    gpus: tuple[int, ...]
    from_s: float
    until_s: float | None
    completed: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why it waited from `since_s` on, until it started or the next reason began."""

    since_s: float
    reason: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class GaveWay:
    """Its replicas `ranks` were stopped for another workload."""

    at_s: float
    ranks: tuple[int, ...]
    in_favour_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One workload. Times in seconds from the beginning; `ran_s` from the first start to the end,
    `late` says that it ended after its deadline, None where it has none."""

    name: str
    project: str
    kind: str
    priority: int
    replicas: int
    request: str
    submitted_s: float
    started_s: float | None
    ended_s: float | None
    waited_s: float | None
    ran_s: float | None
    stopped_at_limit: bool
    late: bool | None
    gave_way: tuple[GaveWay, ...]
    stays: tuple[Stay, ...]
    reasons: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """As of a trace of jobs, over the workloads that ended; None where none did. Groups are
    projects."""

    jobs: int
    unfinished: tuple[str, ...]
    wait_s: Spread | None
    completion_s: Spread | None
    bounded_slowdown: float | None
    utilisation: float | None
    makespan_s: float | None
    preemptions: int
    jain_fairness: float | None
    groups: int


@dataclass(frozen=True, slots=True)
class Report:
    totals: Totals
    workloads: tuple[Story, ...]


def report(cluster: Cluster, planned: Sequence[Planned], timeline: Timeline) -> Report:
    indexes = {device.id: device.index for node in cluster.nodes for device in node.devices}
    spans: dict[str, list[Span]] = {one.wish.name: [] for one in planned}
    for span in timeline.spans:
        spans[span.workload_id].append(span)
    notes: dict[str, list[RefusalNote]] = {one.wish.name: [] for one in planned}
    for note in timeline.refusals:
        notes[note.workload_id].append(note)
    stops: dict[str, list[GaveWay]] = {one.wish.name: [] for one in planned}
    for stop in timeline.stops:
        told = GaveWay(stop.at_ms / 1000, stop.ranks, stop.in_favour_of)
        stops[stop.workload_id].append(told)
    lives = {life.workload_id: life for life in timeline.lives}
    stories = []
    for one in planned:
        wish, life = one.wish, lives[one.wish.name]
        started, ended = life.started_at_ms, life.ended_at_ms
        both = started is not None and ended is not None
        stories.append(
            Story(
                name=wish.name,
                project=wish.project,
                kind=wish.kind.value,
                priority=wish.priority,
                replicas=wish.replicas.maximum,
                request=asked_text(wish.request, wish.groups),
                submitted_s=one.at_ms / 1000,
                started_s=_seconds(started),
                ended_s=_seconds(ended),
                waited_s=_seconds(life.wait_ms),
                ran_s=((ended or 0) - (started or 0)) / 1000 if both else None,
                stopped_at_limit=ended is not None and one.runtime_ms < one.runs_for_ms,
                late=(
                    None
                    if wish.deadline_ms is None
                    else (timeline.ended_at_ms if ended is None else ended) > wish.deadline_ms
                ),
                gave_way=tuple(stops[wish.name]),
                stays=tuple(_stay(span, indexes) for span in _in_order(spans[wish.name])),
                reasons=_reasons(notes[wish.name]),
            )
        )
    return Report(_totals(cluster, stories, timeline), tuple(stories))


def _totals(cluster: Cluster, stories: Sequence[Story], timeline: Timeline) -> Totals:
    ended = [one for one in stories if one.ended_s is not None]
    lives_ms = [round(((one.ended_s or 0) - one.submitted_s) * 1000) for one in ended]
    waits_ms = [round((one.waited_s or 0) * 1000) for one in ended]
    slowdowns = [
        max(1.0, life_ms / max((one.ran_s or 0) * 1000, SLOWDOWN_BOUND_MS))
        for one, life_ms in zip(ended, lives_ms, strict=True)
    ]
    groups: dict[str, list[float]] = {}
    for one, slowdown in zip(ended, slowdowns, strict=True):
        groups.setdefault(one.project, []).append(slowdown)
    last_s = max((one.ended_s or 0 for one in ended), default=None)
    first_s = min(one.submitted_s for one in stories)
    used_milli_ms = sum(
        share.gpu_milli * ((span.ended_at_ms or timeline.ended_at_ms) - span.started_at_ms)
        for span in timeline.spans
        for share in span.devices
    )
    capacity = cluster.gpus * GPU_MILLI * ((last_s or 0) - first_s) * 1000
    return Totals(
        jobs=len(stories),
        unfinished=tuple(one.name for one in stories if one.ended_s is None),
        wait_s=spread(waits_ms) if ended else None,
        completion_s=spread(lives_ms) if ended else None,
        bounded_slowdown=sum(slowdowns) / len(slowdowns) if ended else None,
        utilisation=used_milli_ms / capacity if capacity > 0 else None,
        makespan_s=last_s,
        preemptions=len(timeline.stops),
        jain_fairness=(
            jain([sum(found) / len(found) for found in groups.values()]) if groups else None
        ),
        groups=len(groups),
    )


def _in_order(spans: Sequence[Span]) -> list[Span]:
    return sorted(spans, key=lambda span: (span.started_at_ms, span.rank))


def _stay(span: Span, indexes: dict[str, int]) -> Stay:
    return Stay(
        rank=span.rank,
        node=span.node,
        gpus=tuple(indexes[share.device_id] for share in span.devices),
        from_s=span.started_at_ms / 1000,
        until_s=_seconds(span.ended_at_ms),
        completed=span.completed,
    )


def _reasons(notes: Sequence[RefusalNote]) -> tuple[Waiting, ...]:
    """One entry for as long as the type of reason stays, with the last words about it."""
    found: list[Waiting] = []
    for note in notes:
        same = bool(found) and found[-1].reason == note.refusal.reason.value
        since_s = found.pop().since_s if same else note.at_ms / 1000
        refusal = note.refusal
        found.append(Waiting(since_s, refusal.reason.value, refusal.message, refusal.remedy))
    return tuple(found)


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
