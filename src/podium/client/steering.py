"""Documents for changing workloads, alone or many at once; `client/workloads` sends them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from podium.domain.errors import FieldFault, UserError
from podium.spec.faults import FieldError
from podium.spec.fields import read_priority
from podium.spec.views.workload import ActionView

ACTION_IDS_MAX = 1000
_FAULTS_MAX = 100


def change_document(
    priority: int | str | None,
    max_runtime: str | float | timedelta | None,
    deadline: str | datetime | None,
) -> dict[str, int | str]:
    """A ChangeRequest of what is not None. Raises UserError."""
    document: dict[str, int | str] = {}
    if priority is not None:
        try:
            document["priority"] = read_priority(priority)
        except FieldError as error:
            raise UserError(
                *(FieldFault("priority", each.message, each.remedy) for each in error.faults)
            ) from error
    if max_runtime is not None:
        if isinstance(max_runtime, timedelta):
            max_runtime = max_runtime.total_seconds()
        if not isinstance(max_runtime, str):
            max_runtime = f"{max_runtime:.6f}".rstrip("0").rstrip(".") + "s"
        document["max_runtime"] = max_runtime
    if deadline is not None:
        document["deadline"] = deadline if isinstance(deadline, str) else deadline.isoformat()
    return document


def summed(answers: Iterable[ActionView]) -> ActionView:
    """Several answers as one."""
    views = list(answers)
    return ActionView(
        done=sum(each.done for each in views),
        unchanged=sum(each.unchanged for each in views),
        faults=[fault for each in views for fault in each.faults][:_FAULTS_MAX],
        fault_count=sum(each.fault_count for each in views),
    )
