"""Recorded work as jobs of a simulated world, on the nodes that there are and some more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median

from podium.domain.node import Node
from podium.domain.past_work import PastWork
from podium.scheduling.capacity import Question
from podium.scheduling.decide import decide
from podium.scheduling.parts import Asking
from podium.scheduling.placing.fit import device_grant
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.space.layout import kind_of
from podium.simulation.world import Job, World

GRAIN_MS = 10_000
"""Times are rounded up to this, so that much happens at once and cycles are few."""

Waits = Mapping[str, int]
"""Milliseconds by workload, of those that started."""


class Replay:
    """Waits with so many more GPUs of a type, each number once."""

    def __init__(self, question: Question, tick: Callable[[], None]) -> None:
        """`tick` is called at each cycle; what it raises ends the replay."""
        self._question = question
        self._tick = tick
        self._jobs = jobs_of(question)
        self._known: dict[tuple[str, int], Waits] = {}
        self.replays = 0

    def waits(self, gpu_type: str = "", more: int = 0) -> Waits:
        key = (gpu_type if more else "", more)
        found = self._known.get(key)
        if found is None:
            nodes = [*self._question.nodes, *more_nodes(self._question.nodes, gpu_type, more)]
            world = World(
                nodes,
                self._jobs,
                policy=self._decide,
                shares=self._question.shares,
                scheduling=self._question.policy,
            )
            self.replays += 1
            lives = world.run().lives
            found = self._known[key] = {
                life.workload_id: life.wait_ms for life in lives if life.wait_ms is not None
            }
        return found

    def _decide(self, snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
        self._tick()
        return decide(snapshot, now_ms, seed)


def jobs_of(question: Question) -> list[Job]:
    """What ran when the time began comes when it started then. What had not ended is taken to run
    as long again, and what had not started as long as the project's usual."""
    usual: dict[str, list[int]] = {}
    for each in question.work:
        if each.known:
            for name in (each.project, ""):
                usual.setdefault(name, []).append(each.runtime_ms)
    typical = {name: int(median(times)) for name, times in usual.items()}
    found = []
    for each in question.work:
        runtime_ms = each.runtime_ms if each.known else 2 * each.runtime_ms
        if each.started_at_ms is None:
            runtime_ms = typical.get(each.project, typical.get("", GRAIN_MS))
        came_ms = each.submitted_at_ms
        if each.started_at_ms is not None and not counts(question, each):
            came_ms = each.started_at_ms
        found.append(
            Job(
                workload_id=each.workload_id,
                submitted_at_ms=_grains(came_ms),
                runtime_ms=max(GRAIN_MS, _grains(runtime_ms)),
                request=each.request,
                replicas=each.replicas,
                project=each.project,
                priority=each.priority,
                kind=each.kind,
                topology=each.topology,
                limit_ms=each.limit_ms,
                preemptible=each.preemptible,
                elastic=each.replicas.resize,
                groups=tuple(Asking(*group) for group in each.groups),
                owner=each.owner,
            )
        )
    return found


def counts(question: Question, work: PastWork) -> bool:
    """Whether its wait says anything of the time."""
    inside = question.since_ms <= work.submitted_at_ms < question.until_ms
    return inside and work.waited and work.request.wants_gpu


def more_nodes(nodes: Sequence[Node], gpu_type: str, more: int) -> list[Node]:
    """Nodes like the one with most GPUs of the type; the last has fewer of them, and as much less
    CPU and memory."""
    model = model_of(nodes, gpu_type)
    devices = [each for each in model.devices if each.type == gpu_type]
    found = []
    for number in range(-(-more // len(devices)) if more else 0):
        count = min(len(devices), more - number * len(devices))
        name = f"~more-{number:04}"
        part = tuple(
            replace(each, id=f"{name}/{at}", node=name, uuid=f"{name}/{at}", index=at,
                    healthy=True, fault="", instances=())
            for at, each in enumerate(devices[:count])
        )  # fmt: skip
        found.append(
            replace(
                model,
                name=name,
                devices=part,
                cpu_milli=model.cpu_milli * count // len(devices),
                memory_bytes=model.memory_bytes * count // len(devices),
            )
        )
    return found


def model_of(nodes: Sequence[Node], gpu_type: str) -> Node:
    def count(node: Node) -> int:
        return sum(each.type == gpu_type for each in node.devices)

    return max(nodes, key=lambda node: (count(node), node.name))


def servable(question: Question, gpu_type: str, work: PastWork) -> bool:
    """Whether GPUs of the type give what it asks for."""
    kinds = {
        kind_of(device)
        for node in question.nodes
        for device in node.devices
        if device.type == gpu_type
    }
    requests = [group[0] for group in work.groups] or [work.request]
    return any(device_grant(each, kind) is not None for each in requests for kind in kinds)


def _grains(at_ms: int) -> int:
    return -(-at_ms // GRAIN_MS) * GRAIN_MS
