"""A planted secret is looked for everywhere that people, logs, files and crashes reach."""

from __future__ import annotations

import base64
import secrets
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journeys.serving import API, Server, until
from podium.api.app import make_app
from requirement import program, require

pytestmark = pytest.mark.timeout(180)
DOCUMENT = make_app(None).openapi()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def server(request: pytest.FixtureRequest, make_server: Callable[..., Server]) -> Iterator[Server]:
    options: tuple[str, ...] = ("--virtual-gpus", "1")
    if request.param == "postgresql":
        database = request.getfixturevalue("postgresql_server")
        name = database.create("podium")
        options = (*options, "--database", database.url(name))
    prlimit = program("prlimit")
    require("prlimit", prlimit)
    made = make_server(
        f"leaks-{request.param}",
        options=options,
        environ={"PYTHONFAULTHANDLER": "1"},
        wrapper=(str(prlimit), "--core=unlimited", "--"),  # and yet it must write none
    )
    yield made
    made.stop()


def forms(value: str) -> list[bytes]:
    """How the value could stand somewhere: as it is, and as encodings that hide nothing."""
    plain = value.encode()
    coded = [base64.b64encode(plain[skip:]).rstrip(b"=")[:-2] for skip in range(3)]
    return [plain, plain.hex().encode(), *coded]


def found_in(data: bytes, values: list[str]) -> bool:
    return any(form in data for value in values for form in forms(value))


def assert_in_no_file(folder: Path, values: list[str]) -> None:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            assert not found_in(file.read_bytes(), values), file


def assert_in_no_command_line(values: list[str]) -> None:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
        except OSError:
            continue
        assert not found_in(words, values), process


