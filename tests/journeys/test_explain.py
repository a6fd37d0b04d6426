"""Why does mine wait? On a real server: the node is filled, one waits, and starts with the change
that `explain` offers; a dry run and a what-if foretell what then happens."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable

import pytest

from journeys.serving import Server, until

SMALL = {"cpus": 0.1, "memory": "64MiB"}


@pytest.fixture(scope="module")
def full(make_server: Callable[..., Server]) -> Server:
    """Six of eight GPUs are in use for long."""
    server = make_server("explain", options=("--virtual-gpus", "8", "--node-name", "node-1"))
    for name in ("train-a", "train-b"):
        made = server.submit(
            name, ["sleep", "600"], resources={"gpus": 3, **SMALL}, max_runtime="2h"
        )
        server.reaches(made, "running")
    return server


def test_what_is_offered_is_done_by_its_command_and_runs(full: Server) -> None:
    client = full.client_kept
    spec = {
        "name": "sweep",
        "project": "default",
        "command": ["sleep", "1"],
        "resources": {"gpus": 4, **SMALL},
    }
    foretold = client.workloads.dry_run(spec)
    assert (foretold.verdict, foretold.headline) == ("waits", "Waits for 4 GPUs; 2 of 8 are free.")
    assert [str(each.fields[0].value) for each in foretold.changes] == ["2"]
    waiting = client.workloads.submit(spec).id
    until(lambda: client.workloads.explain(waiting).changes, "it is explained")
    explained = client.workloads.explain(waiting)
    assert explained.headline == foretold.headline
    assert {each.workload and each.workload.name for each in explained.holders} == {
        "train-a",
        "train-b",
    }
    shown = full.command("explain", waiting).stdout
    assert "1. With 2 GPUs instead of 4 GPUs it starts now." in shown
    command = next(line for line in shown.splitlines() if "podium clone" in line)
    words = shlex.split(command)
    assert words[0] == "podium"
    told = full.command(*words[1:]).stdout
    assert f"in place of {waiting}" in told
    made = told.split()[0]
    assert full.ended(made).state == "succeeded"
    old = client.workloads.get(waiting)
    assert old.state == "cancelled"
    assert f"{made} is in its place." in old.message
    left = full.command("clone", waiting, "--replace", code=1).stderr
    assert "does not wait any more" in left


def test_a_dry_run_tells_what_can_never_start(full: Server) -> None:
    told = full.command("run", "--dry-run", "--gpus", "9", "--", "true", code=1).stdout
    assert "Asks for 9 GPUs; the whole cluster has 8." in told
    assert full.command("ls", "--json").stdout.count('"name": "true"') == 0


def test_what_if_changes_nothing(full: Server) -> None:
    before = full.client_kept.nodes.get("node-1").state
    told = json.loads(full.command("what-if", "--drain", "node-1", "--json").stdout)
    assert [each["workload"]["name"] for each in told["stopped"]] == ["train-a", "train-b"]
    assert full.client_kept.nodes.get("node-1").state == before
    assert "2 running workloads would stop" in full.command("what-if", "--lose", "node-1").stdout
