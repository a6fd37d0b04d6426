"""A booking: nodes taken out of the common use for a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Nodes for `project` alone, or for maintenance where that is None, in one stretch of time."""

    name: str
    nodes: tuple[str, ...]
    project: str | None
    from_ms: int
    until_ms: int
    note: str
    created_at_ms: int
    created_by: str
