"""What people get wrong and what machines do to them: each gets a clear error, or a typed reason
to wait, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from journeys.serving import API, Server, processes_of_work, until
from requirement import require

GOOD = {"name": "good", "project": "default", "command": ["true"]}


def refused(answer: httpx.Response, status: int = 422) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:2000]
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert len(answer.content) < 20_000, "an error does not send everything back"
    assert problem["detail"]
    return problem  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"comand": ["true"]}, "comand", "command"),
        ({"resources": {"gpu": 2}}, "resources.gpu", "gpus"),
        ({"resources": {"gpus": -1}}, "resources.gpus", "-1"),
        ({"resources": {"gpus": 0}}, "resources.gpus", "is 0"),
        ({"resources": {"gpu_type": "A100"}}, "resources.gpu_type", "no GPU"),
        ({"resources": {"gpus": 1.5}}, "resources.gpus", "1.5"),
        ({"resources": {"gpus": "many"}}, "resources.gpus", "many"),
        ({"resources": {"gpus": 2**70}}, "resources.gpus", ""),
        ({"resources": {"memory": "12 parsecs"}}, "resources.memory", "12 parsecs"),
        ({"name": "team/work"}, "name", "team-work"),
        ({"name": "../../etc"}, "name", ""),
        ({"name": ""}, "name", ""),
        ({"name": "x" * 300}, "name", ""),
        ({"name": "nul\0"}, "name", ""),
        ({"name": "Großartig"}, "name", ""),
        ({"command": None}, "command", "missing"),
        ({"command": []}, "command", ""),
        ({"command": ["a\0b"]}, "command", ""),
        ({"replicas": 0}, "replicas", "0"),
        ({"replicas": 10**9}, "replicas", ""),
        ({"replicas": 2, "array": 2}, "array", "replicas"),
        ({"depends_on": ["good"]}, "depends_on", "cycle"),
        ({"depends_on": ["nobody-knows"]}, "depends_on.0", "nobody-knows"),
        ({"secrets": ["NOT_SET"]}, "secrets.0", "NOT_SET"),
        ({"env": {"A=B": "x"}}, "env.A=B", "digit"),
        ({"deadline": "2001-01-01T00:00:00Z"}, "deadline", "passed"),
        ({"max_runtime": "-5m"}, "max_runtime", "-5m"),
        ({"kind": "trainig"}, "kind", "training"),
        ({"source": {"upload": "0" * 64}}, "source.upload", ""),
        ({"priority": 101}, "priority", "101"),
        ({"labels": {"a": {"b": "c"}}}, "labels", ""),
    ],
)
def test_a_wrong_field_is_named(
    server: Server, changes: dict[str, Any], field: str, words: str
) -> None:
    problem = refused(server.http().post(f"{API}/workloads", json={**GOOD, **changes}))
    (fault, *more) = problem["faults"]
    assert fault["field"] == field or fault["field"].startswith(field), problem
    told = fault["message"] + fault["remedy"]
    assert words in told, problem
    assert fault["message"].endswith("."), problem
    assert not more, problem


def test_all_faults_are_told_at_once_and_by_the_command(server: Server) -> None:
    spec = "name: a/b\ncommand: 'true'\nresources: {gpus: -2, memry: 1GiB}\nreplicas: 0\n"
    done = server.command("submit", "-", stdin=spec, code=1)
    for field in ("name", "resources.gpus", "resources.memry", "replicas"):
        assert field in done.stderr
    assert "memory" in done.stderr
    assert "Traceback" not in done.stderr
    problem = json.loads(server.command("submit", "-", "--json", stdin=spec, code=1).stderr)
    assert {each["field"] for each in problem["faults"]} >= {"name", "resources.gpus"}


def test_a_cycle_through_several(server: Server) -> None:
    ring = [
        {**GOOD, "name": f"cycle-{n}", "depends_on": [f"cycle-{(n + 1) % 3}"]} for n in range(3)
    ]
    problem = refused(server.http().post(f"{API}/workloads/bulk", json={"workloads": ring}))
    (fault,) = problem["faults"]
    assert fault["field"].endswith(".depends_on")
    for n in range(3):
        assert f"cycle-{n}" in fault["message"]
    names = {each.name for each in server.client_kept.workloads.list(limit=50)}
    assert not names & {"cycle-0", "cycle-1", "cycle-2"}, "all or nothing"


@pytest.mark.parametrize("how", ["whole", "chunked"])
@pytest.mark.parametrize("path", ["/workloads", "/workloads/validate"])
def test_a_spec_of_50_megabytes(server: Server, how: str, path: str) -> None:
    size = 50 * 2**20
    before = resident_bytes(server.pid)

    def body() -> Iterator[bytes]:
        yield b'{"name":"big","project":"default","command":["true"],"env":{"A":"'
        for _ in range(size // 2**20):
            yield b"x" * 2**20
        yield b'"}}'

    content: Any = b"".join(body()) if how == "whole" else body()
    try:
        answer = server.http().post(
            f"{API}{path}", content=content, headers={"Content-Type": "application/json"}
        )
    except httpx.WriteError:
        pytest.fail("the connection was cut before the answer could be read")
    problem = refused(answer, 413)
    assert "1 MiB" in problem["detail"]
    assert resident_bytes(server.pid) - before < 40 * 2**20


def test_a_bulk_with_one_spec_of_50_megabytes(server: Server) -> None:
    body = {"workloads": [{**GOOD, "env": {"A": "x" * (50 * 2**20)}}]}
    refused(server.http().post(f"{API}/workloads/bulk", json=body, timeout=60))
    assert server.http().get("/readyz").status_code == 200


def test_a_file_of_50_megabytes_by_the_command(server: Server, tmp_path: Path) -> None:
    spec = tmp_path / "big.yaml"
    with spec.open("wb") as file:
        file.write(b"name: big\ncommand: 'true'\nenv:\n  A: ")
        file.writelines([b"x" * 2**20] * 50)
    done = server.command("submit", str(spec), code=1)
    assert "1 MiB" in done.stderr
    assert len(done.stderr) < 2000


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("application/json", b'{"name": "\xff\xfe"}', "UTF-8"),
        ("application/yaml", b"name: \xff\xfe\n", "UTF-8"),
        ("application/json", b'{"name": "x",', "line 1"),
        ("application/yaml", b"name: [x\n", "line"),
        ("application/json", b'{"name": "x", "name": "y"}', "twice"),
        ("application/json", b"[" * 100_000, "deep"),
        ("application/yaml", b"a: &a [" + b"*a," * 10 + b"]", ""),
        ("application/json", b"", ""),
        ("application/json", b"[]", ""),
        ("application/json", b"3", "map"),
        ("application/json", b'{"name": "\\ud800", "command": "true"}', "name"),
        ("application/json", b'{"name": "x", "command": "true", "priority": 1e999}', "priority"),
        ("application/yaml", b"!!python/object/apply:os.system ['id']", ""),
        ("image/png", b"\x89PNG", ""),
    ],
)
def test_what_is_no_spec_at_all(server: Server, content_type: str, body: bytes, words: str) -> None:
    answer = server.http().post(
        f"{API}/workloads", content=body, headers={"Content-Type": content_type}
    )
    problem = refused(answer)
    assert words in json.dumps(problem), problem


def test_a_file_that_is_no_utf8_by_the_command(server: Server, tmp_path: Path) -> None:
    spec = tmp_path / "latin.yaml"
    spec.write_bytes("name: x\ncommand: 'true'\nenv: {A: Grün}\n".encode("latin-1"))
    done = server.command("submit", str(spec), code=1)
    assert "UTF-8" in done.stderr
    assert "line 3" in done.stderr


def test_a_type_that_no_node_has(server: Server) -> None:
    waiting = reason_of(server, "odd-type", resources={"gpus": 3, "gpu_type": "H100"})
    assert waiting["reason"] == "impossible_type"
    assert "H100" in waiting["message"]
    assert "A100" in waiting["message"] + waiting["remedy"]


def test_a_gang_larger_than_the_cluster(server: Server) -> None:
    waiting = reason_of(server, "large-gang", replicas=5, resources={"gpus": 1, "cpus": 0.01})
    assert waiting["reason"] == "impossible_size"
    assert "4" in waiting["message"]
    assert "replicas" in waiting["remedy"]


def test_more_gpus_than_a_node_has(server: Server) -> None:
    waiting = reason_of(server, "large-one", resources={"gpus": 5})
    assert waiting["reason"] == "impossible_size"
    assert waiting["evidence"]


def reason_of(server: Server, name: str, **fields: Any) -> dict[str, Any]:
    """Why it waits, as explain tells it once the scheduler has looked; then it is cancelled."""
    workload_id = server.submit(name, ["true"], **fields)

    def told() -> dict[str, Any] | None:
        explained = server.client_kept.workloads.explain(workload_id)
        assert explained.state == "queued"
        waiting = explained.waiting
        assert waiting is not None
        return None if waiting.reason == "new" else waiting.model_dump(mode="json")

    found = until(told, "there is a reason")
    assert found is not None
    shown = server.command("explain", workload_id).stdout
    assert found["message"] in " ".join(shown.split())
    server.client_kept.workloads.cancel(workload_id)
    assert server.ended(workload_id).state == "cancelled"
    return found


@pytest.mark.parametrize(
    ("command", "cause", "words"),
    [
        (["no-such-program", "--fast"], "command_not_found", "no-such-program"),
        (["/etc"], "command_not_executable", "/etc"),
        (["/etc/passwd"], "command_not_executable", "/etc/passwd"),
    ],
)
def test_a_command_that_cannot_run(
    server: Server, command: list[str], cause: str, words: str
) -> None:
    seen = server.ended(server.submit("wrong-command", command, retries=3))
    assert (seen.state, seen.cause, seen.attempt) == ("failed", cause, 1)
    assert words in seen.message
    assert processes_of_work([seen.id]) == []


def test_output_that_is_no_text(server: Server) -> None:
    program = r"printf 'a\377\376b\nnul\000byte\n'; head -c 70000 /dev/zero | tr '\0' 'y'; echo"
    seen = server.ended(server.submit("binary", None, script=program))
    assert seen.state == "succeeded"
    lines = server.client_kept.workloads.logs(seen.id).split("\n")
    assert lines[0] == "a��b"
    assert sum(line.count("y") for line in lines[2:]) == 70_000


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


FULL = """
echo before
while [ ! -e $GATE ]; do sleep 0.02; done
head -c 100M /dev/zero > filling 2>/dev/null || true
touch full
n=0
while [ $n -lt 400 ]; do echo "line $n $PADDING"; n=$((n + 1)); done
{then}
exit 5
"""
FREED = "rm filling\nsleep 1.1\necho after"


@pytest.fixture(scope="module")
def cramped(make_server: Callable[..., Server]) -> Server:
    """Its work and logs lie on a disk of 2 MiB."""
    able = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    require("unshare with mount namespaces", able.returncode == 0)
    server = make_server("cramped", start=False)
    disk = server.home / "allocations"
    disk.mkdir(parents=True)
    server.wrapper = (
        "unshare", "-rm", "sh", "-c",
        f'mount -t tmpfs -o size=2m podium "{disk}" && exec "$@"', "sh",
    )  # fmt: skip
    return server.start()


def test_a_full_disk_while_logging(cramped: Server, tmp_path: Path) -> None:
    """The work goes on, its end is recorded, and what was lost is told where it is missing."""
    server = cramped
    gate = tmp_path / "gate"
    env = {"PADDING": "p" * 500, "GATE": str(gate)}
    passing = server.submit("full-a-while", None, script=FULL.replace("{then}", FREED), env=env)
    until(lambda: server.client_kept.workloads.logs(passing) == "before\n", "its first line")
    gate.touch()
    seen = server.ended(passing)
    assert (seen.state, seen.replica_list[0].exit_code) == ("failed", 5)
    lines = server.client_kept.workloads.logs(passing).splitlines()
    assert lines[0] == "before"
    assert lines[-1] == "after"
    assert any("lost" in line and "disk was full" in line for line in lines), lines[-3:]

    lasting = server.submit("full-to-the-end", None, script=FULL.replace("{then}", ""), env=env)
    seen = server.ended(lasting)
    assert (seen.state, seen.replica_list[0].exit_code) == ("failed", 5)
    text = server.client_kept.workloads.logs(lasting)
    assert "bytes of this log are gone" in text or "disk was full" in text
    assert [line.stream for line in server.client_kept.workloads.follow_logs(lasting)]
    assert server.http().get("/readyz").status_code == 200


def test_work_waits_for_room_on_the_disk(cramped: Server) -> None:
    server = cramped
    disk = Path(f"/proc/{server.pid}/root{server.home}/allocations")
    filling = disk / "filling"
    with filling.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    workload_id = server.submit("patient", ["echo", "started"])
    until(lambda: "disk" in server.log.read_text(), "the server says why")
    assert server.client_kept.workloads.get(workload_id).state in ("queued", "scheduled")
    for each in disk.rglob("filling"):
        each.unlink()
    assert server.ended(workload_id).state == "succeeded"
    assert server.client_kept.workloads.logs(workload_id) == "started\n"


TURNED = """
import pathlib, signal, time

