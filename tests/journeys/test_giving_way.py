"""Preemption, elastic gangs, policies and bookings on a real server with real processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from journeys.serving import Server, until
from podium.domain.errors import UserError
from podium.engines.local.page import page_read

SMALL = {"cpus": 0.1, "memory": "64MiB"}
# Counts on from what it saved: the attempt before this one is seen in its log.
SAVES = """
trap 'echo saving; exit 0' TERM
echo attempt $PODIUM_ATTEMPT
test "$PODIUM_ATTEMPT" = 1 || exit 0
while true; do sleep 0.05; done
"""


@pytest.fixture(scope="module")
def giving(make_server: Callable[..., Server]) -> Server:
    made = make_server("giving", options=("--virtual-gpus", "4"))
    made.command("policy", "set", "scheduling", "--minimum-runtime", "0s")
    return made


def log_of(server: Server, workload: str) -> str:
    """Of all attempts."""
    return server.command("logs", workload, code=None).stdout


def test_what_is_less_urgent_gives_way_and_comes_back(giving: Server) -> None:
    victim = giving.submit(
        "victim", None, script=SAVES, priority=10, resources={"gpus": 4, **SMALL}, grace="20s"
    )
    giving.reaches(victim, "running")
    until(lambda: "attempt 1" in log_of(giving, victim), "it has set its trap")
    urgent = giving.submit("urgent", ["sleep", "0.3"], priority=90, resources={"gpus": 4, **SMALL})
    assert giving.ended(urgent).state == "succeeded"
    ended = giving.ended(victim)
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    events = giving.told("explain", victim)["events"]
    kinds = [event["kind"] for event in events if event["rank"] is None]
    assert kinds == [
        "WorkloadQueued", "WorkloadScheduled", "WorkloadLaunched", "WorkloadRunning",
        "WorkloadStopRequested", "WorkloadRequeued",
        "WorkloadScheduled", "WorkloadLaunched", "WorkloadRunning", "WorkloadSucceeded",
    ]  # fmt: skip
    stop = next(event for event in events if event["kind"] == "WorkloadStopRequested")
    assert stop["cause"] == "preempted"
    assert "urgent" in stop["message"], "in the same project people may know"


def test_services_and_what_says_so_stay(giving: Server) -> None:
    stays = giving.submit(
        "stays", ["sleep", "60"], priority=10, preemptible=False, resources={"gpus": 4, **SMALL}
    )
    giving.reaches(stays, "running")
    urgent = giving.submit("urgent", ["true"], priority=90, resources={"gpus": 4, **SMALL})
    until(
        lambda: giving.client_kept.workloads.get(urgent).waiting is not None,
        "the scheduler has looked at it",
    )
    assert giving.client_kept.workloads.get(stays).state == "running"
    giving.client_kept.workloads.cancel(stays)
    assert giving.ended(urgent).state == "succeeded"


def test_an_elastic_gang_grows_and_shrinks(giving: Server) -> None:
    client = giving.client_kept
    first = giving.submit("first", ["sleep", "60"], priority=60, resources={"gpus": 2, **SMALL})
    giving.reaches(first, "running")
    gang = giving.submit(
        "gang", ["sleep", "60"], priority=50, replicas={"min": 2, "max": 4},
        resources={"gpus": 1, **SMALL},
    )  # fmt: skip

    def running() -> int:
        return client.workloads.get(gang).replicas.running

    until(lambda: running() == 2, "it starts with what is free")
    client.workloads.cancel(first)
    until(lambda: running() == 4, "it grows into what became free")
    urgent = giving.submit("urgent", ["sleep", "0.3"], priority=90, resources={"gpus": 2, **SMALL})
    assert giving.ended(urgent).state == "succeeded"
    found = client.workloads.get(gang)
    assert (found.state, found.attempt) == ("running", 1), "only two of it had to go"
    until(lambda: running() == 4, "it grows again")
    client.workloads.cancel(gang)
    giving.ended(gang)


def test_policies_and_bookings_by_the_command(giving: Server) -> None:
    giving.command("policy", "set", "training", "--project", "default", "--priority-max", "60")
    with pytest.raises(UserError, match="60 at most"):
        giving.submit("too-important", ["true"], kind="training", priority=61)
    shown = giving.told("policy", "show", "--project", "default")
    training = next(each for each in shown["items"] if each["part"] == "training")
    assert (training["values"]["priority_max"], training["set_by"]) == (
        60, {"priority_max": "project"},
    )  # fmt: skip
    giving.command("policy", "reset", "training", "--project", "default")
    (node,) = giving.told("nodes")["items"]
    giving.command(
        "booking", "create", "--nodes", node["name"], "--from", "1h", "--until", "1h",
        "--maintenance", "--name", "firmware",
    )  # fmt: skip
    assert "firmware" in giving.command("booking", "ls").stdout
    refused = giving.command(
        "booking", "create", "--nodes", "nowhere", "--until", "1h", "--maintenance", code=None
    )
    assert refused.returncode != 0
    assert "nowhere" in refused.stderr
    giving.command("booking", "delete", "firmware")
    assert giving.told("booking", "ls")["items"] == []


def test_work_says_what_it_has_saved(giving: Server) -> None:
    go = giving.home / "go-on"
    script = (
        f"until [ -e {go} ]; do sleep 0.02; done\n"
        'touch "$PODIUM_SAVED_FILE"\nwhile true; do sleep 0.05; done'
    )
    job = giving.submit("saver", None, script=script, resources={"gpus": 1, **SMALL})
    giving.reaches(job, "running")
    client = giving.client_kept
    assert client.workloads.get(job).saved_at is None
    assert "Last saved" not in giving.command("show", job).stdout
    go.touch()
    found = until(lambda: client.workloads.get(job).saved_at, "it is seen that it has saved")
    view = client.workloads.get(job)
    assert view.started_at is not None
    assert view.started_at <= found
    assert [each.saved_at for each in view.replica_list] == [found]
    assert "Last saved" in giving.command("show", job).stdout
    client.workloads.cancel(job)
    giving.ended(job)


def test_a_lost_member_is_replaced_while_the_others_run(giving: Server) -> None:
    gang = giving.submit(
        "lasting", None, script='echo "rank $RANK"\nwhile true; do sleep 0.05; done',
        replicas=3, recovery="replace", retries=1, resources={"gpus": 1, **SMALL},
    )  # fmt: skip
    giving.reaches(gang, "running")
    client = giving.client_kept
    before = {each.rank: each for each in client.workloads.get(gang).replica_list}
    lost = before[2].allocation_id
    pid = page_read(f"{giving.home}/allocations/active/{lost}/status")
    assert pid is not None
    os.kill(pid["shim_pid"], signal.SIGKILL)

    def replaced() -> bool:
        found = client.workloads.get(gang)
        assert found.state == "running"
        after = {each.rank: each for each in found.replica_list}
        return (after[2].attempt, after[2].state) == (2, "running")

    until(replaced, "rank 2 runs again")
    found = client.workloads.get(gang)
    assert (found.attempt, found.resolved_spec["recovery"]) == (1, "replace")
    after = {each.rank: each.allocation_id for each in found.replica_list}
    assert [after[rank] for rank in (0, 1)] == [before[rank].allocation_id for rank in (0, 1)]
    client.workloads.cancel(gang)
    giving.ended(gang)


def test_who_stands_where_a_booking_begins(giving: Server) -> None:
    client = giving.client_kept
    (node,) = giving.told("nodes")["items"]
    work = giving.submit("work", None, script=SAVES, resources={"gpus": 1, **SMALL}, grace="20s")
    service = giving.submit(
        "service", ["sleep", "60"], kind="service", resources={"gpus": 1, **SMALL}
    )
    for each in (work, service):
        giving.reaches(each, "running")
    until(lambda: "attempt 1" in log_of(giving, work), "it has set its trap")
    giving.command(
        "booking", "create", "--nodes", node["name"], "--from", "now", "--until", "1h",
        "--maintenance", "--name", "cables",
    )  # fmt: skip
    giving.reaches(work, "queued")
    standing = client.bookings.get("cables").standing
    assert [(each.id, each.stays) for each in standing] == [(service, True)]
    shown = giving.command("booking", "show", "cables").stdout
    assert "it may not be stopped for others" in shown
    (gone,) = [each for each in client.queue.plan().preemptions if each.booking == "cables"]
    assert gone.workload is not None
    assert gone.workload.id == work
    assert "booking cables" in giving.command("queue", "--plan").stdout
    assert "podium_scheduler_preemptions" in giving.http().get("/metrics").text
    giving.command("booking", "delete", "cables")
    assert giving.ended(work).state == "succeeded"
    client.workloads.cancel(service)
    giving.ended(service)


def test_the_plan_says_who_is_next_and_where(giving: Server) -> None:
    client = giving.client_kept
    runs = giving.submit(
        "runs", ["sleep", "60"], max_runtime="1h", preemptible=False,
        resources={"gpus": 3, **SMALL},
    )  # fmt: skip
    giving.reaches(runs, "running")
    giving.command("policy", "set", "scheduling", "--patience", "0s")
    waits = giving.submit("waits", ["true"], resources={"gpus": 4, **SMALL})
    until(lambda: bool(client.queue.plan().reservations), "a node is kept for it")
    plan = client.queue.plan(hours=2)
    (turn,), (kept,), (node,) = plan.turns, plan.reservations, plan.timeline.nodes
    assert turn.workload is not None
    assert turn.workload.id == waits
    assert turn.refusal is not None
    assert (kept.nodes, kept.from_at) == ([node.name], turn.starts_at)
    (span,), (planned,) = node.running, node.planned
    assert (span.gpu_milli, span.certain, span.until) == (3000, True, kept.from_at)
    assert (planned.gpu_milli, planned.from_at) == (4000, kept.from_at)
    assert node.free_milli == 1000
    shown = giving.command("queue", "--plan").stdout
    for words in ("1  waits", "runs (default)", "→ waits (default)", "backfill until"):
        assert words in shown, words
    told = giving.client(giving.person("stranger", leads="elsewhere")).queue.plan()
    assert [(each.workload, each.project) for each in told.turns] == [(None, None)]
    assert [each.nodes for each in told.reservations] == [[node.name]]
    assert told.timeline.nodes[0].running[0].gpu_milli == 3000
    text = told.model_dump_json()
    assert not [word for word in (runs, waits, "runs", "default") if f'"{word}"' in text]
    client.workloads.cancel(waits)
    until(lambda: not client.queue.plan().turns, "it does not wait any more")
    client.workloads.cancel(runs)
    giving.ended(runs)
