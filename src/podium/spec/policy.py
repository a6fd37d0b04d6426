"""Policies as people write them: the words for their fields, and each value's reader and writer.

`intake/policies` reads requests with this and `api/policies` writes answers with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from podium.domain.errors import FieldFault, UserError
from podium.domain.policies import Value
from podium.domain.policy import KindPolicy, Order, Preempt, SchedulingPolicy
from podium.domain.quantity import format_milli
from podium.spec.faults import FieldError, under
from podium.spec.fields import (
    read_choice,
    read_duration,
    read_grace,
    read_integer,
    read_priority,
    read_switch,
    write_bytes,
    write_duration,
)
from podium.spec.resources import read_cpu_minimum, read_memory_minimum

MOVES_MAX = 1000
RESERVATIONS_MAX = 100
LOST_AFTER_SECONDS_MIN = 60
_NONE, _NEVER = "none", "never"


@dataclass(frozen=True, slots=True)
class PolicyField:
    """One field: `name` as people write it, `column` as `domain/policy` has it."""

    name: str
    column: str
    read: Callable[[object], Value]
    write: Callable[[Any], str | int | bool]


def _milliseconds(value: object, *, minimum: int) -> int:
    return read_duration(value, minimum=minimum) * 1000


def _or(word: str, value: object, *, minimum: int) -> int | None:
    if isinstance(value, str) and value.strip().lower() == word:
        return None
    return _milliseconds(value, minimum=minimum)


def _duration(value_ms: int | None, *, word: str = _NONE) -> str | int:
    return word if value_ms is None else write_duration(value_ms // 1000)


def _same(value: Any) -> str | int | bool:
    return value if isinstance(value, bool | int) else str(value)


def _fields(*fields: PolicyField) -> Mapping[str, PolicyField]:
    return MappingProxyType({field.name: field for field in fields})


KIND_FIELDS = _fields(
    PolicyField("priority", "priority", read_priority, _same),
    PolicyField("priority_max", "priority_max", read_priority, _same),
    PolicyField("cpus", "cpu_milli", read_cpu_minimum, format_milli),
    PolicyField("memory", "memory_bytes", read_memory_minimum, write_bytes),
    PolicyField("grace", "grace_seconds", read_grace, write_duration),
    PolicyField("preemptible", "preemptible", read_switch, _same),
    PolicyField("preempts", "preempts", read_switch, _same),
    PolicyField("minimum_runtime", "minimum_runtime_ms", partial(_or, _NONE, minimum=0), _duration),
    PolicyField("spread", "spread", read_switch, _same),
)
SCHEDULING_FIELDS = _fields(
    PolicyField("order", "order", partial(read_choice, names=tuple(Order)), _same),
    PolicyField("preempt", "preempt", partial(read_choice, names=tuple(Preempt)), _same),
    PolicyField("half_life", "half_life_ms", partial(_milliseconds, minimum=60), _duration),
    PolicyField(
        "minimum_runtime", "minimum_runtime_ms", partial(_milliseconds, minimum=0), _duration
    ),
    PolicyField("patience", "patience_ms", partial(_milliseconds, minimum=0), _duration),
    PolicyField(
        "reservations_max",
        "reservations_max",
        partial(read_integer, minimum=0, maximum=RESERVATIONS_MAX),
        _same,
    ),
    PolicyField(
        "moves_max", "moves_max", partial(read_integer, minimum=0, maximum=MOVES_MAX), _same
    ),
    PolicyField(
        "lost_node_after",
        "lost_after_ms",
        partial(_or, _NEVER, minimum=LOST_AFTER_SECONDS_MIN),
        partial(_duration, word=_NEVER),
    ),
)


def read_values(given: Mapping[str, object], fields: Mapping[str, PolicyField]) -> dict[str, Value]:
    """Values by column. Raises UserError with every field that is wrong."""
    values: dict[str, Value] = {}
    faults: list[FieldFault] = []
    for name, value in given.items():
        try:
            values[fields[name].column] = fields[name].read(value)
        except FieldError as error:
            faults.extend(under(name, error.faults))
    if not given:
        faults.append(FieldFault("", "No value is given.", f"Known are {', '.join(fields)}."))
    if faults:
        raise UserError(*faults)
    return values


def written(policy: KindPolicy | SchedulingPolicy) -> dict[str, str | int | bool]:
    """Every field of a policy as people write it."""
    fields = KIND_FIELDS if isinstance(policy, KindPolicy) else SCHEDULING_FIELDS
    return {name: field.write(getattr(policy, field.column)) for name, field in fields.items()}