def answers(server: Server, known: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    """What every GET of the API says to an administrator, with names that exist."""
    http = server.http()
    for path, operations in DOCUMENT["paths"].items():
        if "get" not in operations or path.endswith("/stream"):
            continue
        filled = path
        for name, value in known.items():
            filled = filled.replace(f"{{{name}}}", value)
        if "{" in filled:
            continue
        params = {"project": "default", "q": "leak"} if path.startswith(f"{API}/") else {}
        answer = http.get(filled, params=params)
        assert answer.status_code < 500, (filled, answer.text)
        yield filled, answer.content


def test_a_secret_is_nowhere(server: Server) -> None:
    values = [f"s3cret-{secrets.token_hex(16)}" for _ in range(3)]
    for name, value in zip(("AS_ENV", "AS_FILE", "NEVER_USED"), values, strict=True):
        server.command("secret", "set", name, stdin=value)
    fields = {"secrets": ["AS_ENV", {"name": "AS_FILE", "as": "file"}]}
    check = 'printf %s "$AS_ENV" | sha256sum; sha256sum < "$AS_FILE_FILE"; '
    failing = server.submit("leak-fails", ["sh", "-c", check + "exit 3"], **fields)
    ended = server.ended(failing)
    assert (ended.state, ended.replica_list[0].exit_code) == ("failed", 3)
    running = server.submit("leak-runs", ["sh", "-c", check + "echo up; sleep 300"], **fields)
    until(lambda: "up" in server.client_kept.workloads.logs(running), "it runs")
    wrong = server.http().post(
        f"{API}/workloads",
        json={"name": "x", "project": "default", "command": "c", "secrets": [values[0] + "="]},
    )
    assert wrong.status_code == 422
    assert not found_in(wrong.content, values)
    for body in (
        {"value": [values[2]]},
        {"value": values[2] * 3000},
        {"value": f"{values[2]}\0"},
        {"values": values[2]},
    ):
        refused = server.http().put(f"{API}/projects/default/secrets/NEVER_USED", json=body)
        assert refused.status_code == 422, refused.text
        assert not found_in(refused.content, values)
    torn = server.http().put(
        f"{API}/projects/default/secrets/NEVER_USED", content=f'{{"value": "{values[2]}'
    )
    assert torn.status_code == 422
    assert not found_in(torn.content, values)

    used, by_file, never = server.told("secret", "ls")["items"]
    assert used["used_by_count"] == 1
    assert [each["id"] for each in used["used_by"]] == [running]
    assert used["last_used_at"] is not None
    assert (by_file["name"], never["last_used_at"]) == ("AS_FILE", None)

    known = {
        "ref": running, "workload_id": running, "project": "default", "username": "admin",
        "name": "AS_ENV", "cycle_id": "1", "page": "workloads", "level": "project", "part": "batch",
        "index": "0",
    }  # fmt: skip
    for path, told in answers(server, known):
        assert not found_in(told, values), path
    assert_in_no_command_line(values)
    assert_in_no_file(server.home, values)

    # Killed, rotated in the middle, and crashed with a stack for everyone to read.
    server.kill()
    assert_in_no_file(server.home, values)
    server.start()
    before = server.told("secret", "keys")["keys"]
    server.http().post(f"{API}/secrets/rotate")
    server.kill()
    server.start()
    until(lambda: server.told("secret", "keys")["left"] == 0, "all is sealed anew")
    until(lambda: len(server.told("secret", "keys")["keys"]) == 1, "the old key is gone")
    (key,) = server.told("secret", "keys")["keys"]
    assert key["id"] not in [each["id"] for each in before]
    assert key["secrets"] == 3
    again = server.submit("leak-again", ["sh", "-c", check], **fields)
    assert server.ended(again).state == "succeeded"
    logs = [server.client_kept.workloads.logs(each) for each in (failing, again)]
    assert logs[0] == logs[1], "the same values"
    assert server.process is not None
    server.process.send_signal(signal.SIGABRT)
    server.process.wait(30)
    log = server.log.read_bytes()
    assert b"Fatal Python error: Aborted" in log
    assert not found_in(log, values)
    assert_in_no_file(server.home, values)
    places = (server.home, server.home.parent, Path.cwd())
    assert not [file for place in places for file in place.glob("core*") if file.is_file()]
    server.start()
    server.client_kept.workloads.cancel(running)
    server.ended(running)
    assert_in_no_file(server.home, values)
    for shelf in (*Path("/dev/shm").glob("podium-*"), *Path("/run").glob("podium-*")):
        assert_in_no_file(shelf, values)


def test_a_server_without_its_key_says_so_and_serves(make_server: Callable[..., Server]) -> None:
    server = make_server("locked", options=("--virtual-gpus", "1"))
    server.command("secret", "set", "KEY", stdin="value")
    server.stop()
    kept = (server.home / "secret.key").read_bytes()
    (server.home / "secret.key").unlink()
    server.start()
    until(lambda: b"secrets_locked" in server.log.read_bytes(), "the log names it")
    assert "Restore the key" in server.log.read_text()
    failed = server.ended(server.submit("locked-out", ["true"], secrets=["KEY"]))
    assert (failed.state, failed.cause) == ("failed", "secret_locked")
    assert "Restore the key" in failed.message
    assert server.told("secret", "ls")["items"][0]["locked"]
    refused = server.command("secret", "set", "OTHER", stdin="value", code=None)
    assert refused.returncode != 0
    assert "Restore the key" in refused.stderr
    assert server.ended(server.submit("no-secrets", ["true"])).state == "succeeded"
    (server.home / "secret.key").write_bytes(kept)
    done = server.ended(server.submit("back", ["sh", "-c", "test $KEY = value"], secrets=["KEY"]))
    assert done.state == "succeeded", "without a restart"
    server.stop()


def test_keys_from_elsewhere(make_server: Callable[..., Server], tmp_path: Path) -> None:
    file = tmp_path / "keys"
    first = make_server("own-file", options=("--secret-key-file", str(file)))
    first.command("secret", "set", "KEY", stdin="value")
    assert file.stat().st_mode & 0o777 == 0o600
    assert not (first.home / "secret.key").exists()
    state = first.told("secret", "rotate")
    assert (state["left"], state["place"]) == (0, str(file))
    first.stop()
    keys = file.read_text().strip()
    file.unlink()
    first.options = ()
    first.environ = {"PODIUM_SECRET_KEYS": keys}
    first.start()
    work = ["sh", "-c", 'test "$KEY" = value && test -z "$PODIUM_SECRET_KEYS"']
    assert first.ended(first.submit("env-keys", work, secrets=["KEY"])).state == "succeeded"
    refused = first.command("secret", "rotate", code=None)
    assert "Put a new key in front" in refused.stderr
    new = first.command("secret", "new-key").stdout.strip()
    first.stop()
    first.environ = {"PODIUM_SECRET_KEYS": f"{new},{keys}"}
    first.start()
    state = first.told("secret", "rotate")
    assert [(key["secrets"], key["seals"]) for key in state["keys"]] == [(1, True), (0, False)]
    first.stop()
