"""What a pod says about its allocation: whether it runs, and how it ended.

An end is told when nothing of the pod can be left: its containers ended, or its node never got to
start them, or the node is not in the cluster any more.
"""

from __future__ import annotations

import re
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from msgspec.structs import replace

from podium.domain.reason import Cause
from podium.engines.contract import Observation, Phase
from podium.engines.kubernetes import names
from podium.engines.kubernetes.objects import ContainerState, Pod, Running, Terminated
from podium.engines.kubernetes.taken import taken_away

_SIGNALS = 128  # an exit code above it is this and a signal
_SETTLE_MS = 10_000  # in which a kubelet has heard that a pod is deleted which it was to start
_NOT_FOUND = re.compile(r"executable file not found|no such file or directory", re.IGNORECASE)
# What a runtime writes into the log of a container that had begun before it found this out.
_LATE = re.compile(
    r"(?:standard_init_linux\S*: )?exec (?:user process caused|\S+): "
    r"(exec format error|no such file or directory)"
)
_NOT_EXECUTABLE = re.compile(r"permission denied|exec format error|is a directory", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Why a pod was taken back before it ran, as its annotation keeps it."""

    cause: Cause
    message: str

    @staticmethod
    def read(text: str) -> Withdrawn:
        cause, _, message = text.partition(": ")
        return Withdrawn(Cause(cause), message)

    def __str__(self) -> str:
        return f"{self.cause.value}: {self.message}"


def allocation_of(pod: Pod) -> str:
    return pod.metadata.labels.get(names.ALLOCATION, pod.metadata.name)


def is_guest(pod: Pod) -> bool:
    """Whether somebody else made it, and Podium placed it: its own are called as allocations."""
    return allocation_of(pod) != pod.metadata.name


def main_container(pod: Pod) -> str:
    """The one whose log is kept."""
    if not is_guest(pod):
        return names.CONTAINER
    known = [each.name for each in pod.spec.containers]
    chosen = pod.metadata.annotations.get("kubectl.kubernetes.io/default-container", "")
    return chosen if chosen in known else next(iter(known), "")


def observation_of(pod: Pod, *, node_gone: bool, now_ms: int) -> Observation:
    """`node_gone`: the cluster has no such node any more. `now_ms` by this machine's clock."""
    state = _state(pod)
    stop_seen = names.STOP in pod.metadata.annotations
    if state.terminated is not None:
        return _ended(pod, state.terminated, stop_seen=stop_seen)
    if _never_starts(pod, state, now_ms):
        return _unstarted(pod, stop_seen=stop_seen)
    if node_gone:
        return _end(pod, Cause.NODE_LOST, "Its node left the cluster.", stop_seen=stop_seen)
    if state.running is not None:
        begun_ms = ms_of(state.running.started_at)
        return Observation(
            allocation_id=allocation_of(pod),
            phase=Phase.RUNNING,
            runtime_ms=max(0, now_ms - begun_ms),
            stop_seen=stop_seen,
        )
    if pod.status.phase == "Failed":
        return _failed(pod, stop_seen=stop_seen)
    return Observation(
        allocation_id=allocation_of(pod),
        phase=Phase.STARTING,
        stop_seen=stop_seen,
    )


def outlives_its_stop(pod: Pod) -> bool:
    """Whether it runs and is to be deleted: its work uses its grace, or its kubelet forgot."""
    return bool(pod.metadata.deletion_timestamp) and _state(pod).running is not None


def has_said(pod: Pod) -> bool:
    """Whether its container was made, so that there is a log."""
    state = _state(pod)
    return state.running is not None or state.terminated is not None


def over_at_ms(pod: Pod) -> int:
    """When it ended by its node's clock, or since when it is to be deleted; 0 for neither."""
    said = _state(pod).terminated
    if said is not None and said.finished_at:
        return ms_of(said.finished_at)
    return ms_of(pod.metadata.deletion_timestamp)


def _state(pod: Pod) -> ContainerState:
    if is_guest(pod):
        return _state_of_all(pod)
    for status in pod.status.container_statuses:
        if status.name == names.CONTAINER:
            return status.state
    return ContainerState()


def _state_of_all(pod: Pod) -> ContainerState:
    """Of a pod with any containers, which may start again: it runs from when its node took it
    until all of them have ended for good."""
    states = [each.state for each in pod.status.container_statuses]
    ends = [each.terminated for each in states if each.terminated is not None]
    final = pod.status.phase in ("Succeeded", "Failed") or pod.metadata.deletion_timestamp
    if ends and final and len(ends) == len(states):
        told = next((each for each in ends if each.exit_code), ends[-1])
        last = max(each.finished_at or "" for each in ends)
        return ContainerState(
            terminated=replace(told, started_at=pod.status.start_time, finished_at=last)
        )
    if pod.status.phase == "Running":
        return ContainerState(running=Running(started_at=pod.status.start_time or ""))
    return next((each for each in states if each.waiting is not None), ContainerState())


def _never_starts(pod: Pod, state: ContainerState, now_ms: int) -> bool:
    """Deleted, and its node has let it go before its container was made."""
    meta = pod.metadata
    if not meta.deletion_timestamp or state.running is not None:
        return False
    if not pod.spec.node_name:
        return True
    if meta.deletion_grace_period_seconds != 0:
        return False
    return now_ms - ms_of(meta.deletion_timestamp) >= _SETTLE_MS or names.STOP in meta.annotations


def _unstarted(pod: Pod, *, stop_seen: bool) -> Observation:
    told = pod.metadata.annotations.get(names.WITHDRAWN)
    if told:
        withdrawn = Withdrawn.read(told)
        return _end(pod, withdrawn.cause, withdrawn.message, stop_seen=stop_seen)
    if stop_seen:
        return _end(pod, Cause.CANCELLED, "It was stopped before it began.", stop_seen=True)
    deleted = Cause.LOST, "Its pod was deleted in the cluster before it began."
    return _end(pod, *(taken_away(pod) or deleted), stop_seen=False)


def _failed(pod: Pod, *, stop_seen: bool) -> Observation:
    """The kubelet gave it up as a whole."""
    if stop_seen or names.WITHDRAWN in pod.metadata.annotations:
        return _unstarted(pod, stop_seen=stop_seen)
    taken = taken_away(pod)
    if taken is not None:
        return _end(pod, *taken, stop_seen=stop_seen)
    for status in pod.status.init_container_statuses:
        first = status.state.terminated
        if first is not None and first.exit_code:
            words = f"Its first container {status.name} ended with exit code {first.exit_code}"
            told = f"{words}: {first.message.strip()[:500]}" if first.message.strip() else words
            cause = Cause.SOURCE_FAILED if status.name == names.SOURCE else Cause.START_FAILED
            return _end(pod, cause, f"{told.rstrip('.')}.", stop_seen=stop_seen)
    reason, words = pod.status.reason, pod.status.message
    told = f"Its node ended it: {reason or 'Failed'}{f' ({words})' if words else ''}."
    return _end(pod, Cause.START_FAILED, told, stop_seen=stop_seen)


def _ended(pod: Pod, said: Terminated, *, stop_seen: bool) -> Observation:
    code, runtime_ms = said.exit_code, 0
    if said.started_at and said.finished_at:
        begun_ms, over_ms = ms_of(said.started_at), ms_of(said.finished_at)
        runtime_ms = max(1, over_ms - begun_ms) if begun_ms > 0 else 0
    over = partial(_end, pod, stop_seen=stop_seen, runtime_ms=runtime_ms)
    withdrawn = pod.metadata.annotations.get(names.WITHDRAWN)
    if withdrawn and said.exit_code:
        told = Withdrawn.read(withdrawn)
        return over(told.cause, told.message)
    taken = taken_away(pod) if code and not stop_seen else None
    if taken is not None:
        return over(*taken)
    if said.reason in ("StartError", "ContainerCannotRun"):
        if stop_seen:
            return _unstarted(pod, stop_seen=True)
        return _end(pod, *_not_started(said.message), stop_seen=stop_seen)
    late = _LATE.fullmatch(said.message.strip()) if code == 1 else None
    if late is not None:
        return _end(pod, *_not_executed(late[1]), stop_seen=stop_seen)
    if said.reason == "OOMKilled":
        words = f"It used more memory than the {_memory(pod)} that it asked for."
        return over(Cause.OUT_OF_MEMORY, words)
    if said.reason == "ContainerStatusUnknown":
        words = "Its node does not know any more how it ended."
        return over(Cause.LOST, words)
    number = said.signal or (code - _SIGNALS if _SIGNALS < code <= _SIGNALS + 64 else 0)
    deleted = bool(pod.metadata.deletion_timestamp)
    if number:
        name = _signal_name(number)
        if stop_seen and number in (signal.SIGTERM, signal.SIGKILL):
            words = f"It was stopped with {name}."
            return over(Cause.CANCELLED, words, signal_number=number)
        if deleted and not stop_seen and number in (signal.SIGTERM, signal.SIGKILL):
            words = "Its pod was deleted in the cluster."
            return over(Cause.LOST, words, signal_number=number)
        words = f"It was ended by {name}."
        return over(Cause.SIGNAL, words, signal_number=number)
    if code == 0:
        return over(Cause.COMPLETED, "", exit_code=0)
    return over(Cause.EXIT_CODE, f"It ended with exit code {code}.", exit_code=code)


def _not_executed(words: str) -> tuple[Cause, str]:
    if "no such file" in words:
        message = "The program that the first line of its command names was not found."
        return Cause.COMMAND_NOT_FOUND, message
    message = "Its command is no program of this machine, and has no first line with #!."
    return Cause.COMMAND_NOT_EXECUTABLE, message


def _not_started(message: str) -> tuple[Cause, str]:
    named = re.search(r'exec: \\?"([^"\\]+)\\?"', message)
    command = named[1] if named else "its command"
    if "exec format error" in message:
        return _not_executed(message)
    if _NOT_FOUND.search(message):
        return Cause.COMMAND_NOT_FOUND, f"The command {command} was not found."
    if _NOT_EXECUTABLE.search(message):
        return Cause.COMMAND_NOT_EXECUTABLE, f"{command} may not be executed."
    return Cause.START_FAILED, f"The node could not start it: {message[:500]}"


def _end(
    pod: Pod,
    cause: Cause,
    message: str,
    *,
    stop_seen: bool,
    runtime_ms: int = 0,
    exit_code: int | None = None,
    signal_number: int | None = None,
) -> Observation:
    return Observation(
        allocation_id=allocation_of(pod),
        phase=Phase.ENDED,
        runtime_ms=runtime_ms,
        exit_code=exit_code,
        signal=signal_number,
        cause=cause,
        stop_seen=stop_seen,
        message=message,
    )


def _memory(pod: Pod) -> str:
    for container in pod.spec.containers:
        limit = container.resources.limits.get("memory", "")
        if container.name == main_container(pod) and limit.isdigit():
            return f"{int(limit) >> 20} MiB"
        if container.name == main_container(pod) and limit:
            return limit
    return "memory"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def ms_of(stamp: str | None) -> int:
    """RFC 3339 to milliseconds since 1970; 0 for none."""
    if not stamp:
        return 0
    return int(datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp() * 1000)


def clock_ms() -> int:
    return time.time_ns() // 1_000_000
