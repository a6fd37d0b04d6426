"""What projects used. Reached as `client.usage`."""

from __future__ import annotations

from collections.abc import Iterator

from podium.client.paging import items
from podium.client.transport import Transport
from podium.spec.views.base import Page
from podium.spec.views.tenancy import ProjectUsageView


class Usage:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, project: str | None = None) -> Iterator[ProjectUsageView]:
        """By project; of one project when it is named."""
        params = {"project": project}
        yield from items(self._transport, Page[ProjectUsageView], "/usage", params=params)
