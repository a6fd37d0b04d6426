"""Signing in and out, and who one is. Reached as `client.auth`."""

from __future__ import annotations

from podium.client.transport import Transport
from podium.spec.views.tenancy import IdentityView, SessionView


class Auth:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def login(self, username: str, password: str, *, label: str = "sign-in") -> SessionView:
        """Signs in; this client uses the new token from now on, which `label` names in lists.

        Raises UnauthenticatedError.
        """
        # Written out, because a document hides its secrets when it is printed.
        body = {"username": username, "password": password, "token_name": label}
        return self._signed_in("/auth/login", body)

    def ticket(self, ticket: str) -> SessionView:
        """Signs in with the one-time ticket of a sign-in link."""
        return self._signed_in("/auth/ticket", {"ticket": ticket})

    def logout(self) -> None:
        """Ends this token on the server."""
        self._transport.send("POST", "/auth/logout")
        self._transport.token = None

    def me(self) -> IdentityView:
        return self._transport.fetch(IdentityView, "/auth/me")

    def set_password(self, current: str, new: str) -> None:
        """`new` needs at least 10 characters. Raises UserError, UnauthenticatedError."""
        self._transport.send("POST", "/auth/password", body={"current": current, "new": new})

    def _signed_in(self, path: str, body: dict[str, str]) -> SessionView:
        session = self._transport.parse(SessionView, self._transport.send("POST", path, body=body))
        self._transport.token = session.token
        return session
