"""What `explain`, `dry_run` and `what_if` answer: typed, and each with the words for people.

Ids and projects only; whoever shows them to people adds the names and hides what they may not see.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from podium.domain.quota import Counted
from podium.domain.reason import Refusal
from podium.scheduling.forecast.eta import Eta
from podium.scheduling.plan import Preemption
from podium.scheduling.snapshot import Demand, Share

FieldValue = str | int | tuple[str, ...] | None
"""A value as a spec has it; None leaves the field out."""


class Constraint(StrEnum):
    """What binds: the one thing that would have to be different first."""

    GPUS = "gpus"
    CPUS = "cpus"
    MEMORY = "memory"
    NODE = "node"  # each resource suffices, but not on one node
    KIND = "kind"  # there is no such GPU
    SIZE = "size"  # it is more than there is
    TOPOLOGY = "topology"
    LABELS = "labels"  # labels and pools
    HEALTH = "health"
    QUOTA = "quota"
    TURN = "turn"  # what it needs is kept for others
    BOOKING = "booking"
    ITSELF = "itself"  # what it depends on, or its own start time
    NODES = "nodes"  # no node takes work


class Fell(StrEnum):
    """Why nodes fell out, in the order in which it is looked at."""

    POOL = "pool"
    LABELS = "labels"
    KIND = "kind"
    STATE = "state"
    SIZE = "size"
    HEALTH = "health"
    BOOKED = "booked"
    GPUS = "gpus"
    CPUS = "cpus"
    MEMORY = "memory"
    KEPT = "kept"
    ROOM = "room"  # a replica fits, but too few of them


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroup:
    """`count` nodes that fell out for one reason, e.g. `2 of 8 GPUs free`; `nodes` names some."""

    fell: Fell
    words: str
    count: int
    nodes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """`5 nodes: 2 of 8 GPUs free`."""
        return f"{self.count} {'node' if self.count == 1 else 'nodes'}: {self.words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Work that holds of what is waited for. `until_ms` is when the last of it ends, at the latest
    by its limit (`sure`) or as is usual; None = nobody knows. `starts_now`: it gets it only now."""

    workload_id: str
    project: str
    gpu_milli: int
    cpu_milli: int
    replicas: int
    until_ms: int | None
    sure: bool
    ending: bool = False
    starts_now: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where it stands, 1 is next: among what its project waits for, among all by priority and age,
    and in the order in which the last cycle served (None: not among the first that it tells).
    `ahead` are some that were served before it and wait too."""

    in_project: int
    project_waiting: int
    overall: int
    waiting: int
    turn: int | None
    ahead: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitled:
    """What one share above the workload may use of a GPU type ("" = all together), in milli-GPU.
    None: nothing is guaranteed, or there is no limit."""

    share: str
    gpu_type: str
    guarantee_milli: int | None
    limit_milli: int | None
    used_milli: int


class Axis(StrEnum):
    """What could be changed, in the order in which it is offered."""

    GPUS = "gpus"
    REPLICAS = "replicas"
    CPUS = "cpus"
    MEMORY = "memory"
    GPU_TYPE = "gpu_type"
    SLICE = "slice"
    TOPOLOGY = "topology"
    MAX_RUNTIME = "max_runtime"
    NODES = "nodes"
    PRIORITY = "priority"
    QUOTA = "quota"


class QuotaKind(StrEnum):
    """Which amount of a quota it is."""

    GUARANTEE = "guarantee"
    LIMIT = "limit"
    PER_USER = "per_user"
    CEILING = "ceiling"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaChange:
    """An amount of a share to set anew, in milli-GPU, or as `counted` says of a ceiling. `gpu_type`
    "" is all types together. `owner` is the person whom a cap stands in the way of."""

    share: str
    kind: QuotaKind
    gpu_type: str = ""
    counted: Counted | None = None
    owner: str = ""
    from_amount: int
    to_amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The smallest change of its kind with which the workload starts in this very cycle, while
    everyone else who starts in it still does.

    `fields` are the spec's, by dotted name, with their new values; None leaves one out. Where
    `quota` changes, nothing of the spec does. `places` are the nodes that it then gets, with how
    many replicas. `delays` are those who have nodes kept for them and would start later than
    planned. `exact`: no smaller one does; otherwise not all were tried.
    """

    axis: Axis
    before: str
    after: str
    sentence: str
    fields: tuple[tuple[str, FieldValue], ...] = ()
    quota: tuple[QuotaChange, ...] = ()
    places: tuple[tuple[str, int], ...] = ()
    delays: tuple[str, ...] = ()
    exact: bool = True
    demand: Demand | None = None
    shares: tuple[Share, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one workload waits. `refusal` is what the plan says, with what is free now; `starts_now`
    where it starts in this cycle, and nothing has to be explained (`refusal` is then None, or why
    the rest of it waits). `kept_from_ms` is from when on nodes are kept for it."""

    workload_id: str
    project: str
    starts_now: bool
    refusal: Refusal | None
    constraint: Constraint | None
    groups: tuple[NodeGroup, ...]
    holders: tuple[Holder, ...]
    holders_in_all: int
    position: Position
    entitled: tuple[Entitled, ...]
    changes: tuple[Change, ...]
    kept: bool = False
    kept_from_ms: int | None = None
    giving_way: tuple[Preemption, ...] = ()
    decides: int = 0

    @property
    def sentence(self) -> str:
        """One plain sentence."""
        if self.refusal is None:
            return "It starts now."
        return self.refusal.message


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What would become of a demand if it were submitted now. `places` are nodes and replicas, if
    it starts at once; `impossible`: it never can here. `giving_way` would stop for it, `loses`
    would start now without it, `delays` has nodes kept and would start later."""

    starts_now: bool
    places: tuple[tuple[str, int], ...]
    impossible: bool
    giving_way: tuple[Preemption, ...]
    loses: tuple[str, ...]
    delays: tuple[str, ...]
    eta: Eta | None
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One waiting workload whose start changes. Times are when it likely starts, `now_ms` for what
    starts in this cycle; None = nobody can say. `why` it waits or cannot start any more."""

    workload_id: str
    project: str
    before_ms: int | None
    after_ms: int | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Running work that would stop: asked to give way, or because its node is gone."""

    workload_id: str
    project: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changes would do. `earlier` has what starts now only with them, `later` the other way
    round, `never` what could start and then cannot, `possible` what could not and then can; `fresh`
    what is only in the queue with them. `spared` would have been stopped without them. `looked_at`
    of `waiting` workloads have a time to compare."""

    earlier: tuple[Moved, ...]
    later: tuple[Moved, ...]
    never: tuple[Moved, ...]
    possible: tuple[Moved, ...]
    fresh: tuple[Moved, ...]
    stopped: tuple[Stopped, ...]
    spared: tuple[Stopped, ...]
    reasons: tuple[tuple[str, int, int], ...]  # reason to wait, how many before and after
    looked_at: int
    waiting: int
