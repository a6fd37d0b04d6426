"""What somebody sends who wants to break in, to break things, or to be taken for somebody else.

Everything goes over real sockets to a real server, most of it in bytes that no client would send.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import socket
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from journeys.serving import API, Server, until
from journeys.test_bad_input import GOOD, refused, resident_bytes

EVIL = "evil.example"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[1A\rFORGED\x08\x9b31m\u202e"


def sent(server: Server, raw: bytes, *, seconds: float = 30) -> bytes:
    """All that comes back for these bytes until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as line:
        line.sendall(raw)
        parts = []
        try:
            while part := line.recv(65_536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


def asked(server: Server, target: str, *headers: str, method: str = "GET", body: str = "") -> bytes:
    """One request whose target no client normalises."""
    lines = [
        f"{method} {target} HTTP/1.1", "Host: podium.example", "Connection: close",
        f"Authorization: Bearer {server.token}", f"Content-Length: {len(body)}", *headers,
    ]  # fmt: skip
    return sent(server, "\r\n".join([*lines, "", body]).encode())


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    return int(answer.split(b" ", 2)[1])


@pytest.fixture(scope="module", autouse=True)
def slow_clients(server: Server) -> Iterator[list[socket.socket]]:
    """As long as the tests of this file go on, many others keep connections open and do next to
    nothing with them."""
    with ExitStack() as stack:
        lines = []
        for number in range(200):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            if number % 2:
                line.sendall(b"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            lines.append(line)
        yield lines


# Paths


@pytest.mark.parametrize(
    "target",
    [
        "/../../../../../../etc/passwd",
        "/assets/../../../../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
        "/%252e%252e%252fetc/passwd",
        "//etc/passwd",
        "/..%5c..%5cetc%5cpasswd",
        "/%c0%ae%c0%ae/etc/passwd",
        "/assets/%00.js",
        "/%ff%fe",
        "/assets/%0d%0aSet-Cookie:%20a=b",
        "/" + "a" * 5000,
        "/" + "a/" * 3000,
        "/api/v1/../../../../etc/passwd",
        "/api/v1/nodes/..%2f..%2f..%2fetc%2fpasswd",
        "/api/v1/workloads/%00",
        "/api/v1/workloads?q=%00",
        "/api/v1/workloads?q=%ff%fe&project=%f0%9f%92%a9",
        "/api/v1/workloads/w-1/logs?q=%00",
        "http://evil.example/etc/passwd",
    ],
)
def test_no_way_out_of_what_is_served(server: Server, target: str) -> None:
    answer = asked(server, target)
    assert status_of(answer) in (200, 400, 404, 422), answer[:300]
    assert b"root:" not in answer
    assert b"Set-Cookie" not in answer.partition(b"\r\n\r\n")[0]
    assert b"Traceback" not in answer


# HTTP itself


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 0",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\x0bchunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "Host: evil.example",
    ],
)
def test_no_request_hides_in_another(server: Server, head: str) -> None:
    hidden = f"GET {API}/nodes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n\r\n"
    raw = f"POST {API}/auth/login HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n0\r\n\r\n{hidden}"
    answer = sent(server, raw.encode())
    assert status_of(answer) == 400
    assert answer.count(b"\r\n\r\n") == 1, "the second request was not seen"


def test_no_switch_to_another_protocol(server: Server) -> None:
    key = "Sec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==\r\nSec-WebSocket-Version: 13"
    for protocol in ("websocket", "h2c"):
        answer = asked(
            server, f"{API}/stream?topics=", f"Upgrade: {protocol}", "Connection: upgrade", key,
            f"Origin: https://{EVIL}",
        )  # fmt: skip
        assert status_of(answer) != 101


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "OPTIONS", "PUT", "FOO"])
def test_methods_that_nothing_takes(server: Server, method: str) -> None:
    answer = asked(server, "/", "X-Echo: secret-echo", method=method)
    assert status_of(answer) in (400, 405)
    assert b"secret-echo" not in answer


