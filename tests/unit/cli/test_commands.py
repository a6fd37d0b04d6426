"""Commands against a server that answers given documents: output, JSON, errors, exit codes."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from podium.domain.errors import UserError

SUBMITTED = {"name": "digits", "project": "vision", "state": "queued", "created": True}


def test_ls_shows_a_plain_table(server: Any, podium: Any, make: Any) -> None:
    queued = make.workload(
        state="queued",
        started_at=None,
        waiting=make.waiting(),
        name="big",
        id="w-01k2x5e8g7h3m9q0",
        replicas={"total": 1, "waiting": 1},
    )
    server.on(
        "GET",
        "/workloads",
        lambda asked: make.page(
            *([] if "failed" in asked.query["state"] else [make.workload(), queued])
        ),
    )
    shown = podium("ls")
    assert shown.code == 0
    assert "\x1b" not in shown.out
    head, first, second = shown.out.rstrip("\n").split("\n")
    assert head.split()[:3] == ["NAME", "STATE", "PROJECT"]
    assert "digits" in first
    assert "● running" in first
    assert "2/2" in first
    assert "○ queued" in second
    assert "Needs 8 H100 GPUs; 2 are free." in second
    assert not any(line.endswith(" ") for line in (head, first, second))


def test_ls_filters_and_answers_documents(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", "/workloads", make.page(make.workload()))
    shown = podium(
        "ls", "--json", "--state", "running", "--label", "a=b", "-p", "vision", "--limit", "3"
    )
    assert [item["id"] for item in shown.document["items"]] == [make.ID]
    query = server.asked[0].query
    assert (query["state"], query["label"], query["project"]) == (["running"], ["a=b"], ["vision"])
    wrong = podium("ls", "--state", "asleep")
    assert wrong.code == 1
    assert wrong.err.startswith(
        "error: --state: 'asleep' is not known.\n  hint: Write one of queued"
    )


def test_ls_watch_prints_lines(server: Any, podium: Any, make: Any) -> None:
    change = {"event": make.event(1, "WorkloadRunning"), "workload": make.workload()}
    server.on("GET", "/workloads/stream", make.stream(("change", change)))
    assert "● running" in podium("ls", "--watch").out
    lines = podium("ls", "--watch", "--json").out.splitlines()
    assert json.loads(lines[0])["workload"]["id"] == make.ID


def test_show_tells_the_whole_story(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", f"/workloads/{make.ID}", make.detail(retries=2))
    server.on(
        "GET",
        f"/workloads/{make.ID}/events",
        make.page(
            make.event(1, "WorkloadQueued", cause="submitted", actor="ada"),
            make.event(2, "ReplicaRunning", rank=1, cause="started", message="pid 7"),
        ),
    )
    shown = podium("show", make.ID)
    assert shown.code == 0
    for words in (
        "● running  digits  " + make.ID,
        "2 × H100 · 4 CPU · 16 GiB each",
        "2 replicas: 2 running",
        "1 of up to 3",
        "virtual H100 #1",
        "rank 1 running",
        "12,345.7 GPU-seconds",
        "peak memory 1 GiB",
    ):
        assert words in shown.out, words
    assert podium("show", make.ID, "--json").document["id"] == make.ID


def test_explain_says_reason_remedy_and_evidence(server: Any, podium: Any, make: Any) -> None:
    document = {
        "workload_id": make.ID,
        "state": "queued",
        "headline": "digits waits: Needs 8 H100 GPUs; 2 are free.",
        "waiting": make.waiting(),
        "queue_position": 2,
        "queue_length": 1500,
    }
    server.on("GET", f"/workloads/{make.ID}/explain", document)
    shown = podium("explain", make.ID)
    assert shown.out.startswith("digits waits: Needs 8 H100 GPUs; 2 are free.\n→ Ask for 2 GPUs")
    assert "gpus free" in shown.out
    assert "2 of 1,500" in shown.out


def test_logs_of_several_ranks_carry_the_rank(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", f"/workloads/{make.ID}", make.detail())
    replicas = make.detail()["replica_list"]
    server.on("GET", f"/workloads/{make.ID}/replicas", make.page(*replicas))
    server.on(
        "GET",
        f"/workloads/{make.ID}/logs",
        lambda asked: (
            f"{make.at(9 - int(asked.query['rank'][0]))} from [{asked.query['rank'][0]}]\n"
        ),
    )
    assert podium("logs", make.ID).out == "[1] from [1]\n[0] from [0]\n"
    assert podium("logs", make.ID, "--rank", "1").out == "from [1]\n"
    lines = [json.loads(line) for line in podium("logs", make.ID, "--json").out.splitlines()]
    assert [line["rank"] for line in lines] == [1, 0]


def test_logs_are_searched_and_read_of_an_earlier_attempt(
    server: Any, podium: Any, make: Any
) -> None:
    server.on("GET", f"/workloads/{make.ID}", make.detail())
    server.on(
        "GET",
        f"/workloads/{make.ID}/logs",
        lambda asked: f"{make.at(1)} {asked.query.get('q')} {asked.query.get('attempt')}\n",
    )
    asked = ("logs", make.ID, "--rank", "0", "--grep", "error", "--attempt", "1")
    assert podium(*asked).out == "['error'] ['1']\n"
    refused = podium("logs", make.ID, "-f", "--grep", "error")
    assert (refused.code, "not with -f" in refused.err) == (2, True)


def test_run_follows_and_ends_as_the_work_did(server: Any, podium: Any, make: Any) -> None:
    line = {"rank": 0, "at": make.at(3), "stream": "out", "text": "hello"}
    ended = make.detail(
        state="failed",
        ended_at=make.at(5),
        message="Exit code 3.",
        replicas={"total": 1, "failed": 1},
    )
    server.on("POST", "/workloads", (201, {**SUBMITTED, "id": make.ID}))
    server.on("GET", f"/workloads/{make.ID}", ended)
    server.on("GET", f"/workloads/{make.ID}/logs", make.stream(("lines", [line])))
    shown = podium(
        *("run", "-p", "vision", "--gpus", "0.5", "--gpu-type", "H100", "-e", "A=b=c"),
        *("--max-runtime", "5m", "--", "python", "t.py", "--json"),
    )
    assert shown.code == 1
    assert shown.out == "hello\n"
    assert "✗ failed: digits" in shown.err
    assert "Exit code 3." in shown.err
    assert server.asked[0].document == {
        "name": "t",
        "project": "vision",
        "kind": "batch",
        "command": ["python", "t.py", "--json"],
        "resources": {"gpus": "0.5", "gpu_type": ["H100"]},
        "max_runtime": "5m",
        "env": {"A": "b=c"},
    }
    server.on("GET", f"/workloads/{make.ID}", make.detail(state="succeeded", ended_at=make.at(5)))
    assert podium("run", "-p", "vision", "true").code == 0
    detached = podium("run", "-p", "vision", "--detach", "true")
    assert detached.out == make.ID + "\n"


def test_submit_waits_for_several(server: Any, podium: Any, make: Any, tmp_path: Path) -> None:
    other = "w-01k2x5e8g7h3m9q0"
    file = tmp_path / "two.yaml"
    file.write_text("name: digits\ncommand: a\n---\nname: other\ncommand: b\nproject: audio\n")
    made = [{**SUBMITTED, "id": make.ID}, {**SUBMITTED, "id": other, "name": "other"}]
    server.on("POST", "/workloads/bulk", (201, {"items": made}))
    server.on("GET", "/workloads", make.page(make.workload()))
    server.on("GET", f"/workloads/{other}", make.detail(id=other, name="other"))
    done = {
        "event": make.event(8, "WorkloadSucceeded"),
        "workload": make.workload(state="succeeded"),
    }
    failed = {
        "event": make.event(9, "WorkloadFailed"),
        "workload": make.workload(id=other, name="other", state="failed", message="No."),
    }
    server.on("GET", "/workloads/stream", make.stream(("change", done), ("change", failed)))
    shown = podium("submit", str(file), "--project", "vision", "--set", "array=2", "--wait")
    assert shown.code == 1
    assert "✓ succeeded: digits" in shown.err
    assert "✗ failed: other" in shown.err
    sent = server.asked[0].document["workloads"]
    assert [(s["project"], s["array"]) for s in sent] == [("vision", 2), ("vision", 2)]


def test_submit_waits_for_one(server: Any, podium: Any, make: Any) -> None:
    server.on("POST", "/workloads", (201, {**SUBMITTED, "id": make.ID}))
    server.on("GET", f"/workloads/{make.ID}", make.detail())
    done = {
        "event": make.event(8, "WorkloadSucceeded"),
        "workload": make.workload(state="succeeded"),
    }
    server.on("GET", f"/workloads/{make.ID}/stream", make.stream(("change", done)))
    shown = podium("submit", "-", "-p", "v", "--wait", "--json", stdin="name: digits\ncommand: a\n")
    assert shown.code == 0
    assert [json.loads(line)["state"] for line in shown.out.splitlines()] == ["queued", "succeeded"]


def test_bulk_faults_name_the_file(server: Any, podium: Any, tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text("name: a\ncommand: a\n---\nname: b\ncommand: b\n")
    fault = {"field": "workloads.1.resources.gpus", "message": "is -1.", "remedy": "Write 1."}
    server.problem("POST", "/workloads/bulk", 422, "invalid", faults=[fault])
    shown = podium("submit", str(file), "-p", "vision")
    assert shown.code == 1
    assert shown.err == f"error: {file} #2: resources.gpus: is -1.\n  hint: Write 1.\n"
    as_json = podium("submit", str(file), "-p", "vision", "--json")
    assert json.loads(as_json.err)["faults"] == [fault]


def test_a_folder_is_uploaded_from_beside_its_file(
    server: Any, podium: Any, make: Any, tmp_path: Path
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("print()")
    (tmp_path / "spec.json").write_text(
        json.dumps({"name": "digits", "command": "a", "source": {"path": "code"}})
    )
    server.on("POST", "/uploads", (201, {"sha256": "ab" * 32, "size_bytes": 9}))
    server.on("POST", "/workloads", (201, {**SUBMITTED, "id": make.ID}))
    shown = podium("submit", str(tmp_path / "spec.json"), "-p", "vision", "--json")
    assert shown.document["id"] == make.ID
    upload, sent = server.asked
    assert upload.query["project"] == ["vision"]
    assert upload.body.startswith(b"\x1f\x8b")
    assert upload.headers["Content-Type"] == "application/gzip"
    assert sent.document["source"] == {"upload": "ab" * 32}


def test_specs_that_cannot_be_read_are_told(server: Any, podium: Any, tmp_path: Path) -> None:
    missing = podium("submit", str(tmp_path / "none.yaml"))
    assert missing.code == 1
    assert "none.yaml: cannot be read: No such file" in missing.err
    broken = podium("submit", "-", stdin="a: [")
    assert broken.code == 1
    assert broken.err.startswith("error: -: ")
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (404, "not_found", 3),
        (401, "unauthenticated", 4),
        (403, "forbidden", 4),
        (409, "conflict", 1),
        (500, "internal", 1),
    ],
)
def test_exit_codes(
    server: Any, podium: Any, make: Any, status: int, code: str, exit_code: int
) -> None:
    server.problem("GET", "/nodes/gpu-1", status, code, request_id="r-9")
    shown = podium("nodes", "gpu-1")
    assert shown.code == exit_code
    assert shown.out == ""
    assert shown.err.startswith("error: Words.")
    assert ("hint: Sign in with `podium login`." in shown.err) is (status == 401)
    assert ("request: r-9" in shown.err) is (exit_code == 1)
    document = json.loads(podium("nodes", "gpu-1", "--json").err)
    assert (document["status"], document["request_id"]) == (status, "r-9")


def test_no_server_and_wrong_usage(
    podium: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PODIUM_CONFIG", str(tmp_path / "c.json"))
    monkeypatch.setenv("PODIUM_SERVER", "http://127.0.0.1:1")
    gone = podium("ls")
    assert gone.code == 5
    assert "Start one with `podium up`" in gone.err
    assert podium("lss").code == 2
    assert "Did you mean 'ls'" in podium("lss").err
    assert json.loads(podium("ls", "--json", "--nonsense").err)["code"] == "usage"


def test_sign_in_and_out(server: Any, podium: Any, tmp_path: Path) -> None:
    session = {
        "token": "pod_secret",
        "expires_at": None,
        "username": "ada",
        "must_change_password": True,
    }
    server.on("POST", "/auth/login", session)
    shown = podium("login", "-u", "ada", "--password-stdin", stdin="hunter22\n")
    assert shown.code == 0
    assert f"Signed in to {server.address} as ada." in shown.out
    assert "podium password" in shown.err
    assert "pod_secret" not in shown.out + shown.err
    assert server.asked[0].document["password"] == "hunter22"
    assert "Authorization" not in server.asked[0].headers
    config = tmp_path / "config.json"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    identity = {"username": "ada", "administrator": False, "roles": {"vision": "lead"}}
    server.on("GET", "/auth/me", {**identity, "must_change_password": False})
    assert "lead of vision" in podium("whoami").out
    assert server.asked[-1].headers["Authorization"] == "Bearer pod_secret"
    server.on("POST", "/auth/logout", (204, ""))
    assert podium("logout").code == 0
    assert "pod_secret" not in config.read_text()


def test_a_sign_in_link_is_enough(server: Any, podium: Any) -> None:
    session = {"token": "t", "expires_at": None, "username": "admin", "must_change_password": False}
    server.on("POST", "/auth/ticket", session)
    assert podium("login", f"{server.address}/#ticket=abc").code == 0
    assert server.asked[0].document == {"ticket": "abc"}
    assert podium("login", "--ticket", f"{server.address}/#ticket=def").code == 0
    assert server.asked[1].document == {"ticket": "def"}


def test_secrets_come_from_stdin_only(server: Any, podium: Any, make: Any) -> None:
    view = {"project": "vision", "name": "KEY", "updated_at": make.at(), "updated_by": "ada"}
    server.on("PUT", "/projects/vision/secrets/KEY", view)
    shown = podium("secret", "set", "KEY", "-p", "vision", stdin="line 1\nline 2\n")
    assert shown.code == 0
    assert server.asked[0].document == {"value": "line 1\nline 2"}
    assert podium("secret", "set", "KEY", "value", "-p", "vision").code == 2
    assert podium("secret", "set", "KEY", "-p", "vision", stdin="").code == 1


def test_nodes_label_virtual_gpus(server: Any, podium: Any, make: Any) -> None:
    device = {
        "id": "d",
        "index": 0,
        "uuid": "GPU-1",
        "type": "H100",
        "model": "NVIDIA H100",
        "memory_bytes": 80 * 2**30,
        "virtual": True,
        "healthy": True,
        "gpu_milli_used": 500,
        "memory_bytes_used": 2**30,
    }
    node = {
        "name": "gpu-1",
        "engine": "local",
        "state": "ready",
        "address": "127.0.0.1",
        "cpu_milli": 8000,
        "cpu_milli_used": 2500,
        "memory_bytes": 2**35,
        "memory_bytes_used": 2**33,
        "devices": [device],
        "seen_at": make.at(),
    }
    server.on("GET", "/nodes", make.page(node))
    server.on("GET", "/nodes/gpu-1", node)
    server.on("GET", "/nodes/gpu-1/replicas", make.page())
    listed = podium("nodes").out
    assert "0.5 of 1 virtual H100" in listed
    assert "2.5 of 8" in listed
    assert "H100 virtual" in podium("nodes", "gpu-1").out
    device |= {"healthy": False, "fault": "XID 62: its internal controller halted. Reset it."}
    server.on("GET", "/nodes/gpu-1", node)
    shown = podium("nodes", "gpu-1").out
    assert "GPU 0 takes no work. XID 62: its internal controller halted. Reset it." in shown


def test_a_lost_node_is_released_when_that_is_meant(
    server: Any, podium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from podium.cli import terminal

    released = {"name": "gpu-7", "replicas": 3, "workloads": 1, "reports_again": False}
    server.on("POST", "/nodes/gpu-7/release", lambda _: (200, released))
    assert podium("node", "release", "gpu-7").code == 1
    assert server.asked == [], "nobody could be asked"
    shown = podium("node", "release", "gpu-7", "--yes")
    assert shown.out == "3 replicas of 1 workload on gpu-7 given up.\n"
    assert podium("node", "release", "gpu-7", "-y", "--json").document == released
    released |= {"replicas": 0, "workloads": 0}
    assert podium("node", "release", "gpu-7", "-y").out == "Nothing is held on gpu-7.\n"
    monkeypatch.setattr(terminal, "interactive", lambda: True)
    asked = len(server.asked)
    shown = podium("node", "release", "gpu-7", stdin="n\n")
    assert "Only when the machine is really off" in shown.err
    assert (shown.code, len(server.asked)) == (0, asked)
    released |= {"replicas": 1, "workloads": 1, "reports_again": True}
    shown = podium("node", "release", "gpu-7", stdin="y\n")
    assert "gpu-7 reports again, and keeps what was not given up yet." in shown.err
    server.problem("POST", "/nodes/gpu-7/release", 409, "conflict")
    assert podium("node", "release", "gpu-7", "-y").code == 1


def test_projects_users_tokens_usage(server: Any, podium: Any, make: Any) -> None:
    project = {"name": "vision", "team": "research", "created_at": make.at()}
    server.on("GET", "/projects", make.page(project))
    server.on("GET", "/projects/vision", project)
    assert podium("project", "use", "vision").code == 0
    assert "✓" in podium("project", "ls").out
    server.on(
        "PUT",
        "/projects/vision/members/ada",
        {"project": "vision", "username": "ada", "role": "lead"},
    )
    assert podium("project", "add-member", "vision", "ada", "--role", "lead").code == 0
    assert server.asked[-1].document == {"role": "lead"}
    user = {"username": "ada", "administrator": False, "created_at": make.at()}
    server.on("POST", "/users", (201, {**user, "one_time_password": "pw"}))
    assert podium("user", "create", "ada").out == "pw\n"
    token = {"id": "t-1", "name": "ci", "created_at": make.at(), "expires_at": None}
    server.on("POST", "/tokens", (201, {**token, "last_used_at": None, "token": "pod_x"}))
    assert podium("token", "create", "ci", "--no-expiry").out == "pod_x\n"
    asked = {"name": "ci", "expires_in_days": None, "actions": None, "projects": None}
    assert server.asked[-1].document == asked
    used = {"project": "vision", "team": "research", "workloads": 1200, "usage": make.usage()}
    server.on("GET", "/usage", make.page(used))
    assert "12,345.7" in podium("usage").out


def test_node_fragmentation_shows_what_is_stranded(server: Any, podium: Any, make: Any) -> None:
    def point(free: int, stranded: int) -> dict[str, Any]:
        return {"at": make.at(50), "free_milli": free, "stranded_milli": stranded,
                "split_milli": 500}  # fmt: skip

    stocks = [
        {"gpu_type": "H100", "pool": "fast", "points": [point(4000, 1000)]},
        {"gpu_type": "L4", "pool": "", "points": [point(0, 0)]},
    ]
    view = {"since": make.at(), "until": make.at(59), "step_seconds": 60.0,
            "points": [point(4000, 1000)], "stocks": stocks}  # fmt: skip
    server.on("GET", "/fragmentation", view)
    shown = podium("node", "fragmentation", "--last", "6h", "--type", "H100")
    _, first, second, whole = shown.out.rstrip("\n").split("\n")
    assert first.split()[:6] == ["H100", "fast", "4", "1", "25", "%"]
    assert second.split()[:5] == ["L4", "–", "0", "0", "–"]
    assert whole.startswith("all")
    assert server.asked[0].query["gpu_type"] == ["H100"]
    assert podium("node", "fragmentation", "--json").document["stocks"][0]["pool"] == "fast"
    wrong = podium("node", "fragmentation", "--last", "soon")
    assert wrong.err.startswith("error: --last: is 'soon'.\n  hint: Write a time such as 6h.")


def test_cancel_says_what_happened(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", f"/workloads/{make.ID}", make.detail())
    server.on("POST", f"/workloads/{make.ID}/cancel", make.workload(state="stopping"))
    shown = podium("cancel", make.ID, "--reason", "wrong data")
    assert shown.out == f"◐ stopping: digits ({make.ID})\n"
    assert server.asked[-1].document == {"reason": "wrong data"}


def test_help_teaches(podium: Any) -> None:
    shown = podium()
    assert shown.code == 0
    for words in ("Work", "Cluster", "Account", "Administration", "podium explain NAME"):
        assert words in shown.out
    assert podium("project").code == 0


def test_every_command_has_an_example(podium: Any) -> None:
    from podium.cli.app import app

    commands = [*app.registered_commands]
    for group in app.registered_groups:
        assert group.typer_instance is not None
        commands += group.typer_instance.registered_commands
    assert len(commands) > 25
    for command in commands:
        assert "[cyan]  " in str(command.help), command.name


def test_completion_is_silent_without_a_server(
    server: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from podium.cli import completion

    server.on("GET", "/workloads", make.page(make.workload()))
    assert completion.workloads("dig") == [("digits", "running · vision")]
    assert [word for word, _ in completion.workloads("w-")] == [make.ID]
    assert completion.states("st") == ["starting", "stopping"]
    monkeypatch.setenv("PODIUM_SERVER", "http://127.0.0.1:1")
    assert completion.workloads("") == []
    assert completion.projects("") == []
    monkeypatch.setenv("PODIUM_SERVER", "ftp://nonsense")
    with pytest.raises(UserError):
        __import__("podium").Client()
    assert completion.nodes("") == []
