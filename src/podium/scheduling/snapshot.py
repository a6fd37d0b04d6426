"""What the scheduler sees: nodes, what is held on them, and what is asked for.

`store.snapshot` makes one for production; `simulation/` makes them on virtual time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from podium.domain.node import Node
from podium.domain.policy import DEFAULT_SCHEDULING, SchedulingPolicy
from podium.domain.pool import Pool
from podium.domain.reason import Refusal
from podium.domain.resources import ANYWHERE, DeviceShare, Request, Topology
from podium.domain.workload import Kind


@dataclass(frozen=True, slots=True)
class Expected:
    """How long an attempt will run from its start: as often less as more than `likely_ms`, and
    rarely more than `most_ms`."""

    likely_ms: int
    most_ms: int

    def __post_init__(self) -> None:
        assert 0 <= self.likely_ms <= self.most_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One place of the tree of organisation, teams and projects, and what it may count on.

    `guarantees` and `limits` are (GPU type, milli-GPU), type "" for all types together; what is
    not named is not guaranteed, and not limited. `weight` divides what nobody is guaranteed.
    `used` is (GPU type, milli-GPU x milliseconds) of the past, decayed; only projects have it.
    `per_user` is like `limits`, of what one person may hold; `ceilings` limit what else is counted,
    by `domain.quota.Counted`.
    """

    name: str
    parent: str | None = None
    project: str | None = None  # the project that this leaf stands for
    weight: int = 1
    guarantees: tuple[tuple[str, int], ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
    used: tuple[tuple[str, int], ...] = ()
    per_user: tuple[tuple[str, int], ...] = ()
    ceilings: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Nodes that are taken out of the common use for a time: for `project`, or, where that is
    None, for maintenance. Work may stand there only when it is sure to end before `from_ms`."""

    name: str
    nodes: tuple[str, ...]
    from_ms: int
    until_ms: int
    project: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Replicas of one gang that need the same: what each asks for, and their ranks, ascending."""

    request: Request
    ranks: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One workload that has replicas to place.

    Of `pending_ranks` (ascending) at least `minimum` must be placed in the same plan, or none.
    `blocked` says why it may not be placed at all now (a dependency, say). `limit_ms` is how long
    it may run at most, `expected` how long it will. With `spread`, replicas keep apart.
    `attained_milli_ms` is the GPU time that earlier attempts got, in milli-GPU x milliseconds.
    Without `preempts` nobody has to give way to it. The replicas of an `elastic` gang beyond its
    minimum, or all that are missing where it runs already, get only what nobody else can use.
    Where a gang is made of unlike groups, `parts` has all its pending ranks, and `request` is that
    of the first part. `stood` says where ranks of an earlier attempt were, in rank order: they
    return there if they can, so that only what was lost has to find a new place. `owner` is told
    only where a share above the project has a cap for each person. `data` says in words what binds
    it to the pools of its request, where its data does.
    """

    workload_id: str
    project: str
    kind: Kind
    priority: int
    queued_at_ms: int
    request: Request
    pending_ranks: tuple[int, ...]
    minimum: int
    topology: Topology = ANYWHERE
    blocked: Refusal | None = None
    limit_ms: int | None = None
    expected: Expected | None = None
    spread: bool = False
    attained_milli_ms: int = 0
    preempts: bool = True
    elastic: bool = False
    parts: tuple[Part, ...] = ()
    stood: tuple[tuple[int, str], ...] = ()
    data: str = ""
    owner: str = ""

    def __post_init__(self) -> None:
        assert self.pending_ranks, "a demand has something to place"
        assert 1 <= self.minimum <= len(self.pending_ranks)
        assert not self.parts or self.minimum == len(self.pending_ranks), (
            "a gang of groups is whole"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What an open allocation keeps from others. `ends_at_ms` is its limit, where it has one.

    `kind` tells work that ends by itself from services and workspaces, for whose end nobody
    should wait; None counts as work that ends. `ending`: it was asked to stop already.
    `preemptible` work may be stopped for others once `safe_until_ms` has passed; what it did since
    `saved_at_ms` (None: since its start) is then lost. `minimum` replicas of its workload must
    stay, or all must go; 0 means that each replica stands for itself. `attained_milli_ms` is what
    earlier attempts of the workload had, and `queued_at_ms` its age in the queue. `request` is
    what it asked for, told of work that could as well be moved: None for all other. `gpu_types` are
    those that would do (empty: any), None where nobody knows. `owner` as in a demand.
    """

    allocation_id: str
    workload_id: str
    project: str
    priority: int
    node: str
    cpu_milli: int
    memory_bytes: int
    devices: tuple[DeviceShare, ...]
    started_at_ms: int | None = None
    ends_at_ms: int | None = None
    kind: Kind | None = None
    rank: int = 0
    expected: Expected | None = None
    ending: bool = False
    preemptible: bool = False
    minimum: int = 1
    attained_milli_ms: int = 0
    queued_at_ms: int = 0
    safe_until_ms: int | None = None
    saved_at_ms: int | None = None
    request: Request | None = None
    gpu_types: tuple[str, ...] | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """What finished work had, for `Order.ATTAINED`: how many workloads by level of GPU time
    (`service_order.level`), and where small work ends by what was learnt last."""

    small_ends_at: int
    finished: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`nodes` in name order with all their devices, whatever their state; `demands` in the order
    of the queue: priority descending, then `queued_at_ms`, then id.

    `shares` is the tree in preorder; projects that it does not name stand beside each other at its
    root. `pools`, in name order, say who may use which nodes, for people to hear: what a request
    may use stands in it. `mix` says how often each request was asked for lately. `indexes` is where
    `scheduling.view` keeps what it found out about this snapshot; nobody else looks there.
    """

    nodes: tuple[Node, ...]
    holds: tuple[Hold, ...]
    demands: tuple[Demand, ...]
    shares: tuple[Share, ...] = ()
    bookings: tuple[Booking, ...] = ()
    pools: tuple[Pool, ...] = ()
    mix: tuple[tuple[Request, int], ...] = ()
    past: Past | None = None
    policy: SchedulingPolicy = DEFAULT_SCHEDULING
    indexes: dict[str, object] = field(default_factory=dict, init=False, compare=False, repr=False)
