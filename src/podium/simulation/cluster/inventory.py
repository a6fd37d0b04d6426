"""Reads a cluster file: pools of nodes, what teams may count on, how the cluster is shared, and
which nodes are booked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from podium.domain.errors import FieldFault, UserError
from podium.domain.node import Node
from podium.domain.policy import DEFAULT_SCHEDULING, Order, Preempt, SchedulingPolicy
from podium.domain.quantity import GPU_MILLI, parse_milli
from podium.scheduling.order import share_faults
from podium.scheduling.snapshot import Booking, Share
from podium.simulation.cluster.bookings import booking_faults, read_booking
from podium.simulation.document import Document, read_document
from podium.simulation.machines import GIB, made_node, numbered
from podium.spec.faults import FieldError, each, said
from podium.spec.fields import (
    read_choice,
    read_duration,
    read_fields,
    read_integer,
    read_labels,
    read_list,
    read_name,
    read_quantity,
)
from podium.spec.resources import read_cpu_minimum, read_gpu_types, read_memory_minimum

POOLS_MAX = 1000
NODES_MAX = 20_000
GPUS_OF_NODE_MAX = 1024
WEIGHT_MAX = 1_000_000
_TEAMS_MAX = 10_000
_BOOKINGS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Cluster:
    """`nodes` in name order; `shares` in preorder."""

    name: str
    nodes: tuple[Node, ...]
    shares: tuple[Share, ...] = ()
    policy: SchedulingPolicy = DEFAULT_SCHEDULING
    bookings: tuple[Booking, ...] = ()

    @property
    def gpus(self) -> int:
        return sum(len(node.devices) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A share, and its dotted place in the file."""

    share: Share
    place: str


def read_cluster(path: Path) -> Cluster:
    """Raises UserError that names file, line and field of every fault."""
    document = read_document(path)
    found: Any = document.read(_cluster)
    nodes = tuple(sorted((node for pool in found["nodes"] for node in pool), key=_name_of))
    placed = [one for team in found["teams"] for one in team]
    bookings = tuple(found["bookings"])
    _judge(document, nodes, placed, bookings)
    shares = _under_one_root([one.share for one in placed])
    return Cluster(path.name, nodes, shares, found["policy"], bookings)


def _under_one_root(shares: Sequence[Share]) -> tuple[Share, ...]:
    """The teams below the organisation, whose name nobody else can have."""
    root = Share(name="")
    below = [share if share.parent else replace(share, parent=root.name) for share in shares]
    return (root, *below) if below else ()


def _name_of(node: Node) -> str:
    return node.name


def _judge(
    document: Document,
    nodes: Sequence[Node],
    placed: Sequence[_Placed],
    bookings: Sequence[Booking],
) -> None:
    """What is wrong between fields that are right each for itself."""
    faults = list(booking_faults(bookings, {node.name for node in nodes}))
    if len(nodes) > NODES_MAX:
        message = f"make {len(nodes):,} nodes; the limit is {NODES_MAX:,}."
        faults.append(FieldFault("nodes", message, "Make fewer."))
    names = Counter(node.name for node in nodes)
    twice = sorted(name for name, times in names.items() if times > 1)
    if twice:
        message = f"make two nodes of the name '{twice[0]}'."
        faults.append(FieldFault("nodes", message, "Give each pool a name of its own."))
    capacity = Counter(device.type for node in nodes for device in node.devices)
    places = {one.share.name: one.place for one in placed}
    for fault in share_faults.faults(
        [one.share for one in placed],
        {name: count * GPU_MILLI for name, count in capacity.items()},
    ):
        field = fault.field.replace("guarantees", "guarantee").replace("limits", "limit")
        faults.append(
            FieldFault(f"{places[fault.share]}.{field.removesuffix('.all')}", fault.message)
        )
    if faults:
        raise UserError(*document.placed(faults))


def _cluster(value: object) -> dict[str, object]:
    return read_fields(
        value,
        {
            "nodes": partial(_entries, length_max=POOLS_MAX, read=_pool),
            "teams": _teams,
            "policy": _policy,
            "bookings": partial(_entries, length_max=_BOOKINGS_MAX, read=read_booking),
        },
        defaults={"teams": (), "policy": DEFAULT_SCHEDULING, "bookings": ()},
    )


