"""Capacity planning: demand against what is guaranteed, and how many GPUs would shorten waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.api.csv_answers import Cell, csv_answer, wants_csv
from podium.api.usage_parameters import Format
from podium.control.planning import SECONDS_MAX, PlanMade
from podium.domain.errors import ConflictError, FieldFault, UserError
from podium.domain.quantity import GPU_MILLI
from podium.domain.quota import QuotaLevel
from podium.domain.rights import Action
from podium.domain.tenancy import Scope
from podium.intake.office import authorise
from podium.scheduling.capacity import Question
from podium.scheduling.replay.record import packed_value
from podium.spec.views.base import utc
from podium.spec.views.capacity import (
    DemandBy,
    DemandPointView,
    DemandReasonView,
    DemandReportView,
    DemandView,
    PlanCalibrationView,
    PlanRequest,
    PlanResultView,
    PlanStateView,
    PlanTypeView,
    PlanWaitView,
)
from podium.store import nodes, policies, shares
from podium.store.database import Transaction
from podium.store.demand_hours import HOUR_MS, Demanded, DemandRow, demand_between
from podium.store.quotas import quota_list
from podium.store.work_history import work_history

router = APIRouter(prefix="/capacity", tags=["capacity"])

_DAY_MS = 86_400_000
_CURVE_BY_HOUR_MS = 8 * _DAY_MS
_WORK_MAX = 20_000
_STARTED_MIN = 20
"""Of fewer workloads a mean wait says nothing."""

_COLUMNS = (
    "name", "gpu_type", "held_gpu_hours", "waited_gpu_hours", "held_gpus", "wanted_gpus",
    "peak_gpus", "guarantee_gpus", "over_hours", "started", "wait_mean_seconds", "reasons",
)  # fmt: skip

PlanId = Annotated[str, Path(max_length=32, description="As the request for it was answered.")]


@router.get("/demand", response_model=DemandReportView)
async def report_demand(
    context: Ctx,
    who: Who,
    request: Request,
    by: DemandBy = DemandBy.TEAM,
    days: Annotated[int, Query(ge=1, le=400, description="How far back.")] = 30,
    gpu_type: Annotated[str | None, Query(max_length=63, description="Only this type.")] = None,
    curves: Annotated[int, Query(ge=0, le=20, description="Rows that tell their course.")] = 0,
    as_format: Annotated[Format, Query(alias="format")] = None,
) -> Response:
    """What was held and waited for, against what is guaranteed, and why it waited: of the projects
    whose usage you can see. What may be of any type stands under an empty one."""
    until_ms = context.database.now_ms()
    since_ms = (until_ms - days * _DAY_MS) // HOUR_MS * HOUR_MS
    scope = who.scope_of(Action.USAGE_READ)
    hours, items = await context.database.read(
        lambda tx: _demand(tx, scope, by, since_ms, until_ms, gpu_type, curves)
    )
    if wants_csv(request, as_format):
        name = f"demand-{utc(since_ms).date()}-{by}.csv"
        return csv_answer(name, _COLUMNS, map(_cells, items))
    return answer(
        DemandReportView(by=by, since=utc(since_ms), until=utc(until_ms), hours=hours, items=items)
    )


@router.post("/plans", response_model=PlanStateView, status_code=202)
async def make_capacity_plan(request: PlanRequest, context: Ctx, who: Who) -> Response:
    """Begin to find out how many GPUs of each type would have shortened the wait, by replaying
    recorded work with the scheduler's own decisions. Ask for the plan by its id until it is done.
    For those who may see everyone's usage."""
    authorise(who, Action.USAGE_READ)
    context.planning.check_free()
    until_ms = context.database.now_ms()
    since_ms = until_ms - request.days * _DAY_MS
    question = await context.database.read(lambda tx: _question(tx, request, since_ms, until_ms))
    made = context.planning.start(
        packed_value(question), (since_ms, until_ms, request), who.username
    )
    return answer(_state(made), status=202)


@router.get("/plans/{plan_id}", response_model=PlanStateView)
async def show_capacity_plan(plan_id: PlanId, context: Ctx, who: Who) -> Response:
    """How far a plan is, and what came out. Only who asked for it sees it."""
    authorise(who, Action.USAGE_READ)
    return answer(_state(context.planning.fetch(plan_id, who.username)))


