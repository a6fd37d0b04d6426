"""GPUs that are shared, named, and cut by the GPU operator's MIG manager. On a real API server,
with a node of the test's own that no kubelet has: the test writes what the manager, the device
plugin and GPU Feature Discovery write, and reads what Podium asks of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubernetes.harness import CLUSTER, IMAGE, KubernetesHarness
from podium.domain.errors import ConflictError
from podium.domain.mig import BOARDS
from podium.domain.node import Device, Node, NodeState
from podium.domain.resources import MPS_LABEL
from podium.engines.contract import (
    DeviceGrant,
    LayoutAnswer,
    LayoutOrder,
    LayoutState,
    MisplacedError,
)
from podium.engines.kubernetes.connection import Connection, config_of
from podium.engines.kubernetes.layouts import configs_of

pytestmark = pytest.mark.anyio

GPUS = 2
CONFIGS = configs_of(BOARDS["H100-80GB"])
WHOLE = {"nvidia.com/gpu": str(GPUS)}
DISCOVERED = {
    "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
    "nvidia.com/gpu.memory": "81559",
    "nvidia.com/gpu.count": str(GPUS),
    "nvidia.com/gpu.replicas": "1",
    "nvidia.com/mig.capable": "true",
    "nvidia.com/mig.strategy": "mixed",
    "nvidia.com/mig.config": "all-disabled",
    "nvidia.com/mig.config.state": "success",
}


class StandIn:
    """A node, and what works on its GPUs. `fails` are configurations that the manager cannot set;
    `applied` are those that it was asked for."""

    def __init__(self, connection: Connection) -> None:
        self.name = f"devices-{uuid.uuid4().hex[:8]}"
        self.path = f"/api/v1/nodes/{self.name}"
        self.fails: set[str] = set()
        self.applied: list[str] = []
        self.allocatable = {"cpu": "16", "memory": "64Gi", "pods": "110", **WHOLE}
        self._connection = connection

    async def open(self) -> None:
        # Of a kind that keeps all other work away, and that says nothing of its readiness.
        taint = {"key": "node.kubernetes.io/podium-test", "effect": "NoSchedule"}
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": self.name, "labels": DISCOVERED},
            "spec": {"taints": [taint]},
        }
        await self._connection.post("/api/v1/nodes", node)
        await self.tell()

    async def label(self, **labels: str | None) -> None:
        named = {f"nvidia.com/{key.replace('__', '-').replace('_', '.')}": labels[key]
                 for key in labels}  # fmt: skip
        await self._connection.patch(self.path, {"metadata": {"labels": named}})

    async def mark(self, kind: str, **marks: str) -> None:
        named = {f"podium.io/{key.replace('_', '-')}": marks[key] for key in marks}
        await self._connection.patch(self.path, {"metadata": {kind: named}})

    async def give(self, **resources: int) -> None:
        """What the plugin has from now on, and nothing else."""
        gone = {name: "0" for name in self.allocatable if name.startswith("nvidia.com/")}
        named = {f"nvidia.com/{key}": str(count) for key, count in resources.items()}
        self.allocatable |= gone | named
        await self.tell()

    async def tell(self) -> None:
        """As a kubelet, so that the cluster believes that it is up."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        status = {
            "capacity": self.allocatable,
            "allocatable": self.allocatable,
            "conditions": [ready],
        }
        await self._connection.patch(f"{self.path}/status", {"status": status})

    async def work(self) -> None:
        """The kubelet's heartbeat, and the manager."""
        standing = "all-disabled"
        while True:
            node = json.loads(await self._connection.get(self.path))
            wanted = node["metadata"]["labels"]["nvidia.com/mig.config"]
            if wanted != standing:
                self.applied.append(wanted)
                await self.label(mig_config_state="pending")
                await self.give()
                await asyncio.sleep(0.5)
                failed = wanted in self.fails
                # The plugin starts again after the manager has told that it is done.
                await self.label(mig_config_state="failed" if failed else "success")
                await asyncio.sleep(0.5)
                await self.give(**resources_of("all-disabled" if failed else wanted))
                standing = wanted
            await self.tell()
            await asyncio.sleep(0.3)


def resources_of(config: str) -> dict[str, int]:
    profiles = [profile for profile, _ in CONFIGS[config]]
    if not profiles:
        return {"gpu": GPUS}
    return {f"mig-{each.replace('+', '.')}": GPUS * profiles.count(each) for each in profiles}


@pytest.fixture
async def connection(kubeconfig: Path) -> AsyncIterator[Connection]:
    made = Connection(config_of(kubeconfig.read_text(), ""))
    yield made
    await made.close()


@pytest.fixture
async def standin(connection: Connection) -> AsyncIterator[StandIn]:
    made = StandIn(connection)
    await made.open()
    task = asyncio.create_task(made.work())
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        pod = f"/api/v1/namespaces/default/pods/{made.name}"
        await connection.delete(pod, {"gracePeriodSeconds": 0})
        await connection.delete(made.path)


def name_of(standin: StandIn) -> str:
    return f"{CLUSTER}.{standin.name}"


