"""Work from its submission to its end, through the SDK, the command and the streams."""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime
from pathlib import Path

import jsonschema_rs
import pytest
from prometheus_client.parser import text_string_to_metric_families

from journeys.events import BreakingReader
from journeys.serving import API, PASSWORD, Server, processes_of_work, until
from podium.domain.errors import ConflictError

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = {"cpus": 0.1, "memory": "64MiB"}


def test_a_file_by_the_command(server: Server, tmp_path: Path) -> None:
    """The first ten minutes: submit, ls, show, logs, explain, nodes, usage."""
    spec = tmp_path / "hello.yaml"
    spec.write_text(
        "name: hello-file\nkind: training\nscript: |\n  echo begin\n  sleep 0.1\n  echo end\n"
        "resources: {gpus: 0.5, cpus: 0.1, memory: 64MiB}\nlabels: {run: 42}\n"
    )
    told = server.command("submit", str(spec), "--wait", "--json").stdout.splitlines()
    made, ended = json.loads(told[0]), json.loads(told[-1])
    assert (made["state"], ended["state"]) == ("queued", "succeeded")
    assert ended["labels"] == {"run": "42"}

    listed = server.told("ls", "--state", "succeeded")["items"]
    assert made["id"] in [each["id"] for each in listed]
    shown = server.told("show", "hello-file")
    assert shown["id"] == made["id"]
    assert shown["usage"]["gpu_seconds"] >= 0.05
    assert shown["resolved_spec"]["priority"] == 50
    (replica,) = shown["replica_list"]
    assert replica["exit_code"] == 0
    assert [device["gpu_milli"] for device in replica["devices"]] == [500]
    assert replica["devices"][0]["virtual"] is True
    lines = server.command("logs", "hello-file", "--json").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["begin", "end"]
    explained = server.told("explain", made["id"])
    assert explained["state"] == "succeeded"
    kinds = [event["kind"] for event in explained["events"]]
    assert kinds[0] == "WorkloadQueued"
    assert kinds[-1] == "WorkloadSucceeded"
    (node,) = server.told("nodes")["items"]
    assert len(node["devices"]) == 4
    used = server.told("usage", "--project", "default")["items"]
    assert used[0]["usage"]["gpu_seconds"] >= shown["usage"]["gpu_seconds"]


def test_signing_in_by_the_command(server: Server, tmp_path: Path) -> None:
    server.person("walker")
    session = json.loads(
        server.command(
            "login", server.url, "--username", "walker", "--password-stdin", "--json",
            stdin=PASSWORD,
        ).stdout
    )  # fmt: skip
    assert session["username"] == "walker"
    assert not session["token"].startswith("pod_")
    kept = server.home / "cli.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert PASSWORD not in kept.read_text()


def test_run_follows_and_tells_the_exit_code(server: Server) -> None:
    done = server.command(
        "run", "--name", "failing", "--cpus", "0.1", "--json", "--", "sh", "-c", "echo out; exit 7",
        code=1,
    )  # fmt: skip
    made, line, ended = map(json.loads, done.stdout.splitlines())
    assert (made["name"], line["text"], ended["state"]) == ("failing", "out", "failed")
    seen = server.client_kept.workloads.get("failing")
    assert (seen.cause, seen.replica_list[0].exit_code) == ("exit_code", 7)
    assert "7" in seen.message


def test_a_gang_really_talks(server: Server) -> None:
    done = server.command(
        "submit", str(EXAMPLES / "ring.yaml"), "--set", "resources.cpus=0.1",
        "--set", "env.ROUNDS=5", "--follow",
    )  # fmt: skip
    for rank in range(4):
        assert f"rank {rank} stands in the ring" in done.stdout
    assert "all right" in done.stdout
    seen = server.client_kept.workloads.get("ring")
    assert seen.state == "succeeded"
    assert {replica.attempt for replica in seen.replica_list} == {1}
    placed = [event.at for event in server.client_kept.workloads.events("ring")]
    assert placed == sorted(placed)


