"""What would become of a demand that is not submitted yet: the submit form asks as one types."""

from __future__ import annotations

from podium.domain.reason import WaitReason
from podium.scheduling.evolution import evolved
from podium.scheduling.explain.changes import USUAL, Effort, places_of
from podium.scheduling.explain.explanation import explained
from podium.scheduling.explain.rehearsal import Rehearsal
from podium.scheduling.explain.values import DryRun
from podium.scheduling.forecast.eta import forecast
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Demand, Snapshot

_NEVER = (WaitReason.IMPOSSIBLE_TYPE, WaitReason.IMPOSSIBLE_SIZE)


def dry_run(
    snapshot: Snapshot,
    demand: Demand,
    now_ms: int,
    seed: int = 0,
    *,
    plan: Plan | None = None,
    priority_max: int | None = None,
    effort: Effort = USUAL,
    eta_most: int = 0,
) -> DryRun:
    """`demand` has an id that nothing in the snapshot has, and `plan` is what `decide` says without
    it. With `eta_most`, it is also told when it starts if it is among so many first turns; a
    forecast costs as much as several cycles."""
    rehearsal = Rehearsal(snapshot, now_ms, seed, demand.workload_id, plan)
    assert demand.workload_id not in rehearsal.view.demands, "it is submitted already"
    outcome = rehearsal.tried(demand, whole=True)
    eta = None
    if eta_most and not outcome.placements:
        with_it = evolved(snapshot, waiting=(demand,))
        eta = forecast(with_it, now_ms, most=eta_most).get(demand.workload_id)
    refusal = outcome.refusal
    return DryRun(
        starts_now=bool(outcome.placements),
        places=places_of(outcome.placements),
        impossible=refusal is not None and refusal.reason in _NEVER,
        giving_way=outcome.giving_way,
        loses=outcome.loses,
        delays=outcome.delays,
        eta=eta,
        explanation=explained(
            rehearsal,
            demand,
            outcome,
            priority_max=priority_max,
            effort=effort,
        ),
    )