def test_no_method_but_the_written_one(server: Server) -> None:
    workload = server.submit("kept", ["true"], resources={"gpus": 64})
    path = f"{API}/workloads/{workload}"
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        assert status_of(asked(server, path, f"{name}: DELETE")) == 200
    assert server.http().get(f"{path}?_method=DELETE").status_code == 200
    server.client_kept.workloads.cancel(workload)


def test_what_the_server_says_is_its_own(server: Server) -> None:
    """No id, host or origin of the asker comes back in headers or links, and nobody is let read."""
    for target in ("/", f"{API}/workloads/", f"{API}/workloads", "/workloads/", f"{API}/nothing"):
        answer = asked(
            server, target, "X-Request-Id: forged-id", f"Origin: https://{EVIL}",
            f"X-Forwarded-Host: {EVIL}", f"Forwarded: host={EVIL}",
        )  # fmt: skip
        head = answer.partition(b"\r\n\r\n")[0].lower()
        assert b"forged-id" not in answer
        assert EVIL.encode() not in answer
        assert b"location:" not in head
        assert b"access-control-" not in head


@pytest.mark.parametrize(
    ("target", "data"),
    [
        ("/", False), ("/workloads/x", False), ("/podium.svg", False), ("/nothing.js", False),
        (f"{API}/auth/me", True), (f"{API}/nothing", True), ("/metrics", True),
        ("/scim/v2/Users", True), ("/readyz", True),
    ],
)  # fmt: skip
def test_every_answer_tells_browsers_its_limits(server: Server, target: str, data: bool) -> None:
    answer = server.http().get(target)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "server" not in answer.headers
    if data:
        assert answer.headers["cache-control"] == "no-store"
        assert "script-src" not in policy


def test_the_page_has_a_new_nonce_each_time(server: Server, console: None) -> None:
    pages = [server.http().get("/") for _ in range(2)]
    nonces = {page.headers["content-security-policy"].split("'nonce-")[1][:22] for page in pages}
    assert len(nonces) == 2
    assert all(page.headers["cache-control"] == "no-store" for page in pages)


def test_over_https_browsers_are_told_to_stay_there(server: Server) -> None:
    answer = server.http().get("/", headers={"X-Forwarded-Proto": "https"})
    assert "max-age=" in answer.headers["strict-transport-security"]
    assert "strict-transport-security" not in server.http().get("/").headers


# Bodies

DEEP = 60_000
BODIES = (
    b"[" * DEEP,
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b'{"username": ' + b"9" * 6000 + b"}",
    b'{"username": NaN, "password": Infinity}',
    b'{"username": 1e999, "password": -1e999}',
    b'{"username": "\\ud800", "password": "\\udfff"}',
    b'{"username": "a\\u0000b", "password": "x\\u0000"}',
    b'{"username": "\xff\xfe", "password": "x"}',
    b'{"username": "\\u202eadmin", "password": "x", "username": "admin"}',
    b"\x1f\x8b\x08\x00",
    b"null",
    b'"text"',
    b"",
)


@pytest.mark.parametrize(
    "path",
    [
        "/auth/login", "/workloads", "/workloads/actions", "/projects", "/auth/tokens",
        "/saved-views", "/auth/device/token",
    ],
)  # fmt: skip
def test_bodies_that_break_parsers(server: Server, path: str) -> None:
    for body in BODIES:
        answer = server.http().post(
            f"{API}{path}", content=body, headers={"Content-Type": "application/json"}
        )
        assert 400 <= answer.status_code < 500, (body[:60], answer.text[:300])
        assert len(answer.content) < 20_000


def test_packed_bodies_are_not_unpacked(server: Server) -> None:
    answer = server.http().post(
        f"{API}/workloads",
        content=gzip.compress(b'{"name": "x"' + b" " * 2**26),
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )
    refused(answer, answer.status_code)
    assert 400 <= answer.status_code < 500


