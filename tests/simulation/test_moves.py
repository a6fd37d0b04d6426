"""What moving saved work is good for: large work waits less, and nobody pays for it in sum."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from podium.domain.policy import DEFAULT_SCHEDULING
from podium.domain.resources import ReplicaCount
from podium.simulation.world import Job, World
from unit.scheduling.cases import node, request

MINUTE_MS = 60_000
SEEDS = range(12)


@dataclass(frozen=True)
class Outcome:
    large_waited_ms: int
    all_took_ms: int
    moves: int


def outcome(seed: int, moves_max: int) -> Outcome:
    """Sixty jobs of 1 to 16 GPUs over four hours on four to eight nodes of eight."""
    dice = random.Random(seed)
    nodes = [node(f"n{index}", 8) for index in range(dice.randint(4, 8))]
    jobs = [
        Job(
            workload_id=f"w{number:02}",
            submitted_at_ms=dice.randint(0, 240) * MINUTE_MS,
            runtime_ms=(int(dice.lognormvariate(4.0, 0.8)) + 1) * MINUTE_MS,
            request=request(dice.choice([1, 1, 1, 1, 2, 2, 4, 8])),
            replicas=ReplicaCount(*[dice.choice([1, 1, 1, 2])] * 2),
            preemptible=True,
            saved=True,
        )
        for number in range(60)
    ]
    policy = replace(DEFAULT_SCHEDULING, moves_max=moves_max)
    timeline = World(nodes, jobs, scheduling=policy).run()
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for span in timeline.spans:
        assert span.ended_at_ms is not None
        first[span.workload_id] = min(
            first.get(span.workload_id, span.started_at_ms), span.started_at_ms
        )
        last[span.workload_id] = max(last.get(span.workload_id, 0), span.ended_at_ms)
    large = [job for job in jobs if job.request.gpu_milli * job.replicas.maximum >= 8000]
    return Outcome(
        sum(first[job.workload_id] - job.submitted_at_ms for job in large),
        sum(last[job.workload_id] - job.submitted_at_ms for job in jobs),
        len(timeline.stops),
    )


def test_large_work_waits_less_and_all_together_are_not_slower() -> None:
    without = [outcome(seed, 0) for seed in SEEDS]
    with_moves = [outcome(seed, 8) for seed in SEEDS]
    assert sum(each.moves for each in without) == 0
    assert sum(each.moves for each in with_moves) > 0
    waited = sum(each.large_waited_ms for each in without)
    assert sum(each.large_waited_ms for each in with_moves) < 0.9 * waited
    took = sum(each.all_took_ms for each in without)
    assert sum(each.all_took_ms for each in with_moves) < took