def _pool(value: object) -> list[Node]:
    count = partial(read_integer, minimum=1, maximum=NODES_MAX)
    found: Any = read_fields(
        value,
        {
            "name": read_name,
            "count": count,
            "gpus": partial(read_integer, minimum=0, maximum=GPUS_OF_NODE_MAX),
            "gpu_type": read_gpu_types,
            "gpu_memory": read_memory_minimum,
            "cpus": read_cpu_minimum,
            "memory": read_memory_minimum,
            "racks": count,
            "blocks": count,
            "nvlink_domains": count,
            "labels": read_labels,
        },
        defaults={
            "count": 1,
            "gpus": 0,
            "gpu_type": (),
            "gpu_memory": 80 * GIB,
            "racks": None,
            "blocks": None,
            "nvlink_domains": None,
            "labels": (),
        },
    )
    if len(found["gpu_type"]) > 1:
        raise _fault("gpu_type", "names several types.", "Make a pool of each.")
    if found["gpus"] and not found["gpu_type"]:
        raise _fault("gpu_type", "is missing.", "Name the type of the GPUs, such as H100.")
    for outer, inner in (("racks", "count"), ("blocks", "racks"), ("nvlink_domains", "count")):
        if found[outer] is not None and found[outer] > (found[inner] or found["count"]):
            message = f"is {found[outer]}, more than there are to spread over them."
            raise _fault(outer, message, f"Write {found[inner] or found['count']} or less.")
    name = found["name"]
    return [
        made_node(
            node,
            gpus=found["gpus"],
            gpu_type="".join(found["gpu_type"]),
            gpu_memory_bytes=found["gpu_memory"],
            cpu_milli=found["cpus"],
            memory_bytes=found["memory"],
            labels=found["labels"],
            rack=_part(f"{name}-rack", at, found["count"], found["racks"]),
            block=_part(f"{name}-block", at, found["count"], found["blocks"]),
            nvlink=_part(f"{name}-nvlink", at, found["count"], found["nvlink_domains"]),
            pool=name,
        )
        for at, node in enumerate(numbered(name, found["count"]))
    ]


def _part(stem: str, at: int, count: int, parts: int | None) -> str:
    """In which of `parts` equal runs of the pool's nodes this one stands."""
    return "" if parts is None else numbered(stem, parts)[at * parts // count]


def _teams(value: object) -> tuple[object, ...]:
    listed = read_list(value, length_max=_TEAMS_MAX, example="[{name: vision, weight: 2}]")
    return tuple(
        each(
            ((str(at), (at, entry)) for at, entry in enumerate(listed)),
            lambda item: _team(*item),  # type: ignore[misc]
        )
    )


def _team(at: int, value: object) -> list[_Placed]:
    found: Any = read_fields(
        value,
        _SHARE_READERS | {"projects": partial(_entries, length_max=_TEAMS_MAX, read=_project)},
        defaults=_SHARE_DEFAULTS | {"projects": ()},
    )
    team, place = found["name"], f"teams.{at}"
    shares = [_Placed(_share(found, team), place)]
    for number, project in enumerate(found["projects"]):
        share = _share(project, f"{team}/{project['name']}", parent=team, project=project["name"])
        shares.append(_Placed(share, f"{place}.projects.{number}"))
    return shares


def _project(value: object) -> dict[str, object]:
    return read_fields(value, _SHARE_READERS, defaults=_SHARE_DEFAULTS)


def _share(
    found: Any, name: str, *, parent: str | None = None, project: str | None = None
) -> Share:
    return Share(
        name=name,
        parent=parent,
        project=project,
        weight=found["weight"],
        guarantees=found["guarantee"],
        limits=found["limit"],
    )


def _amounts(value: object) -> tuple[tuple[str, int], ...]:
    """GPUs of all types together, or by type: (type, milli-GPU)."""
    if not isinstance(value, dict):
        return (("", _gpu_milli(value)),)
    amounts = each(((str(name), amount) for name, amount in value.items()), _gpu_milli)
    return tuple(zip(map(str, value), amounts, strict=True))


def _gpu_milli(value: object) -> int:
    try:
        return parse_milli(read_quantity(value, "8 or 0.5"))
    except ValueError as error:
        raise said(error) from None


_SHARE_READERS: dict[str, Callable[[object], object]] = {
    "name": read_name,
    "weight": partial(read_integer, minimum=0, maximum=WEIGHT_MAX),
    "guarantee": _amounts,
    "limit": _amounts,
}
_SHARE_DEFAULTS: dict[str, object] = {"weight": 1, "guarantee": (), "limit": ()}


def _policy(value: object) -> SchedulingPolicy:
    default = DEFAULT_SCHEDULING
    duration = partial(read_duration, minimum=0)
    found: Any = read_fields(
        value,
        {
            "order": partial(read_choice, names=tuple(Order)),
            "preempt": partial(read_choice, names=tuple(Preempt)),
            "half_life": read_duration,
            "minimum_runtime": duration,
            "patience": duration,
            "reservations": partial(read_integer, minimum=0, maximum=1000),
            "moves": partial(read_integer, minimum=0, maximum=1000),
        },
        defaults={
            "order": default.order,
            "preempt": default.preempt,
            "half_life": default.half_life_ms // 1000,
            "minimum_runtime": default.minimum_runtime_ms // 1000,
            "patience": default.patience_ms // 1000,
            "reservations": default.reservations_max,
            "moves": default.moves_max,
        },
    )
    return SchedulingPolicy(
        order=Order(found["order"]),
        preempt=Preempt(found["preempt"]),
        half_life_ms=found["half_life"] * 1000,
        minimum_runtime_ms=found["minimum_runtime"] * 1000,
        patience_ms=found["patience"] * 1000,
        reservations_max=found["reservations"],
        moves_max=found["moves"],
    )


def _entries(value: object, *, length_max: int, read: Any) -> list[Any]:
    listed = read_list(value, length_max=length_max, example="[{name: NAME, …}]")
    if not listed:
        raise FieldError("is an empty list.", "Put at least one entry there.")
    return each(((str(at), entry) for at, entry in enumerate(listed)), read)


def _fault(field: str, message: str, remedy: str) -> FieldError:
    return FieldError(faults=[FieldFault(field, message, remedy)])
