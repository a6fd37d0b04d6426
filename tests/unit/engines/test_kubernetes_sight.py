"""What a pod says of its allocation, in every state that a kubelet or an operator leaves it in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.reason import Cause
from podium.engines.contract import Observation, Phase
from podium.engines.kubernetes import names
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.sight import observation_of

NOW_MS = 1_790_000_000_000
BEGUN, OVER = "2026-09-21T13:46:00Z", "2026-09-21T13:46:30Z"


def pod(
    *,
    phase: str = "Running",
    state: dict[str, Any] | None = None,
    node: str = "gpu-1",
    deleted: bool = False,
    grace: int | None = None,
    annotations: dict[str, str] | None = None,
    reason: str = "",
    message: str = "",
    disruption: str = "",
    first: tuple[str, dict[str, Any]] | None = None,
) -> Pod:
    meta: dict[str, Any] = {
        "name": "a-1",
        "namespace": "podium-vision",
        "uid": "u-1",
        "labels": {names.ALLOCATION: "a-1"},
        "annotations": annotations or {},
    }
    if deleted:
        meta |= {"deletionTimestamp": BEGUN, "deletionGracePeriodSeconds": grace}
    status: dict[str, Any] = {"phase": phase, "reason": reason, "message": message}
    if state is not None:
        status["containerStatuses"] = [{"name": "work", "state": state}]
    if disruption:
        told = {"type": "DisruptionTarget", "status": "True", "reason": disruption}
        status["conditions"] = [told]
    if first is not None:
        status["initContainerStatuses"] = [{"name": first[0], "state": first[1]}]
    limits = {"limits": {"memory": str(64 << 20)}}
    spec = {"nodeName": node, "containers": [{"name": "work", "resources": limits}]}
    return msgspec.convert({"metadata": meta, "spec": spec, "status": status}, Pod)


def over(code: int, reason: str = "Error", message: str = "") -> dict[str, Any]:
    said = {"exitCode": code, "reason": reason, "message": message}
    return {"terminated": {**said, "startedAt": BEGUN, "finishedAt": OVER}}


def look(seen: Pod, *, node_gone: bool = False) -> Observation:
    return observation_of(seen, node_gone=node_gone, now_ms=NOW_MS)


STOP = {names.STOP: "5"}


@pytest.mark.parametrize(
    ("seen", "cause", "words"),
    [
        (pod(state=over(0, "Completed")), Cause.COMPLETED, ""),
        (pod(state=over(7)), Cause.EXIT_CODE, "exit code 7"),
        (pod(state=over(137, "OOMKilled")), Cause.OUT_OF_MEMORY, "64 MiB"),
        (pod(state=over(139)), Cause.SIGNAL, "SIGSEGV"),
        (pod(state=over(143), deleted=True, annotations=STOP), Cause.CANCELLED, "SIGTERM"),
        (pod(state=over(0), deleted=True, annotations=STOP), Cause.COMPLETED, ""),
        (pod(state=over(137), deleted=True), Cause.LOST, "deleted in the cluster"),
        (
            pod(state=over(128, "StartError", 'exec: "nope": executable file not found in $PATH')),
            Cause.COMMAND_NOT_FOUND,
            "The command nope was not found",
        ),
        (
            pod(state=over(128, "StartError", 'exec: "./run": permission denied')),
            Cause.COMMAND_NOT_EXECUTABLE,
            "./run",
        ),
        (
            pod(state=over(1, message="exec /run.sh: exec format error\n")),
            Cause.COMMAND_NOT_EXECUTABLE,
            "#!",
        ),
        (
            pod(state=over(1, message="loading\nexec /run.sh: exec format error\n")),
            Cause.EXIT_CODE,
            "exit code 1",
        ),
        (pod(phase="Failed", reason="Evicted", message="ephemeral-storage"), Cause.OUT_OF_DISK, ""),
        (
            pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
            Cause.EVICTED,
            "short of memory",
        ),
        (
            pod(
                phase="Failed",
                state=over(137),
                reason="Evicted",
                message="The node was low on resource: ephemeral-storage. Container work was "
                "using 3Gi, which exceeds its request of 0.",
            ),
            Cause.OUT_OF_DISK,
            "ran full",
        ),
        (
            pod(
                phase="Failed",
                state=over(137),
                reason="Evicted",
                message='Usage of EmptyDir volume "work" exceeds the limit "1Gi". ',
            ),
            Cause.OUT_OF_DISK,
            "more to its node's disk than it may",
        ),
        (
            pod(
                phase="Failed",
                state=over(137),
                reason="Evicted",
                message='Usage of EmptyDir volume "memory" exceeds the limit "1Gi". ',
            ),
            Cause.OUT_OF_MEMORY,
            "/dev/shm",
        ),
        (
            pod(
                phase="Failed",
                state=over(143),
                reason="Terminated",
                message="Pod was terminated in response to imminent node shutdown.",
            ),
            Cause.NODE_LOST,
            "shut down",
        ),
        (
            pod(state=over(143), deleted=True, disruption="PreemptionByScheduler"),
            Cause.EVICTED,
            "higher priority",
        ),
        (
            pod(state=over(137), deleted=True, disruption="DeletionByTaintManager"),
            Cause.NODE_LOST,
            "taint",
        ),
        (
            pod(phase="Failed", first=("source", over(2, message="tar: no space"))),
            Cause.SOURCE_FAILED,
            "source ended with exit code 2: tar: no space.",
        ),
        (
            pod(phase="Failed", first=("fetch", over(1))),
            Cause.START_FAILED,
            "first container fetch ended with exit code 1.",
        ),
        (pod(phase="Failed", reason="OutOfnvidia.com/gpu"), Cause.MISPLACED, "OutOf"),
        (pod(phase="Failed", reason="UnexpectedAdmissionError"), Cause.MISPLACED, ""),
        (
            pod(phase="Failed", annotations={names.WITHDRAWN: "source_failed: It is no archive."}),
            Cause.SOURCE_FAILED,
            "It is no archive.",
        ),
        (
            pod(phase="Pending", node="", deleted=True, annotations=STOP),
            Cause.CANCELLED,
            "before it began",
        ),
        (pod(phase="Pending", deleted=True, grace=0), Cause.LOST, "deleted in the cluster"),
    ],
)
def test_ends_are_told_with_their_cause(seen: Pod, cause: Cause, words: str) -> None:
    end = look(seen)
    assert (end.phase, end.cause) == (Phase.ENDED, cause)
    assert words in end.message


def test_a_pod_that_its_node_still_holds_has_not_ended() -> None:
    running = {"running": {"startedAt": BEGUN}}
    assert look(pod(state=running, deleted=True, grace=0)).phase is Phase.RUNNING
    assert look(pod(state=running, deleted=True, grace=30, annotations=STOP)).phase is Phase.RUNNING
    assert look(pod(phase="Pending", deleted=True, grace=30)).phase is Phase.STARTING


def test_a_node_that_left_took_its_pods_along() -> None:
    running = {"running": {"startedAt": BEGUN}}
    assert look(pod(state=running), node_gone=True).cause is Cause.NODE_LOST
    assert look(pod(state=over(0, "Completed")), node_gone=True).cause is Cause.COMPLETED


def test_runtimes_are_what_the_node_says() -> None:
    assert look(pod(state=over(0, "Completed"))).runtime_ms == 30_000


STATES = st.sampled_from(
    [
        None,
        {"waiting": {"reason": "ContainerCreating"}},
        {"waiting": {"reason": "ErrImagePull", "message": "no"}},
        {"running": {"startedAt": BEGUN}},
        over(0, "Completed"),
        over(9),
        over(137),
        over(128, "StartError", "cannot"),
    ]
)


@given(
    phase=st.sampled_from(["", "Pending", "Running", "Succeeded", "Failed", "Unknown"]),
    state=STATES,
    node=st.sampled_from(["", "gpu-1"]),
    deleted=st.booleans(),
    grace=st.sampled_from([None, 0, 30]),
    marks=st.sampled_from([{}, STOP, {names.WITHDRAWN: "image_failed: none"}]),
    gone=st.booleans(),
)
def test_an_end_is_told_only_when_nothing_can_be_left(
    phase: str,
    state: dict[str, Any] | None,
    node: str,
    deleted: bool,
    grace: int | None,
    marks: dict[str, str],
    gone: bool,
) -> None:
    seen = pod(phase=phase, state=state, node=node, deleted=deleted, grace=grace, annotations=marks)
    told = look(seen, node_gone=gone and bool(node))
    if told.phase is Phase.ENDED:
        assert told.cause is not None
        runs = state is not None and "running" in state
        assert not runs or (gone and bool(node))
    else:
        assert told.cause is None
        assert state is None or "terminated" not in state
