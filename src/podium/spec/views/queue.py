"""The queue as the API answers it: who is next, and why each still waits."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.spec.views.base import Page, View
from podium.spec.views.workload import WorkloadView


class QueueEntryView(View):
    """A waiting workload. Its `waiting` says why, its position counts everyone's work."""

    position: int = Field(description="1 is next.")
    workload: WorkloadView


class QueueProjectView(View):
    """What one project waits for and holds, in thousandths of a GPU."""

    project: str
    team: str
    waiting: int
    running: int
    gpu_milli_wanted: int
    gpu_milli_held: int
    oldest_queued_at: datetime | None


class QueueView(Page[QueueEntryView]):
    """One page of the queue in the order of service."""

    length: int = Field(description="Everyone's waiting workloads.")
    hidden: int = Field(description="Those of them that the reader may not see.")
    projects: list[QueueProjectView]
