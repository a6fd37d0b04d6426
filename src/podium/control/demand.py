"""What is held and waited for, sampled once a minute from what the scheduler saw; `recorder` tells
of each cycle, and writes it with the figures of the minute."""

from __future__ import annotations

from podium.domain.reason import WaitReason
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Demand, Snapshot
from podium.scheduling.view import View, view_of
from podium.store.demand_hours import HOUR_MS, Demanded, Key

SAMPLE_MS = 60_000
GAP_MS_MAX = 180_000
"""Of a longer time without a cycle nobody knows what was wanted."""

_NOT_FOR_ROOM = (WaitReason.DEPENDENCY, WaitReason.START_TIME)
"""Who waits for these would not start with more GPUs."""


class DemandWatch:
    def __init__(self) -> None:
        self._rows: dict[Key, Demanded] = {}
        self._sampled_ms: int | None = None

    def forget(self) -> None:
        """Others lead: what was seen is theirs to tell."""
        self._rows, self._sampled_ms = {}, None

    def take(self) -> dict[Key, Demanded]:
        """What came since, to be written."""
        rows, self._rows = self._rows, {}
        return rows

    def give_back(self, rows: dict[Key, Demanded]) -> None:
        """It could not be written."""
        for key, each in rows.items():
            self._of(*key).add(each)

    def note(self, at_ms: int, snapshot: Snapshot, plan: Plan) -> None:
        """One cycle. Starts are counted at once, the rest once a minute."""
        view = view_of(snapshot)
        if plan.placements:
            self._started(at_ms, view, plan)
        since_ms = self._sampled_ms
        if since_ms is not None and at_ms - since_ms < SAMPLE_MS:
            return
        self._sampled_ms = at_ms
        if since_ms is not None and 0 < at_ms - since_ms <= GAP_MS_MAX:
            self._sample(at_ms, at_ms - since_ms, view, plan)

    def _of(self, at_ms: int, project: str, gpu_type: str) -> Demanded:
        return self._rows.setdefault((at_ms // HOUR_MS * HOUR_MS, project, gpu_type), Demanded())

    def _started(self, at_ms: int, view: View, plan: Plan) -> None:
        seen: set[str] = set()
        for each in plan.placements:
            demand = view.demands.get(each.workload_id)
            if demand is None or each.workload_id in seen:
                continue
            seen.add(each.workload_id)
            again = demand.attained_milli_ms or demand.stood or each.workload_id in view.held
            types = view.layout.types(each.node, each.devices)
            if types and not again:
                of = self._of(at_ms, demand.project, types[0][0])
                of.started += 1
                of.wait_ms += max(0, at_ms - demand.queued_at_ms)

    def _sample(self, at_ms: int, span_ms: int, view: View, plan: Plan) -> None:
        for project, used in view.usage.items():
            for gpu_type, milli in used.gpu:
                self._of(at_ms, project, gpu_type).held_milli_ms += milli * span_ms
        types = {name.casefold(): name for name in view.layout.inventory}
        for refused in plan.refusals:
            reason = refused.refusal.reason
            for workload_id in refused.workload_ids:
                demand = view.demands.get(workload_id)
                milli = 0 if demand is None else wanted_milli(view, demand)
                if demand is None or not milli:
                    continue
                named = demand.request.gpu_types
                known = types.get(named[0].casefold(), named[0]) if len(named) == 1 else ""
                if not named and len(types) == 1:
                    known = next(iter(types.values()))
                of = self._of(at_ms, demand.project, known)
                if reason not in _NOT_FOR_ROOM:
                    of.wanted_milli_ms += milli * span_ms
                before = of.reasons.get(reason.value, (0, 0))
                of.reasons[reason.value] = (before[0] + milli * span_ms, before[1] + span_ms)


def wanted_milli(view: View, demand: Demand) -> int:
    """What all its waiting replicas ask for."""
    if demand.parts:
        return sum(view.milli_of(part.request) * len(part.ranks) for part in demand.parts)
    return view.milli_of(demand.request) * len(demand.pending_ranks)
