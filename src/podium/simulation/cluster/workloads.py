"""Reads workload documents that also say when they arrive (`at`) and how long they truly run
(`runs_for`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from podium.domain.errors import FieldFault, UserError
from podium.domain.resources import TopologyLevel
from podium.domain.workload import Wish
from podium.simulation.cluster.inventory import Cluster
from podium.simulation.document import Document, read_documents
from podium.spec.batch import check_each
from podium.spec.faults import FieldError, under
from podium.spec.fields import read_duration
from podium.spec.workload import check

_KNOWN_MAX = 8
PROJECT = "default"
"""Of workloads that name none."""

_TIMES: Mapping[str, Callable[[object], int]] = {
    "at": partial(read_duration, minimum=0),
    "runs_for": read_duration,
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A wish that is submitted at `at_ms` and would run for `runs_for_ms` if nobody stopped it."""

    wish: Wish
    at_ms: int
    runs_for_ms: int

    @property
    def runtime_ms(self) -> int:
        """Up to its end or its time limit."""
        limit = self.wish.max_runtime_seconds
        return self.runs_for_ms if limit is None else min(self.runs_for_ms, limit * 1000)


def read_workloads(path: Path, cluster: Cluster) -> list[Planned]:
    """In the order of the file, their names all different. Raises UserError that names file, line
    and field of every fault."""
    documents = read_documents(path)
    times: list[tuple[int, int]] = []

    def checked(fields: Mapping[str, object]) -> Wish:
        wish, at_ms, runs_for_ms = _planned(fields)
        times.append((at_ms, runs_for_ms))
        return wish

    try:
        wishes = check_each([document.fields for document in documents], checked)
    except UserError as error:
        raise UserError(*_placed(documents, error.faults)) from None
    faults = [*_name_faults(wishes), *_topology_faults(wishes, cluster)]
    faults += _pool_faults(wishes, cluster)
    if faults:
        raise UserError(*_placed(documents, faults))
    return [Planned(wish, *when) for wish, when in zip(wishes, times, strict=True)]


def _planned(fields: Mapping[str, object]) -> tuple[Wish, int, int]:
    faults: list[FieldFault] = []
    found = {"at": 0, "runs_for": 0}
    for name, read in _TIMES.items():
        try:
            if fields.get(name) is not None:
                found[name] = read(fields[name])
            elif name == "runs_for":
                raise FieldError("is missing.", "Add how long it truly runs, as in runs_for: 2h.")
        except FieldError as error:
            faults += under(name, error.faults)
    document = {name: value for name, value in fields.items() if name not in _TIMES}
    if document.get("command") is None and document.get("script") is None:
        document["command"] = "true"  # nothing runs here
    try:
        wish = check(document, now_ms=found["at"] * 1000, project=PROJECT)
    except UserError as error:
        raise UserError(*faults, *error.faults) from None
    if faults:
        raise UserError(*faults)
    return wish, found["at"] * 1000, found["runs_for"] * 1000


def _name_faults(wishes: Sequence[Wish]) -> list[FieldFault]:
    faults: list[FieldFault] = []
    first: dict[str, int] = {}
    for number, wish in enumerate(wishes):
        before = first.setdefault(wish.name, number)
        if before != number:
            message = f"is '{wish.name}', as in document {before + 1}."
            faults.append(_fault(number, "name", message, "Give each a name of its own."))
    for number, wish in enumerate(wishes):
        for needed in wish.depends_on:
            if needed not in first or wishes[first[needed]].project != wish.project:
                message = f"names '{needed}', which is not in this file and project."
                faults.append(_fault(number, "depends_on", message, "Add it, or take it out."))
    return faults


def _topology_faults(wishes: Sequence[Wish], cluster: Cluster) -> list[FieldFault]:
    there = {
        TopologyLevel.RACK: any(node.rack for node in cluster.nodes),
        TopologyLevel.BLOCK: any(node.block for node in cluster.nodes),
    }
    return [
        _fault(
            number,
            f"topology.{field}",
            f"is {level.value}, but no node of {cluster.name} stands in a {level.value}.",
            f"Add {level.value}s to its pools of nodes, or leave it out.",
        )
        for number, wish in enumerate(wishes)
        for field, level in (("within", wish.topology.within), ("prefer", wish.topology.prefer))
        if level is not None and not there.get(level, True)
    ]


def _pool_faults(wishes: Sequence[Wish], cluster: Cluster) -> list[FieldFault]:
    known = sorted({node.pool for node in cluster.nodes})
    return [
        _fault(
            number,
            "resources.pool",
            f"names '{name}', which is no pool of {cluster.name}.",
            f"It has {', '.join(known[:_KNOWN_MAX])}.",
        )
        for number, wish in enumerate(wishes)
        for request in dict.fromkeys([wish.request, *(group.request for group in wish.groups)])
        for name in request.pools
        if name not in known
    ]


def _fault(number: int, field: str, message: str, remedy: str) -> FieldFault:
    return FieldFault(f"workloads.{number}.{field}", message, remedy)


def _placed(documents: Sequence[Document], faults: Sequence[FieldFault]) -> list[FieldFault]:
    """Faults of `workloads.NUMBER.…` as places in the file."""
    placed = []
    for fault in faults:
        if not fault.field.startswith("workloads."):
            placed.append(fault)
            continue
        _, number, *rest = fault.field.split(".", 2)
        inner = FieldFault(rest[0] if rest else "", fault.message, fault.remedy)
        placed += documents[int(number)].placed([inner])
    return placed
