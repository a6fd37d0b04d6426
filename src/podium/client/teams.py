"""Teams, which own projects. Reached as `client.teams`."""

from __future__ import annotations

from collections.abc import Iterator

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.spec.views.base import Page
from podium.spec.views.tenancy import TeamView


class Teams:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, archived: bool = False) -> Iterator[TeamView]:
        """By name; `archived` ones in place of the others."""
        params = {"archived": archived or None}
        yield from items(self._transport, Page[TeamView], "/teams", params=params)

    def get(self, team: str) -> TeamView:
        return self._transport.fetch(TeamView, path_of("teams", team))

    def create(self, team: str, *, cost_centre: str = "") -> TeamView:
        body = {"name": team, "cost_centre": cost_centre}
        return self._transport.parse(TeamView, self._transport.send("POST", "/teams", body=body))

    def change(self, team: str, *, cost_centre: str) -> TeamView:
        body = {"cost_centre": cost_centre}
        answer = self._transport.send("PATCH", path_of("teams", team), body=body)
        return self._transport.parse(TeamView, answer)

    def delete(self, team: str) -> None:
        """Archives it. Raises ConflictError for one that has projects."""
        self._transport.send("DELETE", path_of("teams", team))

    def restore(self, team: str) -> TeamView:
        """Takes an archived one back, without its roles and quota."""
        answer = self._transport.send("POST", path_of("teams", team, "restore"))
        return self._transport.parse(TeamView, answer)
