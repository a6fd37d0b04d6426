"""A small real HTTP server that answers given documents, and the command line run against it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import BaseModel

Body = BaseModel | dict[str, Any] | str | bytes | list[Any]


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    headers: dict[str, str]

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answers:
    """`routes` by method and path; a callable gets what was asked. Lists become pages."""

    address: str = ""
    routes: dict[tuple[str, str], Body | tuple[int, Body] | Callable[[Asked], Any]] = field(
        default_factory=dict
    )
    asked: list[Asked] = field(default_factory=list)

    def on(self, method: str, path: str, body: Any) -> None:
        self.routes[method, path] = body

    def problem(self, method: str, path: str, status: int, code: str, **more: Any) -> None:
        document = {"type": "x", "title": "t", "status": status, "code": code, "detail": "Words."}
        self.on(method, path, (status, {**document, **more}))

    def answer(self, asked: Asked) -> tuple[int, str, bytes]:
        self.asked.append(asked)
        found: Any = self.routes.get((asked.method, asked.path))
        if found is None:
            detail = f"There is no {asked.path}."
            found = (
                404,
                {"type": "x", "title": "t", "status": 404, "code": "not_found", "detail": detail},
            )
        if callable(found) and not isinstance(found, BaseModel):
            found = found(asked)
        status, body = found if isinstance(found, tuple) else (200, found)
        if isinstance(body, bytes):
            return status, "text/event-stream", body
        if isinstance(body, str):
            return status, "text/plain", body.encode()
        if isinstance(body, list):
            body = {"items": [item.model_dump(mode="json") for item in body], "next_cursor": None}
        if isinstance(body, BaseModel):
            body = body.model_dump(mode="json")
        return status, "application/json", json.dumps(body).encode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                self.command,
                parts.path.removeprefix("/api/v1"),
                parse_qs(parts.query),
                self.rfile.read(length),
                dict(self.headers.items()),
            )
            status, kind, body = answers.answer(asked)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    answers.address = f"http://127.0.0.1:{httpd.server_port}"
    for name in ("PODIUM_TOKEN", "PODIUM_PROJECT", "NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PODIUM_SERVER", answers.address)
    monkeypatch.setenv("PODIUM_CONFIG", str(tmp_path / "config.json"))
    yield answers
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Podium = Callable[..., Outcome]


@pytest.fixture
def podium(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Podium:
    """Runs the command line in this process: `podium("ls", "--json", stdin="...")`."""
    from podium.cli.app import app, execute

    def call(*arguments: str, stdin: str = "") -> Outcome:
        import io

        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = execute(app, arguments)
        captured = capsys.readouterr()
        return Outcome(int(code), captured.out, captured.err)

    return call


@pytest.fixture
def make() -> type[Documents]:
    return Documents


class Documents:
    """Documents of the API, with what a test cares about changed."""

    ID = "w-01k2x5e8g7h3m9qz"

    @staticmethod
    def at(second: int = 0) -> str:
        return f"2026-01-02T03:04:{second:02}Z"

    @classmethod
    def workload(cls, **changes: Any) -> dict[str, Any]:
        return {
            "id": cls.ID,
            "name": "digits",
            "project": "vision",
            "team": "research",
            "owner": "ada",
            "kind": "training",
            "state": "running",
            "priority": 50,
            "resources": {
                "cpu_milli": 4000,
                "memory_bytes": 2**34,
                "gpu_milli": 2000,
                "text": "2 × H100 · 4 CPU · 16 GiB",
            },
            "replicas": {"total": 2, "running": 2},
            "attempt": 1,
            "retries": 0,
            "submitted_at": cls.at(),
            "queued_at": cls.at(),
            "started_at": cls.at(2),
            "version": 3,
            **changes,
        }

    @classmethod
    def detail(cls, **changes: Any) -> dict[str, Any]:
        usage = cls.usage()
        replica = {
            "state": "running",
            "attempt": 1,
            "allocation_id": "a-1",
            "node": "gpu-1",
            "started_at": cls.at(2),
            "usage": usage,
        }
        share = {"type": "H100", "gpu_milli": 1000, "memory_bytes": 1, "virtual": True}
        return {
            **cls.workload(),
            "submitted_spec": {},
            "resolved_spec": {},
            "replica_list": [
                {**replica, "rank": 0, "devices": [{**share, "index": 0, "uuid": "u0"}]},
                {**replica, "rank": 1, "devices": [{**share, "index": 1, "uuid": "u1"}]},
            ],
            "usage": usage,
            **changes,
        }

    @staticmethod
    def usage() -> dict[str, Any]:
        return {
            "gpu_seconds": 12345.67,
            "cpu_seconds_allocated": 20,
            "cpu_seconds_used": 10.5,
            "memory_peak_bytes": 2**30,
        }

    @classmethod
    def waiting(cls) -> dict[str, Any]:
        return {
            "reason": "capacity",
            "message": "Needs 8 H100 GPUs; 2 are free.",
            "remedy": "Ask for 2 GPUs, or wait for other work to end.",
            "evidence": [{"fact": "gpus_free", "value": "2", "subject": "gpu-1"}],
            "since": cls.at(1),
        }

    @classmethod
    def event(cls, seq: int, kind: str, **changes: Any) -> dict[str, Any]:
        return {
            "seq": seq,
            "at": cls.at(seq % 60),
            "workload_id": cls.ID,
            "project": "vision",
            "kind": kind,
            "state": "running",
            "cause": "placed",
            "message": "",
            "actor": "podium",
            **changes,
        }

    @staticmethod
    def page(*items: Any) -> dict[str, Any]:
        return {"items": list(items), "next_cursor": None, "total": len(items)}

    @staticmethod
    def stream(*events: tuple[str, Any], end: bool = True) -> bytes:
        told = [
            f"event: {name}\nid: {number}\ndata: {json.dumps(data)}\n\n"
            for number, (name, data) in enumerate(events, start=1)
        ]
        return ("".join(told) + ("event: end\n\n" if end else "")).encode()
