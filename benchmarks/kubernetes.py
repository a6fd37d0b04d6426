"""Podium on Kubernetes beside the cluster's own scheduler, on the same API server in the same run.

Needs root on Debian: the cluster is the lab's, with real kubelets that run hollow nodes. Run by
`make bench-kubernetes`, not with the others.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psutil

from benchmarks.cluster_shape import Shape, shape_chosen
from benchmarks.figure import Figure, Say
from benchmarks.tenant import PROJECT, Tenant, own_tenant
from lab.kubernetes.cluster import Cluster
from podium.domain.errors import NotFoundError
from podium.engines.kubernetes.connection import Connection, config_of
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.reflector import Reflector

IMAGE = "localhost/work:1"
_AT_ONCE = 64
_PATIENCE_SECONDS = 600.0
_END_SECONDS = 300.0
_NAMESPACE = "bench-native"

Seen = dict[str, tuple[float, float]]
"""When each pod was first seen bound, and first seen running, on the monotonic clock."""


def measure(say: Say) -> list[Figure]:
    shape = shape_chosen()
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as folder:
        say(f"starting a cluster with {shape.nodes} hollow nodes")
        home = Path(folder) / "lab"
        with (
            Cluster(home, nodes=0, hollow=shape.nodes, virtual_gpus=shape.gpus_each) as lab,
            own_tenant() as tenant,
            added(tenant, lab),
        ):
            return asyncio.run(_measure(say, shape, lab, tenant))


@contextmanager
def added(tenant: Tenant, lab: Cluster) -> Iterator[None]:
    """The cluster with all of its nodes, as Podium has it."""
    with tenant.server.administrator() as administrator:
        administrator.clusters.add("bench", lab.kubeconfig.read_text(), image=IMAGE)
        _until(lambda: administrator.clusters.get("bench").nodes >= len(lab.node_names))
    yield


async def _measure(say: Say, shape: Shape, lab: Cluster, tenant: Tenant) -> list[Figure]:
    connection = Connection(config_of(lab.kubeconfig.read_text()))
    memory = psutil.Process(tenant.server.process.pid).memory_info
    figures: list[Figure] = []
    try:
        say("the first work of a new project")
        first = await _single(connection, tenant, "first")
        name = "first work of a new project, submit to running"
        figures.append(Figure(name=name, value=first, unit="s"))
        say(f"{shape.pods} pods by kube-scheduler")
        native = await _native(connection, shape.pods)
        say(f"{shape.pods} pods by Podium")
        ours, seconds = await _ours(connection, tenant, shape.pods)
        figures += [
            Figure(name="pods bound per second, kube-scheduler", value=native, unit="pods/s"),
            Figure(name="pods bound per second, Podium", value=ours, unit="pods/s"),
            Figure(
                name="pods bound per second, Podium to kube-scheduler",
                value=ours / native,
                unit="ratio",
                more_is_better=True,
            ),
            Figure(name=f"{shape.pods} tasks from submit to all bound", value=seconds, unit="s"),
            Figure(
                name=f"memory of Podium with {len(lab.node_names)} nodes and {shape.pods} pods",
                value=memory().rss / 2**20,
                unit="MiB",
            ),
        ]
        say(f"a gang of {shape.gang}")
        gang_seconds = await _gang(connection, tenant, shape.gang)
        name = f"gang of {shape.gang}, submit to all running"
        figures.append(Figure(name=name, value=gang_seconds, unit="s"))
        say("single pods")
        turns = range(shape.singles)
        kubectl = statistics.median([await _kubectl_run(lab, turn) for turn in turns])
        singles = [await _single(connection, tenant, f"single-{turn}") for turn in turns]
        single = statistics.median(singles)
        figures += [
            Figure(name="kubectl run to running, median", value=kubectl, unit="s"),
            Figure(name="podium run to running, median", value=single, unit="s"),
            Figure(name="podium run to kubectl run", value=single / kubectl, unit="ratio"),
        ]
    finally:
        await connection.close()
    return figures


@asynccontextmanager
async def watched(connection: Connection, namespace: str) -> AsyncIterator[Seen]:
    seen: Seen = {}

    def heard(before: Pod | None, after: Pod | None) -> None:
        del before
        if after is None or not after.spec.node_name:
            return
        now = time.monotonic()
        bound_at, running_at = seen.get(after.metadata.name, (now, 0.0))
        if after.status.phase == "Running" and not running_at:
            running_at = now
        seen[after.metadata.name] = bound_at, running_at

    reflector = Reflector(connection, f"/api/v1/namespaces/{namespace}/pods", Pod, heard)
    await reflector.open()
    try:
        yield seen
    finally:
        await reflector.close()


async def _native(connection: Connection, pods: int) -> float:
    """Pods created as fast as the API server takes them, and placed by kube-scheduler."""
    space = f"/api/v1/namespaces/{_NAMESPACE}"
    named = {"name": _NAMESPACE}
    await connection.apply(space, {"apiVersion": "v1", "kind": "Namespace", "metadata": named})
    gate = asyncio.Semaphore(_AT_ONCE)

    async def create(number: int) -> None:
        async with gate:
            await connection.post(f"{space}/pods", _pod(f"native-{number}"))

    async with watched(connection, _NAMESPACE) as seen:
        begun = time.monotonic()
        await asyncio.gather(*(create(number) for number in range(pods)))
        await _patient(lambda: len(seen) >= pods, lambda: f"{len(seen)} of {pods} pods are bound")
        seconds = max(bound for bound, _ in seen.values()) - begun
    await connection.delete(space)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not await _is_gone(connection, space):
            await asyncio.sleep(0.2)
    return pods / seconds


def _pod(name: str) -> dict[str, object]:
    asked = {"limits": {"nvidia.com/gpu": "1"}, "requests": {"cpu": "1m"}}
    container = {
        "name": "work",
        "image": IMAGE,
        "command": ["sleep", "600"],
        "resources": asked,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": _NAMESPACE},
        "spec": {
            "containers": [container],
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
        },
    }


async def _ours(connection: Connection, tenant: Tenant, pods: int) -> tuple[float, float]:
    """An array of tasks through the whole product. Pods bound per second, and seconds in all."""
    async with watched(connection, f"podium-{PROJECT}") as seen:
        begun = time.monotonic()
        made = await asyncio.to_thread(
            tenant.client.workloads.submit, _spec("array", array=pods, seconds=600)
        )
        await _patient(lambda: len(seen) >= pods, lambda: f"{len(seen)} of {pods} pods are bound")
        seconds = max(bound for bound, _ in seen.values()) - begun
        await _end(connection, tenant, made.id)
    return pods / seconds, seconds


async def _gang(connection: Connection, tenant: Tenant, replicas: int) -> float:
    async with watched(connection, f"podium-{PROJECT}") as seen:
        begun = time.monotonic()
        made = await asyncio.to_thread(
            tenant.client.workloads.submit, _spec("gang", replicas=replicas, seconds=600)
        )
        await _patient(
            lambda: _running(seen) >= replicas,
            lambda: f"{_running(seen)} of {replicas} replicas run",
        )
        seconds = max(running for _, running in seen.values()) - begun
        await _end(connection, tenant, made.id)
    return seconds


async def _single(connection: Connection, tenant: Tenant, name: str) -> float:
    async with watched(connection, f"podium-{PROJECT}") as seen:
        begun = time.monotonic()
        spec = _spec(name, seconds=60)
        made = await asyncio.to_thread(tenant.client.workloads.submit, spec)
        await _patient(lambda: _running(seen) >= 1, lambda: f"{name} does not run")
        seconds = max(running for _, running in seen.values()) - begun
        await _end(connection, tenant, made.id)
    return seconds


async def _kubectl_run(lab: Cluster, number: int) -> float:
    """The same pod for somebody who writes Kubernetes' own command."""
    name = f"kubectl-{number}"
    limits = {"nvidia.com/gpu": "1"}
    container = {"name": name, "resources": {"limits": limits, "requests": {"cpu": "1m"}}}
    overrides = {
        "spec": {"containers": [{**container, "image": IMAGE, "command": ["sleep", "60"]}]}
    }
    kubectl = ["kubectl", "--kubeconfig", str(lab.kubeconfig)]
    begun = time.monotonic()
    for command in (
        [*kubectl, "run", name, f"--image={IMAGE}", "--overrides", json.dumps(overrides)],
        [*kubectl, "wait", f"pod/{name}", "--for=condition=Ready", "--timeout=120s"],
    ):
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    seconds = time.monotonic() - begun
    over = [*kubectl, "delete", "pod", name, "--grace-period=0", "--force"]
    await asyncio.to_thread(subprocess.run, over, check=True, capture_output=True)
    return seconds


