"""Builders and Hypothesis strategies of clusters, holds and demands; the scheduling tests and
the simulation tests use them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from podium.domain.mig import BOARDS
from podium.domain.node import Device, MigInstance, Node, NodeState
from podium.domain.quantity import Range
from podium.domain.resources import (
    ANYWHERE,
    DeviceShare,
    Isolation,
    Request,
    Topology,
    TopologyLevel,
)
from podium.domain.workload import Kind
from podium.scheduling.order.queue import queue_order
from podium.scheduling.plan import Placement
from podium.scheduling.snapshot import Demand, Hold, Part, Snapshot
from podium.scheduling.verify import verify

GIB = 2**30
NOW_MS = 1_000_000_000


def gpus(node: str, count: int, type_: str = "A100", memory: int = 80 * GIB) -> list[Device]:
    return [
        Device(
            id=f"{node}-{type_}-{i}", node=node, index=i, uuid=f"GPU-{node}-{i}", type=type_,
            model=f"Maker {type_}", memory_bytes=memory,
        )
        for i in range(count)
    ]  # fmt: skip


def mig(node: str, count: int, profile: str = "1g.10gb", first: int = 0) -> list[Device]:
    return [
        Device(
            id=f"{node}-{profile}-{i}", node=node, index=first + i, uuid=f"MIG-{node}-{i}",
            type="A100", model="Maker A100", memory_bytes=10 * GIB, mig_profile=profile,
        )
        for i in range(count)
    ]  # fmt: skip


def sliced(
    node: str,
    count: int,
    board: str = "H100-80GB",
    *,
    first: int = 0,
    pinned: tuple[tuple[str, int], ...] | None = None,
    busy: tuple[tuple[str, int], ...] = (),
) -> list[Device]:
    """GPUs that can be cut; pinned to a layout, or with instances that somebody else uses."""
    kind = BOARDS[board]
    instances = [MigInstance(name, start) for name, start in pinned or ()]
    instances += [MigInstance(name, start, busy=True) for name, start in busy]
    return [
        Device(
            id=f"{node}-cut-{first + i}", node=node, index=first + i,
            uuid=f"GPU-{node}-{first + i}", type=board.partition("-")[0], model=f"Maker {board}",
            memory_bytes=kind.memory_bytes, board=board, pinned=pinned is not None,
            instances=tuple(instances),
        )
        for i in range(count)
    ]  # fmt: skip


def node(name: str = "n1", devices: list[Device] | int = 0, **changes: object) -> Node:
    found = gpus(name, devices) if isinstance(devices, int) else devices
    plain = Node(
        name=name, engine="local", state=NodeState.READY, address=name, cpu_milli=64_000,
        memory_bytes=256 * GIB, devices=tuple(found),
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def request(gpus: int = 0, cpus: int = 1, memory: int = GIB, **changes: object) -> Request:
    plain = Request(cpu_milli=cpus * 1000, memory_bytes=memory, gpu_milli=gpus * 1000)
    return replace(plain, **changes)  # type: ignore[arg-type]


def demand(
    name: str = "w",
    wants: Request | None = None,
    replicas: int = 1,
    minimum: int | None = None,
    **changes: object,
) -> Demand:
    plain = Demand(
        workload_id=name, project="p", kind=Kind.TRAINING, priority=50, queued_at_ms=NOW_MS,
        request=wants or request(1), pending_ranks=tuple(range(replicas)),
        minimum=replicas if minimum is None else minimum,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def hold(placement: Placement, project: str = "p", **changes: object) -> Hold:
    plain = Hold(
        allocation_id=f"{placement.workload_id}/{placement.rank}",
        workload_id=placement.workload_id, project=project, priority=50, node=placement.node,
        cpu_milli=placement.cpu_milli, memory_bytes=placement.memory_bytes,
        devices=placement.devices,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def holding(
    at: Node, indexes: list[int], name: str = "held", milli: int = 1000, cpus: int = 1
) -> Hold:
    """A hold of these devices of `at`."""
    shares = tuple(
        DeviceShare(
            at.devices[i].id, milli, at.devices[i].memory_bytes * milli // 1000
        )
        for i in indexes
    )  # fmt: skip
    return hold(Placement(name, 0, at.name, cpus * 1000, GIB, shares))


def snapshot(nodes: list[Node], demands: list[Demand], holds: list[Hold] | None = None) -> Snapshot:
    return Snapshot(
        nodes=tuple(sorted(nodes, key=lambda node: node.name)),
        holds=tuple(holds or ()),
        demands=queue_order(demands),
    )


TYPES = {"A100": 80 * GIB, "L4": 24 * GIB}
LABEL = ("zone", "eu")

requests = st.builds(
    lambda shape, cpus, memory, types, label, ranged: replace(
        shape,
        cpu_milli=cpus * 500,
        memory_bytes=memory * GIB,
        gpu_types=types if shape.wants_gpu else (),
        gpu_memory=ranged if shape.wants_gpu and shape.mig_profile is None else None,
        node_labels=label,
    ),
    shape=st.one_of(
        st.just(request(0)),
        st.integers(1, 4).map(request),
        st.sampled_from([1, 250, 500, 999]).map(lambda milli: request(0, gpu_milli=milli)),
        st.sampled_from([GIB, 10 * GIB, 24 * GIB, 30 * GIB]).map(
            lambda size: request(0, gpu_share_bytes=size)
        ),
        st.integers(1, 2).map(lambda n: request(0, mig_profile="1g.10gb", mig_count=n)),
        st.tuples(st.sampled_from(["3g.40gb", "1g.6gb"]), st.integers(1, 3)).map(
            lambda asked: request(0, mig_profile=asked[0], mig_count=asked[1])
        ),
        st.sampled_from([100, 250, 500]).map(
            lambda milli: request(0, gpu_milli=milli, isolation=Isolation.MIG)
        ),
        st.sampled_from([9 * GIB, 20 * GIB]).map(
            lambda size: request(0, gpu_share_bytes=size, isolation=Isolation.MIG)
        ),
    ),
    cpus=st.integers(0, 6),
    memory=st.integers(0, 4),
    types=st.sampled_from([(), (), (), ("A100",), ("L4", "H100"), ("a100", "L4")]),
    label=st.sampled_from([(), (), (), (LABEL,)]),
    ranged=st.sampled_from([None, None, Range.at_least(40 * GIB), Range(0, 24 * GIB)]),
)

topologies = st.builds(
    Topology,
    within=st.sampled_from([None, None, *TopologyLevel]),
    prefer=st.sampled_from([None, None, *TopologyLevel]),
)


@st.composite
def nodes(draw: st.DrawFn, name: str) -> Node:
    kind = draw(st.sampled_from(sorted(TYPES)))
    size_milli = draw(st.sampled_from([0, 0, 0, 250, 1000]))
    devices = [
        replace(device, share_milli=size_milli)
        for device in gpus(name, draw(st.integers(0, 4)), kind, TYPES[kind])
    ]
    devices += mig(name, draw(st.integers(0, 3)), first=len(devices))
    for board in ("H100-80GB", "A30-24GB"):
        profile = BOARDS[board].profiles[0].name
        devices += sliced(
            name,
            draw(st.sampled_from([0, 0, 1, 2])),
            board,
            first=len(devices),
            pinned=draw(st.sampled_from([None, None, ((profile, 0), (profile, 2))])),
            busy=draw(st.sampled_from([(), (), ((profile, 1),)])),
        )
    ill = draw(st.sampled_from([-1, -1, 0, 1]))
    return node(
        name,
        [replace(device, healthy=device.index != ill) for device in devices],
        state=draw(st.sampled_from([NodeState.READY] * 4 + [NodeState.CORDONED, NodeState.LOST])),
        cpu_milli=draw(st.integers(1, 8)) * 1000,
        memory_bytes=draw(st.integers(1, 8)) * GIB,
        labels=draw(st.sampled_from([(), (LABEL,)])),
        block=draw(st.sampled_from(["", "b1", "b2"])),
        rack=draw(st.sampled_from(["", "r1", "r2"])),
        nvlink=draw(st.sampled_from(["", "", "d1", "d2"])),
    )


@st.composite
def groups(draw: st.DrawFn, pool: list[Request], replicas: int) -> tuple[Part, ...]:
    """Mostly none, else two unlike groups."""
    if replicas < 2 or draw(st.integers(0, 3)):
        return ()
    cut = draw(st.integers(1, replicas - 1))
    ranks = tuple(range(replicas))
    first, second = draw(st.sampled_from(pool)), draw(st.sampled_from(pool))
    return Part(first, ranks[:cut]), Part(second, ranks[cut:])


@st.composite
def stood(draw: st.DrawFn, replicas: int) -> tuple[tuple[int, str], ...]:
    """Mostly nothing, else where some ranks were once."""
    if draw(st.integers(0, 3)):
        return ()
    ranks = draw(st.sets(st.integers(0, replicas - 1)))
    return tuple((rank, f"n{draw(st.integers(0, 4))}") for rank in sorted(ranks))


@st.composite
def demand_lists(draw: st.DrawFn, most: int = 8, prefix: str = "w") -> list[Demand]:
    pool = draw(st.lists(requests, min_size=1, max_size=3))  # few, so that classes are shared
    found = []
    for index in range(draw(st.integers(0, most))):
        replicas = draw(st.integers(1, 5))
        parts = draw(groups(pool, replicas))
        minimum = replicas if parts else draw(st.integers(1, replicas))
        found.append(
            demand(
                f"{prefix}{index}",
                parts[0].request if parts else draw(st.sampled_from(pool)),
                replicas,
                minimum,
                parts=parts,
                stood=draw(stood(replicas)),
                priority=draw(st.sampled_from([25, 50])),
                queued_at_ms=NOW_MS - draw(st.sampled_from([0, 1000, 10**7])),
                kind=draw(st.sampled_from([Kind.TRAINING, Kind.SERVICE])),
                topology=draw(st.one_of(st.just(ANYWHERE), topologies)),
            )
        )
    return found


@st.composite
def snapshots(draw: st.DrawFn, most_nodes: int = 4, most_demands: int = 8) -> Snapshot:
    """Clusters on which some work already stands: what a plan for earlier demands placed."""
    from podium.scheduling.decide import decide

    found = [draw(nodes(f"n{i}")) for i in range(draw(st.integers(0, most_nodes)))]
    earlier = snapshot(found, draw(demand_lists(most=4, prefix="h")))
    plan = decide(earlier, NOW_MS, 0)
    assert not verify(earlier, plan).rejected
    kinds = {one.workload_id: one.kind for one in earlier.demands}
    holds = [
        hold(placement, kind=kinds[placement.workload_id])
        for placement in plan.placements
        if draw(st.booleans())
    ]
    demands = draw(demand_lists(most=most_demands))
    if holds and demands and draw(st.booleans()):  # a workload that already runs in part
        demands[0] = replace(
            demands[0],
            workload_id=holds[0].workload_id,
            pending_ranks=tuple(range(10, 10 + len(demands[0].pending_ranks))),
            parts=tuple(
                Part(part.request, tuple(10 + rank for rank in part.ranks))
                for part in demands[0].parts
            ),
        )
    return snapshot(found, demands, holds)