offset = 0
wall, wall_ns = time.time, time.time_ns
time.time = lambda: wall() + offset
time.time_ns = lambda: wall_ns() + offset * 10**9


def turn(*_):
    global offset
    offset = int(pathlib.Path(__file__).with_name("offset").read_text())


if pathlib.Path(__file__).with_name("offset").exists():
    turn()
signal.signal(signal.SIGUSR1, turn)
"""
DAY_SECONDS = 86_400


def test_a_clock_that_jumps(make_server: Callable[..., Server], tmp_path: Path) -> None:
    """A day ahead, then a day back: work goes on, nothing ends early, times run forward."""
    (tmp_path / "sitecustomize.py").write_text(TURNED)
    server = make_server("jumping", environ={"PYTHONPATH": str(tmp_path)})

    def jump(seconds: int) -> None:
        (tmp_path / "offset").write_text(str(seconds))
        os.kill(server.pid, signal.SIGUSR1)

        def seen() -> bool:
            checks = server.http().get("/readyz").json()["checks"]
            (clock,) = (each for each in checks if each["name"] == "clock")
            told = re.search(r"by (-?\d+) s", clock["detail"])
            return told is not None and abs(int(told[1]) - seconds) < 60

        until(seen, f"the server sees the clock {seconds} s off")

    running = server.submit("goes-on", ["sleep", "60"], max_runtime="1h", deadline="12h")
    waiting = server.submit("waits-on", ["true"], resources={"gpus": 64}, deadline="12h")
    server.reaches(running, "running")
    ids = [running, waiting]
    for seconds in (DAY_SECONDS, -DAY_SECONDS):
        jump(seconds)
        # Work that is submitted and ended now shows that every loop went round meanwhile.
        ids.append(server.submit("after-a-jump", ["sh", "-c", "sleep 0.1"], max_runtime="1h"))
        assert server.ended(ids[-1]).state == "succeeded"
        assert server.client_kept.workloads.get(running).state == "running"
        assert server.client_kept.workloads.get(waiting).state == "queued"
    server.client_kept.workloads.cancel(running)
    server.client_kept.workloads.cancel(waiting)
    for each in ids:
        seen = server.ended(each)
        times = [event.at for event in server.client_kept.workloads.events(each)]
        assert times == sorted(times)
        assert seen.submitted_at <= (seen.started_at or seen.ended_at) <= seen.ended_at
        assert 0 <= seen.usage.cpu_seconds_allocated < 60
    assert processes_of_work(ids) == []


def test_a_restart_with_the_clock_set_back(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    """A restarted server lives in the machine's time, a day before what it wrote last."""
    (tmp_path / "sitecustomize.py").write_text(TURNED)
    server = make_server("set-back", environ={"PYTHONPATH": str(tmp_path)})
    gate = tmp_path / "gate"
    program = f"while [ ! -e {gate} ]; do sleep 0.02; done"
    running = server.submit("adopted", ["sh", "-c", program], max_runtime="1h")
    server.reaches(running, "running")
    server.kill()
    (tmp_path / "offset").write_text(str(-DAY_SECONDS))
    server.start()
    assert server.client_kept.workloads.get(running).state == "running"
    gate.touch()
    seen = server.ended(running)
    assert seen.state == "succeeded", seen.message
    assert 0 < seen.usage.cpu_seconds_allocated < 60
    assert seen.started_at is not None
    assert seen.ended_at is not None
    assert seen.started_at <= seen.ended_at
    after = server.submit("after-set-back", ["true"])
    assert server.ended(after).state == "succeeded"
