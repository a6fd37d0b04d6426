"""Pods and Jobs that people submit with kubectl, under a real server on a real cluster: held,
queued, placed, metered, and told of."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.harness import Harness
from journeys.serving import ENDS, Server, until
from kubernetes.conftest import FIRST_NODE
from kubernetes.harness import IMAGE
from podium import Client
from podium.client.filters import Filter
from podium.client.kubeconfig import load
from podium.domain.reason import Cause
from podium.engines.contract import Engine
from podium.engines.kubernetes import names
from podium.engines.kubernetes.engine import KubernetesEngine
from podium.engines.kubernetes.guests import PodGuests
from podium.engines.kubernetes.site import ClusterSite
from podium.spec.views.quota import QuotaAmounts

pytestmark = pytest.mark.timeout(300)
OWNER = "kubectl@guesthouse"


@dataclass(kw_only=True)
class Space:
    """A namespace as kubectl sees it."""

    kubeconfig: Path
    namespace: str

    def kubectl(self, *words: str, text: str = "") -> str:
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.kubeconfig), "-n", self.namespace, *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def create(self, *documents: Mapping[str, Any]) -> None:
        many = {"apiVersion": "v1", "kind": "List", "items": documents}
        self.kubectl("create", "-f", "-", text=json.dumps(many))

    def pod(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", "pod", name, "-o", "json"))
        return found

    def pods(self) -> dict[str, dict[str, Any]]:
        found = json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]
        return {each["metadata"]["name"]: each for each in found}

    def events(self, name: str) -> str:
        return self.kubectl("describe", "pod", name).partition("Events:")[2]


@dataclass(kw_only=True)
class Place(Space):
    """That of a project under a server of its own."""

    server: Server
    project: str

    @property
    def client(self) -> Client:
        return self.server.client_kept

    def work(self, name: str) -> Any:
        """The newest of that name, or None."""
        found = [
            each
            for each in self.client.workloads.list(Filter(project=self.project))
            if each.name == name
        ]
        return found[0] if found else None

    def reaches(self, name: str, *states: str) -> Any:
        def look() -> Any:
            seen = self.work(name)
            if seen is not None and seen.state in ENDS:
                assert seen.state in states, (name, seen.state, seen.message)
            return seen if seen is not None and seen.state in states else None

        return until(look, f"{name} is {' or '.join(states)}", limit_seconds=90)


@pytest.fixture(scope="module")
def place(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    server = Server(
        tmp_path_factory.mktemp("guests") / "home",
        options=("--no-local", "--allow-outbound", "10.0.0.0/8"),
    ).start()
    project = f"g{uuid.uuid4().hex[:8]}"
    made = Place(
        kubeconfig=kubeconfig, namespace=f"podium-{project}", server=server, project=project
    )
    made.kubectl("create", "namespace", made.namespace)
    try:
        client = made.client
        client.clusters.add("guesthouse", load(kubeconfig).text, image=IMAGE)
        client.projects.create(made.project, team="guests")
        until(lambda: list(client.nodes.list(cluster="guesthouse")), "its nodes")
        own_namespace(made)
        yield made
    finally:
        with contextlib.suppress(Exception):
            made.kubectl("delete", "jobs,pods", "--all", "--wait=false", "--grace-period=1")
            live = [each.id for each in client.workloads.list() if each.state not in ENDS]
            for each in live:
                client.workloads.wait(each, timeout_seconds=60)
        server.stop()
        for name in made.pods():
            free = json.dumps({"metadata": {"finalizers": None}})
            with contextlib.suppress(AssertionError):
                made.kubectl("patch", "pod", name, "--type=merge", "-p", free)
        made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def own_namespace(place: Place) -> None:
    """Give it to Podium as it tells to."""
    place.create(pod("first", "true"))
    told = until(lambda: re.search(r"kubectl (label namespace .*)", place.events("first")), "how")
    assert told is not None
    place.kubectl(*told[1].split())
    place.reaches("first", "succeeded")


def pod_spec(command: str, *, gpus: int = 0, scheduler: str = "podium") -> dict[str, Any]:
    asked = {"cpu": "30m", "memory": "48Mi"} | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    limits = {"nvidia.com/gpu": str(gpus)} if gpus else {}
    container = {
        "name": "main",
        "image": IMAGE,
        "command": ["sh", "-c", command],
        "resources": {"requests": asked, "limits": limits},
    }
    spec = {
        "restartPolicy": "Never",
        "schedulerName": scheduler,
        "terminationGracePeriodSeconds": 1,
        "containers": [container],
    }
    return {"metadata": {"labels": {names.QUEUE: "true"}}, "spec": spec}


def pod(name: str, command: str, labels: Mapping[str, str] | None = None, **how: Any) -> Any:
    made = pod_spec(command, **how)
    metadata = {"name": name, "labels": made["metadata"]["labels"] | (labels or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": made["spec"]}


def test_a_pod_is_placed_and_metered_like_other_work(place: Place) -> None:
    place.create(pod("train", "echo hello from kubectl; sleep 3", gpus=2))
    running = place.reaches("train", "running")
    assert running.owner == OWNER
    seen = place.pod("train")
    detail = place.client.workloads.get(running.id)
    (replica,) = detail.replica_list
    assert len(replica.devices) == 2
    assert replica.node == f"guesthouse.{seen['spec']['nodeName']}"
    assert seen["metadata"]["labels"][names.WORKLOAD] == running.id
    node = place.client.nodes.get(replica.node)
    held = {each.uuid for each in replica.devices}
    assert all(each.healthy for each in node.devices if each.uuid in held), "its own, not others'"
    place.reaches("train", "succeeded")
    assert "hello from kubectl" in "".join(place.client.workloads.logs(running.id))
    usage = place.client.workloads.get(running.id).usage
    assert usage.gpu_seconds > 4
    until(lambda: "finalizers" not in place.pod("train")["metadata"], "it is let go")
    kept = place.pod("train")
    assert kept["status"]["phase"] == "Succeeded"  # for whoever made it to look at
    assert kept["metadata"]["annotations"][names.ENDED]
    assert "Scheduled" in place.events("train")


def test_what_a_quota_holds_is_told_and_goes_on(place: Place) -> None:
    limit = {"all": QuotaAmounts(limit_milli=1000)}
    place.client.quotas.set("project", place.project, gpus=limit)
    place.create(pod("held", "true", gpus=2))
    until(lambda: "Waiting" in place.events("held"), "its event")
    waits = place.work("held")
    assert waits.state == "queued"
    notes = place.pod("held")["metadata"]["annotations"]
    assert notes[names.WORKLOAD] == waits.id
    assert "limit" in notes[names.REASON]
    assert "nodeName" not in place.pod("held")["spec"]
    place.client.quotas.set("project", place.project, gpus={})
    place.reaches("held", "succeeded")


def test_deleted_before_it_starts_it_is_cancelled(place: Place) -> None:
    place.create(pod("too-much", "true", gpus=100))
    until(lambda: place.work("too-much"), "it is queued")
    place.kubectl("delete", "pod", "too-much", "--wait=false")
    ended = place.reaches("too-much", "cancelled")
    assert "deleted in the cluster" in ended.message


def test_stopped_in_podium_the_pod_goes(place: Place) -> None:
    place.create(pod("waits", "true", gpus=100), pod("runs", "exec sleep 300"))
    until(lambda: place.work("waits"), "it is queued")
    place.reaches("runs", "running")
    for name in ("waits", "runs"):
        place.client.workloads.cancel(place.work(name).id)
        place.reaches(name, "cancelled")
    until(lambda: not place.pods().keys() & {"waits", "runs"}, "both pods are gone")


def test_a_group_starts_whole_or_not_at_all(place: Place) -> None:
    def member(rank: int, gpus: int) -> Any:
        group = {names.GROUP: "gang", names.GROUP_SIZE: "3"}
        return pod(f"gang-{rank}", "sleep 2", group, gpus=gpus)

    place.create(member(0, 1), member(1, 1))
    until(lambda: "2 of 3" in place.events("gang-1"), "it waits for the third")
    assert place.work("gang") is None
    place.create(member(2, 2))
    made = place.reaches("gang", "running", "succeeded")
    assert place.client.workloads.get(made.id).replicas.total == 3
    place.reaches("gang", "succeeded")


def test_what_podium_cannot_place_is_told(place: Place) -> None:
    faulty = pod("faulty", "true")
    rule = {"labelSelector": {"matchLabels": {"a": "b"}}, "topologyKey": "kubernetes.io/hostname"}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}
    faulty["spec"]["affinity"] = {"podAntiAffinity": required}
    place.create(faulty, pod("others", "true", scheduler="default-scheduler"))
    until(lambda: "podAntiAffinity" in place.events("faulty"), "it is told")
    until(lambda: place.pod("others")["status"]["phase"] == "Succeeded", "it is not held")
    assert place.work("faulty") is None
    assert place.work("others") is None
    place.kubectl("delete", "pod", "faulty", "others", "--wait=false")


def test_a_job_counts_its_pods_to_the_end(place: Place) -> None:
    template = pod_spec("exit 0")
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "two"},
        "spec": {"completions": 2, "parallelism": 2, "template": template},
    }
    place.create(job)

    def succeeded() -> bool:
        status = json.loads(place.kubectl("get", "job", "two", "-o", "json"))["status"]
        return bool(status.get("succeeded") == 2 and status.get("completionTime"))

    until(succeeded, "the Job is complete", limit_seconds=90)
    mine = [e for e in listed(place) if "two-" in e.name]
    assert len(mine) == 2
    for each in mine:
        place.reaches(each.name, "succeeded")


def test_killed_while_it_places_it_starts_nothing_twice(place: Place) -> None:
    many = [f"many-{n}" for n in range(12)]
    place.create(*(pod(name, "echo once; sleep 1") for name in many))

    def some_bound() -> bool:
        return any("nodeName" in place.pods()[name]["spec"] for name in many)

    until(some_bound, "the first is bound")
    place.server.kill()
    place.server.start()
    for name in many:
        done = place.reaches(name, "succeeded")
        assert (done.attempt, len([e for e in listed(place) if e.name == name])) == (1, 1)
        assert "".join(place.client.workloads.logs(done.id)).count("once") == 1


class CrashError(BaseException):
    """The server is gone in this moment."""


@pytest.mark.anyio
@pytest.mark.parametrize("moment", ["_bind", "_event"])
async def test_killed_before_or_after_it_is_bound_it_starts_once(
    kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    owner, home = f"t{uuid.uuid4().hex[:10]}", tmp_path_factory.mktemp("podium")
    site = ClusterSite(cluster="lab", image=IMAGE, owner=owner, namespace_prefix=f"{owner}-")

    def build(**options: Any) -> Engine:
        return KubernetesEngine(home, site=site, kubeconfig=kubeconfig.read_text(), **options)

    harness = Harness(build, f"lab.{FIRST_NODE}", home, patience_seconds=60)
    space = Space(kubeconfig=kubeconfig, namespace=site.namespace("vision"))
    await harness.open()
    try:
        space.kubectl("create", "namespace", space.namespace)
        space.kubectl("label", "namespace", space.namespace, f"{names.OWNER}={owner}")
        space.create(pod("mine", "echo once; sleep 2"))
        async with asyncio.timeout(30):
            while not (found := await harness.engine.guests()):
                await asyncio.sleep(0.1)
        launch = harness.launch("true", guest=found[0].uid)
        key = launch.allocation_id

        async def crash(*_: object) -> None:
            raise CrashError

        with monkeypatch.context() as patch:
            patch.setattr(PodGuests, moment, crash)
            with pytest.raises(CrashError):
                await harness.engine.ensure(launch)
        assert (moment == "_event") == ("nodeName" in space.pod("mine")["spec"])
        await harness.restart()
        assert [each.allocation_id for each in await harness.engine.observe()] == [key]
        for _ in range(2):
            await harness.engine.ensure(launch)
        assert (await harness.ended([key]))[key].cause is Cause.COMPLETED
        assert await harness.texts(key) == ["once"]
        await harness.engine.settle([key])
        assert await harness.engine.observe() == []
        assert {name: each["status"]["phase"] for name, each in space.pods().items()} == {
            "mine": "Succeeded"
        }
    finally:
        await harness.close()
        space.kubectl("delete", "namespace", space.namespace, "--wait=false")


def listed(place: Place) -> list[Any]:
    return list(place.client.workloads.list(Filter(project=place.project)))
