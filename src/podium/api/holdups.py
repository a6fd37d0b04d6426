"""What keeps work from beginning, and what helps against why it failed → the documents of
`spec/views/workload`."""

from __future__ import annotations

from podium.domain.holdup import HoldUp
from podium.domain.lifecycle import WorkloadState
from podium.domain.remedies import remedy_of
from podium.domain.workload import Workload
from podium.spec.views.base import utc
from podium.spec.views.workload import HoldUpView, WorkloadHoldUpView
from podium.store.holdups import WorkloadHoldUp


def hold_up_view(hold_up: HoldUp | None) -> HoldUpView | None:
    if hold_up is None:
        return None
    return HoldUpView(
        cause=hold_up.cause,
        message=hold_up.message,
        remedy=remedy_of(hold_up.cause),
        since=utc(hold_up.since_ms or 0),
    )


def workload_hold_up_view(found: WorkloadHoldUp | None) -> WorkloadHoldUpView | None:
    view = None if found is None else hold_up_view(found.hold_up)
    if found is None or view is None:
        return None
    return WorkloadHoldUpView(**dict(view), rank=found.rank, replicas=found.replicas)


def remedy_words(workload: Workload) -> str:
    """What helps against why it failed."""
    return remedy_of(workload.cause) if workload.state is WorkloadState.FAILED else ""
