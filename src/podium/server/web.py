"""The server's port, and uvicorn on it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from podium.api.app import make_app
from podium.api.connections import ConnectionLimits, connections_allowed, protocol
from podium.api.context import Context
from podium.domain.errors import FieldFault, UserError
from podium.server.settings import Settings

_GRACEFUL_SECONDS = 3


class Server(uvicorn.Server):
    """Uvicorn, told about our streams: they end first, so that stopping takes no time."""

    def __init__(self, context: Context, trusted_proxies: str) -> None:
        super().__init__(
            uvicorn.Config(
                make_app(context),
                log_config=None,
                access_log=False,
                loop="none",
                http=protocol(ConnectionLimits(connections_max=connections_allowed())),
                ws="none",
                lifespan="off",
                server_header=False,
                # Without a proxy nobody is believed: a job on this machine connects from it, too.
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=trusted_proxies,
                backlog=2048,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_GRACEFUL_SECONDS,
            )
        )
        self._context = context

    def handle_exit(self, sig: int, frame: object) -> None:
        self._context.streams.close()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]
        # Uvicorn raises the signal again when it is done, which would end the process before the
        # leases are given back and the database is closed.
        self._captured_signals.clear()


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise UserError(
            FieldFault(
                "port",
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.",
                "Choose another with --port.",
            )
        ) from error
    with listener:
        yield listener


def shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - shown, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
