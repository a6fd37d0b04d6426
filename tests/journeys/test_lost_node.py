"""A machine that is lost while its work goes on: given up, run elsewhere, and stopped when the
machine is back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from journeys.serving import Server, processes_of_work, until
from podium.domain.errors import ConflictError
from postgresql import PostgresqlServer

GATED = (
    "trap 'echo $PODIUM_NODE >> {folder}/stopped; exit 1' TERM; "
    "gate={folder}/{name}-${{PODIUM_TASK_INDEX:-$PODIUM_RANK}}-$PODIUM_ATTEMPT; "
    "while [ ! -e $gate ]; do sleep 0.05; done"
)


@pytest.fixture
def database_name(postgresql_server: PostgresqlServer) -> Iterator[str]:
    name = postgresql_server.create("podium")
    yield name
    postgresql_server.drop(name)


@pytest.fixture
def pair(
    postgresql_server: PostgresqlServer, database_name: str, make_server: Callable[..., Server]
) -> Iterator[tuple[Server, Server]]:
    """Two machines of one cluster, with four GPUs each."""
    options = ("--database", postgresql_server.url(database_name), "--virtual-gpus", "4")
    made = [
        make_server(name, options=(*options, "--node-name", name)) for name in ("stays", "goes")
    ]
    yield made[0], made[1]
    for server in made:
        server.stop()


def gated(server: Server, folder: Path, name: str, gpus: int, **fields: Any) -> str:
    """Each process of it ends when there is a file of its name, rank and attempt."""
    need = {"gpus": gpus, "cpus": 0.1, "memory": "16MiB"}
    script = GATED.format(folder=folder, name=name)
    return server.submit(name, ["sh", "-c", script], resources=need, grace="5s", **fields)


def running_on(server: Server, workload_id: str) -> dict[int, str]:
    found = server.client_kept.workloads.get(workload_id).replica_list
    return {each.rank: each.node or "" for each in found if each.state == "running"}


def usage(url: str, ids: Sequence[str]) -> list[tuple[str, int, int]]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT allocation_id, SUM(runtime_ms), MAX(until_ms) FROM bill_lines"
            " WHERE workload_id = ANY(%s) GROUP BY allocation_id ORDER BY allocation_id",
            (list(ids),),
        )
        return [(str(row[0]), int(row[1]), int(row[2])) for row in rows]


@pytest.mark.postgresql
def test_a_lost_machine_is_given_up_and_comes_back(
    pair: tuple[Server, Server],
    postgresql_server: PostgresqlServer,
    database_name: str,
    tmp_path: Path,
) -> None:
    stays, goes = pair
    client, url = stays.client_kept, postgresql_server.url(database_name)
    node_states = lambda: {each.name: each.state for each in client.nodes.list()}  # noqa: E731
    until(lambda: node_states() == {"stays": "ready", "goes": "ready"}, "both nodes are there")
    # Each machine has one GPU left for a gang of two, and after that two and more for a task.
    fillers = [gated(stays, tmp_path, f"filler{number}", 3) for number in (1, 2)]
    for each in fillers:
        stays.reaches(each, "running")
    gang = gated(stays, tmp_path, "gang", 1, replicas=2)
    stays.reaches(gang, "running")
    for number, each in enumerate(fillers, start=1):
        (tmp_path / f"filler{number}-0-1").touch()
        assert stays.ended(each).state == "succeeded"
    tasks = gated(stays, tmp_path, "tasks", 2, array=2)
    until(lambda: len(running_on(stays, tasks)) == 2, "both tasks run")
    for each in (gang, tasks):
        assert set(running_on(stays, each).values()) == {"stays", "goes"}
    (left,) = [rank for rank, where in running_on(stays, tasks).items() if where == "goes"]

    with pytest.raises(ConflictError, match="is not lost"):
        client.nodes.release("goes")
    goes.kill()
    until(lambda: node_states()["goes"] == "lost", "it is lost", limit_seconds=60)
    stays.command("node", "release", "goes", code=1)  # nobody can be asked
    told = stays.told("node", "release", "goes", "--yes")
    assert (told["replicas"], told["workloads"], told["reports_again"]) == (2, 2, False)
    assert client.nodes.release("goes").replicas == 0
    billed = usage(url, [gang, tasks])

    until(
        lambda: (
            client.workloads.get(gang).attempt == 2
            and running_on(stays, gang) == {0: "stays", 1: "stays"}
        ),
        "the gang begins anew on the machine that is left",
    )
    (tmp_path / f"tasks-{1 - left}-1").touch()
    until(lambda: running_on(stays, tasks) == {left: "stays"}, "the task is repeated there")
    assert client.nodes.get("goes").given_up == 2
    here = set(processes_of_gated([gang, tasks], stays))
    there = set(processes_of_gated([gang, tasks], goes))
    assert here
    assert there, "what was given up still runs"
    assert (tmp_path / "stopped").read_text().split() == ["stays"], "the gang's other rank"

    goes.start()
    until(lambda: not processes_of_gated([gang, tasks], goes), "the old processes are stopped")
    until(lambda: node_states()["goes"] == "ready", "the machine takes work again")
    assert client.nodes.get("goes").given_up == 0
    assert sorted((tmp_path / "stopped").read_text().split()) == ["goes", "goes", "stays"]
    assert set(processes_of_gated([gang, tasks], stays)) == here, "the new ones were left alone"
    assert running_on(stays, gang) == {0: "stays", 1: "stays"}
    assert running_on(stays, tasks) == {left: "stays"}
    for each in (gang, tasks):
        notes = [
            event.message
            for event in client.workloads.events(each)
            if event.kind == "WorkloadNoted"
        ]
        assert len(notes) == 1
        assert notes[0].endswith("ended on goes after it had been given up there.")

    for name in (f"tasks-{left}-2", "gang-0-2", "gang-1-2"):
        (tmp_path / name).touch()
    for each in (gang, tasks):
        seen = stays.ended(each)
        assert seen.state == "succeeded", (seen.cause, seen.message)
    bills = usage(url, [gang, tasks])
    assert set(billed) <= set(bills)
    assert len({key for key, _, _ in bills}) == len(bills) == 7
    assert processes_of_work([gang, tasks]) == []


def processes_of_gated(ids: Sequence[str], server: Server) -> list[str]:
    """The shells of these that were started from this server's home."""
    found = []
    for each in processes_of_work(ids):
        pid, _, command = each.partition(": ")
        if command.startswith("sh "):
            where = Path(f"/proc/{pid}/cwd").resolve()
            if where.is_relative_to(server.home.resolve()):
                found.append(pid)
    return found
