"""A one-time password is good for setting one's own, and for nothing else: over every route of the
API, and at a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import time
from collections.abc import Callable

import pytest

from journeys.asking import OPERATIONS, request_for
from journeys.serving import API, PODIUM, Server, plain_environ
from podium.domain.errors import PasswordChangeError

CHOSEN = "chosen-by-ida-herself"
GOOD_FOR = {
    f"GET {API}/auth/me",
    f"POST {API}/auth/password",
    f"POST {API}/auth/logout",
    f"POST {API}/auth/sign-out-everywhere",
}
OPEN = {label for label, each in OPERATIONS.items() if each.get("security") == []}
WALL = sorted(set(OPERATIONS) - OPEN - GOOD_FOR)


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server]) -> Server:
    return make_server("one-time", options=("--virtual-gpus", "1"))


def one_time_of(server: Server, name: str) -> str:
    made = server.client().users.create(name, administrator=True)
    assert made.one_time_password is not None
    return made.one_time_password


def test_no_route_but_the_way_out(server: Server) -> None:
    one_time = one_time_of(server, "ida")
    token = server.sign_in("ida", one_time)
    http = server.http(token)
    names = {"project": "default", "workload_id": "w-0000000000000000", "name": "x", "q": "x"}
    for label in WALL:
        answer = http.request(**request_for(label, names))
        assert (answer.status_code, answer.json()["code"]) == (403, "password_change_required"), (
            label,
            answer.text,
        )
    ida = server.client(token)
    with pytest.raises(PasswordChangeError, match="podium password"):
        ida.tokens.create("around")
    assert ida.auth.me().must_change_password
    ida.auth.set_password(None, CHOSEN)
    assert not ida.auth.me().must_change_password
    assert ida.tokens.create("after").token
    assert server.client(server.sign_in("ida", CHOSEN)).auth.me().username == "ida"


def test_signing_out_is_possible(server: Server) -> None:
    token = server.sign_in("eve", one_time_of(server, "eve"))
    assert server.http(token).post(f"{API}/auth/logout").status_code == 200


def test_a_terminal_asks_for_the_new_one(server: Server) -> None:
    one_time = one_time_of(server, "joan")
    config = server.home.parent / "joan.json"
    shown = typed(
        [PODIUM, "login", server.url, "--username", "joan"],
        {"PODIUM_CONFIG": str(config)},
        [
            ("Password for joan", one_time),
            ("New password", "password1234"),
            ("Repeat", "password1234"),
            ("among the first", ""),
            ("New password", CHOSEN),
            ("Repeat", CHOSEN),
        ],
    )
    assert "as joan" in shown, shown
    kept = json.loads(config.read_text())["contexts"][server.url]["token"]
    assert not server.client(kept).auth.me().must_change_password


def typed(command: list[str], more: dict[str, str], answers: list[tuple[str, str]]) -> str:
    """All that a command shows at a terminal of its own; each answer follows its question, and an
    empty one is only waited for."""
    environ = {**plain_environ(), **more}
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], command, environ)
    shown, left, deadline = "", list(answers), time.monotonic() + 60
    unread = ""
    while time.monotonic() < deadline:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        try:
            piece = os.read(terminal, 4096).decode() if ready else None
        except OSError:
            piece = ""
        if piece == "":
            break
        shown, unread = shown + (piece or ""), unread + (piece or "")
        # The space at the end of a question comes when nothing is echoed any more.
        asked = (
            re.search(left[0][0] + (r"[^\n]*: " if left[0][1] else ""), unread) if left else None
        )
        if asked:
            unread = unread[asked.end() :]
            answer = left.pop(0)[1]
            if answer:
                os.write(terminal, f"{answer}\n".encode())
    os.close(terminal)
    os.waitpid(pid, 0)
    assert not left, shown
    return shown
