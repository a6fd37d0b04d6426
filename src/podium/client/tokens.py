"""A person's own access tokens. Reached as `client.tokens`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.spec.views.base import Page
from podium.spec.views.tenancy import TokenCreatedView, TokenView


class Tokens:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[TokenView]:
        yield from items(self._transport, Page[TokenView], "/tokens")

    def create(
        self,
        name: str,
        *,
        expires_in_days: int | None = 90,
        actions: Sequence[str] | None = None,
        projects: Sequence[str] | None = None,
    ) -> TokenCreatedView:
        """The answer's `token` is shown this once. None days: it does not expire. `actions` and
        `projects` narrow what can be done with it."""
        body = {
            "name": name,
            "expires_in_days": expires_in_days,
            "actions": None if actions is None else [*actions],
            "projects": None if projects is None else [*projects],
        }
        answer = self._transport.send("POST", "/tokens", body=body)
        return self._transport.parse(TokenCreatedView, answer)

    def revoke(self, token_id: str) -> None:
        self._transport.send("DELETE", path_of("tokens", token_id))
