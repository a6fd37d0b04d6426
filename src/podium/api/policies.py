"""Policies of the cluster, of pools, of teams and of projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Ctx, Who
from podium.domain.errors import NotFoundError
from podium.domain.policies import SCHEDULING, Override, Policies, PolicyLevel
from podium.domain.tenancy import Identity
from podium.domain.workload import Kind
from podium.intake.policies import policy_reset, policy_set
from podium.spec.policy import KIND_FIELDS, SCHEDULING_FIELDS, written
from podium.spec.views.policy import PoliciesView, PolicyRequest, PolicyView
from podium.store import policies, pools, projects
from podium.store.database import Transaction

router = APIRouter(prefix="/policies", tags=["policies"])

Level = Annotated[PolicyLevel, Path(description="For whom it holds.")]
Name = Annotated[
    str,
    Path(
        max_length=63,
        description="The pool's, team's or project's name; for the cluster `cluster` again.",
        examples=["research"],
    ),
]
Part = Annotated[
    str, Path(max_length=40, description="A kind of work, or `scheduling`.", examples=["training"])
]


@router.get("/{level}/{name}", response_model=PoliciesView)
async def get_policies(level: Level, name: Name, context: Ctx, who: Who) -> Response:
    """What holds for the cluster, in a pool, for a team, or in a project that you can see."""
    stored = _stored(level, name)
    return answer(await context.database.read(lambda tx: _view(tx, who, level, stored)))


@router.put("/{level}/{name}/{part}", response_model=PoliciesView)
async def set_policy(
    level: Level, name: Name, part: Part, request: PolicyRequest, context: Ctx, who: Who
) -> Response:
    """Set fields of one part. For administrators."""
    stored = _stored(level, name)
    await policy_set(
        context.office, who, level=level, name=stored, part=part, values=request.values
    )
    return answer(await context.database.read(lambda tx: _view(tx, who, level, stored)))


@router.delete("/{level}/{name}/{part}", response_model=PoliciesView)
async def reset_policy(
    level: Level,
    name: Name,
    part: Part,
    context: Ctx,
    who: Who,
    field: Annotated[
        str | None, Query(max_length=40, description="Only this field; all of them if none.")
    ] = None,
) -> Response:
    """Let hold again what holds otherwise. For administrators."""
    stored = _stored(level, name)
    await policy_reset(context.office, who, level=level, name=stored, part=part, field=field)
    return answer(await context.database.read(lambda tx: _view(tx, who, level, stored)))


def _stored(level: PolicyLevel, name: str) -> str:
    if level is not PolicyLevel.CLUSTER:
        return name
    if name != level.value:
        raise NotFoundError(f"There is no cluster {name}. Call it {level.value}.")
    return ""


def _view(tx: Transaction, who: Identity, level: PolicyLevel, name: str) -> PoliciesView:
    pool: str | None = None
    team: str | None = None
    project: str | None = None
    if level is PolicyLevel.PROJECT:
        project, team = name, projects.project_fetch(tx, who.known, name).team
    elif level is PolicyLevel.TEAM:
        if not policies.team_seen(tx, who.known, name):
            raise NotFoundError(f"There is no team {name} that you can see.")
        team = name
    elif level is PolicyLevel.POOL:
        pool = pools.pool_fetch(tx, who.known, name).name
    overrides = policies.override_list(tx)
    holds = Policies(overrides)
    groups = (
        (PolicyLevel.CLUSTER, ""),
        (PolicyLevel.POOL, pool),
        (PolicyLevel.TEAM, team),
        (PolicyLevel.PROJECT, project),
    )
    mine = [each for each in overrides if (each.level, each.name) in groups]
    items = []
    if level is PolicyLevel.CLUSTER:
        items.append(
            PolicyView(
                part=SCHEDULING,
                values=written(holds.scheduling),
                set_by=_set_by(mine, SCHEDULING),
            )
        )
    items += [
        PolicyView(
            part=kind.value,
            values=written(holds.at(kind, pool=pool, team=team, project=project)),
            set_by=_set_by(mine, kind.value),
        )
        for kind in Kind
    ]
    return PoliciesView(level=level, name=name or level.value, items=items)


def _set_by(overrides: list[Override], part: str) -> dict[str, PolicyLevel]:
    """The smallest group that set each field."""
    fields = SCHEDULING_FIELDS if part == SCHEDULING else KIND_FIELDS
    names = {field.column: name for name, field in fields.items()}
    order = list(PolicyLevel)
    found = sorted(
        (each for each in overrides if each.part == part),
        key=lambda each: order.index(each.level),
    )
    return {names[each.field]: each.level for each in found}
