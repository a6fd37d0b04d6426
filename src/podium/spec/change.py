"""What can be changed of a workload that lives, read with the readers of its spec.

`intake/changes` reads requests with this, keeps the resolved document true, and says in words
what became different.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from podium.domain.errors import FieldFault, UserError
from podium.spec.faults import FieldError, under
from podium.spec.fields import (
    deadline_fault,
    read_deadline,
    read_duration,
    read_priority,
    write_duration,
    write_time,
)
from podium.spec.views.base import utc
from podium.spec.views.workload import ChangeRequest

NONE = "none"

Changes = Mapping[str, int | None]
"""New values of `priority`, `max_runtime_seconds` and `deadline_ms`; None takes a limit away."""


def read_changes(request: ChangeRequest, *, now_ms: int, place: str = "") -> dict[str, int | None]:
    """The changes that a request states. Raises UserError with fields under `place`."""
    readers: Mapping[str, tuple[str, Callable[[object], int | None]]] = {
        "priority": ("priority", read_priority),
        "max_runtime": ("max_runtime_seconds", _or_none(read_duration)),
        "deadline": ("deadline_ms", _or_none(lambda value: _read_ahead(value, now_ms))),
    }
    changes: dict[str, int | None] = {}
    faults: list[FieldFault] = []
    for field, (column, read) in readers.items():
        value = getattr(request, field)
        if value is None:
            continue
        try:
            changes[column] = read(value)
        except FieldError as error:
            faults.extend(under(f"{place}{field}", error.faults))
    if faults:
        raise UserError(*faults)
    return changes


def restated(document: Mapping[str, object], changes: Changes) -> dict[str, object]:
    """A resolved document with the new values where `spec.workload.resolved` writes them."""
    told: dict[str, object | None] = {
        key: document.get(key) for key in ("priority", "max_runtime", "deadline")
    }
    for column, value in changes.items():
        field, write = _WRITTEN[column]
        told[field] = None if value is None else write(value)
    written: dict[str, object] = {}
    for key, each in document.items():
        if key == "retries":
            written |= {field: new for field, new in told.items() if new is not None}
        if key not in told:
            written[key] = each
    return written


def changes_words(before: Mapping[str, int | None], changes: Changes) -> str:
    """`Priority 50 → 80, time limit none → 4h`; `before` holds the columns as they were."""
    parts = []
    for column, value in changes.items():
        name, write = _SPOKEN[column]
        old = before[column]
        parts.append(
            f"{name} {NONE if old is None else write(old)} → "
            f"{NONE if value is None else write(value)}"
        )
    words = ", ".join(parts)
    return words[:1].upper() + words[1:]


def _or_none(read: Callable[[object], int]) -> Callable[[object], int | None]:
    def reader(value: object) -> int | None:
        if isinstance(value, str) and value.strip().lower() == NONE:
            return None
        return read(value)

    return reader


def _read_ahead(value: object, now_ms: int) -> int:
    deadline_ms = read_deadline(value, now_ms)
    fault = deadline_fault(deadline_ms, now_ms)
    if fault is not None:
        raise FieldError(fault.message, fault.remedy)
    return deadline_ms


def _time_words(at_ms: int) -> str:
    return f"{utc(at_ms):%Y-%m-%d %H:%M:%S} UTC"


_WRITTEN: Mapping[str, tuple[str, Callable[[int], object]]] = {
    "priority": ("priority", int),
    "max_runtime_seconds": ("max_runtime", write_duration),
    "deadline_ms": ("deadline", write_time),
}
_SPOKEN: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "priority": ("priority", str),
    "max_runtime_seconds": ("time limit", write_duration),
    "deadline_ms": ("deadline", _time_words),
}
