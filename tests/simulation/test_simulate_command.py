"""`podium simulate` from the shell's side: the table, the document, and what stops it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from podium.cli.app import execute
from podium.main import app
from podium.simulation import simulate
from podium.simulation.queueing.policies import Policy

Simulate = Callable[..., tuple[int, str, str]]

JOBS = """\
submit_s,duration_s,num_gpu,group,requested_s
0,100,3,a,150
10,50,4,b,60
10,90,1,a,90
"""
SIZE = ("--nodes", "1", "--gpus-per-node", "4")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Simulate:
    def simulated(*words: str | Path) -> tuple[int, str, str]:
        code = execute(app, ["simulate", *map(str, words)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return simulated


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    path = tmp_path / "jobs.csv"
    path.write_text(JOBS)
    return path


def test_a_document_for_programs(run: Simulate, jobs: Path) -> None:
    code, out, err = run("--jobs", jobs, *SIZE, "--policy", "easy-backfill", "--json")
    assert (code, err) == (0, "")
    document = json.loads(out)
    assert list(document) == [
        "trace", "nodes", "gpus_per_node", "runtimes", "seed", "skipped", "first_submit_s",
        "policy", "jobs", "wait_s", "completion_s", "bounded_slowdown", "utilisation",
        "makespan_s", "preemptions", "jain_fairness", "groups", "group_wait_max",
    ]  # fmt: skip
    # The small one passes and ends at 100 with the first; then the large one runs.
    assert document["wait_s"] == {"mean": 30, "median": 0, "p95": 90, "p99": 90}
    assert document["completion_s"]["mean"] == pytest.approx((100 + 140 + 90) / 3)
    assert document["makespan_s"] == 150
    assert document["utilisation"] == pytest.approx(590 / 600)
    assert document["groups"] == 2


def test_the_default_is_the_scheduler_that_serves(run: Simulate, jobs: Path) -> None:
    code, out, _ = run("--jobs", jobs, *SIZE, "--json")
    assert code == 0
    assert json.loads(out)["policy"] == "podium"
    assert run("--jobs", jobs, *SIZE, "--json")[1] == out


def test_a_table_of_all_policies(run: Simulate, jobs: Path) -> None:
    code, out, _ = run("--jobs", jobs, *SIZE, "--policy", "all")
    assert code == 0
    title, _, head, *lines = out.splitlines()
    assert title == "jobs.csv: 3 jobs on 4 GPUs (1 × 4)"
    assert head.split() == list(Policy)
    assert [line[:18].strip() for line in lines] == [
        "wait, mean", "wait, median", "wait, p95", "wait, p99", "completion, mean",
        "completion, median", "completion, p95", "completion, p99", "bounded slowdown",
        "utilisation", "makespan", "preemptions", "Jain fairness", "worst group wait",
    ]  # fmt: skip
    code, out, err = run(
        "--jobs", jobs, *SIZE, "--policy", "all", "--runtimes", "unknown", "--json"
    )
    assert code == 0
    found = json.loads(out)["policies"]
    assert [one["policy"] for one in found] == list(Policy)
    assert err == ""


def test_narrow_terminals_get_policies_below_each_other(
    run: Simulate, jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "_POLICY_WIDTH", 70)
    code, out, _ = run("--jobs", jobs, *SIZE, "--policy", "all")
    assert code == 0
    heads = [line.split() for line in out.splitlines() if line.strip().startswith(tuple(Policy))]
    assert [name for head in heads for name in head] == list(Policy)
    assert len(heads) == 3


def test_requested_runtimes_are_what_policies_see(run: Simulate, jobs: Path) -> None:
    """Thought to last until 150, the first job leaves time for the small one either way; sjf
    sees 60 before 90, but only the small one fits."""
    for policy in ("easy-backfill", "sjf"):
        words = ("--policy", policy, "--runtimes", "requested", "--json")
        code, out, _ = run("--jobs", jobs, *SIZE, *words)
        assert code == 0
        assert json.loads(out)["makespan_s"] == 150


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--policy", "fastest"), "fastest"),
        (("--nodes", "0"), "--nodes"),
        (("--gpus-per-node", "2"), "jobs.csv, row 2, num_gpu: 3 GPUs, but the cluster has 2"),
    ],
)
def test_what_cannot_be_asked(run: Simulate, jobs: Path, words: Any, told: str) -> None:
    code, out, err = run("--jobs", jobs, *SIZE, *words)
    assert code != 0
    assert out == ""
    assert told in err


def test_nothing_is_printed_of_a_broken_file(run: Simulate, jobs: Path) -> None:
    jobs.write_text(JOBS + "20,soon,1,a,\n")
    for more in ((), ("--json",)):
        code, out, err = run("--jobs", jobs, *SIZE, "--policy", "all", *more)
        assert code == 1
        assert out == ""
        assert "jobs.csv, row 5, duration_s" in err
        assert "'soon' is not a number." in err


def test_jobs_that_never_ran_are_told(run: Simulate, tmp_path: Path) -> None:
    path = tmp_path / "log.swf"
    record = "{} 0 0 {} 1 -1 -1 1 60 -1 1 1 1 -1 -1 -1 -1 -1\n"
    path.write_text("; a log\n" + record.format(1, 30) + record.format(2, -1))
    code, out, err = run("--jobs", path, *SIZE, "--policy", "fifo", "--json")
    assert code == 0
    assert json.loads(out)["skipped"] == 1
    assert err == "Left out, because they never ran: 1 job.\n"


def test_long_runs_tell_how_far_they_are(
    run: Simulate, jobs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "_QUIET_SECONDS", 0.0)
    code, out, err = run("--jobs", jobs, *SIZE, "--policy", "srtf", "--json")
    assert code == 0
    assert json.loads(out)["jobs"] == 3
    assert err == "srtf: 0 of 3 jobs done\n"


def test_every_policy_can_be_named() -> None:
    assert [*Policy, "all"] == list(simulate.PolicyName)
