"""What the times and durations of a spec have to do with each other."""

from __future__ import annotations

from collections.abc import Iterator

from podium.domain.errors import FieldFault
from podium.spec.fields import (
    DURATION_SECONDS_MAX,
    deadline_fault,
    read_deadline,
    read_duration,
    write_duration,
)
from podium.spec.resources import Relation
from podium.spec.schema import WorkloadSpec


def time_relations(spec: WorkloadSpec, now_ms: int) -> Iterator[Relation]:
    """What is wrong between them, and with those that lie in the past."""
    if spec.deadline is not None:
        deadline_ms = read_deadline(spec.deadline, now_ms)
        fault = deadline_fault(deadline_ms, now_ms)
        if fault is not None:
            yield (("deadline",), fault)
    if spec.start is not None and spec.start.not_before is not None:
        not_before_ms = read_deadline(spec.start.not_before, now_ms)
        if not_before_ms > now_ms + DURATION_SECONDS_MAX * 1000:
            yield (
                ("start", "start.not_before"),
                FieldFault("start.not_before", "is more than ten years away.", "Write it earlier."),
            )
        elif spec.deadline is not None and not_before_ms >= read_deadline(spec.deadline, now_ms):
            yield (
                ("start", "start.not_before", "deadline"),
                FieldFault(
                    "start.not_before",
                    "is not before its deadline.",
                    "Write an earlier start, or a later deadline.",
                ),
            )
    if spec.expected_runtime is not None and spec.max_runtime is not None:
        expected, limit = read_duration(spec.expected_runtime), read_duration(spec.max_runtime)
        if expected > limit:
            yield (
                ("expected_runtime", "max_runtime"),
                FieldFault(
                    "expected_runtime",
                    f"is {write_duration(expected)}, but max_runtime ends it after "
                    f"{write_duration(limit)}.",
                    f"Write {write_duration(limit)} or less.",
                ),
            )