def test_a_gang_ends_whole(server: Server) -> None:
    """One replica fails: the others are stopped, and the workload says which one it was."""
    gang = server.submit(
        "half-broken",
        ["sh", "-c", 'if [ "$RANK" = 2 ]; then exit 3; fi; exec sleep 60'],
        replicas=4,
        grace="2s",
    )
    seen = server.ended(gang)
    assert (seen.state, seen.cause) == ("failed", "exit_code")
    assert seen.replica_list[2].exit_code == 3
    for rank in (0, 1, 3):
        assert seen.replica_list[rank].state == "cancelled"
        assert seen.replica_list[rank].cause == "gang_member_ended"
    assert processes_of_work([gang]) == []


def test_an_array(server: Server) -> None:
    array = server.submit(
        "twenty",
        ["sh", "-c", 'echo "task $PODIUM_TASK_INDEX of $PODIUM_TASK_COUNT"'],
        array=20,
        resources={"cpus": 0.05, "memory": "16MiB"},
    )
    seen = server.ended(array)
    assert seen.state == "succeeded"
    assert seen.replicas.succeeded == seen.replicas.total == 20
    text = server.client_kept.workloads.logs(array).splitlines()
    assert sorted(text) == sorted(f"[{rank}] task {rank} of 20" for rank in range(20))
    ranks = [replica.rank for replica in server.client_kept.workloads.replicas(array)]
    assert ranks == list(range(20))


def test_retries(server: Server) -> None:
    command = ["sh", "-c", 'echo "attempt $PODIUM_ATTEMPT"; test "$PODIUM_ATTEMPT" -ge 3']
    enough, few = (server.submit(f"retry-{n}", command, retries=n) for n in (2, 1))
    seen = server.ended(enough)
    assert (seen.state, seen.attempt) == ("succeeded", 3)
    assert server.client_kept.workloads.logs(enough) == "attempt 3\n"
    kinds = [event.kind for event in server.client_kept.workloads.events(enough)]
    assert kinds.count("WorkloadRequeued") == 2
    seen = server.ended(few)
    assert (seen.state, seen.cause, seen.attempt) == ("failed", "exit_code", 2)


def test_a_retry_of_an_array_is_the_tasks_own(server: Server) -> None:
    array = server.submit(
        "array-retry",
        ["sh", "-c", 'test "$PODIUM_TASK_INDEX" != 1 || test "$PODIUM_ATTEMPT" = 2'],
        array=3,
        retries=1,
    )
    seen = server.ended(array)
    assert seen.state == "succeeded"
    assert [replica.attempt for replica in seen.replica_list] == [1, 2, 1]


def test_following_logs_over_a_retry(server: Server) -> None:
    workload_id = server.submit(
        "retry-logs",
        ["sh", "-c", 'echo "attempt $PODIUM_ATTEMPT"; test "$PODIUM_ATTEMPT" = 2'],
        retries=1,
    )
    lines = [line.text for line in server.client_kept.workloads.follow_logs(workload_id)]
    assert lines[-1] == "attempt 2"
    assert len(lines) == len(set(lines))


def test_a_chain(server: Server, tmp_path: Path) -> None:
    order = tmp_path / "order"
    specs = [
        {
            "name": f"link-{number}",
            "script": f"echo {number} >> {order}",
            "resources": SMALL,
            **({"depends_on": [f"link-{number - 1}"]} if number else {}),
        }
        for number in reversed(range(4))
    ]
    made = server.client_kept.workloads.submit_many(specs)
    for each in made:
        assert server.ended(each.id).state == "succeeded"
    assert order.read_text() == "0\n1\n2\n3\n"


def test_a_broken_chain_is_told_to_those_who_wait(server: Server) -> None:
    first, second, third = server.client_kept.workloads.submit_many(
        [
            {"name": "breaks", "command": ["false"], "resources": SMALL},
            {"name": "waits", "command": ["true"], "depends_on": ["breaks"]},
            {"name": "waits-too", "command": ["true"], "depends_on": ["waits"]},
        ]
    )
    assert server.ended(first.id).cause == "exit_code"
    for each in (second, third):
        seen = server.ended(each.id)
        assert (seen.state, seen.cause) == ("failed", "dependency_failed")
        assert not any(replica.allocation_id for replica in seen.replica_list)
    assert "breaks" in server.client_kept.workloads.get(second.id).message


