"""Clusters that Podium works on beside its servers' own machines: what an administrator says of
each, and how it is doing. `store/clusters` keeps them, `control/fleet` works on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

Labels = tuple[tuple[str, str], ...]

CLUSTER_LABEL = "cluster"
REGION_LABEL = "region"
RESERVED_LABELS = frozenset({CLUSTER_LABEL, REGION_LABEL})
"""What every node of a cluster carries, so that pools and work can ask for it."""

KUBECONFIG_CHARACTERS_MAX = 262_144

LOCAL = ""
"""Stands for the servers' own machines, which are in no cluster."""

DRIFTED = "cluster:drift"
"""Under which the audit trail has what others changed of a project's place in a cluster."""

_ENGINE = "kubernetes/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster by name. `image` is for work that names none. `context` is the kubeconfig's, whose
    text is sealed elsewhere; `server` is the address that it names. With `in_cluster` there is no
    kubeconfig: Podium runs inside and uses the account of its own pod. `groups_prefix` is what its
    API server puts before groups of people. `updated_at_ms` grows with each change."""

    name: str
    region: str = ""
    labels: Labels = ()
    image: str = ""
    context: str = ""
    server: str = ""
    in_cluster: bool = False
    groups_prefix: str = ""
    added_at_ms: int
    added_by: str
    updated_at_ms: int

    @property
    def engine(self) -> str:
        """The name of the engine that works on it."""
        return engine_of(self.name)

    @property
    def node_labels(self) -> Labels:
        """What each of its nodes carries beside its own labels."""
        region = ((REGION_LABEL, self.region),) if self.region else ()
        return (*self.labels, (CLUSTER_LABEL, self.name), *region)


class ClusterState(StrEnum):
    """How one server finds a cluster."""

    CONNECTING = "connecting"  # nothing was heard of it yet
    READY = "ready"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSight:
    """What a server sees of a cluster. `words` say why it is not ready; `missing` are rights that
    Podium lacks there, such as `create, patch pods`. `drifts` counts what others changed of the
    places of projects."""

    state: ClusterState
    since_ms: int
    words: str = ""
    version: str = ""
    missing: tuple[str, ...] = ()
    drifts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFindings:
    """What came of asking a cluster: its version, what it has as far as that may be seen, and which
    rights Podium lacks there. `claims`: it gives devices by resource claims (DRA), too."""

    version: str
    nodes: int = 0
    gpus: int = 0
    missing: tuple[str, ...] = field(default=())
    claims: bool = False


_KUBECTL = "kubectl@"


def kubectl_owner(cluster: str) -> str:
    """Who owns the work that was submitted to a cluster without Podium, which does not know whose
    it is. No person is called so: names have no @."""
    return f"{_KUBECTL}{cluster}"


def is_kubectl_owner(owner: str) -> bool:
    return owner.startswith(_KUBECTL)


def engine_of(cluster: str) -> str:
    return f"{_ENGINE}{cluster}"


def cluster_of(engine: str) -> str:
    """The cluster that an engine works on; LOCAL for an engine of a server's own machine."""
    return engine.removeprefix(_ENGINE) if engine.startswith(_ENGINE) else LOCAL
