"""Opens the client for a command. The only way from a command to a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podium.client.client import Client


def connect(project: str | None = None, server: str | None = None) -> Client:
    """To the server that `--server`, the environment or `podium login` names."""
    from podium.client.client import Client

    return Client(server, project=project)
