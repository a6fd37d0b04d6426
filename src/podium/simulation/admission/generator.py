"""Reads the generator format of Kueue's performance tests; `model` turns it into work.

Amounts of CPU are thousandths; a field that is not known here is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from podium.domain.errors import FieldFault
from podium.domain.quantity import parse_milli
from podium.simulation.document import read_document
from podium.spec.faults import FieldError, each, said
from podium.spec.fields import (
    read_choice,
    read_fields,
    read_integer,
    read_list,
    read_quantity,
    read_text,
)

_SETS_MAX = 10_000
_COUNT_MAX = 1_000_000
_MILLISECONDS_MAX = 10**9
_PRIORITY_MAX = 10**9

RECLAIM = ("Never", "LowerPriority", "Any")
WITHIN_QUEUE = ("Never", "LowerPriority", "LowerOrNewerEqualPriority")
CONSTRAINTS = ("required", "preferred", "balanced", "unconstrained")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadClass:
    """`pods` equal pods that are admitted together and run for `runtime_ms`."""

    name: str
    runtime_ms: int
    priority: int
    cpu_milli: int
    pods: int
    constraint: str | None
    level: str | None


@dataclass(frozen=True, slots=True)
class WorkloadSet:
    """`count` times one workload of each class, one time every `interval_ms`."""

    count: int
    interval_ms: int
    classes: tuple[WorkloadClass, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSet:
    """`count` equal queues. `borrowing_milli` None is without a limit."""

    name: str
    count: int
    nominal_milli: int
    borrowing_milli: int | None
    reclaim: str
    within_queue: str
    sets: tuple[WorkloadSet, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """`count` cohorts, whose queues lend each other what they do not use."""

    name: str
    count: int
    queues: tuple[QueueSet, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the topology: how many of it each place of the level above has."""

    name: str
    count: int
    label: str


@dataclass(frozen=True, slots=True)
class Generator:
    """`levels` from the outside in, the last are nodes with `node_cpu_milli`; none without
    topology."""

    name: str
    cohorts: tuple[Cohort, ...]
    levels: tuple[Level, ...] = ()
    node_cpu_milli: int = 0


def read_generator(path: Path) -> Generator:
    """Raises UserError that names file, line and field."""
    return read_document(path).read(partial(_generator, path.name))


def _generator(name: str, value: object) -> Generator:
    found = read_fields(
        value,
        {
            "cohorts": partial(_listed, read=_cohort),
            "topology": _topology,
            "resourceFlavor": _anything,
        },
        defaults={"topology": ((), 0), "resourceFlavor": None},
    )
    cohorts: Any = found["cohorts"]
    topology: Any = found["topology"]
    return Generator(name, cohorts, *topology)


def _cohort(value: object) -> Cohort:
    found: Any = read_fields(
        value,
        {"className": _name, "count": _count, "queuesSets": partial(_listed, read=_queues)},
        defaults={"count": 1},
    )
    return Cohort(found["className"], found["count"], found["queuesSets"])


def _queues(value: object) -> QueueSet:
    found: Any = read_fields(
        value,
        {
            "className": _name,
            "count": _count,
            "nominalQuota": _cpu_milli,
            "borrowingLimit": _cpu_milli,
            "reclaimWithinCohort": partial(read_choice, names=RECLAIM),
            "withinClusterQueue": partial(read_choice, names=WITHIN_QUEUE),
            "workloadsSets": partial(_listed, read=_set),
        },
        defaults={
            "count": 1,
            "borrowingLimit": None,
            "reclaimWithinCohort": "Never",
            "withinClusterQueue": "Never",
        },
    )
    return QueueSet(
        name=found["className"],
        count=found["count"],
        nominal_milli=found["nominalQuota"],
        borrowing_milli=found["borrowingLimit"],
        reclaim=found["reclaimWithinCohort"],
        within_queue=found["withinClusterQueue"],
        sets=found["workloadsSets"],
    )


def _set(value: object) -> WorkloadSet:
    found: Any = read_fields(
        value,
        {
            "count": _count,
            "creationIntervalMs": partial(read_integer, minimum=0, maximum=_MILLISECONDS_MAX),
            "workloads": partial(_listed, read=_class),
        },
        defaults={"count": 1, "creationIntervalMs": 0},
    )
    return WorkloadSet(found["count"], found["creationIntervalMs"], found["workloads"])


def _class(value: object) -> WorkloadClass:
    found: Any = read_fields(
        value,
        {
            "className": _name,
            "runtimeMs": partial(read_integer, minimum=1, maximum=_MILLISECONDS_MAX),
            "priority": partial(read_integer, minimum=-_PRIORITY_MAX, maximum=_PRIORITY_MAX),
            "request": _cpu_milli,
            "podCount": _count,
            "tasConstraint": partial(read_choice, names=CONSTRAINTS),
            "tasLevel": _name,
            "sliceSize": _count,
        },
        defaults={
            "priority": 0,
            "podCount": 1,
            "tasConstraint": None,
            "tasLevel": None,
            "sliceSize": None,
        },
    )
    return WorkloadClass(
        name=found["className"],
        runtime_ms=found["runtimeMs"],
        priority=found["priority"],
        cpu_milli=found["request"],
        pods=found["podCount"],
        constraint=found["tasConstraint"],
        level=found["tasLevel"],
    )


def _topology(value: object) -> tuple[tuple[Level, ...], int]:
    found: Any = read_fields(
        value,
        {"name": _name, "levels": partial(_listed, read=_level)},
        defaults={"name": ""},
    )
    levels = tuple(level for level, _ in found["levels"])
    capacity = found["levels"][-1][1]
    if capacity is None:
        place = f"levels.{len(levels) - 1}.capacity"
        raise FieldError(faults=[FieldFault(place, "is missing.", "Add capacity: {cpu: CPUS}.")])
    return levels, capacity


def _level(value: object) -> tuple[Level, int | None]:
    found: Any = read_fields(
        value,
        {"name": _name, "count": _count, "nodeLabel": _name, "capacity": _capacity},
        defaults={"capacity": None},
    )
    return Level(found["name"], found["count"], found["nodeLabel"]), found["capacity"]


def _capacity(value: object) -> object:
    return read_fields(value, {"cpu": _cpu_milli, "memory": _anything}, defaults={"memory": None})[
        "cpu"
    ]


def _listed(value: object, read: Any) -> tuple[Any, ...]:
    entries = read_list(value, length_max=_SETS_MAX, example="[{count: 1, …}]")
    if not entries:
        raise FieldError("is an empty list.", "Put at least one entry there.")
    return tuple(each(((str(at), entry) for at, entry in enumerate(entries)), read))


def _anything(value: object) -> object:
    return value


_count = partial(read_integer, minimum=1, maximum=_COUNT_MAX)
_name = partial(read_text, bytes_max=255, what="name")


def _cpu_milli(value: object) -> int:
    try:
        milli = parse_milli(read_quantity(value, "20 or 500m"))
    except ValueError as error:
        raise said(error) from None
    if milli == 0:
        raise FieldError("is 0.", "Write an amount of CPU, such as 20 or 500m.")
    return milli
