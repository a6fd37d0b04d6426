"""The only place that knows how workloads and replicas change state.

Two machines: the workload's, which people see, and the replica's, one for each rank. Rooms ask
`workload_next` and `replica_next`; an illegal move raises with the story so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType


class WorkloadState(StrEnum):
    """Where a workload is between submission and its end."""

    QUEUED = "queued"
    SCHEDULED = "scheduled"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class WorkloadEvent(StrEnum):
    QUEUED = "WorkloadQueued"
    SCHEDULED = "WorkloadScheduled"
    LAUNCHED = "WorkloadLaunched"
    RUNNING = "WorkloadRunning"
    STOP_REQUESTED = "WorkloadStopRequested"
    REQUEUED = "WorkloadRequeued"
    SUCCEEDED = "WorkloadSucceeded"
    FAILED = "WorkloadFailed"
    CANCELLED = "WorkloadCancelled"
    CHANGED = "WorkloadChanged"


class ReplicaState(StrEnum):
    """Where one replica is; it holds devices from scheduled to stopping."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ReplicaEvent(StrEnum):
    SCHEDULED = "ReplicaScheduled"
    LAUNCHED = "ReplicaLaunched"
    RUNNING = "ReplicaRunning"
    STOP_REQUESTED = "ReplicaStopRequested"
    SUCCEEDED = "ReplicaSucceeded"
    FAILED = "ReplicaFailed"
    CANCELLED = "ReplicaCancelled"
    REQUEUED = "ReplicaRequeued"


WORKLOAD_ENDS = frozenset({WorkloadState.SUCCEEDED, WorkloadState.FAILED, WorkloadState.CANCELLED})
REPLICA_ENDS = frozenset({ReplicaState.SUCCEEDED, ReplicaState.FAILED, ReplicaState.CANCELLED})
WORKLOAD_UNDER_WAY = frozenset(
    {WorkloadState.SCHEDULED, WorkloadState.STARTING, WorkloadState.RUNNING}
)
"""Workload states in which tasks of an array that still wait may be placed."""
REPLICA_HOLDS = frozenset(
    {
        ReplicaState.SCHEDULED,
        ReplicaState.STARTING,
        ReplicaState.RUNNING,
        ReplicaState.STOPPING,
    }
)
"""Replica states in which devices are held."""

_W, _WE = WorkloadState, WorkloadEvent
WORKLOAD_TRANSITIONS: Mapping[tuple[WorkloadState, WorkloadEvent], WorkloadState] = (
    MappingProxyType(
        {
            (_W.QUEUED, _WE.SCHEDULED): _W.SCHEDULED,
            (_W.QUEUED, _WE.CANCELLED): _W.CANCELLED,
            # Never placed, and now it cannot be: its deadline passed or a dependency failed.
            (_W.QUEUED, _WE.FAILED): _W.FAILED,
            (_W.SCHEDULED, _WE.LAUNCHED): _W.STARTING,
            (_W.SCHEDULED, _WE.STOP_REQUESTED): _W.STOPPING,
            (_W.STARTING, _WE.RUNNING): _W.RUNNING,
            (_W.STARTING, _WE.STOP_REQUESTED): _W.STOPPING,
            # Nothing of it is left to stop: its only replica, or all at once, ended badly.
            (_W.STARTING, _WE.FAILED): _W.FAILED,
            (_W.STARTING, _WE.REQUEUED): _W.QUEUED,
            (_W.RUNNING, _WE.STOP_REQUESTED): _W.STOPPING,
            (_W.RUNNING, _WE.SUCCEEDED): _W.SUCCEEDED,
            (_W.RUNNING, _WE.FAILED): _W.FAILED,
            (_W.RUNNING, _WE.REQUEUED): _W.QUEUED,
            (_W.STOPPING, _WE.REQUEUED): _W.QUEUED,
            (_W.STOPPING, _WE.FAILED): _W.FAILED,
            (_W.STOPPING, _WE.CANCELLED): _W.CANCELLED,
            # Asked again for another reason: what would have come back stays away.
            (_W.STOPPING, _WE.STOP_REQUESTED): _W.STOPPING,
            # Everything had ended well before the stop reached it.
            (_W.STOPPING, _WE.SUCCEEDED): _W.SUCCEEDED,
            # New values, such as a priority, for whatever has not ended; it goes on as it was.
            **{(state, _WE.CHANGED): state for state in _W if state not in WORKLOAD_ENDS},
        }
    )
)

_R, _RE = ReplicaState, ReplicaEvent
REPLICA_TRANSITIONS: Mapping[tuple[ReplicaState, ReplicaEvent], ReplicaState] = MappingProxyType(
    {
        (_R.WAITING, _RE.SCHEDULED): _R.SCHEDULED,
        (_R.WAITING, _RE.CANCELLED): _R.CANCELLED,
        (_R.WAITING, _RE.FAILED): _R.FAILED,
        (_R.SCHEDULED, _RE.LAUNCHED): _R.STARTING,
        (_R.SCHEDULED, _RE.STOP_REQUESTED): _R.STOPPING,
        (_R.STARTING, _RE.RUNNING): _R.RUNNING,
        (_R.STARTING, _RE.STOP_REQUESTED): _R.STOPPING,
        (_R.STARTING, _RE.FAILED): _R.FAILED,
        (_R.RUNNING, _RE.SUCCEEDED): _R.SUCCEEDED,
        (_R.RUNNING, _RE.FAILED): _R.FAILED,
        (_R.RUNNING, _RE.STOP_REQUESTED): _R.STOPPING,
        (_R.STOPPING, _RE.SUCCEEDED): _R.SUCCEEDED,
        (_R.STOPPING, _RE.FAILED): _R.FAILED,
        (_R.STOPPING, _RE.CANCELLED): _R.CANCELLED,
        # A new attempt, while retries are left or after a preemption.
        (_R.FAILED, _RE.REQUEUED): _R.WAITING,
        (_R.CANCELLED, _RE.REQUEUED): _R.WAITING,
        (_R.SUCCEEDED, _RE.REQUEUED): _R.WAITING,
    }
)


class IllegalTransitionError(Exception):
    """A move that the tables do not know. Carries the story so far, newest last."""

    def __init__(self, subject: str, state: str, event: str, story: Sequence[str]) -> None:
        told = "\n  ".join(story) or "(no story)"
        super().__init__(
            f"{subject} cannot take {event} while {state}; the story so far:\n  {told}"
        )
        self.subject = subject
        self.state = state
        self.event = event
        self.story = tuple(story)


def workload_next(
    state: WorkloadState,
    event: WorkloadEvent,
    *,
    subject: str = "the workload",
    story: Sequence[str] = (),
) -> WorkloadState:
    """The state after `event`. Raises IllegalTransitionError."""
    try:
        return WORKLOAD_TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransitionError(subject, state, event, story) from None


def replica_next(
    state: ReplicaState,
    event: ReplicaEvent,
    *,
    subject: str = "the replica",
    story: Sequence[str] = (),
) -> ReplicaState:
    """The state after `event`. Raises IllegalTransitionError."""
    try:
        return REPLICA_TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransitionError(subject, state, event, story) from None