def test_a_billion_laughs(server: Server) -> None:
    lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]"
              for a, b in zip("abcdefghi", "bcdefghij", strict=True)]  # fmt: skip
    begun = time.monotonic()
    answer = server.http().post(
        f"{API}/workloads",
        content="\n".join(lines).encode(),
        headers={"Content-Type": "application/yaml"},
    )
    assert "alias" in json.dumps(refused(answer))
    assert time.monotonic() - begun < 10


# What lists are asked for


@pytest.mark.parametrize("path", ["/workloads", "/audit", "/users", "/notices"])
@pytest.mark.parametrize(
    "cursor",
    [
        "x", "%00", "🦆", base64.urlsafe_b64encode(b"' OR 1=1 --").decode(), "-1", "9" * 190,
        base64.urlsafe_b64encode(b"9" * 60).decode(), base64.urlsafe_b64encode(b"\0\xff").decode(),
        base64.urlsafe_b64encode(b"-99999").decode(),
    ],
)  # fmt: skip
def test_cursors_of_ones_own_making(server: Server, path: str, cursor: str) -> None:
    answer = server.http().get(f"{API}{path}", params={"cursor": cursor})
    assert answer.status_code in (200, 404, 422), answer.text[:300]


@pytest.mark.parametrize(
    "query",
    [
        "sort=password", "sort=name;drop table workloads", "order=up, id", "limit=0",
        "limit=100000", "limit=1e9", "offset=-1", "offset=99999999999999999999", "label==x",
        "label=a%27%20or%201=1", "state=queued%27", "q=%25%25%25%25%5f%5f%5c", "project=' or ''='",
        "ended_since=0000-00-00T00:00:00Z", "ended_since=9999-12-31T23:59:59%2B14:00",
        "ended_since=0001-01-01T00:00:00%2B14:00", "&".join(["project=a"] * 500),
    ],
)  # fmt: skip
def test_filters_that_are_none(server: Server, query: str) -> None:
    answer = server.http().get(f"{API}/workloads?{query}")
    assert answer.status_code in (200, 422), answer.text[:300]
    assert len(answer.content) < 300_000


# Uploads


def tarred(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        archive.addfile(info)
    return target.getvalue()


def zeros(mebibytes: int) -> bytes:
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1) as file:
        info = tarfile.TarInfo("zeros")
        info.size = mebibytes * 2**20
        file.write(info.tobuf())
        for _ in range(mebibytes):
            file.write(b"\0" * 2**20)
    return target.getvalue()


def test_archives_that_attack(server: Server) -> None:
    before = resident_bytes(server.pid)
    for archive, words in (
        (tarred("../../../outside"), "outside"),
        (tarred("/etc/cron.d/outside"), "outside"),
        (tarred("a", tarfile.SYMTYPE, "/etc"), "outside"),
        (tarred("a", tarfile.LNKTYPE, "../../secret.key"), "outside"),
        (tarred("a", tarfile.CHRTYPE), "neither"),
        (zeros(512), "200 times"),
        (b"PK\x03\x04" + b"\0" * 100, "gzipped"),
        (b"\x1f\x8b" + b"\xff" * 1000, "not a whole"),
        (gzip.compress(b"\xff" * 5000), "not a whole"),
    ):
        answer = server.http().post(f"{API}/uploads?project=default", content=archive)
        assert words in json.dumps(refused(answer)), answer.text
    assert resident_bytes(server.pid) - before < 64 * 2**20
    kept = [path for path in (server.home / "uploads").rglob("*") if path.is_file()]
    assert kept == [], "what was refused is not kept"


@pytest.mark.parametrize(
    "project", ["../../x", "..", "/etc", "default/../..", "%2e%2e", "a\0b", ""]
)
def test_projects_that_are_paths(server: Server, project: str) -> None:
    answer = server.http().post(
        f"{API}/uploads", params={"project": project}, content=tarred("a.txt")
    )
    assert answer.status_code in (400, 403, 404, 422), answer.text
    assert not (server.home / "x").exists()


