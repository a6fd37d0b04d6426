"""What everyone hears who waits after a cycle; `cycle` asks when all is placed."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from itertools import islice

from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.scheduling.ground import Ground
from podium.scheduling.order.queue import queue_key
from podium.scheduling.order.service import Queue, first_queues
from podium.scheduling.plan import Refused
from podium.scheduling.reasons.limits import quota_refusal
from podium.scheduling.reasons.refusals import FRONT, Refusals
from podium.scheduling.snapshot import Demand
from podium.scheduling.space.floor import Floor
from podium.scheduling.view import ask_of
from podium.scheduling.waiting.blocked import Blocked


class Answers:
    """`passed` were served, but not with all that they asked for; `told` are reasons that were
    found on the way, by workload."""

    def __init__(
        self,
        ground: Ground,
        blocked: Blocked,
        queues: Sequence[Queue],
        passed: Sequence[Demand],
        told: Mapping[str, Refusal],
    ) -> None:
        self._ground = ground
        self._blocked = blocked
        self._queues = queues
        self._passed = passed
        self._told = told

    def refusals(self) -> tuple[Refused, ...]:
        """Judged on the state that the whole cycle leaves, so that equal demands hear the same."""
        ground, waiting = self._ground, self._queues
        front = self._front(waiting)
        judge = Refusals(
            ground.snapshot,
            ground.view,
            self._held_after(),
            ground.placements,
            self._keeper(),
            lambda request: ground.family(request).shape,
        )
        found: list[tuple[tuple[int, int, str], Refused]] = [
            (queue_key(demand), Refused((demand.workload_id,), demand.blocked))
            for demand in ground.view.blocked.values()
            if demand.blocked is not None
        ]
        for demand in front.values():
            refusal = self._refusal(judge, demand, front=True)
            found.append((queue_key(demand), Refused((demand.workload_id,), refusal)))
        for demand in self._passed:
            if demand.workload_id not in front and not self._complete(demand):
                refusal = self._refusal(judge, demand, front=False)
                found.append((queue_key(demand), Refused((demand.workload_id,), refusal)))
        apart = self._apart(waiting)
        for queue in waiting:
            at = queue.at
            while at < len(queue.ids) and queue.ids[at] in front:  # they come first in each queue
                at += 1
            ids = queue.ids[at:]
            alone = apart.get(queue)
            if alone:
                ids = tuple([each for each in ids if each not in alone])
                for workload_id, demand in alone.items():
                    if workload_id not in front:
                        refusal = self._refusal(judge, demand, front=False)
                        found.append((queue_key(demand), Refused((workload_id,), refusal)))
            if ids:
                demand = ground.view.demands[ids[0]]
                refusal = self._refusal(judge, demand, front=False)
                found.append((queue_key(demand), Refused(ids, refusal)))
        found.sort(key=lambda entry: entry[0])
        return tuple(refused for _, refused in found)

    def _front(self, waiting: Sequence[Queue]) -> dict[str, Demand]:
        """The first that are refused, in plain order of the queue."""
        queues = [iter(queue.waiting[:FRONT]) for queue in first_queues(waiting, FRONT)]
        passed = [each for each in self._passed if not self._complete(each)]
        heads = heapq.merge(*queues, sorted(passed, key=queue_key), key=queue_key)
        return {demand.workload_id: demand for demand in islice(heads, FRONT)}

    def _complete(self, demand: Demand) -> bool:
        return len(self._ground.placed.get(demand.workload_id, ())) == len(demand.pending_ranks)

    def _apart(self, waiting: Sequence[Queue]) -> dict[Queue, dict[str, Demand]]:
        """Those who wait, but have to hear something else than others who ask for the same,
        because part of them stands somewhere."""
        found: dict[Queue, dict[str, Demand]] = {}
        names = [*self._ground.view.standing, *(name for name in self._ground.placed)]
        asked = {(queue.project, queue.ask): queue for queue in waiting} if names else {}
        for name in names:
            demand = self._ground.view.demands[name]
            queue = asked.get((demand.project, ask_of(demand)))
            if queue is not None and demand.blocked is None and queue.holds(demand):
                found.setdefault(queue, {})[name] = demand
        return found

    def _refusal(self, judge: Refusals, demand: Demand, *, front: bool) -> Refusal:
        ground = self._ground
        told = self._told.get(demand.workload_id)
        if told is not None:
            # No higher limit would help work that the cluster cannot hold.
            return judge.never(demand, ground.beside(demand)) or told
        if demand.workload_id in self._blocked.claimed:
            return Refusal(
                WaitReason.PRIORITY,
                "Room is being made for it: work that gives way to it, or ends, is stopping.",
                "It starts by itself when that has stopped.",
            )
        placed = len(ground.placed.get(demand.workload_id, ()))
        beside = ground.beside(demand)
        if self._blocked.stops(demand.workload_id) and judge.fits(demand, placed, beside):
            return Refusal(
                WaitReason.PRIORITY,
                "Some of its replicas are stopping, and it gets no new ones until they have.",
                "It goes on by itself then.",
            )
        # Limits may leave it some GPU types only. If it would fit with all of them, they bind.
        bound = ground.limited and ground.under_limits(demand) != demand
        if bound and judge.fits(demand, placed, beside):
            need = 1 if placed else demand.minimum
            return quota_refusal(ground, demand, need, closed_only=True)
        return judge.of(demand, placed, beside, front=front)

    def _held_after(self) -> Floor:
        """What nobody holds now, whatever is kept."""
        floor = self._ground.floor.fork()
        for at in self._ground.kept.nodes:
            floor.set(at, self._ground.kept.free(at))
        return floor

    def _keeper(self) -> Evidence | None:
        """The first for whom room is kept."""
        for at in self._ground.kept.nodes:
            for cap in self._ground.kept.caps(at):
                demand = self._ground.view.demands.get(cap.keeper)
                if demand is not None:
                    return Evidence("holder", demand.workload_id, demand.project)
                return Evidence("booking", cap.keeper, cap.project or "")
        return None
