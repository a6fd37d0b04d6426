"""Demand against guarantees, and GPUs that would shorten waits. Reached as `client.capacity`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from podium.client.transport import Parameter, Transport, path_of
from podium.domain.errors import ConflictError
from podium.spec.views.capacity import (
    DemandBy,
    DemandReportView,
    PlanRequest,
    PlanResultView,
    PlanStateView,
)

_POLL_SECONDS = 1.0


class Capacity:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def demand(
        self,
        by: DemandBy | str = "team",
        *,
        days: int = 30,
        gpu_type: str | None = None,
        curves: int = 0,
    ) -> DemandReportView:
        """What was held and waited for by team, project or cost_centre, what waited most first;
        the first `curves` rows tell their course over time, too."""
        params: dict[str, Parameter] = {
            "by": str(by), "days": days, "gpu_type": gpu_type, "curves": curves,
        }  # fmt: skip
        return self._transport.fetch(DemandReportView, "/capacity/demand", params)

    def demand_csv(
        self, by: DemandBy | str = "team", *, days: int = 30, gpu_type: str | None = None
    ) -> str:
        """As `demand`, as the text of a CSV file."""
        params: dict[str, Parameter] = {"by": str(by), "days": days, "gpu_type": gpu_type}
        params["format"] = "csv"
        return self._transport.send("GET", "/capacity/demand", params=params).text

    def plan_begin(
        self,
        *,
        days: int = 7,
        gpu_types: Sequence[str] = (),
        target: float = 0.5,
        most: int = 1024,
    ) -> PlanStateView:
        """Ask how many GPUs would have made the mean wait `target` times as long, by replaying the
        last `days`. Raises ConflictError where too little has happened, BusyError while another
        plan is being made."""
        body = PlanRequest(days=days, gpu_types=list(gpu_types), target=target, most=most)
        answer = self._transport.send("POST", "/capacity/plans", body=body.model_dump(mode="json"))
        return self._transport.parse(PlanStateView, answer)

    def plan_state(self, plan_id: str) -> PlanStateView:
        """How far it is, and what came out. NotFoundError for one that you did not begin."""
        return self._transport.fetch(PlanStateView, path_of("capacity", "plans", plan_id))

    def plan(
        self,
        *,
        days: int = 7,
        gpu_types: Sequence[str] = (),
        target: float = 0.5,
        most: int = 1024,
        told: Callable[[PlanStateView], None] = lambda _: None,
    ) -> PlanResultView:
        """As `plan_begin`, and wait for the end; `told` hears how far it is. Raises as it does, and
        ConflictError when the plan could not be made."""
        state = self.plan_begin(days=days, gpu_types=gpu_types, target=target, most=most)
        while state.state == "running":
            told(state)
            time.sleep(_POLL_SECONDS)
            state = self.plan_state(state.id)
        if state.result is None:
            raise ConflictError(state.error)
        return state.result
