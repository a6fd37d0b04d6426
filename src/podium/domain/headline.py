"""One plain sentence about a workload now, for `explain`, lists and the console."""

from __future__ import annotations

from collections.abc import Mapping

from podium.domain.lifecycle import ReplicaState, WorkloadState
from podium.domain.workload import Workload


def headline(workload: Workload, counts: Mapping[ReplicaState, int]) -> str:
    """`counts` says how many replicas are in each state."""
    done = counts.get(ReplicaState.SUCCEEDED, 0)
    total = workload.replicas.maximum
    tasks = f" {done} of {total} tasks are done." if workload.replicas.array else ""
    match workload.state:
        case WorkloadState.QUEUED:
            return workload.refusal.message if workload.refusal else "Just submitted."
        case WorkloadState.SCHEDULED:
            return f"{workload.message} It starts next.".strip()
        case WorkloadState.STARTING:
            return workload.message or "Its processes are being started."
        case WorkloadState.RUNNING:
            return f"It runs.{tasks}"
        case WorkloadState.STOPPING:
            return f"It is being stopped. {workload.message}".strip()
        case WorkloadState.SUCCEEDED:
            return f"It succeeded.{tasks} {workload.message}".strip()
        case WorkloadState.FAILED:
            return f"It failed. {workload.message}".strip()
        case WorkloadState.CANCELLED:
            return workload.message or "It was cancelled."
