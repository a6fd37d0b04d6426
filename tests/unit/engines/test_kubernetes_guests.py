"""What a pod that was submitted with kubectl asks for, what Podium says it cannot keep, and how it
is seen to run and to end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podium.domain.reason import Cause
from podium.engines.contract import Phase
from podium.engines.guests import Guest
from podium.engines.kubernetes import names
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.sight import main_container, observation_of
from podium.engines.kubernetes.submitted import Submitted, guest_of

NOW_MS = 1_800_000_000_000
BEGUN, OVER = "2027-01-15T07:58:00Z", "2027-01-15T07:59:00Z"


def manifest(**spec: Any) -> dict[str, Any]:
    resources = {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {names.GPU: "2"}}
    container = {"name": "main", "image": "a:1", "command": ["python"], "args": ["t.py"]}
    return {
        "metadata": {
            "name": "train",
            "namespace": "podium-vision",
            "uid": "u-1",
            "labels": {names.QUEUE: "true"},
            "creationTimestamp": BEGUN,
        },
        "spec": {
            "schedulerName": "podium",
            "containers": [container | {"resources": resources}],
            **spec,
        },
    }


def read(document: dict[str, Any]) -> tuple[Guest, Submitted]:
    text = msgspec.json.encode(document)
    submitted = msgspec.json.decode(text, type=Submitted)
    pod = msgspec.json.decode(text, type=Pod)
    return guest_of(pod, submitted, "vision", "lab"), submitted


def test_what_it_asks_for() -> None:
    document = manifest(nodeSelector={"zone": "b"}, activeDeadlineSeconds=60)
    document["metadata"]["annotations"] = {names.GROUP: "g", names.GROUP_SIZE: "4"}
    guest, submitted = read(document)
    assert submitted.is_held
    assert (guest.cpu_milli, guest.memory_bytes, guest.gpus, guest.fault) == (500, 1 << 30, 2, "")
    assert guest.nodes == (("cluster", "lab"), ("podium.io/devices", "count"), ("zone", "b"))
    assert (guest.group, guest.group_size, guest.expected_seconds) == ("g", 4, 60)
    assert (guest.image, guest.command) == ("a:1", ("python", "t.py"))


def test_instances_of_mig() -> None:
    document = manifest()
    document["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/mig-1g.10gb": "3"}}
    guest, _ = read(document)
    assert (guest.gpus, guest.mig_profile, guest.mig_count) == (0, "1g.10gb", 3)


@pytest.mark.parametrize(
    ("spec", "held", "gated"),
    [
        ({}, True, False),
        ({"schedulerName": "default-scheduler"}, False, False),
        ({"schedulerName": "", "schedulingGates": [{"name": names.QUEUE}]}, True, True),
        ({"schedulerName": "", "schedulingGates": [{"name": "other/gate"}]}, False, False),
    ],
)
def test_what_holds_it(spec: dict[str, Any], held: bool, gated: bool) -> None:
    _, submitted = read(manifest(**spec))
    assert (submitted.is_held, submitted.is_gated) == (held, gated)


REQUIRED: dict[str, Any] = {
    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}
}
PREFERRED: dict[str, Any] = {"preferredDuringSchedulingIgnoredDuringExecution": [{}]}


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"affinity": {"nodeAffinity": REQUIRED}}, "nodeAffinity"),
        ({"affinity": {"nodeAffinity": PREFERRED}}, ""),
        ({"topologySpreadConstraints": [{"whenUnsatisfiable": "DoNotSchedule"}]}, "topology"),
        ({"topologySpreadConstraints": [{"whenUnsatisfiable": "ScheduleAnyway"}]}, ""),
        ({"schedulingGates": [{"name": names.QUEUE}, {"name": "other/gate"}]}, "other/gate"),
        ({"resourceClaims": [{"name": "gpu"}]}, "resourceClaims"),
        ({"overhead": {"rdma/hca": "1"}}, "rdma/hca"),
        ({"overhead": {"nvidia.com/mig-1g.10gb": "1"}}, "several kinds"),
    ],
)
def test_what_podium_cannot_keep_is_said(spec: dict[str, Any], words: str) -> None:
    guest, _ = read(manifest(**spec))
    assert bool(guest.fault) == bool(words)
    assert words in guest.fault


@pytest.mark.parametrize("size", ["", "0", "many", "99999"])
def test_a_group_without_its_size(size: str) -> None:
    document = manifest()
    document["metadata"]["labels"] |= {names.GROUP: "g", names.GROUP_SIZE: size}
    guest, _ = read(document)
    assert names.GROUP_SIZE in guest.fault


def started(phase: str, *states: dict[str, Any], **metadata: Any) -> Pod:
    document = manifest()
    document["metadata"] |= metadata
    document["metadata"]["labels"] |= {names.ALLOCATION: "a-1"}
    document["spec"]["nodeName"] = "n1"
    document["spec"]["containers"].append({"name": "side"})
    document["status"] = {
        "phase": phase,
        "startTime": BEGUN,
        "containerStatuses": [
            {"name": f"c{number}", "state": state} for number, state in enumerate(states)
        ],
    }
    return msgspec.json.decode(msgspec.json.encode(document), type=Pod)


def over(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "startedAt": BEGUN, "finishedAt": OVER}}


RUNS = {"running": {"startedAt": OVER}}
AGAIN = {"waiting": {"reason": "CrashLoopBackOff"}}


def test_it_runs_until_all_of_it_has_ended() -> None:
    for states in ([RUNS, RUNS], [over(1), RUNS], [AGAIN, over(0)]):
        seen = observation_of(started("Running", *states), node_gone=False, now_ms=NOW_MS)
        assert (seen.allocation_id, seen.phase) == ("a-1", Phase.RUNNING)
    seen = observation_of(started("Succeeded", over(0), over(0)), node_gone=False, now_ms=NOW_MS)
    assert (seen.phase, seen.cause, seen.runtime_ms) == (Phase.ENDED, Cause.COMPLETED, 60_000)
    seen = observation_of(started("Failed", over(0), over(3)), node_gone=False, now_ms=NOW_MS)
    assert (seen.cause, seen.exit_code) == (Cause.EXIT_CODE, 3)


def test_one_that_would_start_again_ends_when_it_is_deleted() -> None:
    pod = started("Running", over(0), over(0), deletionTimestamp=OVER)
    seen = observation_of(pod, node_gone=False, now_ms=NOW_MS)
    assert seen.phase is Phase.ENDED


def test_the_log_is_that_of_its_first_container_or_the_one_it_names() -> None:
    assert main_container(started("Running", RUNS)) == "main"
    chosen = {"kubectl.kubernetes.io/default-container": "side"}
    assert main_container(started("Running", RUNS, annotations=chosen)) == "side"
    unknown = {"kubectl.kubernetes.io/default-container": "nobody"}
    assert main_container(started("Running", RUNS, annotations=unknown)) == "main"
