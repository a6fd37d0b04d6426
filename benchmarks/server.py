"""A Podium server of one's own: a real `podium up` with a temporary home on a free loopback port.

Every benchmark and `examples/demo.py` start theirs with it.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import podium

START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
ADMINISTRATOR = "admin"


class ServerError(Exception):
    """The server did not start or stop as it should; the text ends with what it logged."""


@dataclass(frozen=True, slots=True)
class OwnServer:
    """A running server. `ready_seconds` is the time from its start to its first `ready`."""

    home: Path
    port: int
    password: str
    process: subprocess.Popen[bytes]
    ready_seconds: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def sign_in(self, username: str, password: str) -> podium.Client:
        """A client with a token of its own; the caller closes it."""
        client = podium.Client(self.url, project=None)
        client.auth.login(username, password, label="own server")
        return client

    def administrator(self) -> podium.Client:
        return self.sign_in(ADMINISTRATOR, self.password)

    def log_tail(self, lines: int = 20) -> str:
        return _tail(self.home, lines)

    def stop(self) -> int:
        """Asks it to end and returns its exit code. Raises ServerError when it does not end."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise ServerError(
                f"the server did not stop within {STOP_SECONDS_MAX:g} s\n{self.log_tail()}"
            ) from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(home: Path, *, password: str | None = None) -> OwnServer:
    """Starts a server in `home` and returns when it is ready. Raises ServerError."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    password = password or secrets.token_urlsafe(12)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PODIUM_")
    }
    environment |= {
        "PODIUM_HOME": str(home),
        "PODIUM_PORT": str(port),
        "PODIUM_ADMIN_PASSWORD": password,
        # Sign-ins of this server stay out of the person's own configuration.
        "PODIUM_CONFIG": str(home / "client.json"),
    }
    os.environ["PODIUM_CONFIG"] = environment["PODIUM_CONFIG"]
    command = [str(Path(sys.executable).with_name("podium")), "up", "--port", str(port)]
    begun = time.monotonic()
    with (home / "server.out").open("ab") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_ready(process, port, home)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return OwnServer(home, port, password, process, time.monotonic() - begun)


@contextlib.contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server for the length of a `with`; its home is removed after it."""
    home = Path(tempfile.mkdtemp(prefix="podium-"))
    try:
        server = start(home)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _wait_ready(process: subprocess.Popen[bytes], port: int, home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        code = process.poll()
        if code is not None:
            raise ServerError(f"the server ended with code {code}\n{_tail(home)}")
        if time.monotonic() > deadline:
            raise ServerError(
                f"the server was not ready within {START_SECONDS_MAX:g} s\n{_tail(home)}"
            )
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.01)


def _tail(home: Path, lines: int = 20) -> str:
    with contextlib.suppress(OSError):
        return "\n".join((home / "server.out").read_text(errors="replace").splitlines()[-lines:])
    return ""
