"""Room that becomes free and is as good as taken: by demands for which work stops that was asked
to, now or before. `blocked` makes the claims; nobody else gets what is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from podium.scheduling.ground import Ground
from podium.scheduling.placing.classes import RequestClass, taken
from podium.scheduling.plan import Preemption
from podium.scheduling.snapshot import Demand, Hold
from podium.scheduling.space.floor import Free, freed
from podium.scheduling.space.keeping import AT_ONCE, Cap
from podium.scheduling.space.room import Bools
from podium.scheduling.waiting.reclaim import Reclaim
from podium.scheduling.waiting.units import Unit


class Claims:
    """The claims of one cycle. `ending` are the holds that stop, by node."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._caps: dict[int, Cap] = {}
        self.ending: dict[int, list[Hold]] = {}
        for hold in ground.view.ending.values():
            at = ground.layout.position.get(hold.node)
            if at is not None:
                self.ending.setdefault(at, []).append(hold)
        self.preemptions: list[Preemption] = []
        self.stopping: dict[str, None] = {}  # workloads of which something was asked to stop now

    def nodes(self) -> list[int]:
        """Where room becomes free, or is claimed, and may be claimed."""
        nodes = [at for at in self.ending if self.claimable(at)]
        return nodes + [at for at in self._caps if at not in self.ending]

    changed = nodes

    def soon(self, at: int) -> Free:
        """What nobody has a claim to on a claimable node once what was asked to stop has
        stopped."""
        cap = self._caps.get(at)
        if cap is not None:
            return cap.free
        return self.without(self._ground.floor.free[at], self.ending.get(at, ()))

    def claimable(self, at: int) -> bool:
        """Whether room that becomes free on a node may be claimed: nothing else is kept there."""
        return at in self._caps or not self._ground.kept.caps(at)

    def claim(
        self, family: RequestClass, demand: Demand, counts: Sequence[tuple[int, int]]
    ) -> None:
        """Room that is there soon is as good as taken; what is free of it now stays free only as
        far as the demand does not need it."""
        ground = self._ground
        request = family.request
        for at, count in counts:
            for _ in range(count):
                room = self.soon(at)
                grant = family.grant_from(at, room)
                left = room.less(*taken(request, grant))
                cap = self._caps.get(at)
                if cap is None:
                    cap = self._caps[at] = Cap(AT_ONCE, left, demand.workload_id)
                    ground.kept.keep(at, cap)
                else:
                    cap.free = left
                    ground.kept.changed(at)
                ground.fairness.add(
                    demand.project, ground.gpu_of(grant), request.cpu_milli, request.memory_bytes
                )

    def stop(self, reclaim: Reclaim, preemptions: Sequence[tuple[Unit, Preemption]]) -> None:
        """These are asked to stop."""
        reclaim.stop(unit for unit, _ in preemptions)
        for unit, preemption in preemptions:
            self.preemptions.append(preemption)
            self.stopping[unit.workload_id] = None
            for at, hold in unit.holds:
                cap = self._caps.get(at)
                if cap is not None:
                    cap.free = self.without(cap.free, (hold,))
                self.ending.setdefault(at, []).append(hold)

    def without(self, free: Free, holds: Sequence[Hold]) -> Free:
        """What is free on a node once these have ended."""
        for hold in holds:
            free = freed(self._ground.layout, free, hold)
        return free


@dataclass(frozen=True, slots=True)
class Inside:
    """The claims as far as some nodes are concerned."""

    claims: Claims
    nodes: Bools

    def soon(self, at: int) -> Free:
        return self.claims.soon(at)

    def claimable(self, at: int) -> bool:
        return bool(self.nodes[at]) and self.claims.claimable(at)

    def changed(self) -> list[int]:
        return [at for at in self.claims.nodes() if self.nodes[at]]
