"""Groups of people. Reached as `client.groups`."""

from __future__ import annotations

from collections.abc import Iterator

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.spec.views.access import GroupMemberView, UserGroupView
from podium.spec.views.base import Page


class Groups:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[UserGroupView]:
        yield from items(self._transport, Page[UserGroupView], "/groups")

    def get(self, group: str) -> UserGroupView:
        return self._transport.fetch(UserGroupView, path_of("groups", group))

    def create(self, group: str) -> UserGroupView:
        answer = self._transport.send("POST", "/groups", body={"name": group})
        return self._transport.parse(UserGroupView, answer)

    def remove(self, group: str) -> None:
        """With the roles that it gives."""
        self._transport.send("DELETE", path_of("groups", group))

    def members(self, group: str) -> Iterator[GroupMemberView]:
        path = path_of("groups", group, "members")
        yield from items(self._transport, Page[GroupMemberView], path)

    def add(self, group: str, username: str) -> None:
        self._transport.send("PUT", path_of("groups", group, "members", username))

    def take_out(self, group: str, username: str) -> None:
        self._transport.send("DELETE", path_of("groups", group, "members", username))
