"""Provisioning by SCIM, as administrators set it up. Reached as `client.directory`."""

from __future__ import annotations

from podium.client.transport import Transport
from podium.spec.views.directory import DirectoryTokenCreatedView, DirectoryView


class Directory:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def address(self, path: str) -> str:
        """What a directory is given as the address of the SCIM endpoint."""
        return f"{self._transport.server.rstrip('/')}{path}"

    def show(self) -> DirectoryView:
        """How many people and groups a directory keeps here, and the tokens that it comes with."""
        return self._transport.fetch(DirectoryView, "/directory")

    def create_token(
        self, *, account: str = "scim", expires_in_days: int = 365
    ) -> DirectoryTokenCreatedView:
        """A token for a directory, at most for 366 days. Its secret is told once."""
        answer = self._transport.send(
            "POST",
            "/directory/tokens",
            body={"account": account, "expires_in_days": expires_in_days},
        )
        return self._transport.parse(DirectoryTokenCreatedView, answer)