def test_one_person_does_not_fill_the_disk_with_many_uploads_at_once(server: Server) -> None:
    head = (
        f"POST {API}/uploads?project=default HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Length: 100000000\r\n\r\n"
    ).encode()
    with ExitStack() as stack:
        for _ in range(4):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            line.sendall(head + b"\x1f\x8b" + b"x" * 100_000)
        parts = server.home / "uploads" / "default"
        until(lambda: len(list(parts.glob(".part-*"))) == 4, "four uploads are under way")
        refused(server.http().post(f"{API}/uploads?project=default", content=tarred("a")), 429)
    until(lambda: not list(parts.glob(".part-*")), "what was broken off is gone")
    good = server.http().post(f"{API}/uploads?project=default", content=tarred("a.txt"))
    assert good.status_code == 201


# What others will read


def test_words_that_would_steer_a_terminal(server: Server) -> None:
    """Commands show what others wrote without its control characters; logs as they are, asked
    through a pipe."""
    line = r"printf 'a\033]0;owned\007\033[2Jb\n{\"event\":\"forged\"}\n'"
    done = server.submit("steering", None, script=line, labels={"note": "x"})
    server.ended(done)
    waiting = server.submit("steered", ["true"], resources={"gpus": 64})
    answer = server.http().post(f"{API}/workloads/{waiting}/cancel", json={"reason": ESCAPES})
    assert answer.status_code == 200
    server.ended(waiting)
    for arguments in (("show", waiting), ("ls", "--all"), ("explain", waiting)):
        shown = server.command(*arguments, code=None)
        told = shown.stdout + shown.stderr
        for sign in "\x1b\x07\x08\x9b\r\u202e":
            assert sign not in told, (arguments, sign)
    assert "\x1b]0;owned" in server.command("logs", done).stdout


def test_nobody_writes_lines_of_the_servers_log(server: Server) -> None:
    forged = '\n{"event": "forged-line", "level": "info"}\n\x1b[2J'
    server.anonymous.post(f"{API}/auth/login", json={"username": forged, "password": forged})
    for target in ("/forged-line%0A%7B%22event%22", f"{API}/nodes/forged-line%0a%0d%1b%5b2J"):
        asked(server, target, "User-Agent: forged-line\tx")
    server.http().post(f"{API}/projects", json={"name": forged, "team": forged})
    for line in server.log.read_text().splitlines():
        assert "\x1b" not in line
        if line.startswith("{"):
            assert json.loads(line)["event"] != "forged-line"
        assert not line.startswith("forged-line")


def test_words_to_look_for_are_words(server: Server) -> None:
    done = server.submit("matched", ["sh", "-c", "head -c 30000 /dev/zero | tr '\\0' a; echo '!'"])
    server.ended(done)
    begun = time.monotonic()
    for words in ("(a+)+$", "(a|aa)+$", "a" * 200, ".*" * 50, "["):
        answer = server.http().get(f"{API}/workloads/{done}/logs/lines", params={"q": words})
        assert answer.status_code == 200
    assert time.monotonic() - begun < 20


# Slow, and many


def test_readers_that_do_not_read_cost_little(server: Server) -> None:
    program = "head -c 6000000 /dev/urandom | base64 -w 500"
    done = server.submit("long-log", ["sh", "-c", program])
    server.ended(done)
    before = resident_bytes(server.pid)
    request = (
        f"GET {API}/workloads/{done}/logs HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {server.token}\r\n\r\n"
    ).encode()
    with ExitStack() as stack:
        for _ in range(30):
            line = stack.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", server.port))
            line.sendall(request)
        for _ in range(20):
            assert server.http().get(f"{API}/auth/me").status_code == 200
        assert resident_bytes(server.pid) - before < 96 * 2**20


def test_who_does_not_ask_is_let_go(server: Server, slow_clients: list[socket.socket]) -> None:
    """And meanwhile everybody else was served."""
    for line in slow_clients:
        line.settimeout(60)
        data = line.recv(65_536)
        assert data == b"" or status_of(data) == 408
    answer: httpx.Response = server.http().post(f"{API}/workloads/validate", json=GOOD)
    assert answer.status_code == 200
    assert open_files(server.pid) < 150


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
