"""Runs workload documents on a cluster through `simulation.world`; `command` tells the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from podium.domain.policy import KIND_POLICIES, SchedulingPolicy
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.workload import Wish
from podium.scheduling.decide import decide
from podium.scheduling.evolution import evolved
from podium.scheduling.parts import Asking
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Expected, Snapshot
from podium.simulation.cluster.inventory import Cluster
from podium.simulation.cluster.workloads import Planned
from podium.simulation.queueing.trace import Runtimes
from podium.simulation.timeline import Timeline
from podium.simulation.world import Job, World


def run(
    cluster: Cluster,
    planned: Sequence[Planned],
    *,
    policy: SchedulingPolicy,
    runtimes: Runtimes,
    seed: int,
) -> Timeline:
    """Each workload's id is its name. What the scheduler is told of runtimes is as `runtimes`
    says; `max_runtime` counts as what was requested."""
    jobs = [_job(one, runtimes) for one in planned]
    deciding = _Deciding(planned) if any(one.wish.depends_on for one in planned) else decide
    world = World(
        cluster.nodes,
        jobs,
        seed=seed,
        policy=deciding,
        shares=cluster.shares,
        bookings=cluster.bookings,
        scheduling=policy,
    )
    return world.run()


def _job(planned: Planned, runtimes: Runtimes) -> Job:
    wish = planned.wish
    limit = wish.max_runtime_seconds
    kind = KIND_POLICIES[wish.kind]
    return Job(
        workload_id=wish.name,
        submitted_at_ms=planned.at_ms,
        runtime_ms=planned.runtime_ms,
        request=wish.request,
        replicas=wish.replicas,
        groups=_groups(wish),
        project=wish.project,
        priority=wish.priority,
        kind=wish.kind,
        topology=wish.topology,
        limit_ms=None if limit is None else limit * 1000,
        expected=_expected(planned, runtimes),
        preemptible=kind.preemptible,
        elastic=wish.replicas.resize,
        spread=kind.spread,
    )


def _groups(wish: Wish) -> tuple[Asking, ...]:
    begins = accumulate((group.count for group in wish.groups), initial=0)
    return tuple(
        Asking(group.request, first_rank, group.count)
        for group, first_rank in zip(wish.groups, begins, strict=False)
    )


class _Deciding:
    """`decide`, where what has open dependencies is blocked."""

    def __init__(self, planned: Sequence[Planned]) -> None:
        self._planned = {one.wish.name: one for one in planned}

    def __call__(self, snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
        open_names = {demand.workload_id for demand in snapshot.demands}
        open_names |= {hold.workload_id for hold in snapshot.holds}
        open_names |= {name for name, one in self._planned.items() if one.at_ms > now_ms}
        blocked = []
        for demand in snapshot.demands:
            needs = self._planned[demand.workload_id].wish.depends_on
            count = sum(name in open_names for name in needs)
            if count:
                blocked.append(replace(demand, blocked=_blocked(count)))
        return decide(evolved(snapshot, waiting=blocked), now_ms, seed)


def _expected(planned: Planned, runtimes: Runtimes) -> Expected | None:
    if runtimes is Runtimes.EXACT:
        return Expected(planned.runtime_ms, planned.runtime_ms)
    limit = planned.wish.max_runtime_seconds
    if runtimes is Runtimes.REQUESTED and limit is not None:
        return Expected(limit * 1000, limit * 1000)
    return None


def _blocked(count: int) -> Refusal:
    return Refusal(
        WaitReason.DEPENDENCY,
        f"Waits for {count} workload{'s' if count > 1 else ''} that it depends on.",
        "It is placed as soon as they have succeeded.",
        (Evidence("dependencies_open", str(count)),),
    )
