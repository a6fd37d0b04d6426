"""What Podium reads of objects of Kubernetes, and no more: a watch of 20,000 pods keeps this
alone."""

from __future__ import annotations

from msgspec import Struct, field


class Metadata(Struct, kw_only=True, frozen=True, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    finalizers: tuple[str, ...] = ()
    creation_timestamp: str | None = None  # a bookmark has none
    deletion_timestamp: str = ""
    deletion_grace_period_seconds: int | None = None


class Waiting(Struct, frozen=True):
    reason: str = ""
    message: str = ""


class Running(Struct, frozen=True, rename="camel"):
    started_at: str = ""


class Terminated(Struct, frozen=True, rename="camel"):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class ContainerState(Struct, frozen=True):
    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class ContainerStatus(Struct, kw_only=True, frozen=True):
    name: str = ""
    state: ContainerState = ContainerState()


class Resources(Struct, frozen=True):
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Container(Struct, kw_only=True, frozen=True):
    name: str = ""
    image: str = ""
    resources: Resources = Resources()


class Condition(Struct, kw_only=True, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class PodSpec(Struct, kw_only=True, frozen=True, rename="camel"):
    node_name: str = ""
    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    overhead: dict[str, str] = {}
    termination_grace_period_seconds: int | None = None


class PodStatus(Struct, kw_only=True, frozen=True, rename="camel"):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    container_statuses: tuple[ContainerStatus, ...] = ()
    init_container_statuses: tuple[ContainerStatus, ...] = ()
    start_time: str | None = None
    pod_ip: str = field(default="", name="podIP")


class Pod(Struct, kw_only=True, frozen=True):
    metadata: Metadata
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class Taint(Struct, kw_only=True, frozen=True):
    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Struct, kw_only=True, frozen=True):
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class Address(Struct, kw_only=True, frozen=True):
    type: str = ""
    address: str = ""


class NodeStatus(Struct, kw_only=True, frozen=True):
    allocatable: dict[str, str] = {}
    conditions: tuple[Condition, ...] = ()
    addresses: tuple[Address, ...] = ()


class Node(Struct, kw_only=True, frozen=True):
    metadata: Metadata
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class ListMetadata(Struct, kw_only=True, frozen=True):
    resource_version: str = field(default="", name="resourceVersion")
    next: str = field(default="", name="continue")