def _spec(name: str, *, seconds: int, array: int = 0, replicas: int = 0) -> dict[str, object]:
    spec: dict[str, object] = {
        "name": name,
        "project": PROJECT,
        "kind": "batch",
        "command": ["sleep", str(seconds)],
        "grace": "1s",
        "resources": {"gpus": 1, "cpus": 0.001, "memory": "16MiB", "gpu_type": "H100"},
    }
    if array:
        spec["array"] = array
    if replicas:
        spec["replicas"] = replicas
    return spec


def _running(seen: Seen) -> int:
    return sum(1 for _, running in seen.values() if running)


async def _end(connection: Connection, tenant: Tenant, workload_id: str) -> None:
    """Returns when no pod is left. Raises TimeoutError that says what one of them waits for."""
    await asyncio.to_thread(tenant.client.workloads.cancel, workload_id)
    path = f"/api/v1/namespaces/podium-{PROJECT}/pods"
    deadline = time.monotonic() + _END_SECONDS
    while b'"items":[]' not in (left := await connection.get(path, limit="1")):
        if time.monotonic() > deadline:
            raise TimeoutError(f"pods are left {_END_SECONDS:g} s after their end: {left[:4000]!r}")
        await asyncio.sleep(0.2)


async def _is_gone(connection: Connection, path: str) -> bool:
    with contextlib.suppress(NotFoundError):
        await connection.get(path)
        return False
    return True


async def _patient(happened: Callable[[], bool], state: Callable[[], str]) -> None:
    """Raises TimeoutError with what `state` says then."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {_PATIENCE_SECONDS:g} s {state()}")
        await asyncio.sleep(0.01)


def _until(happened: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not happened():
        if time.monotonic() - begun > _PATIENCE_SECONDS:
            raise TimeoutError("the cluster did not become what it should")
        time.sleep(0.5)
