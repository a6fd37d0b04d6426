"""Search over everything that one may see. Reached as `client.search`."""

from __future__ import annotations

from podium.client.transport import Transport
from podium.spec.views.search import FindingsView, FoundView


class Search:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __call__(self, text: str, *, limit: int = 20) -> list[FoundView]:
        """Workloads, projects, nodes and (for administrators) people by a part of their name or
        id, best first."""
        answer = self._transport.fetch(FindingsView, "/search", {"q": text, "limit": limit})
        return answer.items
