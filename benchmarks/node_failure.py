"""How long after the death of a kubelet its work runs again elsewhere, and how much of that is
Kubernetes' own: on two real nodes.

Needs root on Debian. Run by `make bench-kubernetes`, not with the others.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import podium
from benchmarks.cluster_shape import shape_chosen
from benchmarks.figure import Figure, Say
from benchmarks.tenant import PROJECT, own_tenant
from lab.kubernetes.cluster import Cluster
from podium.domain.node import NodeState

CLUSTER = "bench"
IMAGE = "localhost/work:1"
_PATIENCE_SECONDS = 120.0
_POLICY_SECONDS = 60
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Seconds from the kubelet's death until each was so."""

    missed: float
    """Kubernetes says that the node is not ready."""
    lost: float
    """Podium says that it is lost."""
    replaced: float
    """The work runs on the other node."""


def measure(say: Say) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory(prefix="podium-bench-") as folder,
        Cluster(Path(folder) / "lab", nodes=2, virtual_gpus=8) as lab,
        own_tenant() as tenant,
        tenant.server.administrator() as administrator,
    ):
        administrator.clusters.add(CLUSTER, lab.kubeconfig.read_text(), image=IMAGE)
        _until(lambda: administrator.clusters.get(CLUSTER).nodes == 2, "two nodes")
        asked = []
        for turn in range(shape_chosen().kills):
            say(f"a kubelet dies, and a person gives up its node ({turn + 1})")
            asked.append(_course(lab, administrator, tenant.client, f"asked-{turn}", ask=True))
        say("a kubelet dies, and the policy gives up its node")
        administrator.policies.set("scheduling", {"lost_node_after": f"{_POLICY_SECONDS}s"})
        alone = _course(lab, administrator, tenant.client, "alone", ask=False)
    missed = statistics.median(each.missed for each in asked)
    after = statistics.median(each.replaced - each.missed for each in asked)
    noticed = statistics.median(each.lost - each.missed for each in asked)
    policy = f"policy {_POLICY_SECONDS} s"
    return [
        Figure(name="kubelet's death to NotReady, by Kubernetes", value=missed, unit="s"),
        Figure(name="NotReady to lost, by Podium", value=noticed, unit="s"),
        Figure(name="NotReady to replacement running, given up at once", value=after, unit="s"),
        Figure(
            name=f"NotReady to replacement running, nobody asked, {policy}",
            value=alone.replaced - alone.missed,
            unit="s",
        ),
    ]


def _course(
    lab: Cluster,
    administrator: podium.Client,
    member: podium.Client,
    name: str,
    *,
    ask: bool,
) -> Course:
    """Work runs on a node; its kubelet dies, and is there again in the end."""
    made = member.workloads.submit(
        {
            "name": name,
            "project": PROJECT,
            "kind": "batch",
            "command": ["sleep", "600"],
            "grace": "1s",
            "resources": {"gpus": 1, "gpu_type": "H100", "cpus": 0.05, "memory": "16MiB"},
        }
    )

    def places() -> set[str]:
        found = member.workloads.get(made.id).replica_list
        return {each.node or "" for each in found if each.state == "running"}

    _until(lambda: len(places()) == 1, f"{name} runs")
    (place,) = places()
    node = lab.node(place.removeprefix(f"{CLUSTER}."))
    begun = time.monotonic()
    node.kill_kubelet()
    try:
        missed = _until(lambda: not lab.ready()[node.name], "Kubernetes misses it") - begun
        lost = _until(lambda: _is_lost(administrator, place), "Podium misses it") - begun
        if ask:
            administrator.nodes.release(place)
        replaced = _until(lambda: bool(places() - {place}), "it runs elsewhere") - begun
    finally:
        node.start_kubelet()
    member.workloads.cancel(made.id)
    _until(lambda: _is_free(administrator), "both nodes are free again")
    return Course(missed=missed, lost=lost, replaced=replaced)


def _is_lost(administrator: podium.Client, name: str) -> bool:
    return administrator.nodes.get(name).state is NodeState.LOST


def _is_free(administrator: podium.Client) -> bool:
    return all(
        node.state is NodeState.READY and not node.replicas and not node.given_up
        for node in administrator.nodes.list(cluster=CLUSTER)
    )


def _until(happened: Callable[[], bool], what: str) -> float:
    """When it was first so, on the monotonic clock. Raises TimeoutError."""
    begun = time.monotonic()
    while not happened():
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            raise TimeoutError(f"not within {_PATIENCE_SECONDS:g} s: {what}")
        time.sleep(_LOOK_SECONDS)
    return time.monotonic()
