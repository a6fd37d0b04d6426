"""A real `podium up` of one's own, as the journeys need it: started, killed, restarted, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

import podium
from podium.spec.views.workload import WorkloadDetailView

Result = TypeVar("Result")

PODIUM = str(Path(sys.executable).with_name("podium"))
PASSWORD = "correct-horse-battery"
LIMIT_SECONDS = 60.0
ENDS = ("succeeded", "failed", "cancelled")
API = "/api/v1"


def until(
    condition: Callable[[], Result], what: str, *, limit_seconds: float = LIMIT_SECONDS
) -> Result:
    """The first true answer of `condition`. Fails when none comes in time."""
    deadline = time.monotonic() + limit_seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_seconds:g} s: {what}; last seen: {found!r}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def plain_http(url: str, headers: Mapping[str, str]) -> httpx.Client:
    # Without certificates, which take long to read and have no part in this.
    return httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False, verify=False)


def plain_environ() -> dict[str, str]:
    """This process's environment without anything that would reach Podium. Most journeys pass files
    between a test and its jobs, which isolation is there to prevent: those about it ask for it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PODIUM")}
    return {
        **kept,
        "NO_COLOR": "1",
        "COLUMNS": "120",
        "PODIUM_ISOLATION": "none",
        "PODIUM_TRUSTED_PROXIES": "127.0.0.1",  # some journeys speak as a proxy does
    }


@dataclass
class Server:
    """One home and the server that runs in it; `environ` (None unsets) and `options` count at each
    start."""

    home: Path
    options: Sequence[str] = ()
    environ: Mapping[str, str | None] = field(default_factory=dict)
    wrapper: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _clients: list[podium.Client] = field(default_factory=list)
    _http: dict[str | None, httpx.Client] = field(default_factory=dict)
    _token: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.parent / f"{self.home.name}.log"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> Server:
        self.home.mkdir(parents=True, exist_ok=True)
        wanted = {
            **plain_environ(),
            "PODIUM_ADMIN_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
            **self.environ,
        }
        environ = {name: value for name, value in wanted.items() if value is not None}
        command = [
            *self.wrapper, PODIUM, "up", "--home", str(self.home), "--port", str(self.port),
            *self.options,
        ]  # fmt: skip
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(self._is_ready, f"server in {self.home} is ready")
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        code = self.process.poll()
        assert code is None, f"the server ended with code {code}:\n{self.log_tail()}"
        with contextlib.suppress(httpx.HTTPError):
            return self.anonymous.get("/readyz", timeout=5).status_code == 200
        return False

    def kill(self) -> None:
        """As a power cut would end it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """As Ctrl-C does. Returns its exit code."""
        for client in (*self._clients, *self._http.values()):
            client.close()
        self._clients.clear()
        self._http.clear()
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop:\n{self.log_tail()}") from None

    def end_work(self) -> None:
        """Cancel what is still under way, so that stopping the server leaves nothing behind."""
        client = self.client()
        live = [each for each in client.workloads.list() if each.state not in ENDS]
        for each in live:
            client.workloads.cancel(each.id)
        for each in live:
            client.workloads.wait(each.id, timeout_seconds=LIMIT_SECONDS)

    def log_tail(self, lines: int = 40) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    @property
    def token(self) -> str:
        """The administrator's, who also leads the project `default`."""
        if self._token is None:
            self._token = self.sign_in("admin", PASSWORD)
        return self._token

    @property
    def anonymous(self) -> httpx.Client:
        return self.http(None)

    def sign_in(self, username: str, password: str) -> str:
        answer = self.anonymous.post(
            f"{API}/auth/login", json={"username": username, "password": password}
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def client(self, token: str | None = None, project: str | None = "default") -> podium.Client:
        made = podium.Client(self.url, token or self.token, project=project)
        self._clients.append(made)
        return made

    def http(self, token: str | None = "") -> httpx.Client:
        """Plain HTTP; `None` sends no token, the empty text the administrator's."""
        secret = self.token if token == "" else token
        known = self._http.get(secret)
        if known is None:
            headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
            known = plain_http(self.url, headers)
            self._http[secret] = known
        # A sign-in sets a cookie, which is not what a test of tokens means to send.
        known.cookies.clear()
        return known

    def person(self, username: str, *, leads: str | None = None, password: str = PASSWORD) -> str:
        """A new user's token; `leads` names a project that is made for them."""
        client = self.client()
        client.users.create(username, password=password)
        if leads is not None:
            client.projects.create(leads, team=leads)
            client.projects.set_member(leads, username, "lead")
        return self.sign_in(username, password)

    def command(
        self, *arguments: str, stdin: str = "", code: int | None = 0, folder: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`podium ARGUMENTS` as the administrator, in project `default`."""
        done = subprocess.run(
            [PODIUM, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            env={
                **plain_environ(),
                "PODIUM_CONFIG": str(self.home / "cli.json"),
                "PODIUM_SERVER": self.url,
                "PODIUM_TOKEN": self.token,
                "PODIUM_PROJECT": "default",
            },
            cwd=folder or self.home.parent,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done

    def told(self, *arguments: str, **how: Any) -> Any:
        """What a command prints with --json."""
        return json.loads(self.command(*arguments, "--json", **how).stdout)

    def submit(self, name: str, command: object, **fields: Any) -> str:
        """Submits small work and returns its id."""
        fields.setdefault("resources", {"cpus": 0.1, "memory": "64MiB"})
        spec = {"name": name, "command": command, **fields}
        if command is None:
            del spec["command"]
        return self.client_kept.workloads.submit(spec).id

    @property
    def client_kept(self) -> podium.Client:
        """One client for all small questions."""
        for client in self._clients:
            if client.projects.default == "default":
                return client
        return self.client()

    def ended(
        self, workload_id: str, *, limit_seconds: float = LIMIT_SECONDS
    ) -> WorkloadDetailView:
        return self.client_kept.workloads.wait(workload_id, timeout_seconds=limit_seconds)

    def reaches(self, workload_id: str, *states: str) -> WorkloadDetailView:
        """Waits until it is in one of `states`; an end that is not among them fails at once."""

        def look() -> WorkloadDetailView | None:
            seen = self.client_kept.workloads.get(workload_id)
            if seen.state in states:
                return seen
            assert seen.state not in ENDS, (seen.name, seen.state, seen.message)
            return None

        found = until(look, f"{workload_id} is {' or '.join(states)}")
        assert found is not None
        return found


def processes_of_work(ids: Sequence[str]) -> list[str]:
    """Processes that carry one of these workload ids in their environment, as `pid: command`."""
    wanted = {f"PODIUM_WORKLOAD_ID={each}".encode() for each in ids}
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if wanted.intersection((folder / "environ").read_bytes().split(b"\0")):
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append(f"{folder.name}: {words.decode(errors='replace')}")
    return found
