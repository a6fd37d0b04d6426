"""How a span of time is asked for, of workloads and of nodes."""

from __future__ import annotations

from datetime import datetime

from podium.client.transport import Parameter


def span_params(
    since: datetime | None, until: datetime | None, points: int
) -> dict[str, Parameter]:
    """A time without a zone is the local one."""
    return {
        "since": None if since is None else since.astimezone().isoformat(),
        "until": None if until is None else until.astimezone().isoformat(),
        "points": points,
    }
