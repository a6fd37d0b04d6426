"""Pools on a real server: an administrator makes them, and work stands only where it may."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from journeys.serving import Server, until
from podium.client.client import Client
from podium.domain.errors import ForbiddenError, NotFoundError, UserError


@pytest.fixture(scope="module")
def pool_server(make_server: Callable[..., Server]) -> Server:
    return make_server(
        "pools",
        options=(
            "--virtual-gpus", "4", "--node-name", "gpu-1", "--label", "zone=secure",
            "--block", "hall", "--rack", "r1", "--nvlink", "d1",
        ),
    )  # fmt: skip


@pytest.fixture
def root(pool_server: Server) -> Iterator[Client]:
    with pool_server.client() as client:
        yield client


def test_a_day_in_short(pool_server: Server, root: Client) -> None:
    ada = pool_server.client(pool_server.person("pool-ada", leads="red"), project="red")
    bob = pool_server.client(pool_server.person("pool-bob", leads="blue"), project="blue")
    told = pool_server.command(
        "pool", "set", "secure", "--label", "zone=secure", "--team", "red", "--note", "patients"
    ).stdout
    assert told == "Pool secure has 1 node and is open to team red.\n"
    (node,) = root.nodes.list()
    assert (node.pool, node.nvlink, node.rack, node.block) == ("secure", "d1", "r1", "hall")
    assert node.labels["zone"] == "secure"

    # Who may not use it does not hear of it.
    assert [each.name for each in ada.pools.list()] == ["secure"]
    assert list(bob.pools.list()) == []
    assert [each.pool for each in bob.nodes.list()] == [""]
    for ask in (bob.pools.get, lambda name: bob.policies.show("pool", name)):
        with pytest.raises(NotFoundError, match="no pool secure that you can see"):
            ask("secure")
    with pytest.raises(ForbiddenError):
        ada.pools.set("secure", {"zone": "secure"})
    with pytest.raises(ForbiddenError):
        ada.pools.delete("secure")

    spec = {"name": "there", "command": ["sleep", "60"], "resources": {"gpus": 1, "pool": "secure"}}
    for ask in (bob.workloads.validate, bob.workloads.submit):
        with pytest.raises(UserError) as raised:
            ask(spec)
        (fault,) = raised.value.faults
        assert (fault.field, fault.message) == (
            "resources.pool", "project blue has no pool 'secure' to use.",
        )  # fmt: skip
    checked = ada.workloads.validate(spec)
    assert checked["resources"]["pool"] == ["secure"]
    made = ada.workloads.submit(spec)
    until(lambda: ada.workloads.get(made.id).state == "running", "it runs in the pool")
    assert ada.workloads.get(made.id).resources.pools == ["secure"]
    pool = ada.pools.get("secure")
    assert (pool.nodes, pool.gpus[0].count, pool.gpus[0].gpu_milli_used) == (1, 4, 1000)
    assert (pool.teams, pool.others) == (["red"], 0)

    waits = bob.workloads.submit({"name": "elsewhere", "command": "true", "resources": {"gpus": 1}})

    def reason() -> str:
        waiting = bob.workloads.get(waits.id).waiting
        return "" if waiting is None or waiting.reason == "new" else waiting.message

    message = until(reason, "it hears why it waits")
    assert message == (
        "Other nodes could run it, but they are in pools that are not open to its project."
    )
    pool_server.command("pool", "set", "secure", "--team", "red", "--project", "blue")
    assert bob.workloads.wait(waits.id).state == "succeeded"
    assert bob.pools.get("secure").others == 1, "team red is not his to know"

    # What runs there goes on when a pool is closed to it.
    pool_server.command("pool", "set", "secure", "--project", "blue")
    assert ada.workloads.get(made.id).state == "running"
    ada.workloads.cancel(made.id)


def test_policies_of_a_pool(pool_server: Server, root: Client) -> None:
    pool_server.command("pool", "set", "night", "--label", "zone=night")
    shown = pool_server.command("policy", "set", "batch", "--pool", "night", "--priority", "5")
    assert "5 (pool)" in shown.stdout
    assert root.policies.show("pool", "night").items
    spec = {"name": "x", "command": "true", "resources": {"pool": "night"}}
    assert root.workloads.validate({**spec, "project": "default"})["priority"] == 5
    wrong = pool_server.command("policy", "show", "--pool", "night", "--team", "red", code=None)
    assert "--pool: cannot go together with --team." in wrong.stderr
    root.pools.delete("night")
    with pytest.raises(NotFoundError):
        root.policies.show("pool", "night")


def test_the_command(pool_server: Server, root: Client) -> None:
    pool_server.command("pool", "set", "a-lab", "--label", "zone=lab", "--everyone")
    assert "a-lab" in pool_server.command("pool", "list").stdout
    listed = json.loads(pool_server.command("pool", "list", "--json").stdout)
    assert "a-lab" in [each["name"] for each in listed["items"]]
    shown = pool_server.command("pool", "show", "a-lab").stdout
    assert "everyone" in shown
    wrong = pool_server.command("pool", "set", "new", code=None)
    assert wrong.returncode != 0
    assert "--label: is missing." in wrong.stderr
    wrong = pool_server.command("pool", "set", "a-lab", "--everyone", "--team", "red", code=None)
    assert "--everyone: cannot go together" in wrong.stderr
    wrong = pool_server.command("pool", "set", "a-lab", "--team", "nobody", code=None)
    assert "There is no team nobody." in wrong.stderr
    assert "No node is in this pool." in pool_server.command("nodes", "--pool", "a-lab").stderr
    pool_server.command("pool", "delete", "a-lab")
    assert (
        "There is no pool a-lab"
        in pool_server.command("nodes", "--pool", "a-lab", code=None).stderr
    )
