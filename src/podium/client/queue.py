"""The queue: who is next, and why each still waits. Reached as `client.queue`."""

from __future__ import annotations

from collections.abc import Iterator

from podium.client.paging import items
from podium.client.transport import Transport
from podium.spec.views.queue import QueueEntryView, QueuePlanView, QueueView


class Queue:
    """`client.queue()` is its first page, with each project's share."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __call__(
        self, *, project: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> QueueView:
        """One page in the order of service; positions count everyone's work."""
        params = {"project": project, "limit": limit, "cursor": cursor}
        return self._transport.fetch(QueueView, "/queue", params)

    def plan(self, *, nodes: int = 40, hours: int = 24) -> QueuePlanView:
        """Whose turn it is, nodes kept for them, and what stands on up to `nodes` nodes (200 at
        most) over the next `hours` (168 at most)."""
        return self._transport.fetch(QueuePlanView, "/queue/plan", {"nodes": nodes, "hours": hours})

    def entries(
        self, *, project: str | None = None, limit: int | None = None
    ) -> Iterator[QueueEntryView]:
        """All that one may see, fetched as it is read."""
        yield from items(
            self._transport, QueueView, "/queue", params={"project": project}, limit=limit
        )
