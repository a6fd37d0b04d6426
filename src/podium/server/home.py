"""What the server keeps in its home folder beside the database: its lock, its names, its keys."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from podium.domain.errors import FieldFault, PermanentError, UserError
from podium.domain.identity import name_suggestion
from podium.server.settings import Settings
from podium.store.sealing import Sealer


@contextlib.contextmanager
def home_held(path: Path) -> Iterator[None]:
    """Make the folder and keep it for this process: two servers must not share it."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UserError(
            FieldFault("home", f"{path} cannot be used: {error.strerror}.", "Choose another.")
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise PermanentError(
            f"Another server already uses {path}. Stop it first, or choose another --home."
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def shared_made(settings: Settings) -> None:
    """The folder that servers share, unless it is there already. Raises UserError."""
    if settings.shared is None:
        return
    try:
        settings.shared.mkdir(parents=True, exist_ok=True, mode=0o700)
        usable = os.access(settings.shared, os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        usable = False
    if not usable:
        words = f"{settings.shared} cannot be written to."
        raise UserError(FieldFault("shared", words, "Let the user that runs Podium write there."))


def sealer_of(settings: Settings) -> Sealer:
    keys = os.environ.pop("PODIUM_SECRET_KEYS", None)  # or children would have them too
    return Sealer(settings.secret_key_file or settings.common / "secret.key", keys=keys or None)


def holder_of(home: Path) -> str:
    """The server's own name in leases; the same after a restart on the same home."""
    path = home / "server.id"
    if not path.exists():
        path.write_text(secrets.token_hex(8))
    return f"{socket.gethostname()}/{path.read_text().strip()}"


def node_name_of(settings: Settings) -> str:
    """The name that this home's work is recorded under. It is fixed at the first start, because a
    machine that gets another host name still runs what it ran before."""
    path = settings.home / "node.name"
    if not path.exists():
        path.write_text(settings.node_name or name_suggestion(socket.gethostname()))
    known = path.read_text().strip()
    if settings.node_name not in (None, known):
        raise UserError(
            FieldFault(
                "node-name",
                f"is {settings.node_name}, but the work in {settings.home} belongs to node "
                f"{known}.",
                f"Leave it out, write {known}, or choose another --home.",
            )
        )
    return known
