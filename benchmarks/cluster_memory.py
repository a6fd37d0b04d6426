"""What it costs Podium to watch a large cluster: 2,000 nodes and 20,000 pods of its own, written
straight to a real API server, with no kubelet behind them.

Needs root on Debian. Run by `make bench-kubernetes`, not with the others. It runs itself once more,
to look at an engine alone.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.cluster_shape import Shape, shape_chosen
from benchmarks.figure import Figure, Say
from benchmarks.server import own_server
from lab.kubernetes.cluster import Cluster
from podium.domain.errors import TemporaryError
from podium.domain.workload import Program
from podium.engines.contract import DeviceGrant, Launch
from podium.engines.kubernetes.connection import Connection, config_of
from podium.engines.kubernetes.engine import KubernetesEngine
from podium.engines.kubernetes.manifest import manifest_of
from podium.engines.kubernetes.site import ClusterSite

CLUSTER, PROJECT, OWNER = "bench", "bench", "bench"
_GPUS = 8
_AT_ONCE = 48
_MIB = 2**20
_PATIENCE_SECONDS = 300.0
_BUSY_SECONDS = 30.0
_SEEN_AT = "2026-01-01T00:00:00Z"


def measure(say: Say) -> list[Figure]:
    shape = shape_chosen()
    size = f"{shape.watched_nodes} nodes and {shape.watched_pods} pods"
    with (
        tempfile.TemporaryDirectory(prefix="podium-bench-") as folder,
        Cluster(Path(folder) / "lab", nodes=0) as lab,
    ):
        say(f"writing {size}")
        asyncio.run(_fill(lab, shape))
        say("the engine alone")
        figures = _engine_alone(lab.kubeconfig, size)
        say("a whole server")
        return figures + _server(lab, shape, size)


# --- the cluster --------------------------------------------------------------------------------


async def _fill(lab: Cluster, shape: Shape) -> None:
    # Or nodes that nobody hears of would be given up, with their pods.
    lab.control_plane.controller_manager.stop()
    lab.control_plane.scheduler.stop()
    connection = Connection(config_of(lab.kubeconfig.read_text()))
    site = _site()
    space = f"/api/v1/namespaces/{site.namespace(PROJECT)}"
    try:
        await connection.apply(space, _named("Namespace", site.namespace(PROJECT)))
        pod = _pod(0, shape, site)
        account = pod["spec"].get("serviceAccountName", "default")
        await connection.apply(
            f"{space}/serviceaccounts/{account}", _named("ServiceAccount", account)
        )

        async def node(number: int) -> None:
            document = _node(number)
            path = f"/api/v1/nodes/{document['metadata']['name']}"
            await connection.apply(path, {**document, "status": {}})
            await connection.patch(f"{path}/status", {"status": document["status"]})

        async def place(number: int) -> None:
            document = _pod(number, shape, site)
            path = f"{space}/pods/{document['metadata']['name']}"
            await connection.apply(path, document)
            await connection.patch(f"{path}/status", {"status": _running(number)})

        await _all(node, shape.watched_nodes)
        await _all(place, shape.watched_pods)
    finally:
        await connection.close()


async def _all(make: Callable[[int], Awaitable[None]], count: int) -> None:
    """Calls `make` with each number below `count`, some of them at once."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            for last in (False, False, True):
                try:
                    await make(number)
                    break
                except TemporaryError:  # the API server has more to do than it can
                    if last:
                        raise

    async with asyncio.TaskGroup() as group:
        for _ in itertools.repeat(None, _AT_ONCE):
            group.create_task(work())


def _named(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}


def _site() -> ClusterSite:
    return ClusterSite(cluster=CLUSTER, image="registry.example.com/work:1", owner=OWNER)


