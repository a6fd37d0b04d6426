"""The lab is a real Kubernetes that can be broken and mended, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lab.kubernetes.cluster import Cluster
from lab.kubernetes.control_plane import PODIUM
from lab.kubernetes.ground import Ground
from lab.kubernetes.images import WORK
from lab.kubernetes.packages import LabError

pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
_SECONDS_MAX = 60.0


@pytest.fixture
def pods(cluster: Cluster) -> Iterator[Pods]:
    made = Pods(cluster)
    yield made
    made.remove()


class Pods:
    """Pods of one test, removed after it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._names: list[str] = []

    def run(self, name: str, command: list[str], *, node: str = "", gpus: int = 0) -> None:
        """Starts a pod as user 1234; one that names a node does not ask the scheduler."""
        limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
        container = {
            "name": "work",
            "image": WORK,
            "imagePullPolicy": "IfNotPresent",
            "command": command,
            "resources": {"limits": limits},
        }
        spec: dict[str, Any] = {
            "containers": [container],
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsUser": 1234, "runAsGroup": 1234},
        }
        if node:
            spec["nodeName"] = node
        document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        self.cluster.kubectl("create", "-f", "-", text=json.dumps(document))
        self._names.append(name)

    def get(self, name: str) -> Any:
        return json.loads(self.cluster.kubectl("get", "pod", name, "--output=json"))

    def phase(self, name: str) -> str:
        return str(self.get(name)["status"]["phase"])

    def await_phase(self, name: str, phase: str) -> None:
        await_true(lambda: self.phase(name) == phase, f"{name} is {phase}")

    def remove(self) -> None:
        if self._names:
            self.cluster.kubectl("delete", "pod", "--now", "--wait=false", *self._names)


def await_true(question: Callable[[], bool], words: str) -> None:
    deadline = time.monotonic() + _SECONDS_MAX
    while not question():
        assert time.monotonic() < deadline, f"after {_SECONDS_MAX:g} s it is not so that {words}"
        time.sleep(0.3)


def test_all_nodes_are_ready(cluster: Cluster) -> None:
    assert cluster.ready() == {"node-a": True, "node-b": True}


def test_pods_run_on_each_node_with_logs_and_commands(cluster: Cluster, pods: Pods) -> None:
    program = "import os, ssl, time; print('I am', os.getuid(), flush=True); time.sleep(600)"
    for node in cluster.nodes:
        # The path that commands made of this environment's Python name works in a pod, too.
        pods.run(f"speaker-{node.name}", [sys.executable, "-c", program], node=node.name)
    for node in cluster.nodes:
        name = f"speaker-{node.name}"
        pods.await_phase(name, "Running")
        await_true(
            lambda name=name: cluster.kubectl("logs", name) == "I am 1234\n",  # type: ignore[misc]
            f"{name} has spoken",
        )
        said = cluster.kubectl("exec", name, "--", "sh", "-c", "echo $((6 * 7)) on $(hostname)")
        assert said == f"42 on {name}\n"


def test_pods_of_different_nodes_reach_each_other(cluster: Cluster, pods: Pods) -> None:
    serve = "echo well met > /tmp/index.html; exec python3 -m http.server 8000 -d /tmp"
    pods.run("server", ["sh", "-c", serve], node="node-a")
    pods.await_phase("server", "Running")
    address = pods.get("server")["status"]["podIP"]
    ask = (
        "import time, urllib.request\n"
        "while True:\n"
        "    try:\n"
        f"        print(urllib.request.urlopen('http://{address}:8000/', timeout=2).read())\n"
        "        break\n"
        "    except OSError:\n"
        "        time.sleep(0.2)\n"
    )
    pods.run("asker", ["python3", "-c", ask], node="node-b")
    pods.await_phase("asker", "Succeeded")
    assert cluster.kubectl("logs", "asker") == "b'well met\\n'\n"


def test_pods_wait_for_gpus_that_nodes_have(cluster: Cluster, pods: Pods) -> None:
    for name in cluster.node_names:
        cluster.set_gpus(name, 2)
    for number in range(3):
        pods.run(f"greedy-{number}", ["sleep", "600"], gpus=2)
    names = [f"greedy-{number}" for number in range(3)]

    def states() -> list[str]:
        return sorted(pods.phase(name) for name in names)

    await_true(lambda: states() == ["Pending", "Running", "Running"], "two of three fit")
    cluster.set_gpus("node-b", 4, mig={"1g.10gb": 7})
    await_true(lambda: states() == ["Running"] * 3, "the third found room")
    node = cluster.api.get("/api/v1/nodes/node-b")
    assert node["status"]["allocatable"]["nvidia.com/mig-1g.10gb"] == "7"
    assert node["metadata"]["labels"]["nvidia.com/mig.strategy"] == "mixed"


