"""Two projects on one server that keeps them apart as well as this machine can."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from journeys.serving import PODIUM, Server, plain_environ, until
from requirement import require

SMALL = {"cpus": 0.1, "memory": "64MiB"}


@pytest.fixture
def apart(make_server: Callable[..., Server]) -> Server:
    made = make_server("apart", options=("--virtual-gpus", "2", "--isolation", "auto"))
    level = made.client_kept.server.about().isolation
    require("namespaces, which root or unprivileged users may make", level != "none")
    return made


def test_a_stranger_gets_nothing_and_work_outlives_the_server(apart: Server) -> None:
    client = apart.client()
    client.projects.create("rival", team="rival")
    go = "until [ -e go ]; do sleep 0.05; done"
    owner = client.workloads.submit(
        {"name": "owner", "script": f"echo private > mine; pwd; {go}; cat mine", "resources": SMALL}
    )
    until(lambda: client.workloads.logs(owner.id), "the owner's work says where it is")
    folder = client.workloads.logs(owner.id).strip()
    script = (
        f"set +e; cat {folder}/mine {apart.home}/podium.db {apart.home}/secret.key; "
        f"ls -R {apart.home}; touch {folder}/go; cat /proc/*/environ; echo tried all"
    )
    rival = client.workloads.submit(
        {"name": "rival", "project": "rival", "script": script, "resources": SMALL}
    )
    assert apart.ended(rival.id).state == "succeeded"
    said = client.workloads.logs(rival.id)
    assert "tried all" in said
    assert not [word for word in ("private", "SQLite", "secret.key\n") if word in said]
    assert "PODIUM_ADMIN_PASSWORD" not in said

    apart.kill()
    apart.start()
    Path(folder, "go").touch()
    assert apart.ended(owner.id).state == "succeeded"
    assert apart.client().workloads.logs(owner.id).splitlines()[-1] == "private"


def test_what_keeps_them_apart_is_told(apart: Server) -> None:
    about = apart.client_kept.server.about()
    (node,) = apart.client_kept.nodes.list()
    assert node.labels["podium.io/isolation"] == about.isolation
    told = f'podium_node_isolation{{level="{about.isolation}",node="{node.name}"}} 1.0'
    assert told in apart.http(apart.token).get("/metrics").text
    assert f"Isolation: {about.isolation}. {about.isolation_words}" in apart.log_tail()


def test_a_server_does_not_start_with_less_than_was_asked_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [PODIUM, "up", "--home", str(tmp_path), "--port", "0", "--isolation", "containers"],
        env=plain_environ(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "Write auto, users, namespaces or none." in " ".join(done.stderr.split())