async def seen(harness: KubernetesHarness, standin: StandIn) -> Node | None:
    found = await harness.engine.inventory()
    return next((each for each in found if each.name == name_of(standin)), None)


async def seen_with(
    harness: KubernetesHarness, standin: StandIn, *sizes: int, healthy: bool = True
) -> Node:
    """Once its devices give shares of these sizes."""
    async with asyncio.timeout(30):
        while True:
            node = await seen(harness, standin)
            if node is not None and node.devices:
                known = {(each.share_milli, each.healthy) for each in node.devices}
                if known == {(size, healthy) for size in sizes}:
                    return node
            await asyncio.sleep(0.1)


async def round_of(
    harness: KubernetesHarness, standin: StandIn, config: str, gpus: Iterable[int] = range(GPUS),
    *, busy: int | None = None,
) -> list[LayoutAnswer]:  # fmt: skip
    """What the loop of layouts asks every two seconds."""
    return [
        await harness.engine.layout_step(
            name_of(standin),
            LayoutOrder(
                gpu=f"{name_of(standin)}-gpu-{number}",
                wanted=CONFIGS[config],
                busy=number == busy,
            ),
        )
        for number in gpus
    ]


async def until_stands(harness: KubernetesHarness, standin: StandIn, config: str) -> None:
    async with asyncio.timeout(30):
        while {each.state for each in await round_of(harness, standin, config)} != {
            LayoutState.STANDS
        }:
            await asyncio.sleep(0.1)


def state_and_words(answer: LayoutAnswer, state: LayoutState, words: str) -> None:
    assert (answer.state, words in answer.words) == (state, True), answer


async def test_a_layout_is_set_when_all_want_it_and_nothing_uses_a_gpu(
    harness: KubernetesHarness, standin: StandIn, connection: Connection
) -> None:
    await seen_with(harness, standin, 1000)
    (alone,) = await round_of(harness, standin, "all-1g.10gb", [0])
    state_and_words(alone, LayoutState.WAITS, "set the same layout for GPU 1")
    (other,) = await round_of(harness, standin, "all-3g.40gb", [1])
    state_and_words(other, LayoutState.WAITS, "GPU 0")

    (closing,) = await round_of(harness, standin, "all-1g.10gb", [1])
    assert closing.state is LayoutState.CHANGED
    node = await seen(harness, standin)
    assert node is not None
    assert node.state is NodeState.CORDONED
    answers = await round_of(harness, standin, "all-1g.10gb", busy=1)
    state_and_words(answers[-1], LayoutState.WAITS, "work on GPU 1")

    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": standin.name, "namespace": "default"},
        "spec": {
            "nodeName": standin.name,
            "containers": [
                {
                    "name": "main",
                    "image": IMAGE,
                    "resources": {"limits": {"nvidia.com/gpu": "1"}},
                }
            ],
        },
    }
    await connection.post("/api/v1/namespaces/default/pods", pod)
    async with asyncio.timeout(30):
        while (node := await seen(harness, standin)) and node.devices[-1].healthy:
            await asyncio.sleep(0.05)
    (_, waiting) = await round_of(harness, standin, "all-1g.10gb")
    state_and_words(waiting, LayoutState.WAITS, "pods that still use GPUs")
    assert standin.applied == []
    gone = {"gracePeriodSeconds": 0}
    await connection.delete(f"/api/v1/namespaces/default/pods/{standin.name}", gone)

    await until_stands(harness, standin, "all-1g.10gb")
    assert standin.applied == ["all-1g.10gb"]
    node = await seen(harness, standin)
    assert node is not None
    assert node.state is NodeState.READY
    assert [(each.board, len(each.instances)) for each in node.devices] == [("H100-80GB", 7)] * 2

    await until_stands(harness, standin, "all-balanced")
    await until_stands(harness, standin, "all-disabled")
    await seen_with(harness, standin, 1000)
    assert standin.applied == ["all-1g.10gb", "all-balanced", "all-disabled"]


async def test_nothing_is_placed_while_the_manager_works(
    harness: KubernetesHarness, standin: StandIn
) -> None:
    await seen_with(harness, standin, 1000)
    await standin.label(mig_config="all-7g.80gb")  # by somebody else
    states = set()
    async with asyncio.timeout(30):
        while not (node := await seen(harness, standin)) or not any(
            each.board for each in node.devices
        ):
            if node is not None:
                states.add((node.state, bool(node.devices)))
            await asyncio.sleep(0.02)
    assert (NodeState.CORDONED, False) in states
    assert node.state is NodeState.READY


async def test_a_manager_that_fails_is_told_and_lets_work_on(
    harness: KubernetesHarness, standin: StandIn
) -> None:
    await seen_with(harness, standin, 1000)
    standin.fails = {"all-2g.20gb"}
    async with asyncio.timeout(30):
        while (last := (await round_of(harness, standin, "all-2g.20gb"))[-1]).state is not (
            LayoutState.REFUSED
        ):
            await asyncio.sleep(0.1)
    state_and_words(last, LayoutState.REFUSED, "could not set all-2g.20gb")
    node = await seen_with(harness, standin, 1000)
    assert node.state is NodeState.READY
    await until_stands(harness, standin, "all-4g.40gb")
    assert standin.applied == ["all-2g.20gb", "all-4g.40gb"]


