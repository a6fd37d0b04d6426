"""Signing in and out, and who one is. Reached as `client.auth`."""

from __future__ import annotations

import time
from collections.abc import Callable

from podium.client.failures import problem_of
from podium.client.transport import Transport
from podium.domain.errors import DeviceFlowError, PodiumError, TemporaryError
from podium.spec.views.sign_in import DeviceStartView, SignInOptionsView
from podium.spec.views.tenancy import IdentityView, SessionView, SignedOutView

_SLOWER_SECONDS = 5
_ENDS = ("access_denied", "expired_token")


class Auth:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def login(self, username: str, password: str, *, label: str = "sign-in") -> SessionView:
        """Signs in; this client uses the new token from now on, which `label` names in lists.

        Raises UnauthenticatedError.
        """
        # Written out, because a document hides its secrets when it is printed.
        body = {"username": username, "password": password, "token_name": label, "kind": "device"}
        return self._signed_in("/auth/login", body)

    def ticket(self, ticket: str) -> SessionView:
        """Signs in with the one-time ticket of a sign-in link."""
        return self._signed_in("/auth/ticket", {"ticket": ticket})

    def options(self) -> SignInOptionsView:
        """The providers that one can sign in with, in a browser."""
        return self._transport.fetch(SignInOptionsView, "/auth/providers")

    def ask(self, label: str = "command line") -> DeviceStartView:
        """Asks to be let in by somebody who is signed in to the console: show them the code, then
        `await_approval`."""
        answer = self._transport.send("POST", "/auth/device", body={"client_name": label})
        return self._transport.parse(DeviceStartView, answer)

    def await_approval(
        self, asked: DeviceStartView, *, sleep: Callable[[float], None] = time.sleep
    ) -> SessionView:
        """Waits until somebody lets this client in; it uses the new token from then on.

        Raises DeviceFlowError with the code access_denied or expired_token.
        """
        wait_seconds: float = asked.interval
        left_seconds: float = asked.expires_in
        while left_seconds > 0:
            sleep(wait_seconds)
            left_seconds -= wait_seconds
            try:
                return self._signed_in("/auth/device/token", {"device_code": asked.device_code})
            except TemporaryError as error:
                wait_seconds = max(wait_seconds, error.retry_after_seconds)
            except PodiumError as error:
                code = problem_of(error).code
                if code == "slow_down":
                    wait_seconds += _SLOWER_SECONDS
                elif code in _ENDS:
                    raise DeviceFlowError(code, error.message) from error
                elif code != "authorization_pending":
                    raise
        raise DeviceFlowError("expired_token", "Nobody let this command line in in time.")

    def logout(self) -> None:
        """Ends this token on the server."""
        self._transport.send("POST", "/auth/logout")
        self._transport.token = None

    def logout_everywhere(self, *, tokens: bool = False) -> int:
        """Ends all of one's sign-ins, this one too; with `tokens` those of programs as well. How
        many there were."""
        body = {"keep_this": False, "tokens": tokens}
        answer = self._transport.send("POST", "/auth/sign-out-everywhere", body=body)
        self._transport.token = None
        return self._transport.parse(SignedOutView, answer).ended

    def me(self) -> IdentityView:
        return self._transport.fetch(IdentityView, "/auth/me")

    def set_password(self, current: str | None, new: str) -> None:
        """`new` needs at least 10 characters; `current` may be left out in place of a one-time one.
        Raises UserError, UnauthenticatedError."""
        self._transport.send("POST", "/auth/password", body={"current": current, "new": new})

    def _signed_in(self, path: str, body: dict[str, str]) -> SessionView:
        session = self._transport.parse(SessionView, self._transport.send("POST", path, body=body))
        self._transport.token = session.token
        return session
