"""A project's place in a cluster, on a real API server: what it may take, who may look into
it, what others change of it, and its end."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from journeys.serving import Server, until
from kubernetes.conftest import FIRST_NODE
from kubernetes.harness import CLUSTER, IMAGE, KubernetesHarness
from podium.client.kubeconfig import load
from podium.domain.errors import PermanentError, TemporaryError
from podium.domain.reason import Cause
from podium.engines.contract import Engine, HeldUpError, Tenant
from podium.engines.kubernetes import names
from podium.engines.kubernetes.check import RIGHTS
from podium.engines.kubernetes.engine import KubernetesEngine
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.tenancy import counts_parts

pytestmark = pytest.mark.anyio

GIB = 2**30
ENDS = ("view", "logs")
VISION = Tenant(
    project="vision",
    gpu_milli=1500,
    cpu_milli=4000,
    memory_bytes=8 * GIB,
    viewers=("ml", "auditors"),
    log_readers=("ml",),
)

Kubectl = Callable[..., str]


@pytest.fixture
def prefix() -> str:
    return f"tenancy-{uuid.uuid4().hex[:8]}-"


@pytest.fixture
def kubectl(kubeconfig: Path, prefix: str) -> Iterator[Kubectl]:
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

    yield run
    mine = [each for each in namespaces(run) if each.startswith(prefix)]
    for space in mine:  # what is not settled would keep them for ever
        for pod in run("-n", space, "get", "pods", "-o", "name").split():
            run("-n", space, "patch", pod, "--type=merge", "-p", '{"metadata":{"finalizers":[]}}')
    run("delete", "namespace", "--wait=false", "--ignore-not-found", "none", *mine)


@pytest.fixture
async def podium(
    kubectl: Kubectl, kubeconfig: Path, tmp_path: Path, prefix: str
) -> AsyncIterator[KubernetesHarness]:
    made = harness_of(kubeconfig, tmp_path, prefix)
    await made.open()
    yield made
    await made.close()


def harness_of(kubeconfig: Path, folder: Path, prefix: str) -> KubernetesHarness:
    owner = f"t{uuid.uuid4().hex[:10]}"
    home = folder / owner

    def build(**options: Any) -> Engine:
        site = ClusterSite(
            cluster=CLUSTER,
            image=IMAGE,
            owner=owner,
            namespace_prefix=prefix,
            start_grace_seconds=120,
        )
        return KubernetesEngine(home, site=site, kubeconfig=kubeconfig.read_text(), **options)

    node = f"{CLUSTER}.{FIRST_NODE}"
    return KubernetesHarness(build, node, home, patience_seconds=120, shared=folder)


def namespaces(kubectl: Kubectl) -> list[str]:
    return kubectl("get", "namespaces", "-o", "jsonpath={.items[*].metadata.name}").split()


def read(kubectl: Kubectl, namespace: str, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kubectl("-n", namespace, "get", *what, "-o", "json"))
    return found


def may(kubectl: Kubectl, namespace: str, group: str, verb: str, resource: str) -> bool:
    """Whether a member of the group may, as the API server answers it to anybody who asks."""
    plural, _, part = resource.partition("/")
    asked = {"namespace": namespace, "verb": verb, "resource": plural, "subresource": part}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": "ada", "groups": [group], "resourceAttributes": asked},
    }
    answer = json.loads(kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)))
    return bool(answer["status"]["allowed"])


async def test_what_a_project_may_take_stands_twice(
    podium: KubernetesHarness, kubectl: Kubectl, prefix: str
) -> None:
    assert await podium.engine.keep_room(VISION) == []
    space = f"{prefix}vision"
    quota = read(kubectl, space, "resourcequota", "podium")
    whole = not counts_parts(await podium.engine.inventory())  # as its nodes are now
    assert quota["spec"]["hard"] == {
        "requests.cpu": "8",
        "requests.memory": str(16 * GIB),
        **({"requests.nvidia.com/gpu": "4"} if whole else {}),
    }
    assert await podium.engine.rooms() == ["vision"]
    assert await podium.engine.keep_room(replace(VISION, gpu_milli=None, cpu_milli=None)) == []
    quota = read(kubectl, space, "resourcequota", "podium")
    assert quota["spec"]["hard"] == {"requests.memory": str(16 * GIB)}


async def test_groups_look_and_change_nothing(
    podium: KubernetesHarness, kubectl: Kubectl, prefix: str
) -> None:
    await podium.engine.keep_room(replace(VISION, viewers=(*VISION.viewers, "system:masters")))
    space = f"{prefix}vision"
    looks = [("list", "pods"), ("watch", "pods"), ("list", "events")]
    for group in ("ml", "auditors"):
        assert all(may(kubectl, space, group, *each) for each in looks)
        for verb, resource in (
            ("get", "secrets"),
            ("list", "secrets"),
            ("create", "pods"),
            ("delete", "pods"),
            ("create", "pods/exec"),
            ("update", "resourcequotas"),
            ("create", "rolebindings"),
        ):
            assert not may(kubectl, space, group, verb, resource), (group, verb, resource)
    assert may(kubectl, space, "ml", "get", "pods/log")
    assert not may(kubectl, space, "auditors", "get", "pods/log")
    assert not may(kubectl, space, "others", "list", "pods")
    assert not may(kubectl, "default", "ml", "list", "pods")
    bound = read(kubectl, space, "rolebinding", "podium-view")["subjects"]
    assert [each["name"] for each in bound] == ["auditors", "ml"]
    await podium.engine.keep_room(replace(VISION, viewers=(), log_readers=()))
    assert not may(kubectl, space, "ml", "list", "pods")


async def test_what_was_changed_by_hand_is_put_right_and_told(
    podium: KubernetesHarness, kubectl: Kubectl, prefix: str
) -> None:
    await podium.engine.keep_room(VISION)
    space = f"{prefix}vision"
    before = read(kubectl, space, "networkpolicy,limitrange,rolebinding,role")["items"]
    open_ = json.dumps({"spec": {"ingress": [{}]}})
    kubectl("-n", space, "patch", "networkpolicy", "podium", "--type=merge", "-p", open_)
    kubectl("-n", space, "delete", "limitrange", "podium")
    tight = json.dumps({"spec": {"hard": {"pods": "0", "requests.cpu": "1"}}})
    kubectl("-n", space, "patch", "resourcequota", "podium", "--type=merge", "-p", tight)
    kubectl("label", "namespace", space, f"{names.OWNER}-", "pod-security.kubernetes.io/warn-")
    told = await podium.engine.keep_room(VISION)
    assert {each.thing for each in told} == {
        f"Namespace {space}",
        "NetworkPolicy podium",
        "LimitRange podium",
        "ResourceQuota podium",
    }
    assert all(each.mended and each.project == "vision" for each in told)
    words = {each.thing: each.words for each in told}
    assert words["NetworkPolicy podium"] == (
        f"NetworkPolicy podium in the namespace {space} was changed with kubectl-patch: "
        "spec.ingress. It is as it was."
    )
    assert "spec.hard.requests.cpu, spec.hard.pods." in words["ResourceQuota podium"]
    assert "removed" in words["LimitRange podium"]
    after = read(kubectl, space, "networkpolicy,limitrange,rolebinding,role")["items"]
    assert [each.get("spec") for each in after] == [each.get("spec") for each in before]
    assert "pods" not in read(kubectl, space, "resourcequota", "podium")["spec"]["hard"]
    labels = read(kubectl, space, "namespace", space)["metadata"].get("labels", {})
    assert names.OWNER in labels
    assert await podium.engine.keep_room(VISION) == []


async def test_a_new_server_finds_what_was_changed_meanwhile(
    podium: KubernetesHarness, kubectl: Kubectl, prefix: str
) -> None:
    await podium.engine.keep_room(VISION)
    kubectl("-n", f"{prefix}vision", "delete", "rolebinding", "podium-view")
    await podium.restart()
    # It also wants something else than before, which is no drift.
    (told,) = await podium.engine.keep_room(replace(VISION, cpu_milli=1000))
    assert told.thing == "RoleBinding podium-view"


async def test_a_namespace_that_was_removed_is_made_again(
    podium: KubernetesHarness, kubectl: Kubectl, prefix: str
) -> None:
    await podium.engine.keep_room(VISION)
    kubectl("delete", "namespace", f"{prefix}vision")
    with pytest.raises(TemporaryError):
        await podium.start("true", data=())
    await podium.finish("true", data=())
    (told,) = await podium.engine.keep_room(VISION)
    assert told.words == f"The namespace {prefix}vision was removed with all in it."


async def test_an_account_with_fewer_rights_keeps_no_work_from_starting(
    kubectl: Kubectl, kubeconfig: Path, tmp_path: Path, prefix: str
) -> None:
    """As one that was made for an earlier Podium."""
    newer = {"roles", "rolebindings", "resourcequotas"}
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": sorted({*verbs} - {"get"})}
        for group, resource, verbs in RIGHTS
        if resource not in newer
    ]
    rules += [{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get"]}]
    name = f"{prefix}few"
    kubectl("create", "namespace", name)
    kubectl("-n", name, "create", "serviceaccount", "few")
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": [each for each in rules if each["verbs"]],
    }
    kubectl("create", "-f", "-", stdin=json.dumps(role))
    who = f"--serviceaccount={name}:few"
    kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", who)
    try:
        secret = read(kubectl, name, "serviceaccount", "few")["secrets"][0]["name"]
        token = read(kubectl, name, "secret", secret)["data"]["token"]
        config = yaml.safe_load(load(kubeconfig).text)
        config["users"][0]["user"] = {"token": base64.b64decode(token).decode()}
        file = tmp_path / "few.conf"
        file.write_text(yaml.safe_dump(config))
        few = harness_of(file, tmp_path, prefix)
        await few.open()
        told = await few.engine.keep_room(VISION)
        assert {(each.thing, each.mended) for each in told} == {
            ("ResourceQuota podium", False),
            *((f"{kind} podium-{end}", False) for kind in ("Role", "RoleBinding") for end in ENDS),
        }
        assert (await few.finish("true", data=())).exit_code == 0
        await few.close()
    finally:
        kubectl("delete", f"clusterrole/{name}", f"clusterrolebinding/{name}")


async def test_who_opens_the_project_to_others_is_told_of(
    podium: KubernetesHarness, kubectl: Kubectl, prefix: str
) -> None:
    await podium.engine.keep_room(VISION)
    space = f"{prefix}vision"
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "all", "namespace": space},
        "spec": {"podSelector": {}, "ingress": [{}]},
    }
    kubectl("create", "-f", "-", stdin=json.dumps(policy))
    (told,) = await podium.engine.keep_room(VISION)
    assert (told.thing, told.mended) == ("NetworkPolicy all", False)
    read(kubectl, space, "networkpolicy", "all")


async def test_a_pod_beyond_the_quota_waits(podium: KubernetesHarness) -> None:
    tight = Tenant(project="vision", cpu_milli=20)
    await podium.engine.keep_room(tight)
    launch = podium.launch("true", cpu_milli=50, data=())
    with pytest.raises(HeldUpError, match="The quota podium of its namespace") as raised:
        await podium.engine.ensure(launch)
    assert raised.value.cause is Cause.CLUSTER_QUOTA
    assert "it asks for requests.cpu=50m" in raised.value.message
    assert await podium.engine.observe() == []
    await podium.engine.keep_room(replace(tight, cpu_milli=100))
    async with asyncio.timeout(30):
        while True:
            try:
                await podium.engine.ensure(launch)
                break
            except HeldUpError:  # until the API server counts by what is new
                await asyncio.sleep(0.2)
    await podium.ended([launch.allocation_id])


async def test_images_of_closed_registries(
    podium: KubernetesHarness, kubectl: Kubectl, prefix: str
) -> None:
    opens = json.dumps({"auths": {"registry.example.com": {"auth": "YTpi"}}})
    await podium.engine.keep_room(replace(VISION, registries=opens))
    space = f"{prefix}vision"
    secret = read(kubectl, space, "secret", "podium-registries")
    assert secret["type"] == "kubernetes.io/dockerconfigjson"
    assert base64.b64decode(secret["data"][".dockerconfigjson"]).decode() == opens
    allocation_id = await podium.start("sleep", "60", data=())
    pod = read(kubectl, space, "pod", allocation_id)
    assert pod["spec"]["serviceAccountName"] == "podium-work"
    assert pod["spec"]["imagePullSecrets"] == [{"name": "podium-registries"}]
    await podium.engine.keep_room(VISION)
    assert "podium-registries" not in kubectl("-n", space, "get", "secrets", "-o", "name")
    account = read(kubectl, space, "serviceaccount", "podium-work")
    assert "imagePullSecrets" not in account
    await podium.engine.stop(allocation_id, grace_seconds=1)


async def test_a_room_goes_when_nothing_is_left_in_it(
    podium: KubernetesHarness, kubectl: Kubectl, prefix: str
) -> None:
    await podium.engine.keep_room(VISION)
    allocation_id = await podium.start("sleep", "600", data=())
    assert not await podium.engine.remove_room("vision")
    await podium.engine.stop(allocation_id, grace_seconds=1)
    await podium.ended([allocation_id])
    assert not await podium.engine.remove_room("vision"), "its end is not recorded"
    await podium.engine.settle([allocation_id])
    async with asyncio.timeout(60):
        while not await podium.engine.remove_room("vision"):
            await asyncio.sleep(0.2)
    assert f"{prefix}vision" not in namespaces(kubectl)
    assert await podium.engine.rooms() == []
    await podium.finish("true", data=())  # taken back, and work comes


async def test_rooms_of_others_are_left_alone(
    podium: KubernetesHarness, kubectl: Kubectl, kubeconfig: Path, tmp_path: Path, prefix: str
) -> None:
    space = f"{prefix}system"
    kubectl("create", "namespace", space)
    with pytest.raises(PermanentError, match=f"kubectl label namespace {space}"):
        await podium.engine.keep_room(Tenant(project="system"))
    with pytest.raises(PermanentError, match="not Podium's"):
        await podium.start("true", project="system", data=())
    assert await podium.engine.remove_room("system")
    assert names.OWNER not in read(kubectl, space, "namespace", space)["metadata"].get("labels", {})

    await podium.engine.keep_room(VISION)
    allocation_id = await podium.start("sleep", "600", data=())
    other = harness_of(kubeconfig, tmp_path, prefix)
    await other.open()
    (told,) = await other.engine.keep_room(Tenant(project="vision"))
    assert not told.mended
    assert "another Podium" in told.words
    assert await other.engine.remove_room("vision")
    assert await podium.engine.keep_room(VISION) == [], "and nothing of it was touched"
    await podium.engine.stop(allocation_id, grace_seconds=1)
    await podium.ended([allocation_id])
    await podium.engine.settle([allocation_id])
    await other.engine.keep_room(Tenant(project="vision"))
    assert await other.engine.rooms() == ["vision"], "of one that has nothing there any more"
    await other.close()


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


def test_a_project_from_its_first_work_to_its_end(
    server: Server, kubectl: Kubectl, kubeconfig: Path, prefix: str
) -> None:
    project = f"{prefix}p"
    space = f"podium-{project}"
    client = server.client()
    client.projects.create(project, team="research")
    client.clusters.add("munich", load(kubeconfig).text, image=IMAGE)
    client.quotas.set("project", project, ceilings={"cpu_milli": 8000})
    work = {
        "name": "short",
        "project": project,
        "command": "true",
        "resources": {"cpus": 0.05, "memory": "32MiB"},
    }
    try:
        made = client.workloads.submit(work)
        assert client.workloads.wait(made.id, timeout_seconds=90).state == "succeeded"
        assert read(kubectl, space, "resourcequota", "podium")["spec"]["hard"] == {
            "requests.cpu": "16"
        }
        kubectl("-n", space, "delete", "networkpolicy", "podium")
        client.quotas.set("project", project, ceilings={"cpu_milli": 10000})
        until(lambda: client.clusters.get("munich").drifts, "it is missed")
        (drift,) = client.clusters.get("munich").drifts
        assert (drift.project, drift.mended) == (project, True)
        assert "NetworkPolicy podium" in drift.words
        read(kubectl, space, "networkpolicy", "podium")
        metrics = server.http(server.token).get("/metrics").text
        assert 'podium_cluster_drifts{cluster="munich"} 1.0' in metrics
        client.projects.delete(project)
        until(lambda: space not in namespaces(kubectl), "it is gone", limit_seconds=90)
    finally:
        kubectl("delete", "namespace", "--wait=false", "--ignore-not-found", space)
