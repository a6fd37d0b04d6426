"""When a pod that has not begun is taken back: what it waits for has lasted too long. `starts.py`
asks."""

from __future__ import annotations

from podium.domain.reason import Cause
from podium.engines.kubernetes import names
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.sight import Withdrawn, ms_of
from podium.engines.kubernetes.waits import Wait


def stuck_why(
    pod: Pod, wait: Wait | None, since_ms: int, now_ms: int, grace_ms: float
) -> Withdrawn | None:
    """None while it may still begin. It waits for the same `since_ms`."""
    over = now_ms - placed_at_ms(pod) > grace_ms
    if wait is not None and wait.cause is not None:
        patience_ms = grace_ms if wait.patience_ms is None else min(grace_ms, wait.patience_ms)
        lasted = now_ms - since_ms >= patience_ms
        return Withdrawn(wait.cause, wait.message) if over or lasted else None
    if not over:
        return None
    last = wait.message if wait is not None else "Its node said nothing."
    words = f"It did not begin within {grace_ms / 1000:.0f} s. {last}"
    return Withdrawn(Cause.START_FAILED, words)


def placed_at_ms(pod: Pod) -> int:
    """By its cluster's clock. What others submit may have waited before."""
    placed = pod.metadata.annotations.get(names.ADOPTED, "")
    return int(placed) if placed.isdigit() else ms_of(pod.metadata.creation_timestamp)
