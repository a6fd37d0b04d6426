"""What people read when they ask why something waits: as transcripts, word by word."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from podium.domain.node import NodeState
from podium.domain.policy import Preempt
from podium.domain.quantity import Range
from podium.domain.reason import Refusal, WaitReason
from podium.domain.resources import Topology, TopologyLevel
from podium.scheduling.decide import decide
from podium.scheduling.explain.explanation import explanation
from podium.scheduling.explain.values import Axis, Constraint, Explanation
from podium.scheduling.snapshot import Booking, Hold, Part, Share, Snapshot
from podium.simulation.speed.mixture import NOW_MS as SPEED_NOW_MS
from podium.simulation.speed.shapes import SHAPES
from unit.scheduling.cases import (
    GIB,
    NOW_MS,
    demand,
    gpus,
    holding,
    mig,
    node,
    request,
    snapshot,
)

HOUR_MS = 3600_000
N1 = node("n1", 8, rack="r1", block="b1")
N2 = node("n2", 8, rack="r1", block="b1")
L4S = node("n3", gpus("n3", 4, "L4", 24 * GIB), rack="r2", block="b1")
CORDONED = node("n4", 8, state=NodeState.CORDONED)


def running(at: object, indexes: list[int], name: str, **changes: object) -> Hold:
    hold = holding(at, indexes, name)  # type: ignore[arg-type]
    plain = replace(hold, project="blue", started_at_ms=NOW_MS - HOUR_MS)
    return replace(plain, **changes)  # type: ignore[arg-type]


SIX = running(N1, [0, 1, 2, 3, 4, 5], "six", ends_at_ms=NOW_MS + 2 * HOUR_MS)
THREE = running(N2, [0, 1, 2], "three", project="red")
FOUR = running(N1, [0, 1, 2, 3], "four", ends_at_ms=NOW_MS + 2 * HOUR_MS)


def explain(at: Snapshot, workload_id: str = "w", **more: object) -> Explanation:
    return explanation(at, None, workload_id, NOW_MS, **more)  # type: ignore[arg-type]


def transcript(found: Explanation) -> str:
    lines = [found.sentence]
    lines += [f"  {group.sentence}" for group in found.groups]
    for each in found.holders:
        until = "nobody knows until when"
        if each.until_ms is not None:
            until = f"for {(each.until_ms - NOW_MS) // 60_000} min"
        lines.append(f"  {each.workload_id} of {each.project} has {each.gpu_milli}, {until}")
    lines += [f"> {change.sentence}" for change in found.changes]
    return "\n".join(lines)


def test_too_few_gpus() -> None:
    at = snapshot([N1, N2, L4S, CORDONED], [demand("w", request(8, gpu_types=("A100",)))],
                  [SIX, THREE])  # fmt: skip
    found = explain(at)
    assert transcript(found) == (
        "Waits for 8 A100 GPUs; 7 of 16 are free.\n"
        "  1 node: no A100 GPU\n"
        "  1 node: cordoned\n"
        "  1 node: 2 of 8 GPUs free\n"
        "  1 node: 5 of 8 GPUs free\n"
        "  six of blue has 6000, for 120 min\n"
        "  three of red has 3000, nobody knows until when\n"
        "> With 5 A100 GPUs instead of 8 A100 GPUs it starts now."
    )
    assert found.constraint is Constraint.GPUS
    assert (found.kept, found.kept_from_ms) == (True, NOW_MS + 2 * HOUR_MS)
    (change,) = found.changes
    assert change.fields == (("resources.gpus", "5"),)
    assert change.places == (("n2", 1),)
    assert change.exact


def test_a_gang_that_does_not_fit_together() -> None:
    gang = demand("w", request(4, gpu_types=("A100",)), 3, topology=Topology(TopologyLevel.NODE))
    assert transcript(explain(snapshot([N1, N2], [gang], [SIX, THREE]))) == (
        "No node can hold 3 replicas together; at most 2 fit into one, even an empty one.\n"
        "  1 node: 2 of 8 GPUs free\n"
        "  1 node: room for 1 replica\n"
        "  six of blue has 6000, for 120 min\n"
        "  three of red has 3000, nobody knows until when\n"
        "> With 1 A100 GPU instead of 4 A100 GPUs for each replica it starts now.\n"
        "> With 1 replica instead of 3 replicas it starts now."
    )


def test_looser_topology() -> None:
    far = replace(N2, rack="r2")
    gang = demand("w", request(8), 2, topology=Topology(TopologyLevel.RACK))
    found = explain(snapshot([N1, far], [gang]))
    assert transcript(found) == (
        "No rack can hold 2 replicas together; at most 1 fits into one, even an empty one.\n"
        "  2 nodes: room for 1 replica\n"
        "> With 4 GPUs instead of 8 GPUs for each replica it starts now.\n"
        "> With 1 replica instead of 2 replicas it starts now.\n"
        "> If its replicas may stand inside one block instead of inside one rack, it starts now."
    )
    assert found.changes[-1].fields == (("topology.within", "block"), ("topology.prefer", "rack"))


def test_another_type() -> None:
    at = snapshot([N1, L4S], [demand("w", request(2, gpu_types=("H100",)))], [SIX])
    assert transcript(explain(at)) == (
        "No node has an H100 GPU. This cluster has A100 and L4.\n"
        "  2 nodes: no H100 GPU\n"
        "> With A100 instead of H100 GPUs it starts now."
    )


def test_cpus_and_other_nodes() -> None:
    at = snapshot([N1], [demand("w", request(1, cpus=100))])
    assert transcript(explain(at)) == (
        "Asks for 100 CPUs on one node; the largest node has 64.\n"
        "  1 node: only 64 CPUs\n"
        "> With 64 CPUs instead of 100 CPUs it starts now."
    )
    zoned = [replace(N1, labels=(("zone", "eu"),)), replace(N2, labels=(("zone", "us"),))]
    wants = request(4, node_labels=(("zone", "eu"),))
    found = explain(snapshot(zoned, [demand("w", wants)], [SIX]))
    assert transcript(found) == (
        "Waits for 4 GPUs; 2 of 8 are free.\n"
        "  1 node: without the label zone=eu\n"
        "  1 node: 2 of 8 GPUs free\n"
        "  six of blue has 6000, for 120 min\n"
        "> With 2 GPUs instead of 4 GPUs it starts now.\n"
        "> On nodes with zone=us instead of zone=eu it starts now."
    )


def test_a_slice_only_where_the_request_says_how_much_memory_it_needs() -> None:
    whole = running(N1, list(range(8)), "all")
    at = [N1, node("n2", mig("n2", 2))]
    enough = request(1, gpu_memory=Range.at_least(10 * GIB))
    found = explain(snapshot(at, [demand("w", enough)], [whole]))
    assert [change.sentence for change in found.changes] == [
        "With a 1g.10gb MIG instance instead of a whole GPU it starts now; that has 10 GiB."
    ]
    more = request(1, gpu_memory=Range.at_least(20 * GIB))
    for wants in (request(1), more):
        assert explain(snapshot(at, [demand("w", wants)], [whole])).changes == ()
    half = replace(holding(N1, [0], "half", milli=500), project="blue")
    shared = snapshot([replace(N1, devices=N1.devices[:1])], [demand("w", more)], [half])
    (change,) = explain(shared).changes
    assert change.sentence == "With 20 GiB of a GPU that it shares with others it starts now."
    assert change.fields == (("resources.gpus", None), ("resources.gpu_memory", "20GiB"))


def waiting_behind() -> Snapshot:
    return snapshot(
        [N1],
        [
            demand("big", request(8), queued_at_ms=0, project="z", priority=75),
            demand("w", request(2), queued_at_ms=1),
        ],
        [FOUR],
    )


def test_what_is_kept_for_others() -> None:
    found = explain(waiting_behind())
    assert transcript(found) == (
        "What it needs is kept for work ahead of it in the queue, which has waited long.\n"
        "  1 node: kept for others\n"
        "  four of blue has 4000, for 120 min\n"
        "> With a max_runtime of 1 h 59 min it starts now, "
        "because it then ends before others need the room.\n"
        "> With priority 75 instead of 50 it starts now."
    )
    assert found.changes[1].delays == ("big",)
    assert found.changes[0].delays == ()
    assert found.position.ahead == ("big",)
    assert (found.position.turn, found.position.overall, found.position.in_project) == (2, 2, 1)
    capped = explain(waiting_behind(), priority_max=74)
    assert [change.axis for change in capped.changes] == [Axis.MAX_RUNTIME]


def test_a_guarantee_of_somebody_who_does_not_use_it() -> None:
    shares = (
        Share(name="p", project="p", guarantees=(("", 1000),)),
        Share(name="q", project="q", guarantees=(("", 4000),)),
        Share(name="z", project="z"),
    )
    found = explain(replace(waiting_behind(), shares=shares), priority_max=50)
    change = found.changes[-1]
    assert change.sentence == (
        "If p is guaranteed 2 GPUs instead of 1, it starts now; "
        "q is guaranteed 1 GPU that it does not use."
    )
    assert [(each.share, each.to_amount) for each in change.quota] == [("p", 2000), ("q", 3000)]
    assert [(each.share, each.guarantee_milli) for each in found.entitled] == [("p", 1000)]


def test_limits_all_the_way_up() -> None:
    shares = (
        Share(name="team", limits=(("", 5000),)),
        Share(name="team/p", parent="team", project="p", limits=(("", 4000),)),
    )
    at = replace(
        snapshot([N1, N2], [demand("w", request(4))], [replace(SIX, devices=SIX.devices[:2],
                                                               project="p")]),
        shares=shares,
    )  # fmt: skip
    found = explain(at)
    assert transcript(found) == (
        "It would go over a limit: team/p may use 4 GPUs and uses 2.\n"
        "  2 nodes: room for it\n"
        "  six of p has 2000, for 120 min\n"
        "> With 2 GPUs instead of 4 GPUs it starts now.\n"
        "> If team/p may use 6 GPUs instead of 4 and team may use 6 GPUs instead of 5, "
        "it starts now."
    )


def test_a_limit_of_one_type() -> None:
    shares = (Share(name="p", project="p", limits=(("A100", 1000),)),)
    at = replace(snapshot([N1], [demand("w", request(2, gpu_types=("A100",)))]), shares=shares)
    change = explain(at).changes[-1]
    assert change.sentence == "If p may use 2 A100 GPUs instead of 1, it starts now."
    assert change.before == "p may use 1 A100 GPU"


def test_a_booking_lets_short_work_through() -> None:
    booking = Booking(
        name="upgrade", nodes=("n1",), from_ms=NOW_MS + HOUR_MS, until_ms=NOW_MS + 9 * HOUR_MS
    )
    at = replace(snapshot([N1], [demand("w", request(1))]), bookings=(booking,))
    found = explain(at)
    assert found.constraint is Constraint.BOOKING
    assert found.changes[0].fields == (("max_runtime", "59m"),)


def test_what_waits_for_itself_or_starts_is_offered_nothing() -> None:
    own = Refusal(WaitReason.DEPENDENCY, "Waits for prepare.", "Nothing to do.")
    found = explain(snapshot([N1], [demand("w", blocked=own)]))
    assert transcript(found) == "Waits for prepare."
    assert found.constraint is Constraint.ITSELF
    assert found.decides == 1
    fits = explain(snapshot([N1], [demand("w")]))
    assert fits.starts_now
    assert fits.sentence == "It starts now."
    with pytest.raises(KeyError):
        explain(snapshot([N1], [demand("w")]), "nobody")


def test_groups_keep_their_resources() -> None:
    wants = request(4)
    parts = (Part(wants, (0,)), Part(request(6), (1, 2, 3)))
    gang = demand("w", wants, 4, topology=Topology(TopologyLevel.RACK), parts=parts)
    at = snapshot([N1, replace(N2, rack="r2"), node("n5", 8, rack="r2", block="b1")], [gang])
    found = explain(at)
    axes = [change.axis for change in found.changes]
    assert set(axes) <= {Axis.REPLICAS, Axis.TOPOLOGY, Axis.PRIORITY, Axis.QUOTA}
    for change in found.changes:
        assert change.demand is not None
        after = replace(at, demands=(change.demand,))
        assert len(decide(after, NOW_MS, 0).placements) == len(change.demand.pending_ranks)


def test_what_runs_in_part_is_only_moved_ahead() -> None:
    array = demand("six", request(8), 2, 1)
    at = snapshot([N1], [replace(array, pending_ranks=(7, 8))], [SIX])
    assert explain(at, "six").changes == ()


def test_a_deep_queue_costs_few_cycles() -> None:
    at = SHAPES["deep-queue"].build(0.02)
    plan = decide(at, SPEED_NOW_MS, 0)
    for one in at.demands[:: len(at.demands) // 20]:
        found = explanation(at, plan, one.workload_id, SPEED_NOW_MS)
        assert found.decides <= 8
        assert found.position.waiting == len(at.demands)


def test_the_same_reason_as_the_plan_at_the_front() -> None:
    at = snapshot([N1], [demand(f"w{n}", request(8), queued_at_ms=n) for n in range(30)], [FOUR])
    calm = replace(at, policy=replace(at.policy, preempt=Preempt.NEVER))
    plan = decide(calm, NOW_MS, 0)
    told = {name: each.refusal for each in plan.refusals for name in each.workload_ids}
    first = explanation(calm, plan, "w0", NOW_MS)
    last = explanation(calm, plan, "w29", NOW_MS)
    assert first.refusal == told["w0"]
    assert last.refusal is not None
    assert last.refusal.reason is told["w29"].reason
    assert "free" in last.sentence


_TOLD = """
import sys
from podium.scheduling.explain.explanation import explanation
from podium.scheduling.explain.what_if import what_if
from podium.scheduling.explain.edits import NodeLost
from podium.scheduling.explain.dry_run import dry_run
from dataclasses import replace
from podium.simulation.speed.mixture import NOW_MS
from podium.simulation.speed.shapes import SHAPES
at = SHAPES["deep-queue"].build(0.005)
one = at.demands[7]
print(explanation(at, None, one.workload_id, NOW_MS))
print(dry_run(at, replace(one, workload_id="new"), NOW_MS))
print(what_if(at, [NodeLost(at.nodes[3].name)], NOW_MS, etas=20))
"""


def test_the_hash_seed_changes_nothing() -> None:
    told = []
    for hash_seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        told.append(
            subprocess.run(
                [sys.executable, "-c", _TOLD], env=env, check=True, capture_output=True, text=True
            ).stdout
        )
    assert told[0] == told[1]
