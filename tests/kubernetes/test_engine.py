"""What only pods have: their code, images, secrets, other tenants of the cluster, and what is told
when one cannot begin. On a real cluster."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kubernetes.harness import IMAGE, KubernetesHarness
from podium.domain.errors import PermanentError
from podium.domain.reason import Cause
from podium.domain.workload import GitSource, Program, UploadSource
from podium.engines.contract import (
    DeviceGrant,
    MisplacedError,
    Observation,
    Phase,
    SecretFile,
)
from podium.engines.kubernetes import names

pytestmark = pytest.mark.anyio
NAMESPACE = "podium-vision"

Kubectl = Callable[..., str]


@pytest.fixture
def kubectl(kubeconfig: Path) -> Kubectl:
    def run(*words: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(kubeconfig), *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def pod_of(kubectl: Kubectl, allocation_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        kubectl("-n", NAMESPACE, "get", "pod", allocation_id, "-o", "json")
    )
    return found


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not happened():
            await asyncio.sleep(0.2)


async def test_exit_code_and_output(harness: KubernetesHarness) -> None:
    end = await harness.finish("sh", "-c", "echo out; echo '$(HOME) $$ $HOME'; exit 7")
    assert (end.cause, end.exit_code) == (Cause.EXIT_CODE, 7)
    assert await harness.texts(end.allocation_id) == ["out", "$(HOME) $$ $HOME"]
    assert end.runtime_ms > 0


async def test_words_that_no_pod_takes_are_refused_at_once(harness: KubernetesHarness) -> None:
    for words in (["a\0b"], ["x" * 100_000] * 20):
        with pytest.raises(PermanentError):
            await harness.start("echo", *words)
    git = Program(command=("true",), source=GitSource("https://git.example.com/a"))
    with pytest.raises(PermanentError, match="Git"):
        await harness.start(program=git)
    assert await harness.engine.observe() == []


async def test_a_pod_is_pinned_marked_and_restricted(
    harness: KubernetesHarness, kubectl: Kubectl
) -> None:
    allocation_id = await harness.start("sleep", "60", name="my-work", rank=3, attempt=2)
    await harness.running(allocation_id)
    pod = pod_of(kubectl, allocation_id)
    labels = pod["metadata"]["labels"]
    assert f"lab.{pod['spec']['nodeName']}" == harness.node
    assert (labels[names.RANK], labels[names.GENERATION], labels[names.NAME]) == (
        "3",
        "2",
        "my-work",
    )
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    policies = json.loads(kubectl("-n", NAMESPACE, "get", "networkpolicy", "-o", "json"))
    assert [each["metadata"]["name"] for each in policies["items"]] == ["podium"]


async def test_secrets_reach_the_pod_and_go_with_it(
    harness: KubernetesHarness, kubectl: Kubectl
) -> None:
    value = b"-----BEGIN KEY-----\n\xc3\xa4\x00s3cret\n"
    allocation_id = await harness.start(
        "sh",
        "-c",
        'sha256sum < "$KEY_FILE"; echo "$TOKEN"; sleep 60',
        secrets=(("TOKEN", "t0ken $(HOME)"),),
        secret_files=(SecretFile(name="KEY", variable="KEY_FILE", content=value),),
    )
    await harness.said(allocation_id, "t0ken")
    told = await harness.texts(allocation_id)
    assert told == [f"{hashlib.sha256(value).hexdigest()}  -", "t0ken $(HOME)"]
    assert "t0ken" not in json.dumps(pod_of(kubectl, allocation_id))
    await harness.engine.stop(allocation_id, grace_seconds=1)
    await harness.ended([allocation_id])
    await harness.engine.settle([allocation_id])
    assert allocation_id not in kubectl("-n", NAMESPACE, "get", "secrets,pods", "-o", "name")


async def test_uploaded_code_is_there_before_the_work(
    harness: KubernetesHarness, tmp_path: Path
) -> None:
    archive = tmp_path / "code.tgz"
    body = b"print('from the folder')\n" + b"# " + b"x" * 3_000_000 + b"\n"
    with tarfile.open(archive, "w:gz") as file:
        entry = tarfile.TarInfo("src/main.py")
        entry.size = len(body)
        file.addfile(entry, io.BytesIO(body))
    program = Program(command=(sys.executable, "src/main.py"), source=UploadSource("0" * 64))
    allocation_id = await harness.start(program=program, archive_path=str(archive))
    await harness.restart()  # the next server brings it
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert (end.cause, await harness.texts(allocation_id)) == (
        Cause.COMPLETED,
        ["from the folder"],
    )


async def test_code_that_cannot_be_unpacked_is_told(
    harness: KubernetesHarness, tmp_path: Path
) -> None:
    archive = tmp_path / "code.tgz"
    archive.write_bytes(b"this is no archive")
    program = Program(command=("true",), source=UploadSource("0" * 64))
    end = await harness.finish(program=program, archive_path=str(archive))
    assert end.cause is Cause.SOURCE_FAILED
    assert "unpacked" in end.message


async def test_an_image_that_is_not_to_be_had(harness: KubernetesHarness) -> None:
    end = await harness.finish(program=Program(command=("true",), image="localhost/UPPER:1"))
    assert end.cause is Cause.IMAGE_FAILED, end
    assert "cannot be read as the name" in end.message


async def test_work_without_an_image_is_refused(harness: KubernetesHarness) -> None:
    with pytest.raises(PermanentError, match="folder"):
        await harness.start("true", data=(), program=program_on("/etc"))


def program_on(folder: str) -> Program:
    from podium.domain.workload import Volume

    return Program(command=("true",), volumes=(Volume("etc", folder),))


async def test_what_others_delete_is_told_and_kept_until_it_is_recorded(
    harness: KubernetesHarness, kubectl: Kubectl
) -> None:
    allocation_id = await harness.start("sh", "-c", "echo up; exec sleep 60")
    await harness.said(allocation_id, "up")
    kubectl("-n", NAMESPACE, "delete", "pod", allocation_id, "--wait=false", "--grace-period=1")
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert (end.cause, end.stop_seen) == (Cause.LOST, False)
    assert "deleted" in end.message
    await harness.restart()
    (again,) = await harness.engine.observe()
    assert again.cause is Cause.LOST
    await harness.engine.settle([allocation_id])
    await until(lambda: allocation_id not in kubectl("-n", NAMESPACE, "get", "pods", "-o", "name"))


async def test_pods_of_others_count_as_used(harness: KubernetesHarness, kubectl: Kubectl) -> None:
    before = await node_seen(harness)
    kubectl("apply", "-f", "-", stdin=json.dumps(foreign(harness.node.removeprefix("lab."))))
    try:
        async with asyncio.timeout(60):
            while (seen := await node_seen(harness)).cpu_milli == before.cpu_milli:
                await asyncio.sleep(0.2)
        assert seen.cpu_milli == before.cpu_milli - 150
        assert seen.memory_bytes == before.memory_bytes - (64 << 20)
        taken = [device for device in seen.devices if not device.healthy]
        assert len(taken) == 2 + sum(not device.healthy for device in before.devices)
        assert "not Podium's" in taken[0].fault
    finally:
        kubectl("delete", "pod", "foreign", "--grace-period=0", "--force")
    async with asyncio.timeout(60):
        while (await node_seen(harness)).cpu_milli != before.cpu_milli:
            await asyncio.sleep(0.2)


async def node_seen(harness: KubernetesHarness) -> Any:
    return next(each for each in await harness.engine.inventory() if each.name == harness.node)


def foreign(node: str) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": "2"}
    requests = {"cpu": "150m", "memory": "64Mi", **limits}
    container = {
        "name": "main",
        "image": IMAGE,
        "command": ["sleep", "600"],
        "resources": {"requests": requests, "limits": limits},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "foreign", "namespace": "default"},
        "spec": {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 1},
    }


async def test_gpus_are_asked_of_the_device_plugin(
    harness: KubernetesHarness, kubectl: Kubectl
) -> None:
    devices = (await node_seen(harness)).devices
    assert {device.type for device in devices} == {"H100"}
    grants = tuple(
        DeviceGrant(each.index, each.uuid, 1000, each.memory_bytes, mig=False, virtual=False)
        for each in devices[:3]
    )
    allocation_id = await harness.start("sleep", "60", devices=grants)
    pod = pod_of(kubectl, allocation_id)
    (container,) = pod["spec"]["containers"]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "3"}
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert "NVIDIA_VISIBLE_DEVICES" not in env
    half = DeviceGrant(0, devices[0].uuid, 500, 1 << 30, mig=False, virtual=False)
    with pytest.raises(MisplacedError):  # its node gives whole ones
        await harness.start("true", devices=(half,))


async def test_a_gang_meets_at_an_address_that_all_know(
    harness: KubernetesHarness, kubectl: Kubectl
) -> None:
    env = (("MASTER_ADDR", "10.0.0.1"), ("MASTER_PORT", "29501"))
    say = "echo at $MASTER_ADDR:$MASTER_PORT; sleep 60"
    ids = [
        await harness.start("sh", "-c", say, env=env, rank=rank, replicas=2, workload_id="w-gang")
        for rank in (0, 1)
    ]
    for each in ids:
        await harness.said(each, "at ")
    service = json.loads(kubectl("-n", NAMESPACE, "get", "service", "w-gang-1", "-o", "json"))
    first, second = [(await harness.texts(each))[0] for each in ids]
    assert second == f"at {service['spec']['clusterIP']}:29501"
    assert first == f"at {pod_of(kubectl, ids[0])['status']['podIP']}:29501"
    for each in ids:
        await harness.engine.stop(each, grace_seconds=1)
    await harness.ended(ids)
    await harness.engine.settle(ids)
    assert "w-gang" not in kubectl("-n", NAMESPACE, "get", "services", "-o", "name")


async def test_what_pods_use_is_measured(harness: KubernetesHarness) -> None:
    burn = "data = bytearray(64 << 20)\nprint('up', flush=True)\nwhile True: pass"
    burning = await harness.start(sys.executable, "-c", burn)
    await harness.said(burning, "up")
    async with asyncio.timeout(90):
        while not (found := (await harness.engine.measure()).allocations):
            await asyncio.sleep(1)
    (measure,) = found
    assert measure.allocation_id == burning
    assert measure.span_ms > 0
    assert 100 < measure.cpu_milli < 1300
    assert 64 << 20 <= measure.memory_bytes < 256 << 20
    await harness.engine.stop(burning, grace_seconds=1)
    end: Observation = (await harness.ended([burning]))[burning]
    assert end.cpu_time_ms > 0
    assert end.memory_peak_bytes >= 64 << 20


async def test_forty_at_once_all_end(harness: KubernetesHarness) -> None:
    ids = await asyncio.gather(*(harness.start("sh", "-c", f"exit {n % 3}") for n in range(40)))
    seen = await harness.ended(ids)
    told = [seen[each].exit_code for each in ids]
    assert told == [n % 3 for n in range(40)], {each.message for each in seen.values()}
    assert all(each.phase is Phase.ENDED for each in seen.values())
    await harness.engine.settle(ids)
    assert await harness.engine.observe() == []
