"""People, for administrators. Reached as `client.users`."""

from __future__ import annotations

from collections.abc import Iterator

from podium.client.paging import items
from podium.client.transport import Transport
from podium.spec.views.base import Page
from podium.spec.views.tenancy import UserCreatedView, UserView


class Users:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[UserView]:
        yield from items(self._transport, Page[UserView], "/users")

    def create(
        self, username: str, *, password: str | None = None, administrator: bool = False
    ) -> UserCreatedView:
        """Without a password, the answer holds a one-time one."""
        body: dict[str, object] = {"username": username, "administrator": administrator}
        if password is not None:
            body["password"] = password
        return self._transport.parse(
            UserCreatedView, self._transport.send("POST", "/users", body=body)
        )
