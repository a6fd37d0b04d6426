"""Service accounts, which are who programs are. Reached as `client.accounts`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.spec.views.base import Page
from podium.spec.views.tenancy import AccountView, TokenCreatedView, TokenView


class Accounts:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, project: str | None = None, words: str = "") -> Iterator[AccountView]:
        params = {"project": project, "q": words or None}
        yield from items(self._transport, Page[AccountView], "/accounts", params=params)

    def get(self, account: str) -> AccountView:
        return self._transport.fetch(AccountView, path_of("accounts", account))

    def create(
        self, account: str, *, project: str | None = None, display_name: str = ""
    ) -> AccountView:
        """Without roles; `client.access.give` gives some. No project: of the organisation."""
        body = {"name": account, "project": project, "display_name": display_name}
        answer = self._transport.send("POST", "/accounts", body=body)
        return self._transport.parse(AccountView, answer)

    def change(
        self, account: str, *, display_name: str | None = None, disabled: bool | None = None
    ) -> AccountView:
        """None leaves a value. The tokens of a disabled account do nothing."""
        body = {"display_name": display_name, "disabled": disabled}
        answer = self._transport.send("PATCH", path_of("accounts", account), body=body)
        return self._transport.parse(AccountView, answer)

    def remove(self, account: str) -> None:
        """Raises ConflictError for one that has done something: disable it."""
        self._transport.send("DELETE", path_of("accounts", account))

    def tokens(self, account: str) -> Iterator[TokenView]:
        path = path_of("accounts", account, "tokens")
        yield from items(self._transport, Page[TokenView], path)

    def create_token(
        self,
        account: str,
        name: str,
        *,
        expires_in_days: int,
        actions: Sequence[str] | None = None,
        projects: Sequence[str] | None = None,
    ) -> TokenCreatedView:
        """The answer's `token` is shown this once. `actions` and `projects` narrow it."""
        body = {
            "name": name,
            "expires_in_days": expires_in_days,
            "actions": None if actions is None else [*actions],
            "projects": None if projects is None else [*projects],
        }
        answer = self._transport.send("POST", path_of("accounts", account, "tokens"), body=body)
        return self._transport.parse(TokenCreatedView, answer)

    def revoke_token(self, account: str, token_id: str) -> None:
        self._transport.send("DELETE", path_of("accounts", account, "tokens", token_id))