async def test_what_no_manager_can_do_is_refused(
    harness: KubernetesHarness, standin: StandIn
) -> None:
    node = await seen_with(harness, standin, 1000)
    gpu = node.devices[0].id

    async def refusal(*wanted: tuple[str, int]) -> str:
        answer = await harness.engine.layout_step(node.name, LayoutOrder(gpu=gpu, wanted=wanted))
        assert answer.state is LayoutState.REFUSED, answer
        return answer.words

    assert "It has all-disabled, all-1g.10gb" in await refusal(("1g.10gb", 0))
    assert "leave out their starts" in await refusal(("1g.10gb+me", 3))
    with pytest.raises(ConflictError, match="layout none"):
        await harness.engine.mig_mode(node.name, gpu, enabled=True, busy=False)
    await standin.label(mig_config_state=None)
    async with asyncio.timeout(30):
        while "No MIG manager" not in await refusal(("1g.10gb", 0)):
            await asyncio.sleep(0.1)


def share(device: Device, milli: int) -> DeviceGrant:
    size = device.memory_bytes * milli // 1000
    return DeviceGrant(device.index, device.uuid, milli, size, mig=False, virtual=False)


async def pod_for(
    harness: KubernetesHarness, connection: Connection, standin: StandIn, given: DeviceGrant
) -> dict[str, Any]:
    """The container that Podium asks for; its pod, which nobody runs, is gone after."""
    all_of_them = (("NVIDIA_VISIBLE_DEVICES", "all"),)
    allocation_id = await harness.start(
        "true", node=name_of(standin), devices=(given,), env=all_of_them, secrets=all_of_them
    )
    path = f"/api/v1/namespaces/podium-vision/pods/{allocation_id}"
    pod = json.loads(await connection.get(path))
    await connection.patch(path, {"metadata": {"finalizers": []}})
    await connection.delete(path, {"gracePeriodSeconds": 0})
    (container,) = pod["spec"]["containers"]
    assert isinstance(container, dict)
    return container


async def test_shares_of_gpus_that_a_plugin_shares(
    harness: KubernetesHarness, standin: StandIn, connection: Connection
) -> None:
    before = await seen_with(harness, standin, 1000)
    with pytest.raises(MisplacedError):
        await harness.start("true", node=before.name, devices=(share(before.devices[0], 250),))
    await standin.label(
        gpu_replicas="4",
        gpu_sharing__strategy="time-slicing",
        gpu_product="NVIDIA-H100-80GB-HBM3-SHARED",
    )
    await standin.give(gpu=4 * GPUS)
    sliced = await seen_with(harness, standin, 250)
    assert len(sliced.devices) == GPUS
    assert MPS_LABEL not in sliced.labels
    container = await pod_for(harness, connection, standin, share(sliced.devices[1], 250))
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    # It would be given all of them, whatever the plugin says.
    assert "NVIDIA_VISIBLE_DEVICES" not in {each["name"] for each in container["env"]}
    assert "/dev/shm" in {each["mountPath"] for each in container["volumeMounts"]}
    with pytest.raises(MisplacedError):  # as a whole one, which it was
        await harness.start("true", node=before.name, devices=(share(before.devices[0], 1000),))

    await standin.label(gpu_sharing__strategy="mps")
    await standin.give(**{"gpu.shared": 4 * GPUS})
    async with asyncio.timeout(30):
        while (by_mps := await seen_with(harness, standin, 250)).devices[0].uuid != (
            f"{by_mps.name}-mps.shared-0"
        ):
            await asyncio.sleep(0.1)
    assert MPS_LABEL in by_mps.labels
    container = await pod_for(harness, connection, standin, share(by_mps.devices[0], 250))
    assert container["resources"]["limits"] == {"nvidia.com/gpu.shared": "1"}
    # The plugin has its own there for MPS.
    assert "/dev/shm" not in {each["mountPath"] for each in container["volumeMounts"]}


async def test_exact_devices_are_named_where_the_node_says_so(
    harness: KubernetesHarness, standin: StandIn, connection: Connection
) -> None:
    uuids = [f"GPU-{number:08d}-0000-0000-0000-000000000000" for number in range(GPUS)]
    await standin.mark("annotations", gpu_uuids=",".join(uuids))
    await standin.mark("labels", devices="exact")
    node = await seen_with(harness, standin, 0)
    assert [each.uuid for each in node.devices] == uuids
    container = await pod_for(harness, connection, standin, share(node.devices[1], 500))
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert len(env) == len(container["env"])
    assert env["NVIDIA_VISIBLE_DEVICES"] == uuids[1]
    assert env["PODIUM_GPU_MILLI"] == "500"
    assert "nvidia.com/gpu" not in container["resources"].get("limits", {})
