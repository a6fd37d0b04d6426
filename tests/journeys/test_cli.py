"""The `podium` command against a real server: a person signs in, runs work, looks, cancels."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import podium

PODIUM = str(Path(sys.executable).with_name("podium"))
LIMIT_SECONDS = 90


@dataclass
class Person:
    """Someone at a shell, with their own configuration file."""

    folder: Path
    server: str
    link: str

    @property
    def environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "PODIUM" not in name}
        return {**kept, "PODIUM_CONFIG": str(self.folder / "config.json"), "NO_COLOR": "1"}

    def run(
        self, *arguments: str, stdin: str = "", code: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PODIUM, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            env=self.environ,
            cwd=self.folder,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, (arguments, done.stdout, done.stderr)
        return done


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    folder = tmp_path_factory.mktemp("cli")
    kept = {name: value for name, value in os.environ.items() if "PODIUM" not in name}
    server = subprocess.Popen(
        [PODIUM, "up", "--home", str(folder / "home"), "--port", "0", "--virtual-gpus", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**kept, "PYTHONUNBUFFERED": "1"},
    )
    alarm = threading.Timer(LIMIT_SECONDS, server.kill)
    alarm.start()
    told = ""
    assert server.stdout is not None
    for line in server.stdout:
        told += line
        if "podium login" in line:
            break
    alarm.cancel()
    address = re.search(r"serves at (http://\S+)", told)
    link = re.search(r"(http://\S+#ticket=\S+)", told)
    assert address, told
    assert link, told
    # Its log is read to the end, so that a full pipe never stops the server.
    reader = threading.Thread(target=server.stdout.read)
    reader.start()
    someone = Person(folder, address[1], link[1])
    someone.run("login", someone.link)
    # The link opens the one-time password's account, which is good for one's own password alone.
    someone.run("password", "--password-stdin", stdin="\nblue-lantern-orbit-42\n")
    yield someone
    server.send_signal(signal.SIGINT)
    server.wait(LIMIT_SECONDS)
    reader.join()
    server.stdout.close()


def test_signed_in_by_the_link(person: Person) -> None:
    identity = json.loads(person.run("whoami", "--json").stdout)
    assert identity["administrator"] is True
    nodes = json.loads(person.run("nodes", "--json").stdout)["items"]
    assert all(device["virtual"] for device in nodes[0]["devices"])
    assert "of 2 virtual" in person.run("nodes").stdout


def test_run_ends_as_the_work_did(person: Person) -> None:
    good = person.run("run", "--gpus", "0.5", "--name", "good", "--", "sh", "-c", "echo hello $X")
    assert good.stdout == "hello\n"
    assert "✓ succeeded: good" in good.stderr
    bad = person.run("run", "-e", "X=3", "--", "sh", "-c", "echo out; exit $X", code=1)
    assert bad.stdout == "out\n"
    assert "✗ failed" in bad.stderr
    shown = person.run("show", "good").stdout
    assert "virtual" in shown
    assert "GPU-seconds" in shown


def test_a_folder_travels_with_its_spec(person: Person) -> None:
    code = person.folder / "code"
    code.mkdir()
    (code / "say.py").write_text("print('from the folder')\n")
    (code / "notes.log").write_text("stays at home")
    (code / ".gitignore").write_text("*.log\n")
    spec = person.folder / "work.yaml"
    spec.write_text(
        "name: first\nsource: {path: code}\ncommand: sh -c 'python3 say.py; ls'\n"
        "---\nname: second\ncommand: 'true'\ndepends_on: [first]\n"
    )
    made = person.run("submit", str(spec), "--wait", "--json")
    states = [json.loads(line)["state"] for line in made.stdout.splitlines()]
    assert states == ["queued", "queued", "succeeded", "succeeded"]
    assert person.run("logs", "first").stdout == "from the folder\nsay.py\n"


def test_several_ranks(person: Person) -> None:
    command = ("sh", "-c", "echo rank $PODIUM_TASK_INDEX")
    person.run("run", "--name", "many", "--array", "3", "--cpus", "0.1", "--", *command)
    lines = person.run("logs", "many").stdout.splitlines()
    assert sorted(lines) == [f"[{rank}] rank {rank}" for rank in range(3)]
    assert person.run("logs", "many", "--rank", "2").stdout == "rank 2\n"


def test_what_waits_is_explained_and_cancelled(person: Person) -> None:
    waiting = person.run("run", "--detach", "--gpus", "64", "--name", "huge", "--", "true")
    workload_id = waiting.stdout.strip()
    person.run("explain", "huge")
    listed = json.loads(person.run("ls", "--state", "queued", "--json").stdout)["items"]
    assert [view["id"] for view in listed] == [workload_id]
    person.run("cancel", workload_id[:-1])
    assert "– cancelled" in person.run("show", "huge").stdout


def test_interrupting_detaches(person: Person) -> None:
    following = subprocess.Popen(
        [PODIUM, "run", "--name", "long", "--", "sh", "-c", "echo ready; sleep 60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=person.environ,
    )
    assert following.stdout is not None
    assert following.stdout.readline() == "ready\n"
    following.send_signal(signal.SIGINT)
    _, told = following.communicate(timeout=LIMIT_SECONDS)
    assert following.returncode == 130
    assert "podium cancel w-" in told
    assert "● running" in person.run("show", "long").stdout
    person.run("cancel", "long")


def test_mistakes_are_told_with_their_own_codes(person: Person) -> None:
    wrong = person.run("submit", "-", stdin="name: x\ncomand: 'true'\n", code=1)
    assert re.search(r"^error: .*comand.*", wrong.stderr)
    assert "Traceback" not in wrong.stderr
    assert person.run("show", "nothing", code=3).stdout == ""
    person.run("ls", "--nonsense", code=2)
    signed_out = Person(person.folder / "nobody", person.server, "")
    signed_out.folder.mkdir()
    stranger = signed_out.run("--server", person.server, "ls", code=4)
    assert "podium login" in stranger.stderr
    gone = signed_out.run("--server", "http://127.0.0.1:1", "ls", code=5)
    assert "podium up" in gone.stderr


def test_the_sdk_does_the_same(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODIUM_CONFIG", person.environ["PODIUM_CONFIG"])
    for name in ("PODIUM_SERVER", "PODIUM_TOKEN", "PODIUM_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    with podium.Client() as client:
        made = client.workloads.submit(
            {"name": "sdk", "command": ["sh", "-c", "echo one; echo two >&2"]},
            idempotency_key="the-same",
        )
        again = client.workloads.submit(
            {"name": "sdk", "command": ["sh", "-c", "echo one; echo two >&2"]},
            idempotency_key="the-same",
        )
        assert (again.id, again.created) == (made.id, False)
        lines = list(client.workloads.follow_logs(made.id))
        assert {(line.stream, line.text) for line in lines} == {("out", "one"), ("err", "two")}
        assert client.workloads.wait(made.id, timeout_seconds=LIMIT_SECONDS).state == "succeeded"
        kinds = [event.kind for event in client.workloads.events(made.id)]
        assert kinds[0] == "WorkloadQueued"
        assert kinds[-1] == "WorkloadSucceeded"
        assert client.workloads.get("sdk").id == made.id
