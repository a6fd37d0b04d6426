"""A project's secrets: names can be read, values only written. Reached as `client.secrets`."""

from __future__ import annotations

from collections.abc import Iterator

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.spec.views.base import Page
from podium.spec.views.secret import SealingKeysView, SecretView


class Secrets:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, project: str) -> Iterator[SecretView]:
        path = path_of("projects", project, "secrets")
        yield from items(self._transport, Page[SecretView], path)

    def set(self, project: str, name: str, value: str) -> SecretView:
        """Creates or replaces; at most 65,536 characters."""
        path = path_of("projects", project, "secrets", name)
        return self._transport.parse(
            SecretView, self._transport.send("PUT", path, body={"value": value})
        )

    def remove(self, project: str, name: str) -> None:
        self._transport.send("DELETE", path_of("projects", project, "secrets", name))

    def keys(self) -> SealingKeysView:
        """The keys that seal secrets, by their ids. For administrators."""
        return self._transport.parse(
            SealingKeysView, self._transport.send("GET", path_of("secrets", "keys"))
        )

    def rotate(self) -> SealingKeysView:
        """Lets a new key seal from now on. The server then seals all secrets anew; `keys().left`
        says how many it has yet to do. For administrators."""
        return self._transport.parse(
            SealingKeysView, self._transport.send("POST", path_of("secrets", "rotate"))
        )
