"""A gang whose server is killed while it makes the pods: the next one makes the rest, and no rank
begins twice. On a real cluster, which is left as it was."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from journeys.serving import Server, until
from podium import Client
from podium.client.kubeconfig import load

pytestmark = pytest.mark.timeout(300)

REPLICAS = 6
IMAGE = "localhost/work:1"
_SECONDS_MAX = 90.0
_ROUNDS_MAX = 10


class Tally:
    """A folder of the nodes in which each rank says that it began, and looks for its end."""

    def __init__(self, folder: Path) -> None:
        self._begun = folder / "begun"
        self._go = folder / "go"
        self.folder = folder

    @property
    def script(self) -> str:
        """Lines this short are appended whole."""
        here = "volumes/tally"
        return (
            f"echo $PODIUM_RANK $HOSTNAME >> {here}/begun; echo rank $PODIUM_RANK\n"
            f"until [ -e {here}/go ]; do sleep 0.2; done\n"
        )

    def begun(self) -> list[str]:
        """A rank and its pod for each start."""
        return self._begun.read_text().splitlines() if self._begun.exists() else []

    def end(self) -> None:
        self._go.touch()


class Watch:
    """The pods of a namespace as one who has no part in it sees them come."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self._process = subprocess.Popen(
            [
                "kubectl",
                f"--kubeconfig={kubeconfig}",
                f"--namespace={namespace}",
                "get",
                "pods",
                "--watch",
                "--output=jsonpath={.metadata.uid}{'\\n'}",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.uids: list[str] = []
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._came:
                if (uid := line.strip()) not in self.uids:
                    self.uids.append(uid)
                    self._came.notify_all()

    def await_pod(self) -> bool:
        with self._came:
            return self._came.wait_for(lambda: bool(self.uids), _SECONDS_MAX)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._thread.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def project() -> str:
    return f"gang-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def kubectl(kubeconfig: Path, project: str) -> Iterator[Callable[..., str]]:
    """In the project's namespace, which is gone afterwards."""
    namespace = f"podium-{project}"

    def run(*words: str) -> str:
        done = subprocess.run(
            ["kubectl", f"--kubeconfig={kubeconfig}", f"--namespace={namespace}", *words],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    run("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


@pytest.fixture
def server(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(
        tmp_path_factory.mktemp("gang") / "home",
        options=("--no-local", "--allow-outbound", "10.0.0.0/8"),
        environ={"PODIUM_DATA_ROOT": str(tmp_path)},
    )
    yield made.start()
    made.end_work()
    made.stop()


def pods(kubectl: Callable[..., str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(kubectl("get", "pods", "--output=json"))["items"]
    return found


def connected(server: Server, kubeconfig: Path, project: str) -> Client:
    client = server.client(project=project)
    client.clusters.add("gangland", load(kubeconfig).text, image=IMAGE)
    client.projects.create(project, team=project)
    client.projects.set_member(project, "admin", "lead")
    until(lambda: len(list(client.nodes.list(cluster="gangland"))) >= 2, "its nodes")
    return client


def submitted(client: Client, tally: Tally, name: str) -> str:
    return client.workloads.submit(
        {
            "name": name,
            "kind": "batch",
            "script": tally.script,
            "replicas": REPLICAS,
            "resources": {"cpus": 0.05, "memory": "16MiB"},
            "volumes": {"tally": str(tally.folder)},
        }
    ).id


def test_a_server_is_killed_while_it_makes_a_gang(
    server: Server, kubeconfig: Path, project: str, kubectl: Callable[..., str], tmp_path: Path
) -> None:
    """At random moments: about the time of the first pod, until it was twice between two pods."""
    client = connected(server, kubeconfig, project)
    chance = random.Random()
    made: list[int] = []
    while sum(0 < count < REPLICAS for count in made) < 2:
        assert len(made) < _ROUNDS_MAX, f"never in the middle: {made}"
        folder = tmp_path / f"round-{len(made)}"
        folder.mkdir()
        folder.chmod(0o777)
        tally = Tally(folder)
        watch = Watch(kubeconfig, f"podium-{project}")
        try:
            workload_id = submitted(client, tally, folder.name)
            if made:
                assert watch.await_pod(), "its pods come"
                time.sleep(chance.uniform(0, 0.02))
            else:
                time.sleep(chance.uniform(0, 0.3))
            server.kill()
            time.sleep(0.5)  # what it had sent is answered
            there = {pod["metadata"]["uid"] for pod in pods(kubectl)}
            made.append(len(there))
            server.start()
            await_begun(tally)
            assert there <= set(watch.uids), "what stood was adopted"
            tally.end()
            seen = server.ended(workload_id, limit_seconds=_SECONDS_MAX)
            assert (seen.state, seen.attempt) == ("succeeded", 1), seen.message
            assert len(watch.uids) == REPLICAS
        finally:
            watch.close()
        ranks = Counter(line.split()[0] for line in tally.begun())
        assert ranks == {str(rank): 1 for rank in range(REPLICAS)}
        for rank in range(REPLICAS):
            assert client.workloads.logs(workload_id, rank=rank) == f"rank {rank}\n"
        until(lambda: not pods(kubectl), "no pod is left")
        assert kubectl("get", "services,secrets", "--output=name").count("/w-") == 0
    assert sum(node.replicas for node in client.nodes.list()) == 0, "nothing is held"


def await_begun(tally: Tally) -> None:
    def all_began() -> bool:
        return len(tally.begun()) >= REPLICAS

    until(all_began, "all ranks began", limit_seconds=_SECONDS_MAX)
