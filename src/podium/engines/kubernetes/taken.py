"""Why a node or the cluster took a pod's place away, by what its kubelet wrote down. `sight.py`
asks before it looks at how the containers ended, which then says little."""

from __future__ import annotations

from podium.domain.reason import Cause
from podium.engines.kubernetes.objects import Pod

_MISPLACED = ("NodeAffinity", "UnexpectedAdmissionError")
_SHUT_DOWN = ("NodeLost", "Shutdown", "Terminated", "NodeShutdown")
_LONGEST = 500
_DISRUPTIONS = {  # since 1.26
    "PreemptionByScheduler": (
        Cause.EVICTED,
        "The cluster's own scheduler gave its place to a pod of higher priority.",
    ),
    "EvictionByEvictionAPI": (Cause.EVICTED, "It was evicted, as when its node is drained."),
    "DeletionByTaintManager": (
        Cause.NODE_LOST,
        "Its node got a taint that lets no such work stay, as when it is not heard any more.",
    ),
    "DeletionByPodGC": (Cause.NODE_LOST, "Its node left the cluster."),
    "TerminationByKubelet": (Cause.NODE_LOST, "Its node was shut down, or kept its room."),
}


def taken_away(pod: Pod) -> tuple[Cause, str] | None:
    """The cause, and one plain sentence; None where nobody took it."""
    reason, words = pod.status.reason, pod.status.message.strip()[:_LONGEST]
    if reason == "Evicted":
        return _evicted(words)
    if reason in _SHUT_DOWN:
        return Cause.NODE_LOST, _with(f"Its node was shut down or lost ({reason})", words)
    if reason.startswith("OutOf") or reason in _MISPLACED:
        return Cause.MISPLACED, _with(f"Its node did not take it ({reason})", words)
    for each in pod.status.conditions:
        if each.type == "DisruptionTarget" and each.status == "True":
            return _DISRUPTIONS.get(each.reason)
    return None


def _evicted(words: str) -> tuple[Cause, str]:
    if "EmptyDir" in words and '"memory"' in words:
        return Cause.OUT_OF_MEMORY, _with("It filled its shared memory, /dev/shm", words)
    own = "exceed" in words and "low on" not in words
    if own and ("EmptyDir" in words or "ephemeral" in words):
        return Cause.OUT_OF_DISK, _with("It wrote more to its node's disk than it may", words)
    if any(each in words for each in ("storage", "EmptyDir", "inodes", "DiskPressure")):
        return Cause.OUT_OF_DISK, _with("The disk of its node ran full, and it was evicted", words)
    if "memory" in words:
        return Cause.EVICTED, _with("Its node ran short of memory and evicted it", words)
    return Cause.EVICTED, _with("Its node evicted it", words)


def _with(sentence: str, words: str) -> str:
    return f"{sentence}: {words.rstrip('.')}." if words else f"{sentence}."