def test_deadlines(server: Server) -> None:
    waiting = server.submit("late-waiting", ["true"], resources={"gpus": 64}, deadline="1s")
    running = server.submit("late-running", ["sleep", "60"], deadline="1s", grace="1s", retries=5)
    for workload_id in (waiting, running):
        seen = server.ended(workload_id)
        assert (seen.state, seen.cause) == ("failed", "deadline")
        assert seen.attempt == 1
    assert processes_of_work([running]) == []


def test_max_runtime(server: Server) -> None:
    kind, stubborn = (
        server.submit(f"long-{name}", ["sh", "-c", command], max_runtime="1s", grace="1s")
        for name, command in (
            ("kind", "trap 'echo asked; exit 0' TERM; sleep 60 & wait"),
            ("stubborn", "trap '' TERM; while :; do sleep 60; done"),
        )
    )
    for workload_id in (kind, stubborn):
        seen = server.ended(workload_id)
        assert seen.cause == "max_runtime" or seen.state == "succeeded", seen.message
    assert server.client_kept.workloads.logs(kind) == "asked\n"
    assert server.client_kept.workloads.get(stubborn).state == "failed"
    assert processes_of_work([kind, stubborn]) == []


def test_cancelling(server: Server) -> None:
    running = server.submit("cancel-me", ["sleep", "60"])
    server.reaches(running, "running")
    (answer,) = [server.told("cancel", running)]
    assert answer["items"][0]["id"] == running if "items" in answer else answer["id"] == running
    seen = server.ended(running)
    assert (seen.state, seen.cause) == ("cancelled", "cancelled")
    again = server.client_kept.workloads.cancel(running)
    assert again.state == "cancelled"
    (replica,) = seen.replica_list
    assert replica.signal == 15
    assert processes_of_work([running]) == []


def test_a_script_stops_at_its_first_failure(server: Server) -> None:
    """As its schema says: run by /bin/sh -e."""
    seen = server.ended(server.submit("strict", None, script="echo one\nfalse\necho two\n"))
    assert server.client_kept.workloads.logs(seen.id) == "one\n"
    assert seen.state == "failed"


