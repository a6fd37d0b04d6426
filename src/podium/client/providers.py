"""Sign-in providers, for administrators. Reached as `client.providers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podium.client.transport import Transport, path_of
from podium.spec.views.base import Page
from podium.spec.views.sign_in import ProviderTrialView, ProviderView


class Providers:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Sequence[ProviderView]:
        return self._transport.fetch(Page[ProviderView], "/providers").items

    def get(self, name: str) -> ProviderView:
        return self._transport.fetch(ProviderView, path_of("providers", name))

    def set(
        self,
        name: str,
        *,
        issuer: str,
        client_id: str,
        client_secret: str | None = None,
        keep_secret: bool = False,
        label: str = "",
        scopes: Sequence[str] = ("openid", "profile", "email"),
        groups_claim: str = "groups",
        groups: str = "known",
        group_names: Mapping[str, str] | None = None,
        username_claim: str = "preferred_username",
        link: str = "none",
    ) -> ProviderView:
        """Makes the provider, or changes it as a whole. `groups` is known or create, `link` none,
        email or directory. Raises UserError, which names the field."""
        # Written out, because a document hides its secrets when it is printed.
        body = {
            "issuer": issuer,
            "client_id": client_id,
            "client_secret": client_secret,
            "keep_secret": keep_secret,
            "label": label,
            "scopes": [*scopes],
            "groups_claim": groups_claim,
            "groups": groups,
            "group_names": dict(group_names or {}),
            "username_claim": username_claim,
            "link": link,
        }
        answer = self._transport.send("PUT", path_of("providers", name), body=body)
        return self._transport.parse(ProviderView, answer)

    def check(self, issuer: str) -> ProviderTrialView:
        """Asks an issuer for what a sign-in needs, before it is made a provider. Raises UserError,
        which names the field."""
        answer = self._transport.send("POST", "/providers/check", body={"issuer": issuer})
        return self._transport.parse(ProviderTrialView, answer)

    def test(self, name: str) -> ProviderTrialView:
        """Asks the provider for what a sign-in needs, without signing anybody in."""
        answer = self._transport.send("POST", path_of("providers", name, "test"))
        return self._transport.parse(ProviderTrialView, answer)

    def remove(self, name: str) -> None:
        """Sign-ins that came through it end; the people stay."""
        self._transport.send("DELETE", path_of("providers", name))
