"""Golden refusals: the sentences that people read, one for each reason and wording."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podium.domain.node import NodeState
from podium.domain.policy import DEFAULT_SCHEDULING
from podium.domain.quantity import Range
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import Request, Topology, TopologyLevel
from podium.scheduling.decide import decide
from podium.scheduling.plan import Placement
from podium.scheduling.reasons.refusals import FRONT
from podium.scheduling.snapshot import Demand, Snapshot
from unit.scheduling.cases import (
    GIB,
    LABEL,
    NOW_MS,
    demand,
    gpus,
    hold,
    holding,
    mig,
    node,
    request,
    snapshot,
)

R = WaitReason
EIGHT = node("n1", 8)
FOUR, ALSO = node("n1", 4), node("n2", 4)
WITHIN_RACK = Topology(within=TopologyLevel.RACK)


def busy(indexes: list[int], milli: int = 1000, cpus: int = 1, name: str = "w-busy") -> Snapshot:
    return snapshot([EIGHT], [], [holding(EIGHT, indexes, name, milli, cpus)])


def with_demand(at: Snapshot, one: Demand) -> Snapshot:
    return replace(at, demands=(one,))


CASES: list[tuple[str, Snapshot, Demand, WaitReason, str, str]] = [
    ("no nodes", snapshot([], []), demand(), R.NO_NODES,
     "No node has joined the cluster yet.", "Add a node."),
    ("none ready",
     snapshot([replace(FOUR, state=NodeState.LOST), replace(ALSO, state=NodeState.CORDONED)], []),
     demand(), R.NO_NODES,
     "No node takes new work: 1 cordoned and 1 lost.",
     "Bring a lost node back, or let a cordoned one take work again."),
    ("wrong type", snapshot([EIGHT], []), demand(wants=request(1, gpu_types=("H100",))),
     R.IMPOSSIBLE_TYPE,
     "No node has an H100 GPU. This cluster has A100.",
     "Ask for gpu_type: A100, or leave gpu_type out."),
    ("no GPUs at all", snapshot([node("n1")], []), demand(), R.IMPOSSIBLE_TYPE,
     "No node has a GPU.", "Leave the GPUs out of resources, or add a node with GPUs."),
    ("not that much memory", snapshot([EIGHT], []),
     demand(wants=request(1, gpu_memory=Range.at_least(100 * GIB))), R.IMPOSSIBLE_TYPE,
     "No node has a GPU with at least 100 GiB of memory. This cluster has A100 with 80 GiB.",
     "Ask for a range of gpu_memory that one of these is in, or leave it out."),
    ("no MIG", snapshot([EIGHT], []), demand(wants=request(0, mig_profile="1g.10gb", mig_count=1)),
     R.IMPOSSIBLE_TYPE,
     "No node has a 1g.10gb MIG instance.",
     "Ask for whole GPUs or a share of one; no GPU here is split into instances."),
    ("another profile", snapshot([node("n1", mig("n1", 2, "2g.20gb"))], []),
     demand(wants=request(0, mig_profile="1g.10gb", mig_count=1)), R.IMPOSSIBLE_TYPE,
     "No node has a 1g.10gb MIG instance. This cluster has 2g.20gb.", "Ask for mig: 2g.20gb."),
    ("only MIG", snapshot([node("n1", mig("n1", 2))], []), demand(), R.IMPOSSIBLE_TYPE,
     "No node has a GPU. Every GPU of this cluster is split into MIG instances.",
     "Ask for mig: 1g.10gb."),
    ("more than the cluster", snapshot([EIGHT], []), demand(wants=request(64)), R.IMPOSSIBLE_SIZE,
     "Asks for 64 GPUs; the whole cluster has 8.", "Ask for gpus: 8 or fewer."),
    ("more than a node", snapshot([FOUR, ALSO], []), demand(wants=request(6)), R.IMPOSSIBLE_SIZE,
     "Asks for 6 GPUs on one node; the largest node has 4.",
     "Ask for gpus: 4 or fewer. Several replicas can use more than one node."),
    ("each more than a node", snapshot([FOUR, ALSO], []), demand(wants=request(6), replicas=1,
     pending_ranks=(0, 1), minimum=1), R.IMPOSSIBLE_SIZE,
     "Each replica asks for 6 GPUs on one node; the largest node has 4.",
     "Ask for gpus: 4 or fewer. Several replicas can use more than one node."),
    ("gang more than the cluster", snapshot([FOUR, ALSO], []), demand(wants=request(4), replicas=3),
     R.IMPOSSIBLE_SIZE,
     "Asks for 12 GPUs in all (3 replicas with 4 each); the whole cluster has 8.",
     "Ask for 2 replicas or fewer, or for fewer GPUs each."),
    ("gang does not divide", snapshot([FOUR, ALSO], []), demand(wants=request(3), replicas=3),
     R.IMPOSSIBLE_SIZE,
     "Asks for 9 GPUs in all (3 replicas with 3 each); the whole cluster has 8.",
     "Ask for 2 replicas or fewer, or for fewer GPUs each."),
    ("gang in pieces", snapshot([node("n1", 3), node("n2", 3)], []),
     demand(wants=request(2), replicas=3), R.IMPOSSIBLE_SIZE,
     "Asks for 3 replicas with 2 GPUs each; only 2 of them fit into the whole cluster.",
     "Ask for 2 replicas or fewer, or for less each."),
    ("share of memory", snapshot([EIGHT], []),
     demand(wants=request(0, gpu_share_bytes=100 * GIB)), R.IMPOSSIBLE_SIZE,
     "Asks for 100 GiB of the memory of a GPU; the largest has 80 GiB.",
     "Ask for at most 80 GiB, or for whole GPUs."),
    ("CPUs of a node", snapshot([EIGHT], []), demand(wants=request(1, cpus=128)),
     R.IMPOSSIBLE_SIZE,
     "Asks for 128 CPUs on one node; the largest node has 64.", "Ask for cpus: 64 or less."),
    ("memory of a node", snapshot([EIGHT], []), demand(wants=request(0, memory=512 * GIB)),
     R.IMPOSSIBLE_SIZE,
     "Asks for 512 GiB of memory on one node; the largest node has 256 GiB.",
     "Ask for memory: 256GiB or less."),
    ("never together",
     snapshot([node("n1", 8, cpu_milli=4000), node("n2", cpu_milli=64_000)], []),
     demand(wants=request(2, cpus=16)), R.IMPOSSIBLE_SIZE,
     "No one node has 2 GPUs, 16 CPUs and 1 GiB of memory together, even when idle.",
     "Ask for less of one of these for each replica."),
    ("gang of CPUs", snapshot([EIGHT], []), demand(wants=request(0, cpus=16), replicas=5),
     R.IMPOSSIBLE_SIZE,
     "Asks for 5 replicas with 16 CPUs each; only 4 of them fit into the whole cluster.",
     "Ask for 4 replicas or fewer, or for less each."),
    ("labels nobody has", snapshot([EIGHT], []), demand(wants=request(1, node_labels=(LABEL,))),
     R.POLICY,
     "No node has the label zone=eu.", "Ask for labels that a node has, or leave node_labels out."),
    ("labels on others", snapshot([EIGHT, node("n2", labels=(LABEL,))], []),
     demand(wants=request(1, node_labels=(LABEL,))), R.POLICY,
     "The nodes with the label zone=eu could not hold it even if empty; others could.",
     "Ask for labels that a node has, or leave node_labels out."),
    ("no rack is large enough",
     snapshot([replace(FOUR, rack="r1"), replace(ALSO, rack="r2")], []),
     demand(wants=request(2), replicas=4, topology=WITHIN_RACK), R.TOPOLOGY,
     "No rack can hold 4 replicas together; at most 2 fit into one, even an empty one.",
     "Use topology.prefer in place of topology.within, or ask for fewer replicas."),
    ("no rack is free enough",
     snapshot([replace(FOUR, rack="r1"), replace(ALSO, rack="r2")], [],
              [holding(FOUR, [0]), holding(ALSO, [0])]),
     demand(wants=request(2), replicas=2, topology=WITHIN_RACK), R.TOPOLOGY,
     "Enough is free, but not inside one rack: at most 1 fits into one now.",
     "Use topology.prefer in place of topology.within, or ask for fewer replicas."),
    ("lost nodes", snapshot([FOUR, replace(ALSO, state=NodeState.LOST)], []),
     demand(wants=request(4), replicas=2), R.UNHEALTHY_NODES,
     "Would fit if everything were up; now 1 node is lost.",
     "Bring the nodes back, or ask for what the others have."),
    ("capacity", busy([0, 1, 2, 3, 4, 5, 6]), demand(wants=request(2)), R.CAPACITY,
     "Waits for 2 GPUs; 1 of 8 is free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("capacity of a gang", busy([0, 1, 2, 3]),
     demand(wants=request(2, gpu_types=("A100",)), replicas=4), R.CAPACITY,
     "Waits for 4 replicas with 2 A100 GPUs each; 4 of 8 are free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("capacity of an array", busy(list(range(8))), demand(replicas=20, minimum=1), R.CAPACITY,
     "Each waiting replica needs 1 GPU; none of 8 is free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("the rest of an array", snapshot([EIGHT], []), demand(replicas=20, minimum=1), R.CAPACITY,
     "Each waiting replica needs 1 GPU; none of 8 is free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("capacity of a share", busy(list(range(8)), 900),
     demand(wants=request(0, gpu_milli=500), replicas=2), R.CAPACITY,
     "Waits for 2 replicas with 0.5 of a GPU each; 0.8 of 8 GPUs are free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("capacity of CPUs", busy([0], cpus=60), demand(wants=request(0, cpus=8)), R.CAPACITY,
     "Waits for 8 CPUs; 4 of 64 are free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("no CPU left", busy([0], cpus=64), demand(wants=request(1)), R.CAPACITY,
     "Waits for 1 CPU; none of 64 is free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("capacity of memory", busy([0]), demand(wants=request(0, memory=256 * GIB)), R.CAPACITY,
     "Waits for 256 GiB of memory; 255 GiB of 256 GiB is free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("GPUs without CPUs beside them",
     snapshot([FOUR, node("n2")], [], [holding(FOUR, [0], cpus=63)]),
     demand(wants=request(2, cpus=8)), R.CAPACITY,
     "Waits for 8 CPUs on a node that has 2 GPUs free.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("spread over nodes",
     snapshot([FOUR, ALSO], [], [holding(FOUR, [0, 1]), holding(ALSO, [0, 1])]),
     demand(wants=request(3)), R.FRAGMENTATION,
     "Waits for 3 GPUs; 4 are free, but no more than 2 on one node.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("spread over shared GPUs", busy(list(range(8)), 500), demand(wants=request(2)),
     R.FRAGMENTATION,
     "Waits for 2 GPUs; enough is free in sum, but in parts of GPUs that others share.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("shares too small", busy(list(range(8)), 700), demand(wants=request(0, gpu_milli=500)),
     R.FRAGMENTATION,
     "Waits for 0.5 of a GPU; 2.4 are free in sum, but no more than 0.3 on one GPU.",
     "It starts when running work ends; a smaller request may start sooner."),
    ("CPUs on two nodes",
     snapshot([node("n1", 1), node("n2", 1)], [],
              [holding(node("n1", 1), [0], cpus=40), holding(node("n2", 1), [0], cpus=40)]),
     demand(wants=request(0, cpus=32)), R.FRAGMENTATION,
     "Waits for 32 CPUs; 48 are free in sum, but no more than 24 on one node.",
     "It starts when running work ends; a smaller request may start sooner."),
]  # fmt: skip


def refusal_of(at: Snapshot, workload_id: str = "w") -> Refusal:
    return next(
        one.refusal for one in decide(at, NOW_MS, 0).refusals if workload_id in one.workload_ids
    )


@pytest.mark.parametrize(
    ("at", "one", "reason", "message", "remedy"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_golden(at: Snapshot, one: Demand, reason: WaitReason, message: str, remedy: str) -> None:
    refusal = refusal_of(with_demand(at, one))
    assert (refusal.reason, refusal.message, refusal.remedy) == (reason, message, remedy)


def test_capacity_tells_holders_by_project_in_evidence_only() -> None:
    holds = [
        hold(Placement("w-big", 0, "n1", 1000, GIB, holding(EIGHT, [0, 1, 2, 3]).devices), "mine"),
        hold(Placement("w-small", 0, "n1", 1000, GIB, holding(EIGHT, [4, 5, 6]).devices), "theirs"),
        hold(Placement("w-cpu", 0, "n1", 1000, GIB, ()), "theirs"),
    ]
    refusal = refusal_of(snapshot([EIGHT], [demand(wants=request(2))], holds))
    assert refusal.evidence == (
        Evidence("gpus_free", "1"),
        Evidence("gpus_free_on_one_node", "1"),
        Evidence("gpus_total", "8"),
        Evidence("holders", "2"),
        Evidence("holder", "w-big", "mine"),
        Evidence("holder", "w-small", "theirs"),
    )
    assert "w-" not in refusal.message + refusal.remedy


def test_placements_of_the_same_plan_are_holders_at_once() -> None:
    at = snapshot([EIGHT], [demand("a", request(8), priority=60), demand("w", request(8))])
    assert Evidence("holder", "a", "p") in refusal_of(at).evidence


def test_unhealthy_names_nodes_and_gpus() -> None:
    ill = replace(FOUR, devices=tuple(replace(one, healthy=one.index > 1) for one in FOUR.devices))
    at = snapshot([ill, replace(ALSO, state=NodeState.CORDONED)], [demand(wants=request(4))])
    refusal = refusal_of(at)
    assert refusal.reason is WaitReason.UNHEALTHY_NODES
    assert refusal.message == (
        "Would fit if everything were up; now 1 node is cordoned and 2 GPUs are not healthy."
    )
    assert refusal.evidence == (
        Evidence("node_state", "cordoned", "n2"),
        Evidence("gpu_unhealthy", "0", "n1"),
        Evidence("gpu_unhealthy", "1", "n1"),
    )


def test_deep_in_the_queue_nothing_ticks() -> None:
    """Behind the front a refusal stays the same while others come, go and free a little."""
    waiting = [demand(f"w{i:03}", request(4)) for i in range(FRONT + 5)]
    deep = f"w{FRONT + 3:03}"
    before = refusal_of(snapshot([EIGHT], waiting, [holding(EIGHT, [0, 1, 2, 3, 4])]), deep)
    after = refusal_of(snapshot([EIGHT], waiting, [holding(EIGHT, [2, 3, 4, 5, 6], "x")]), deep)
    same = refusal_of(snapshot([EIGHT], waiting, [holding(EIGHT, list(range(7)), "y")]), deep)
    assert before == after == same
    assert before.reason is WaitReason.CAPACITY
    assert before.message == ("Waits for 4 GPUs; too few of the 8 are free, and others are ahead.")
    assert before.evidence == ()


def test_kept_room_is_a_reason_of_its_own() -> None:
    at = snapshot(
        [EIGHT],
        [
            demand("head", request(8), queued_at_ms=NOW_MS - DEFAULT_SCHEDULING.patience_ms),
            demand("w", request(1)),
        ],
        [holding(EIGHT, [0])],
    )
    refusal = refusal_of(at)
    assert refusal.reason is WaitReason.PRIORITY
    assert refusal.message == (
        "What it needs is kept for work ahead of it in the queue, which has waited long."
    )
    assert refusal.evidence == (Evidence("holder", "head", "p"),)
    assert refusal_of(at, "head").reason is WaitReason.CAPACITY


def test_type_words_with_several_types() -> None:
    wants: Request = request(1, gpu_types=("H100", "H200"), gpu_memory=Range.exactly(141 * GIB))
    nodes = [node("n1", [*gpus("n1", 1), *gpus("n1", 1, "L4", 24 * GIB)])]
    assert refusal_of(snapshot(nodes, [demand(wants=wants)])).message == (
        "No node has an H100 or H200 GPU with 141 GiB of memory. "
        "This cluster has A100 with 80 GiB and L4 with 24 GiB."
    )
