"""The times of a booking, read as people write them."""

from __future__ import annotations

from podium.domain.errors import FieldFault
from podium.spec.faults import FieldError, under
from podium.spec.fields import DURATION_SECONDS_MAX, read_deadline, write_time

_NOW = "now"


def read_times(
    from_at: str, until_at: str, now_ms: int, faults: list[FieldFault]
) -> tuple[int, int]:
    """Beginning and end in milliseconds. What is wrong is added to `faults`."""
    from_ms, known = now_ms, len(faults)
    try:
        if from_at.strip().lower() != _NOW:
            from_ms = max(now_ms, read_deadline(from_at, now_ms))
    except FieldError as error:
        faults.extend(under("from_at", error.faults))
    until_ms = from_ms
    try:
        until_ms = read_deadline(until_at, from_ms)
    except FieldError as error:
        faults.extend(under("until_at", error.faults))
    if len(faults) > known:
        return from_ms, until_ms
    if until_ms <= from_ms:
        wrong = "is not after its beginning."
        faults.append(FieldFault("until_at", wrong, f"It begins at {write_time(from_ms)}."))
    elif until_ms > now_ms + DURATION_SECONDS_MAX * 1000:
        faults.append(FieldFault("until_at", "is more than ten years away.", "Write it earlier."))
    return from_ms, until_ms
