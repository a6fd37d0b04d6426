"""Saved views of one's own: a console page's address under a name. Reached as `client.views`."""

from __future__ import annotations

from podium.client.transport import Transport, path_of
from podium.spec.views.saved import SavedViewsView, SavedViewView


class Views:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, page: str | None = None) -> list[SavedViewView]:
        """By page and name."""
        return self._transport.fetch(SavedViewsView, "/views", {"page": page}).items

    def save(self, page: str, name: str, search: str) -> SavedViewView:
        """Creates or replaces; `search` is the part of the address after `?`. At most 100."""
        answer = self._transport.send("PUT", path_of("views", page, name), body={"search": search})
        return self._transport.parse(SavedViewView, answer)

    def remove(self, page: str, name: str) -> None:
        self._transport.send("DELETE", path_of("views", page, name))
