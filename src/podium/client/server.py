"""The server itself: what it is, whether it is well, and the spec's schema. `client.server`."""

from __future__ import annotations

from typing import Any, cast

from podium.client.transport import Transport
from podium.spec.views.server import AboutView


class Server:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def address(self) -> str:
        return self._transport.server

    def about(self) -> AboutView:
        return self._transport.fetch(AboutView, "/about")

    def workload_schema(self) -> dict[str, Any]:
        """JSON Schema of the workload spec, for editors."""
        return cast("dict[str, Any]", self._transport.send("GET", "/schemas/workload").json())
