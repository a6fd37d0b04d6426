"""A server without a machine of its own: it serves, and a cluster that does not answer is told and
takes nothing down."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from journeys.serving import API, Server, free_port, until
from podium.domain.cluster import ClusterState
from podium.domain.errors import UserError
from unit import kubeconfigs


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server]) -> Server:
    return make_server("roof", options=("--no-local", "--allow-outbound", "127.0.0.1"))


def test_a_server_of_clusters_alone(server: Server) -> None:
    client = server.client()
    about = client.server.about()
    assert about.engines == []
    assert about.health.ok
    assert about.isolation_words == "No work runs on this machine."
    assert list(client.nodes.list()) == []
    nobody_there = f"https://127.0.0.1:{free_port()}"
    text = kubeconfigs.text(server=nobody_there)
    with pytest.raises(UserError, match="which does not answer") as raised:
        client.clusters.check(text)
    assert raised.value.faults[0].field == "kubeconfig"
    client.clusters.add("gone", text, region="eu-north")

    def away() -> bool:
        view = client.clusters.get("gone")
        return view.state is ClusterState.UNREACHABLE and "does not answer" in view.words

    until(away, "it is told")
    assert server.anonymous.get("/readyz").status_code == 200
    assert "gone" not in server.anonymous.get("/readyz").text  # that anybody may read
    checks = {each.name: each for each in client.server.about().health.checks}
    assert not checks["cluster gone"].ok
    assert client.server.about().health.ok
    metrics = server.http(server.token).get("/metrics").text
    assert 'podium_cluster_ready{cluster="gone"} 0.0' in metrics
    waits = client.workloads.submit({"name": "waits", "command": ["true"]})
    assert client.workloads.get(waits.id).state == "queued"
    # A restart finds it again, and goes on trying.
    server.stop()
    server.start()
    client = server.client()
    until(lambda: client.clusters.get("gone").state is ClusterState.UNREACHABLE, "told again")
    told = server.http(server.token).get(f"{API}/audit?action=cluster:manage").text
    assert "sesame" not in told
    assert '"subject":"gone"' in told
    assert client.clusters.remove("gone").nodes == 0
    assert client.clusters.list() == []
    client.workloads.cancel(waits.id)
    assert "sesame" not in server.log.read_text()
