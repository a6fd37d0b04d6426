"""The nodes of a cluster as Podium's scheduler sees them: what is ready, and what pods that are not
Podium's leave free."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from decimal import ROUND_CEILING, Decimal

from lightkube.utils.quantity import parse_quantity

from podium.domain.node import Node, NodeState
from podium.domain.resources import CLUSTER_LABEL, ISOLATION_LABEL, MPS_LABEL
from podium.engines.kubernetes import names, objects
from podium.engines.kubernetes.devices import Sight, devices_of, is_exact, is_gpu, shares_by_mps
from podium.engines.kubernetes.layouts import AT_WORK, STATE
from podium.engines.kubernetes.site import ClusterSite

_TOLERATED = frozenset({names.GPU})
_REPELS = frozenset({"NoSchedule", "NoExecute"})
_LOST_TAINT = "node.kubernetes.io/"  # conditions say the same
# Where a node stands, from labels that are in use, the first that it has.
_NVLINK = ("podium.io/nvlink", "nvidia.com/gpu.clique", "network.topology.nvidia.com/accelerator")
_RACK = (
    "podium.io/rack",
    "topology.kubernetes.io/rack",
    "network.topology.nvidia.com/leaf",
    "topology.k8s.aws/network-node-layer-3",
)
_BLOCK = (
    "podium.io/block",
    "topology.kubernetes.io/block",
    "network.topology.nvidia.com/spine",
    "topology.k8s.aws/network-node-layer-2",
    "topology.kubernetes.io/zone",
)
_OVER = frozenset({"Succeeded", "Failed"})


def is_over(pod: objects.Pod) -> bool:
    return pod.status.phase in _OVER


def usage_of(pod: objects.Pod) -> Counter[str]:
    """What a pod keeps from others on its node: `cpu` in thousandths, `memory` in bytes, devices
    by count. Containers that run first need no more than the larger of the two."""
    if is_over(pod):
        return Counter()
    together: Counter[str] = Counter()
    for container in pod.spec.containers:
        together.update(_requests(container))
    for container in pod.spec.init_containers:
        for name, amount in _requests(container).items():
            together[name] = max(together[name], amount)
    together.update(_amounts(pod.spec.overhead))
    return together


def _requests(container: objects.Container) -> Counter[str]:
    asked = container.resources
    return _amounts({**asked.limits, **asked.requests})


def _amounts(said: Mapping[str, str]) -> Counter[str]:
    return Counter({name: amount(name, text) for name, text in said.items()})


def amount(name: str, text: str) -> int:
    """A quantity of Kubernetes in Podium's unit: thousandths of a CPU, bytes, or a count."""
    value = parse_quantity(text) or Decimal()
    if name == "cpu":
        value *= 1000
    return int(value.to_integral_value(ROUND_CEILING))


def notes_of(pod: objects.Pod) -> tuple[str, ...]:
    """Which devices Podium counts it on; of one that others submitted only that it has some."""
    noted = pod.metadata.annotations.get(names.DEVICES, "")
    if noted:
        return tuple(noted.split(","))
    return ("submitted",) if any(map(is_gpu, usage_of(pod))) else ()


def node_of(
    seen: objects.Node,
    site: ClusterSite,
    engine: str,
    others: Counter[str],
    ours: Collection[str] = (),
) -> Node:
    """`others` is what pods that are not Podium's use of it, `ours` what Podium's note of it."""
    labels = seen.metadata.labels
    name = site.node_name(seen.metadata.name)
    allocatable = seen.status.allocatable
    own = {**labels, **site.labels, CLUSTER_LABEL: site.cluster, ISOLATION_LABEL: "namespaces"}
    own.pop(MPS_LABEL[0], None)  # nobody may say so but who makes it so
    own |= dict([MPS_LABEL]) if shares_by_mps(labels) else {}
    own[names.DEVICES] = names.EXACT if is_exact(labels) else names.COUNTED
    sight = Sight(
        name=name,
        allocatable=allocatable,
        labels=labels,
        annotations=seen.metadata.annotations,
        others=others,
        ours=ours,
    )
    return Node(
        name=name,
        engine=engine,
        state=NodeState.CORDONED if _closed(seen) else NodeState.READY,
        address=_address(seen),
        cpu_milli=max(0, amount("cpu", allocatable.get("cpu", "0")) - others["cpu"]),
        memory_bytes=max(0, amount("memory", allocatable.get("memory", "0")) - others["memory"]),
        labels=tuple(sorted(own.items())),
        block=_first(labels, _BLOCK),
        rack=_first(labels, _RACK),
        nvlink=_first(labels, _NVLINK),
        devices=devices_of(sight),
    )


def is_ready(seen: objects.Node) -> bool:
    """Whether its kubelet is heard; where not, nobody knows what runs there."""
    return any(each.type == "Ready" and each.status == "True" for each in seen.status.conditions)


def _closed(seen: objects.Node) -> bool:
    cut_anew = seen.metadata.labels.get(STATE) in AT_WORK
    return (
        cut_anew
        or seen.spec.unschedulable
        or any(
            taint.effect in _REPELS
            and taint.key not in _TOLERATED
            and not taint.key.startswith(_LOST_TAINT)
            for taint in seen.spec.taints
        )
    )


def _address(seen: objects.Node) -> str:
    found = {each.type: each.address for each in seen.status.addresses}
    return found.get("InternalIP") or found.get("Hostname") or seen.metadata.name


def _first(labels: Mapping[str, str], keys: Iterable[str]) -> str:
    return next((labels[key] for key in keys if labels.get(key)), "")
