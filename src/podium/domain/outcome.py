"""What follows for a workload from the states of its replicas. Pure; `store/lifecycle.py` applies.

Kept apart from the tables in `lifecycle.py`: those say which moves are legal, this says which
legal move is due.
"""

from __future__ import annotations

from collections.abc import Mapping

from podium.domain.lifecycle import (
    REPLICA_HOLDS,
    WORKLOAD_ENDS,
    ReplicaState,
    WorkloadEvent,
    WorkloadState,
)
from podium.domain.reason import Cause

RETRY_CANNOT_HELP = frozenset(
    {
        Cause.COMMAND_NOT_FOUND,
        Cause.COMMAND_NOT_EXECUTABLE,
        Cause.VOLUME_MISSING,
        Cause.SECRET_MISSING,
        Cause.SECRET_LOCKED,
        Cause.MAX_RUNTIME,
        Cause.DEADLINE,
        Cause.DEPENDENCY_FAILED,
        Cause.CLUSTER_REFUSED,
    }
)
"""Causes after which another attempt would end the same way."""

RETRY_IS_FREE = frozenset(
    {Cause.PREEMPTED, Cause.NODE_LOST, Cause.EVICTED, Cause.MISPLACED, Cause.DATA_DENIED}
)
"""Causes that are not the work's own doing: it is queued again without using up a retry."""

TAKES_ONE_REPLICA = frozenset(
    {Cause.PREEMPTED, Cause.NODE_LOST, Cause.EVICTED, Cause.LOST, Cause.MISPLACED}
)
"""Causes that say nothing about the other replicas: those of an elastic gang go on without it."""

STOPS_OF_THE_WHOLE = frozenset(
    {Cause.CANCELLED, Cause.MAX_RUNTIME, Cause.DEADLINE, Cause.PREEMPTED, Cause.NODE_LOST}
)
"""Causes that stop a workload as such; for any other, one of its replicas had failed first."""


def comes_back(cause: Cause, *, failures: int, retries: int) -> bool:
    """Whether work that is being stopped for `cause` is queued again; `failures` are those before
    this one."""
    return may_retry(cause, failures=failures + (cause not in RETRY_IS_FREE), retries=retries)


def may_retry(cause: Cause, *, failures: int, retries: int) -> bool:
    """Whether work that has failed `failures` times, the last for `cause`, gets another attempt."""
    if cause in RETRY_IS_FREE:
        return True
    return cause not in RETRY_CANNOT_HELP and failures <= retries


def due_event(
    state: WorkloadState,
    *,
    counts: Mapping[ReplicaState, int],
    is_array: bool,
    cause: Cause | None,
    failures: int,
    retries: int,
) -> WorkloadEvent | None:
    """The next move that the replicas call for, or None. Ask again after each applied move.

    `cause` is why it is stopping or, while it is not, why its first failed replica failed;
    `failures` counts the attempts that failed before this one.
    """
    if state in WORKLOAD_ENDS or state is WorkloadState.QUEUED:
        return None
    holding = sum(counts.get(each, 0) for each in REPLICA_HOLDS)
    waiting = counts.get(ReplicaState.WAITING, 0)
    failed = counts.get(ReplicaState.FAILED, 0) + counts.get(ReplicaState.CANCELLED, 0)
    succeeded = counts.get(ReplicaState.SUCCEEDED, 0)
    if state is WorkloadState.STOPPING:
        if holding:
            return None
        if succeeded and not failed:
            return WorkloadEvent.SUCCEEDED
        if cause is Cause.CANCELLED:
            return WorkloadEvent.CANCELLED
        if is_array and not counts.get(ReplicaState.CANCELLED, 0):
            # Every task had ended for itself before the stop reached it.
            return WorkloadEvent.FAILED
        return _after_failure(cause, failures, retries)
    if failed and not is_array:
        if holding or state is WorkloadState.SCHEDULED:
            return WorkloadEvent.STOP_REQUESTED
        return _after_failure(cause, failures, retries)
    not_yet_running = counts.get(ReplicaState.SCHEDULED, 0) + counts.get(ReplicaState.STARTING, 0)
    running_or_ended = counts.get(ReplicaState.RUNNING, 0) + succeeded + failed
    if state is WorkloadState.STARTING:
        due = running_or_ended > 0 if is_array else not_yet_running == 0
        return WorkloadEvent.RUNNING if due else None
    if state is WorkloadState.RUNNING and holding == 0 and (waiting == 0 or not is_array):
        return WorkloadEvent.FAILED if failed else WorkloadEvent.SUCCEEDED
    return None


def _after_failure(cause: Cause | None, failures: int, retries: int) -> WorkloadEvent:
    assert cause is not None, "what ended badly has a cause"
    again = comes_back(cause, failures=failures, retries=retries)
    return WorkloadEvent.REQUEUED if again else WorkloadEvent.FAILED
