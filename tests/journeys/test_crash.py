"""Servers that are killed at random moments: nothing is lost, started twice or leaked."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from journeys.serving import Server, processes_of_work, until
from journeys.storm import Storm, assert_all_is_well
from podium.control.leadership import LEASE_SECONDS
from postgresql import PostgresqlServer


@pytest.fixture
def serve(make_server: Callable[..., Server]) -> Iterator[Callable[..., Server]]:
    """As `make_server`, for one test."""
    made: list[Server] = []

    def make(name: str, **how: Any) -> Server:
        made.append(make_server(name, **how))
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def shared_database(postgresql_server: PostgresqlServer) -> Iterator[str]:
    name = postgresql_server.create("podium")
    yield postgresql_server.url(name)
    postgresql_server.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def options(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How a server of this test is started, on each kind of database in turn."""
    if request.param == "sqlite":
        return ()
    return ("--database", request.getfixturevalue("shared_database"))


@pytest.mark.parametrize("seed", [1])
def test_killed_again_and_again(
    options: tuple[str, ...], serve: Callable[..., Server], tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    kills = 3 if options else 6
    server = serve("killed", options=(*options, "--virtual-gpus", "2"))
    with Storm([server], tmp_path / "book", seed, count=25 * kills) as storm:
        for _ in range(kills):
            # Not a wait for anything: the moment of death is what is random here.
            time.sleep(dice.uniform(0.05, 1.2))
            server.kill()
            server.start()
    assert storm.repeated, "the storm met a dead server"
    seen = assert_all_is_well(storm)
    assert len(seen) >= 15
    # How many of each there are is up to the moments of death.
    assert {"succeeded"} < {each.state for each in seen} <= {"succeeded", "failed", "cancelled"}


def test_work_outlives_its_server(serve: Callable[..., Server], tmp_path: Path) -> None:
    """It goes on while no server is there; its log and its exit code are found afterwards."""
    server = serve("outlived")
    gate = tmp_path / "gate"
    program = f"echo before; while [ ! -e {gate} ]; do sleep 0.02; done; echo after; exit 7"
    running = server.submit("outliving", None, script=program)
    waiting = server.submit("later", ["echo", "later"], depends_on=["outliving"])
    server.reaches(running, "running")
    until(lambda: server.client_kept.workloads.logs(running) == "before\n", "its first line")
    (process,) = [each for each in processes_of_work([running]) if "sleep" not in each]
    server.kill()
    assert process in processes_of_work([running])
    gate.touch()
    until(lambda: processes_of_work([running]) == [], "it ended while no server was there")
    server.start()
    seen = server.ended(running)
    assert (seen.state, seen.cause, seen.attempt) == ("failed", "exit_code", 1)
    assert seen.replica_list[0].exit_code == 7
    assert server.client_kept.workloads.logs(running) == "before\nafter\n"
    assert 0 < seen.usage.cpu_seconds_allocated < 6
    assert server.ended(waiting).cause == "dependency_failed"


def test_stopping_ends_streams_and_leaves_work_alone(serve: Callable[..., Server]) -> None:
    server = serve("stopped")
    running = server.submit("left-alone", ["sleep", "60"])
    server.reaches(running, "running")
    processes = processes_of_work([running])
    with server.http().stream("GET", f"/api/v1/workloads/{running}/logs?follow=true"):
        assert server.stop() == 0
    assert processes_of_work([running]) == processes
    server.start()
    assert server.client_kept.workloads.get(running).state == "running"
    server.client_kept.workloads.cancel(running)
    assert server.ended(running).state == "cancelled"
    assert processes_of_work([running]) == []


def test_a_home_keeps_the_name_of_its_node(serve: Callable[..., Server]) -> None:
    """Also when the machine is called otherwise now: what runs is recorded under that name."""
    server = serve("named", options=("--node-name", "first-name"))
    running = server.submit("stays", ["sleep", "60"])
    server.reaches(running, "running")
    server.stop()
    server.options = ("--node-name", "other-name")
    with pytest.raises(AssertionError, match="belongs to node"):
        server.start()
    server.options = ()
    server.start()
    assert [node.name for node in server.client_kept.nodes.list()] == ["first-name"]
    server.client_kept.workloads.cancel(running)
    assert server.ended(running).state == "cancelled"


@pytest.mark.postgresql
def test_two_servers_on_one_database(
    shared_database: str, serve: Callable[..., Server], tmp_path: Path
) -> None:
    """Each runs the work of its own node; one of them decides, and the other takes over."""
    options = ("--database", shared_database, "--virtual-gpus", "2")
    first, second = (
        serve(name, options=(*options, "--node-name", name)) for name in ("first", "second")
    )

    def ready() -> list[str]:
        return sorted(
            each.name for each in second.client_kept.nodes.list() if each.state == "ready"
        )

    until(lambda: ready() == ["first", "second"], "both nodes are there", limit_seconds=30)
    with Storm([first, second], tmp_path / "book", 7, count=40) as storm:
        until(lambda: storm.done, "the storm is over")
    assert_all_is_well(storm)
    assert_both_work([first, second], tmp_path / "gate")

    first.kill()
    made = on_both_nodes(second, ["true"])

    # The leases of the dead run out first, if it was the one that decided.
    until(lambda: any_ended(second, made), "the survivor decides and runs", limit_seconds=30)
    first.start()
    for each in made:
        assert second.ended(each).state == "succeeded"

    for stays, goes in ((first, second), (second, first)):
        goes.stop()
        begun = time.monotonic()
        made = on_both_nodes(stays, ["true"])
        until(partial(any_ended, stays, made), "it takes over from one that stopped")
        # Renewed each third of their life, leases that nobody gives back last two thirds more.
        assert time.monotonic() - begun < LEASE_SECONDS * 2 / 3, "leases are given back"
        goes.start()
        for each in made:
            assert stays.ended(each).state == "succeeded"


def assert_both_work(servers: Sequence[Server], gate: Path) -> None:
    """As much as both nodes hold together runs at once, each part started by its own server."""
    fill = f"while [ ! -e {gate} ]; do sleep 0.02; done; echo $PODIUM_NODE"
    made = on_both_nodes(servers[1], ["sh", "-c", fill])
    for each in made:
        servers[0].reaches(each, "running")
    gate.touch()
    nodes = {servers[1].ended(each).replica_list[0].node for each in made}
    assert nodes == {"first", "second"}


def on_both_nodes(server: Server, command: list[str]) -> list[str]:
    """Work that takes every GPU of two nodes with two each."""
    need = {"gpus": 1, "cpus": 0.1, "memory": "16MiB"}
    return [server.submit("filling", command, resources=need) for _ in range(4)]


def any_ended(server: Server, ids: list[str]) -> bool:
    return any(server.client_kept.workloads.get(each).state == "succeeded" for each in ids)