def test_the_user_podium_may_do_what_is_granted_alone(cluster: Cluster) -> None:
    with pytest.raises(LabError, match="Forbidden"):
        cluster.kubectl("get", "pods", user=PODIUM)
    assert cluster.kubectl("auth", "can-i", "--list", user=PODIUM)


def test_a_node_whose_kubelet_died_is_missed_and_comes_back(cluster: Cluster, pods: Pods) -> None:
    pods.run("survivor", ["sleep", "600"], node="node-b")
    pods.await_phase("survivor", "Running")
    cluster.set_gpus("node-b", 8)
    node = cluster.node("node-b")
    node.kill_kubelet()
    cluster.await_ready("node-b", ready=False)
    assert cluster.ready()["node-a"]
    node.start_kubelet()
    cluster.await_ready("node-b")
    assert pods.get("survivor")["status"]["containerStatuses"][0]["restartCount"] == 0
    told = cluster.api.get("/api/v1/nodes/node-b")["status"]
    assert told["capacity"]["nvidia.com/gpu"] == told["allocatable"]["nvidia.com/gpu"] == "8"


def test_a_node_that_lost_its_power_runs_pods_again(cluster: Cluster, pods: Pods) -> None:
    pods.run("victim", ["sleep", "600"], node="node-a")
    pods.await_phase("victim", "Running")
    node = cluster.node("node-a")
    node.kill()
    cluster.await_ready("node-a", ready=False)
    node.start_again()
    cluster.await_ready("node-a")
    pods.await_phase("victim", "Failed")
    pods.run("next", ["true"], node="node-a")
    pods.await_phase("next", "Succeeded")


def test_a_node_that_is_cut_off_is_missed_until_it_joins(cluster: Cluster, pods: Pods) -> None:
    node = cluster.node("node-a")
    node.cut()
    cluster.await_ready("node-a", ready=False)
    assert node.kubelet.alive
    node.join()
    cluster.await_ready("node-a")
    pods.run("late", ["true"], node="node-a")
    pods.await_phase("late", "Succeeded")


def test_pods_outlive_the_api_server_and_its_store(cluster: Cluster, pods: Pods) -> None:
    pods.run("patient", ["sleep", "600"], node="node-a")
    pods.await_phase("patient", "Running")
    for part in (cluster.api_server, cluster.etcd):
        part.kill()
        assert not cluster.api.ready()
        part.start()
        await_true(cluster.api.ready, "the API server answers")
    assert pods.phase("patient") == "Running"
    for name in cluster.node_names:
        cluster.await_ready(name)


def test_another_lab_beside_it_leaves_nothing(cluster: Cluster, tmp_path: Path) -> None:
    with Cluster(tmp_path, nodes=1, hollow=1, pretended=2) as other:
        ground = other.ground
        assert ground != cluster.ground
        assert set(other.ready()) == {"node-a", "hollow-000", "pretended-000", "pretended-001"}
        pods = Pods(other)
        pods.run("abandoned", ["sleep", "600"], node="node-a")
        pods.run("hollow", ["sleep", "600"], node="hollow-000")
        pods.run("pretended", ["sleep", "600"], node="pretended-001")
        for name in ("abandoned", "hollow", "pretended"):
            pods.await_phase(name, "Running")
        assert len(traces(ground)) > 5
    assert not traces(ground)
    assert not any(str(tmp_path) in " ".join(words) for words in commands())
    assert not any(str(tmp_path) in line for line in lines("/proc/self/mounts"))
    # Down again, or without ever having been up, it has nothing to do.
    other.down()
    with pytest.raises(LabError, match="no lab was started"):
        Cluster.at(tmp_path)
    assert cluster.ready() == {"node-a": True, "node-b": True}


def test_a_machine_that_cannot_do_it_says_why(laboratory: None) -> None:
    able = [sys.executable, "-m", "lab.kubernetes", "able"]
    assert asked(*able) == (0, "")
    for right, words in (("sys_admin", "no network namespace"), ("net_admin", "furnished")):
        code, said = asked("setpriv", f"--bounding-set=-{right}", *able)
        assert (code, words in said) == (1, True), said


def asked(*command: str) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


def traces(ground: Ground) -> list[str]:
    """What that lab made of the kernel: links, routes and control groups."""
    found = [path.name for path in Path("/sys/class/net").iterdir()]
    found += [path.name for path in Path("/sys/fs/cgroup").glob("*/podlab*")]
    found += [path.name for path in Path("/sys/fs/cgroup").glob("podlab*")]
    found += subprocess.run(["ip", "route"], capture_output=True, text=True).stdout.splitlines()
    mark = re.compile(rf"\b{ground.bridge}(n\d+|-.*)?\b|\b{re.escape(ground.address(0))}\b")
    return [each for each in found if mark.search(each)]


def lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def commands() -> Iterator[list[str]]:
    for process in psutil.process_iter():
        try:
            yield process.cmdline()
        except psutil.Error:
            continue