def _demand(
    tx: Transaction,
    scope: Scope,
    by: DemandBy,
    since_ms: int,
    until_ms: int,
    gpu_type: str | None,
    curves: int,
) -> tuple[int, list[DemandView]]:
    rows = demand_between(tx, scope, since_ms, until_ms, gpu_type)
    hours = len({row.at_ms for row in rows})
    groups: dict[tuple[str, str], list[DemandRow]] = {}
    for row in rows:
        groups.setdefault((getattr(row, by.value), row.gpu_type), []).append(row)
    guarantees = _guarantees(tx, by, rows)
    found = [
        _item(name, kind, some, hours, guarantees.get((name, kind.casefold()), 0))
        for (name, kind), some in groups.items()
    ]
    found.sort(key=lambda each: (-each.waited_gpu_hours, each.name))
    step_ms = HOUR_MS if until_ms - since_ms <= _CURVE_BY_HOUR_MS else _DAY_MS
    for at, each in enumerate(found[:curves]):
        rows_of = groups[each.name, each.gpu_type]
        found[at] = each.model_copy(update={"curve": _curve(rows_of, since_ms, until_ms, step_ms)})
    return hours, found


def _curve(
    rows: Sequence[DemandRow], since_ms: int, until_ms: int, step_ms: int
) -> list[DemandPointView]:
    """Its first and last steps may lie in the report in part, and are averages of that part."""
    sums: dict[int, Demanded] = {}
    for row in rows:
        sums.setdefault(row.at_ms // step_ms * step_ms, Demanded()).add(row.demanded)
    found = []
    for at_ms, each in sorted(sums.items()):
        held = each.held_milli_ms / GPU_MILLI
        wanted = held + each.wanted_milli_ms / GPU_MILLI
        part_ms = max(1, min(at_ms + step_ms, until_ms) - max(at_ms, since_ms))
        found.append(
            DemandPointView(
                at=utc(at_ms),
                held_gpus=round(held / part_ms, 2),
                wanted_gpus=round(wanted / part_ms, 2),
            )
        )
    return found


def _guarantees(
    tx: Transaction, by: DemandBy, rows: Sequence[DemandRow]
) -> Mapping[tuple[str, str], int]:
    """Milli-GPU by name and GPU type in small letters; of a cost centre its projects' sum."""
    level = QuotaLevel.TEAM if by is DemandBy.TEAM else QuotaLevel.PROJECT
    centres = {row.project: row.cost_centre for row in rows}
    found: dict[tuple[str, str], int] = {}
    for (of, name), quota in quota_list(tx).items():
        if of is not level:
            continue
        group = centres.get(name) if by is DemandBy.COST_CENTRE else name
        if group is None:
            continue
        for gpu_type, milli in quota.guarantees:
            key = (group, gpu_type.casefold())
            found[key] = found.get(key, 0) + milli
    return found


def _item(
    name: str, gpu_type: str, rows: Sequence[DemandRow], hours: int, guarantee_milli: int
) -> DemandView:
    whole, by_hour = Demanded(), dict[int, int]()
    for row in rows:
        whole.add(row.demanded)
        wanted = row.demanded.held_milli_ms + row.demanded.wanted_milli_ms
        by_hour[row.at_ms] = by_hour.get(row.at_ms, 0) + wanted
    wanted = whole.held_milli_ms + whole.wanted_milli_ms
    over = sum(each > guarantee_milli * HOUR_MS for each in by_hour.values())
    return DemandView(
        name=name,
        gpu_type=gpu_type,
        held_gpu_hours=_gpu_hours(whole.held_milli_ms),
        waited_gpu_hours=_gpu_hours(whole.wanted_milli_ms),
        held_gpus=round(_gpu_hours(whole.held_milli_ms) / max(1, hours), 2),
        wanted_gpus=round(_gpu_hours(wanted) / max(1, hours), 2),
        peak_gpus=round(_gpu_hours(max(by_hour.values(), default=0)), 2),
        guarantee_gpus=guarantee_milli / GPU_MILLI,
        over_hours=over,
        started=whole.started,
        wait_mean_seconds=round(whole.wait_ms / 1000 / whole.started, 1) if whole.started else None,
        reasons=[
            DemandReasonView(
                reason=reason,
                gpu_hours=_gpu_hours(milli_ms),
                workload_hours=round(workload_ms / HOUR_MS, 3),
            )
            for reason, (milli_ms, workload_ms) in sorted(
                whole.reasons.items(), key=lambda each: -each[1][0]
            )
        ],
    )


def _gpu_hours(milli_ms: int) -> float:
    return round(milli_ms / GPU_MILLI / HOUR_MS, 3)


def _cells(each: DemandView) -> list[Cell]:
    values = [getattr(each, name) for name in _COLUMNS[:-1]]
    cells = [one if one is None or isinstance(one, int) else str(one) for one in values]
    return [*cells, "; ".join(f"{why.reason} {why.gpu_hours:g}" for why in each.reasons)]


def _question(tx: Transaction, request: PlanRequest, since_ms: int, until_ms: int) -> Question:
    """Raises UserError for a GPU type that is not there, ConflictError where the past is too
    short."""
    there = nodes.node_list(tx)
    types = {device.type for node in there for device in node.devices}
    known = {name.casefold() for name in types}
    for at, name in enumerate(request.gpu_types):
        if name.casefold() not in known:
            others = f"There are {', '.join(sorted(types))}." if types else "It has no GPUs."
            wrong = f"The cluster has no {name} GPUs. {others}"
            raise UserError(FieldFault(f"gpu_types.{at}", wrong))
    work = work_history(tx, since_ms, until_ms, most=_WORK_MAX)
    started = sum(
        each.started_at_ms is not None
        and each.waited
        and each.request.wants_gpu
        and each.submitted_at_ms >= since_ms
        for each in work
    )
    if started < _STARTED_MIN:
        raise ConflictError(
            f"Of the last {request.days} days only {started} workloads that asked for GPUs have "
            f"started; a plan needs at least {_STARTED_MIN}. Ask for more days, or wait for more."
        )
    return Question(
        nodes=there,
        shares=shares.tree(tx),
        work=work,
        since_ms=since_ms,
        until_ms=until_ms,
        policy=policies.policies_fetch(tx).scheduling,
        gpu_types=tuple(request.gpu_types),
        target_milli=max(1, round(request.target * 1000)),
        most=request.most,
        seconds_max=SECONDS_MAX,
    )


def _state(made: PlanMade) -> PlanStateView:
    return PlanStateView(
        id=made.id,
        state=made.state,
        progress=1.0 if made.state == "done" else made.progress,
        doing=made.doing if made.state == "running" else "",
        error=made.error,
        result=None if made.answer is None or made.state != "done" else _result(made, made.answer),
    )


def _result(made: PlanMade, told: Mapping[str, Any]) -> PlanResultView:
    since_ms, until_ms, request = made.about
    fit = told["calibration"]
    return PlanResultView(
        since=utc(since_ms),
        until=utc(until_ms),
        workloads=told["workloads"],
        target=request.target,
        replays=told["replays"],
        took_seconds=round(made.took_seconds, 1),
        finished=told["finished"],
        types=[
            PlanTypeView(
                gpu_type=each["gpu_type"],
                gpus=each["gpus"],
                workloads=each["workloads"],
                before_seconds=each["before_ms"] / 1000,
                after_seconds=None if each["after_ms"] is None else each["after_ms"] / 1000,
                more=each["more"],
                tried_most=each["tried_most"],
                teams=[
                    PlanWaitView(
                        team=team["team"],
                        workloads=team["workloads"],
                        before_seconds=team["before_ms"] / 1000,
                        after_seconds=team["after_ms"] / 1000,
                    )
                    for team in each["teams"]
                ],
                note=each["note"],
            )
            for each in told["types"]
        ],
        calibration=PlanCalibrationView(
            workloads=fit["workloads"],
            recorded_mean_seconds=fit["recorded_mean_ms"] / 1000,
            replayed_mean_seconds=fit["replayed_mean_ms"] / 1000,
            recorded_median_seconds=fit["recorded_median_ms"] / 1000,
            replayed_median_seconds=fit["replayed_median_ms"] / 1000,
            near=fit["near_milli"] / 1000,
        ),
        assumptions=list(told["assumptions"]),
    )