def test_secrets_reach_the_work_and_nothing_else(server: Server, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    value = f"s3cret-{secrets.token_hex(16)}"
    server.command("secret", "set", "API_KEY", "--project", "default", stdin=value)
    workload_id = server.submit(
        "secretive",
        [
            "sh",
            "-c",
            'printf %s "$API_KEY" | sha256sum; while [ ! -e $GATE ]; do sleep 0.02; done',
        ],
        env={"GATE": str(gate)},
        secrets=["API_KEY"],
        retries=1,
    )
    server.reaches(workload_id, "running")
    assert_nowhere(value.encode(), server.home)  # while it runs, too
    gate.touch()
    seen = server.ended(workload_id)
    logs = server.client_kept.workloads.logs(workload_id)
    assert logs.split()[0] == hashlib.sha256(value.encode()).hexdigest()
    assert_nowhere(value.encode(), server.home)
    assert value not in server.log.read_text()
    told = seen.model_dump_json()
    for path in (
        f"{API}/projects/default/secrets",
        f"{API}/workloads/{workload_id}/events",
        f"{API}/workloads/{workload_id}/explain",
        "/metrics",
    ):
        told += server.http().get(path).text
    assert value not in told
    assert "API_KEY" in told
    assert value.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()


def assert_nowhere(value: bytes, folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            assert value not in file.read_bytes(), file


def test_a_folder_travels(server: Server, tmp_path: Path) -> None:
    code = tmp_path / "code"
    (code / "deep").mkdir(parents=True)
    (code / "main.py").write_text("import deep.part\nprint(deep.part.WORDS)\n")
    (code / "deep" / "part.py").write_text("WORDS = 'äß from the folder'\n", encoding="utf-8")
    (code / "run.sh").write_text("#!/bin/sh\nexec python3 main.py\n")
    (code / "run.sh").chmod(0o755)
    client = server.client_kept
    first = client.uploads.upload_folder(code, "default")
    assert client.uploads.upload_folder(code, "default") == first
    workload_id = server.submit("from-folder", ["./run.sh"], source={"upload": first.sha256})
    assert server.ended(workload_id).state == "succeeded"
    assert client.workloads.logs(workload_id) == "äß from the folder\n"


def test_an_idempotency_key(server: Server) -> None:
    http = server.http()
    key = {"Idempotency-Key": secrets.token_hex(8)}
    spec = {"name": "once", "project": "default", "command": ["true"], "resources": SMALL}
    first = http.post(f"{API}/workloads", json=spec, headers=key)
    second = http.post(f"{API}/workloads", json=spec, headers=key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert second.json()["created"] is False
    other = http.post(f"{API}/workloads", json={**spec, "name": "twice"}, headers=key)
    assert other.status_code == 409
    with pytest.raises(ConflictError):
        server.client_kept.workloads.submit(
            {**spec, "name": "twice"}, idempotency_key=key["Idempotency-Key"]
        )


def test_the_list_stream_resumes_without_loss_or_repetition(server: Server) -> None:
    client = server.client_kept
    before = server.submit("stream-mark", ["true"])
    server.ended(before)
    *_, last = client.workloads.events(before)
    ids = [server.submit(f"streamed-{number}", ["true"]) for number in range(6)]
    ids.append(server.submit("streamed-array", ["true"], array=6))
    open_ids = set(ids)
    reader = BreakingReader(
        server.http(), f"{API}/workloads/stream", {"after": last.seq, "project": "default"}, 7
    )
    heard: list[tuple[int, str, str]] = []
    for event in reader.read(lambda _: not open_ids):
        if event.event == "heartbeat":  # nothing was to tell for a while
            continue
        assert event.event == "change"
        change = json.loads(event.data)
        assert event.id == str(change["event"]["seq"])
        heard.append((change["event"]["seq"], change["event"]["workload_id"], event.event))
        if change["event"]["kind"] in ("WorkloadSucceeded", "WorkloadFailed"):
            open_ids.discard(change["event"]["workload_id"])
    assert reader.connections > 3
    numbers = [seq for seq, workload_id, _ in heard if workload_id in ids]
    stored = sorted(event.seq for each in ids for event in client.workloads.events(each))
    assert sorted(numbers) == stored, "lost or repeated"
    assert numbers == sorted(numbers)


def test_the_stream_of_one_workload_ends_with_it(server: Server) -> None:
    workload_id = server.submit("stream-one", ["sh", "-c", "sleep 0.3"])
    reader = BreakingReader(server.http(), f"{API}/workloads/{workload_id}/stream", {"after": 0}, 2)
    events = list(reader.read(lambda _: False))
    assert events[-1].event == "end"
    seqs = [json.loads(each.data)["event"]["seq"] for each in events[:-1]]
    assert seqs == [each.seq for each in server.client_kept.workloads.events(workload_id)]


def test_a_stream_resumes_over_many_changes_of_others(server: Server) -> None:
    """A reader that was away while much happened still misses nothing of its own workload."""
    client = server.client_kept
    mine = server.submit("patient", ["true"])
    server.ended(mine)
    crowd = client.workloads.submit_many(
        [
            {"name": "crowd-first", "command": ["true"], "resources": {"gpus": 64}},
            *[{"name": "crowd", "command": ["true"], "depends_on": ["crowd-first"]}] * 1100,
        ]
    )
    reader = BreakingReader(server.http(), f"{API}/workloads/{mine}/stream", {"after": 0}, 100)
    events = list(reader.read(lambda _: False))
    assert events[-1].event == "end"
    seqs = [json.loads(each.data)["event"]["seq"] for each in events if each.event == "change"]
    stored = [each.seq for each in client.workloads.events(mine)]
    assert seqs == stored or any(each.event == "resync" for each in events)
    client.workloads.cancel(crowd[0].id)
    assert server.ended(crowd[-1].id).cause == "dependency_failed"


def test_following_logs_resumes_without_loss_or_repetition(server: Server) -> None:
    program = (
        "import time\nfor n in range(2000):\n print(n, flush=True)\n n % 100 or time.sleep(0.02)"
    )
    workload_id = server.submit("talkative", ["python3", "-c", program], replicas=2)
    reader = BreakingReader(
        server.http(), f"{API}/workloads/{workload_id}/logs", {"follow": "true"}, 3
    )
    by_rank: dict[int, list[int]] = {0: [], 1: []}
    for event in reader.read(lambda _: False):
        if event.event == "lines":
            for line in json.loads(event.data):
                by_rank[line["rank"]].append(int(line["text"]))
                assert datetime.fromisoformat(line["at"]).tzinfo is not None
    assert reader.connections > 3
    assert by_rank == {0: list(range(2000)), 1: list(range(2000))}


def test_logs_in_every_form(server: Server) -> None:
    workload_id = server.submit(
        "forms", ["sh", "-c", "for n in 1 2 3 4 5; do echo line $n; done; echo wrong >&2"]
    )
    server.ended(workload_id)
    logs = server.client_kept.workloads.logs
    assert logs(workload_id, tail=2).splitlines()[-1] in ("wrong", "line 5")
    assert len(logs(workload_id, tail=2).splitlines()) == 2
    assert logs(workload_id, tail=0) == ""
    stamped = logs(workload_id, timestamps=True).splitlines()
    assert all(datetime.fromisoformat(line.split()[0]) for line in stamped)
    answer = server.http().get(f"{API}/workloads/{workload_id}/logs", params={"rank": 9})
    assert answer.status_code == 404
    assert "replica 9" in answer.json()["detail"]


def test_the_schema_says_what_the_server_takes(server: Server) -> None:
    schema = json.loads(server.command("schema").stdout)
    validator = jsonschema_rs.validator_for(schema)
    good = {
        "name": "schooled",
        "project": "default",
        "command": ["true"],
        "resources": {"gpus": 0.5, "gpu_memory": "24GB..", "gpu_type": ["H100"], "cpus": "1..4"},
    }
    assert validator.is_valid(good)
    assert server.client_kept.workloads.validate(good)["resources"]["gpus"] in (0.5, "0.5")
    resolved = server.client_kept.workloads.validate(good)
    assert validator.is_valid(resolved), [str(each) for each in validator.iter_errors(resolved)]
    assert server.client_kept.workloads.validate(resolved) == resolved
    for wrong in ({"nam": "x"}, {**good, "colour": "red"}, {**good, "replicas": 0}):
        assert not validator.is_valid(wrong)


def test_metrics_are_what_prometheus_reads(server: Server) -> None:
    running = server.submit("measured", ["sleep", "60"], resources={"gpus": 1, "cpus": 0.1})
    server.reaches(running, "running")

    def families() -> dict[str, dict[tuple[str, ...], float]]:
        answer = server.http().get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        return {
            family.name: {tuple(each.labels.values()): each.value for each in family.samples}
            for family in text_string_to_metric_families(answer.text)
        }

    found = families()
    assert found["podium_workloads"][("running",)] == 1
    assert sum(found["podium_gpus"].values()) == 4
    assert sum(found["podium_gpus_allocated"].values()) == 1
    assert set(found["podium_node_ready"].values()) == {1}
    assert set(found["podium_loop_failures"].values()) == {0}
    client = server.client_kept
    client.workloads.cancel(running)
    server.ended(running)
    until(lambda: sum(families()["podium_gpus_allocated"].values()) == 0, "the GPU is free")


def test_lists_page_and_filter(server: Server) -> None:
    http = server.http()
    ids = [server.submit("paged", ["true"], labels={"page": "yes"}) for _ in range(5)]
    for each in ids:
        server.ended(each)
    walked: list[str] = []
    cursor = ""
    while True:
        params = {"label": "page=yes", "limit": 2, "order": "oldest", "cursor": cursor}
        answer = http.get(f"{API}/workloads", params=params)
        body = answer.json()
        walked += [each["id"] for each in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert walked == ids
    newest = http.get(f"{API}/workloads", params={"name": "paged", "limit": 1}).json()["items"]
    assert newest[0]["id"] == ids[-1]
    answer = http.get(f"{API}/workloads", params={"cursor": "%%%"})
    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, "cursor")
