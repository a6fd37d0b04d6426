"""A real cluster under a real server: tried, added, worked on, out of reach, back, removed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from journeys.serving import Server, until
from lab.kubernetes.cluster import Cluster
from podium import Client
from podium.client.kubeconfig import load
from podium.domain.cluster import ClusterState
from podium.domain.errors import UserError
from podium.domain.node import NodeState
from podium.engines.kubernetes.check import RIGHTS, cluster_probe
from unit import kubeconfigs

pytestmark = pytest.mark.anyio

IMAGE = "localhost/work:1"


async def test_a_probe_tells_what_there_is(kubeconfig: Path) -> None:
    found = await cluster_probe(load(kubeconfig).text)
    assert found.version.startswith("v1.")
    assert found.nodes >= 1
    assert found.missing == ()


async def test_a_probe_tells_which_rights_are_missing(cluster: Cluster) -> None:
    found = await cluster_probe(load(cluster.podium_kubeconfig).text)
    assert len(found.missing) == len(RIGHTS)
    assert found.missing[0] == "list, watch, patch nodes"
    assert (found.nodes, found.gpus) == (0, 0)


def changed(kubeconfig: Path, part: str, **values: str) -> str:
    """With other values for its cluster or its user."""
    whole = yaml.safe_load(load(kubeconfig).text)
    inner = whole[f"{part}s"][0][part]
    if part == "user":
        inner.clear()
    inner.update({key.replace("_", "-"): value for key, value in values.items()})
    return yaml.safe_dump(whole)


@pytest.mark.parametrize(
    ("part", "values", "words"),
    [
        ("user", {"token": "nonsense"}, "is not let in"),
        ("cluster", {"server": "https://127.0.0.1:9"}, "does not answer"),
        (
            "cluster",
            {"certificate_authority_data": kubeconfigs.encoded(kubeconfigs.CA)},
            "whose certificate is refused",
        ),
    ],
)
async def test_a_probe_says_what_is_wrong(
    kubeconfig: Path, part: str, values: dict[str, str], words: str
) -> None:
    with pytest.raises(UserError) as raised:
        await cluster_probe(changed(kubeconfig, part, **values))
    (fault,) = raised.value.faults
    assert (fault.field, words in fault.message) == ("kubeconfig", True), fault
    assert fault.remedy
    assert "_ssl.c" not in fault.message


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(
        tmp_path_factory.mktemp("roof") / "home",
        options=("--no-local", "--allow-outbound", "10.0.0.0/8"),
    )
    made.start()
    yield made
    with contextlib.suppress(Exception):
        made.end_work()
    made.stop()


def is_state(client: Client, state: ClusterState) -> bool:
    return client.clusters.get("munich").state is state


def test_a_cluster_from_its_adding_to_its_end(cluster: Cluster, server: Server) -> None:
    client = server.client()
    text = load(cluster.kubeconfig).text
    assert client.clusters.check(text).ok
    client.clusters.add("munich", text, region="eu-central", labels={"zone": "s"}, image=IMAGE)
    until(lambda: len(list(client.nodes.list(cluster="munich"))) == 2, "its nodes")
    node = client.nodes.get("munich.node-a")
    assert node.labels.items() >= {("cluster", "munich"), ("region", "eu-central"), ("zone", "s")}
    view = client.clusters.get("munich")
    assert (view.state, view.missing, view.gpus) == (ClusterState.READY, [], 16)
    client.pools.set("bavaria", labels={"cluster": "munich"})
    made = client.workloads.submit(
        {
            "name": "far",
            "script": "echo hello from afar",
            "resources": {"cpus": 0.1, "memory": "32MiB", "gpus": 1, "pool": "bavaria"},
        }
    )
    assert client.workloads.wait(made.id, timeout_seconds=90).state == "succeeded"
    assert "hello from afar" in "".join(client.workloads.logs(made.id))
    cluster.api_server.stop()
    try:
        until(lambda: is_state(client, ClusterState.UNREACHABLE), "it is missed")
        until(
            lambda: client.nodes.get("munich.node-a").state is NodeState.LOST, "its nodes are lost"
        )
        assert server.anonymous.get("/readyz").status_code == 200
    finally:
        cluster.api_server.start()
    until(lambda: is_state(client, ClusterState.READY), "it is back", limit_seconds=90)
    until(
        lambda: client.nodes.get("munich.node-a").state is NodeState.READY,
        "its nodes are back",
        limit_seconds=90,
    )
    gone = client.clusters.remove("munich")
    assert (gone.nodes, gone.replicas) == (2, 0)
    assert list(client.nodes.list()) == []