def _node(number: int) -> dict[str, Any]:
    """As large as those of real clusters: with what GPU Feature Discovery and a kubelet write."""
    labels = {
        "kubernetes.io/hostname": f"node-{number:05}",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": f"zone-{number // 500}",
        "topology.kubernetes.io/rack": f"rack-{number // 16}",
        "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "nvidia.com/gpu.memory": "81559",
        "nvidia.com/gpu.count": str(_GPUS),
    }
    labels |= {f"feature.node.kubernetes.io/cpu-cpuid.F{each}": "true" for each in range(60)}
    amounts = {"cpu": "192", "memory": "2Ti", "pods": "250", "nvidia.com/gpu": str(_GPUS)}
    conditions = [_condition("Ready", "True", "KubeletReady")]
    conditions += [
        _condition(f"{each}Pressure", "False", "KubeletHasSufficient")
        for each in ("Memory", "Disk", "PID")
    ]
    images = [
        {"names": [f"registry.example.com/image-{each}@sha256:{each:064}"], "sizeBytes": 10**9}
        for each in range(50)
    ]
    return {
        **_named("Node", f"node-{number:05}"),
        "metadata": {"name": f"node-{number:05}", "labels": labels},
        "status": {
            "capacity": amounts,
            "allocatable": amounts,
            "conditions": conditions,
            "addresses": [{"type": "InternalIP", "address": _address(10, number)}],
            "images": images,
        },
    }


def _pod(number: int, shape: Shape, site: ClusterSite) -> dict[str, Any]:
    """As the engine makes them, bound already."""
    node = f"node-{number % shape.watched_nodes:05}"
    uuid = f"{CLUSTER}.{node}-gpu-0"
    launch = Launch(
        allocation_id=f"a-{number:016}",
        workload_id=f"w-{number // 8:016}",
        name=f"training-{number // 8}",
        project=PROJECT,
        rank=number % 8,
        replicas=8,
        attempt=1,
        node=site.node_name(node),
        program=Program(command=("python", "train.py", "--epochs", "100")),
        env=tuple((f"VARIABLE_{each}", "x" * 40) for each in range(30)),
        secrets=(),
        cpu_milli=4000,
        memory_bytes=2**35,
        devices=(DeviceGrant(0, uuid, 1000, 80 << 30, mig=False, virtual=False),),
        grace_seconds=30,
    )
    pod = manifest_of(launch, site).pod
    pod["spec"]["nodeName"] = node
    return pod


def _running(number: int) -> dict[str, Any]:
    container = {
        "name": "work",
        "image": "registry.example.com/work:1",
        "imageID": f"sha256:{number:064}",
        "containerID": f"containerd://{number:064}",
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": _SEEN_AT}},
    }
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "phase": "Running",
        "startTime": _SEEN_AT,
        "hostIP": "10.0.0.1",
        "podIP": _address(11, number),
        "qosClass": "Burstable",
        "conditions": [_condition(each, "True", "") for each in kinds],
        "containerStatuses": [container],
    }


def _condition(kind: str, status: str, reason: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": _SEEN_AT}


def _address(first: int, number: int) -> str:
    return f"{first}.{number >> 16}.{number >> 8 & 255}.{number & 255}"


# --- the engine alone ---------------------------------------------------------------------------


def _engine_alone(kubeconfig: Path, size: str) -> list[Figure]:
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(kubeconfig)],
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=True,
    )
    told = json.loads(done.stdout)
    return [
        Figure(name=f"engine, first list of {size}", value=told["open_seconds"], unit="s"),
        Figure(name=f"engine, memory for {size}", value=told["grown_mib"], unit="MiB"),
        Figure(name="engine, one look at all pods", value=told["observe_ms"], unit="ms"),
        Figure(name="engine, one look at all nodes", value=told["inventory_ms"], unit="ms"),
    ]


async def _open(kubeconfig: str) -> dict[str, float]:
    memory = psutil.Process().memory_info
    before = memory().rss
    with tempfile.TemporaryDirectory() as home:
        engine = KubernetesEngine(Path(home), site=_site(), kubeconfig=kubeconfig)
        begun = time.monotonic()
        await engine.open()
        opened = time.monotonic()
        seen = await engine.observe()
        observed = time.monotonic()
        nodes = await engine.inventory()
        counted = time.monotonic()
        grown = memory().rss - before
        await engine.close()
    if not seen or not nodes:
        raise RuntimeError("the engine saw nothing of the cluster")
    return {
        "open_seconds": opened - begun,
        "observe_ms": (observed - opened) * 1000,
        "inventory_ms": (counted - observed) * 1000,
        "grown_mib": grown / _MIB,
    }


# --- a whole server -----------------------------------------------------------------------------


def _server(lab: Cluster, shape: Shape, size: str) -> list[Figure]:
    """To it the pods are those of another Podium."""
    with own_server() as server, server.administrator() as administrator:
        process = psutil.Process(server.process.pid)
        before = process.memory_info().rss
        begun = time.monotonic()
        administrator.clusters.add(CLUSTER, lab.kubeconfig.read_text())
        while administrator.clusters.get(CLUSTER).nodes < shape.watched_nodes:
            if time.monotonic() - begun > _PATIENCE_SECONDS:
                raise TimeoutError(f"the server does not see all nodes\n{server.log_tail()}")
            time.sleep(0.2)
        seconds = time.monotonic() - begun
        time.sleep(shape.settle_seconds)
        process.cpu_percent()
        time.sleep(_BUSY_SECONDS)
        busy = process.cpu_percent()
        after = process.memory_info().rss
    return [
        Figure(name=f"server, from adding {size} to seeing all nodes", value=seconds, unit="s"),
        Figure(name="server, memory before", value=before / _MIB, unit="MiB"),
        Figure(name=f"server, memory with {size} watched", value=after / _MIB, unit="MiB"),
        Figure(name="server, share of a core while nothing changes", value=busy, unit="%"),
    ]


if __name__ == "__main__":
    told = asyncio.run(_open(Path(sys.argv[1]).read_text()))
    json.dump(told, sys.stdout)
