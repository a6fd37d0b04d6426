"""People, for who may see or administer them. Reached as `client.users`."""

from __future__ import annotations

from collections.abc import Iterator

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.spec.views.access import UserAccessView
from podium.spec.views.base import Page
from podium.spec.views.tenancy import (
    OneTimePasswordView,
    SignedOutView,
    TokenView,
    UserCreatedView,
    UserDetailView,
    UserView,
)


class Users:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, words: str = "", disabled: bool | None = None) -> Iterator[UserView]:
        """By name; `words` is part of a name, a display name or an address."""
        params = {"q": words or None, "disabled": disabled}
        yield from items(self._transport, Page[UserView], "/users", params=params)

    def get(self, username: str) -> UserDetailView:
        return self._transport.fetch(UserDetailView, path_of("users", username))

    def create(
        self,
        username: str,
        *,
        password: str | None = None,
        administrator: bool = False,
        display_name: str = "",
        email: str = "",
    ) -> UserCreatedView:
        """Without a password, the answer holds a one-time one."""
        body: dict[str, object] = {
            "username": username,
            "administrator": administrator,
            "display_name": display_name,
            "email": email,
        }
        if password is not None:
            body["password"] = password
        return self._transport.parse(
            UserCreatedView, self._transport.send("POST", "/users", body=body)
        )

    def change(
        self,
        username: str,
        *,
        display_name: str | None = None,
        email: str | None = None,
        disabled: bool | None = None,
    ) -> UserDetailView:
        """None leaves a value. Disabling somebody ends their sign-ins and tokens."""
        body = {"display_name": display_name, "email": email, "disabled": disabled}
        answer = self._transport.send("PATCH", path_of("users", username), body=body)
        return self._transport.parse(UserDetailView, answer)

    def reset_password(self, username: str) -> OneTimePasswordView:
        """The answer's password is told this once; sign-ins and tokens end."""
        answer = self._transport.send("POST", path_of("users", username, "password"))
        return self._transport.parse(OneTimePasswordView, answer)

    def sign_out(self, username: str, *, tokens: bool = False) -> SignedOutView:
        """Ends all sign-ins of somebody and, if asked, their tokens for programs."""
        path = path_of("users", username, "sign-out")
        answer = self._transport.send("POST", path, body={"tokens": tokens})
        return self._transport.parse(SignedOutView, answer)

    def remove(self, username: str) -> None:
        """Raises ConflictError for somebody who has done something: disable them."""
        self._transport.send("DELETE", path_of("users", username))

    def access(self, username: str) -> UserAccessView:
        """What they may do where, and by which roles; of a service account, too."""
        return self._transport.fetch(UserAccessView, path_of("users", username, "access"))

    def tokens(self, username: str) -> Iterator[TokenView]:
        """Somebody's tokens and sign-ins, for who administers people."""
        yield from items(self._transport, Page[TokenView], path_of("users", username, "tokens"))

    def revoke_token(self, username: str, token_id: str) -> None:
        """With those that were made with it."""
        self._transport.send("DELETE", path_of("users", username, "tokens", token_id))
