"""Workloads: submit, list, look at, change and cancel."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime

from podium.api.answers import (
    answer,
    body_of,
    decode_cursor,
    decode_number_cursor,
    page,
)
from podium.api.context import Ctx, Who
from podium.api.holdups import remedy_words, workload_hold_up_view
from podium.api.parameters import (
    Cursor,
    IdempotencyKey,
    Limit,
    OneProject,
    WorkloadId,
    WorkloadRef,
)
from podium.api.render import (
    eta_view,
    event_view,
    group_states,
    replica_view,
    usage_view,
    workload_view,
)
from podium.domain.errors import FieldFault, UserError
from podium.domain.identity import is_id
from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import WaitReason
from podium.domain.tenancy import Identity
from podium.domain.workload import Kind, Workload
from podium.intake.actions import workloads_act
from podium.intake.changes import workload_change
from podium.intake.pools import pool_faults
from podium.intake.workloads import Submitted, workload_cancel, workload_submit
from podium.spec.views.base import Page, milliseconds, utc_or_none
from podium.spec.views.workload import (
    ActionFaultView,
    ActionRequest,
    ActionView,
    ChangeRequest,
    EventView,
    ReplicaView,
    SubmittedManyView,
    SubmittedView,
    UsageView,
    WorkloadDetailView,
    WorkloadPage,
    WorkloadSort,
    WorkloadView,
)
from podium.spec.workload import SPEC_BYTES_MAX, check, load_documents, resolved
from podium.store import (
    allocations,
    etas,
    events,
    groups,
    holdups,
    listing,
    nodes,
    policies,
    pools,
    usage,
    workloads,
)
from podium.store.database import Transaction
from podium.store.listing import WorkloadFilter

router = APIRouter(prefix="/workloads", tags=["workloads"])


BULK_BYTES_MAX = 64 * 2**20
_RANKS_SHOWN = 1000
SPEC_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/WorkloadSpec"}},
            "application/yaml": {"schema": {"type": "string"}},
        },
    }
}
_BULK_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["workloads"],
                    "properties": {
                        "workloads": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 10_000,
                            "items": {"$ref": "#/components/schemas/WorkloadSpec"},
                        }
                    },
                }
            }
        },
    }
}


@router.post(
    "",
    status_code=201,
    response_model=SubmittedView,
    openapi_extra=SPEC_BODY,
    responses={200: {"model": SubmittedView, "description": "The key was seen before."}},
)
async def submit(
    request: Request,
    context: Ctx,
    who: Who,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Submit one workload: JSON, or YAML with `Content-Type: application/yaml`.

    Send an `Idempotency-Key` to be able to send the same request again after a lost answer.
    """
    body = await body_of(request, SPEC_BYTES_MAX, "The spec")
    documents = documents_of(request, body)
    if len(documents) != 1:
        raise UserError(
            FieldFault("body", f"holds {len(documents)} specs.", "Send several to /workloads/bulk.")
        )
    (made,) = await workload_submit(context.office, who, documents, key=idempotency_key)
    return answer(_submitted(made), status=201 if made.created else 200)


@router.post("/bulk", status_code=201, response_model=SubmittedManyView, openapi_extra=_BULK_BODY)
async def submit_many(
    request: Request,
    context: Ctx,
    who: Who,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Submit up to 10,000 workloads: all of them, or none. `depends_on` may name one another.

    Takes an `Idempotency-Key` as single submissions do.
    """
    body = await body_of(request, BULK_BYTES_MAX, "The request")
    (document,) = load_documents(body, content_type="application/json")
    specs = document.get("workloads")
    if not isinstance(specs, list) or not all(isinstance(each, dict) for each in specs):
        raise UserError(FieldFault("workloads", "must be a list of specs."))
    made = await workload_submit(context.office, who, specs, key=idempotency_key)
    return answer(SubmittedManyView(items=[_submitted(each) for each in made]), status=201)


@router.post("/validate", openapi_extra=SPEC_BODY)
async def validate(request: Request, context: Ctx, who: Who) -> dict[str, Any]:
    """Check a spec without submitting it. Answers it with every default filled in."""
    body = await body_of(request, SPEC_BYTES_MAX, "The spec")
    (document, *more) = documents_of(request, body)
    if more:
        raise UserError(FieldFault("body", "holds several specs.", "Send them one by one."))
    only = next(iter(who.roles)) if len(who.roles) == 1 else None
    holds, reach = await context.database.read(
        lambda tx: (policies.policies_fetch(tx), pools.reach_fetch(tx))
    )
    wish = check(document, now_ms=context.database.now_ms(), project=only, policies=holds)
    faults = list(pool_faults(wish, reach)) if who.scope.admits(wish.project) else []
    if faults:
        raise UserError(*faults)
    return {"resolved": resolved(wish)}


@router.post("/actions", response_model=ActionView)
async def act_on_many(request: ActionRequest, context: Ctx, who: Who) -> Response:
    """Cancel or change many workloads at once, each for itself: one that may not be changed does
    not hold up the others. Send it again after a lost answer; what was done is left as it is."""
    picked = request.selection
    acted = await workloads_act(
        context.office,
        who,
        request.action,
        ids=picked.ids,
        chosen=WorkloadFilter(
            projects=tuple(picked.project),
            states=tuple(picked.state),
            kinds=tuple(picked.kind),
            owner=picked.owner,
            name=picked.name,
            text=picked.q,
            labels=tuple(_label(each, "selection.label") for each in picked.label),
            node=picked.node,
            reasons=tuple(picked.reason),
        ),
        change=request.change,
        reason=request.reason,
    )
    return answer(
        ActionView(
            done=acted.done,
            unchanged=acted.unchanged,
            faults=[ActionFaultView(id=key, detail=words) for key, words in acted.faults],
            fault_count=acted.fault_count,
        )
    )


@router.patch("/{workload_id}", response_model=WorkloadView)
async def change(
    workload_id: WorkloadId, request: ChangeRequest, context: Ctx, who: Who
) -> Response:
    """Change the priority, time limit or deadline of a workload that has not ended. One that has
    run for longer than its new `max_runtime` is stopped as the limit does."""
    await workload_change(context.office, who, workload_id, request)
    return answer(await context.database.read(lambda tx: _view(tx, who, workload_id)))


@router.get("", response_model=WorkloadPage)
async def list_workloads(
    context: Ctx,
    who: Who,
    project: Annotated[list[str], Query(max_length=50, description="Only these projects.")] = [],  # noqa: B006 - FastAPI copies it
    state: Annotated[
        list[WorkloadState], Query(max_length=20, description="Only in these states.")
    ] = [],  # noqa: B006
    kind: Annotated[list[Kind], Query(max_length=20, description="Only these kinds.")] = [],  # noqa: B006
    owner: Annotated[str | None, Query(max_length=63, description="Only this person's.")] = None,
    name: Annotated[str | None, Query(max_length=63, description="Only of this name.")] = None,
    label: Annotated[list[str], Query(max_length=20, description="`key=value`")] = [],  # noqa: B006
    q: Annotated[str | None, Query(max_length=100, description="Part of a name, or an id.")] = None,
    node: Annotated[
        str | None, Query(max_length=253, description="Only those with a replica placed there.")
    ] = None,
    reason: Annotated[
        list[WaitReason], Query(max_length=20, description="Only those that wait for it.")
    ] = [],  # noqa: B006
    ended_since: Annotated[
        AwareDatetime | None, Query(description="Only those that ended at or after this time.")
    ] = None,
    sort: Annotated[
        WorkloadSort, Query(description="What the list is in order of.")
    ] = WorkloadSort.SUBMITTED,
    order: Annotated[
        str, Query(pattern="^(newest|oldest|up|down)$", description="`newest` is `down`.")
    ] = "newest",
    offset: Annotated[
        int | None, Query(ge=0, le=1_000_000, description="Skips so many, in place of a cursor.")
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Workloads that you can see, newest first. A cursor goes only with the order of submission;
    other orders are read by `offset`. What has no value to sort by comes last."""
    chosen = WorkloadFilter(
        projects=tuple(project),
        states=tuple(state),
        kinds=tuple(kind),
        owner=owner,
        name=name,
        text=q,
        labels=tuple(_label(each, "label") for each in label),
        node=node,
        reasons=tuple(reason),
        ended_since_ms=None if ended_since is None else milliseconds(ended_since),
    )
    _check_cursor(cursor, sort, offset)
    after = decode_cursor(cursor)

    def read(tx: Transaction) -> WorkloadPage:
        found = listing.workload_list(
            tx,
            who.scope,
            chosen,
            limit=limit + 1,
            sort=sort,
            descending=order in ("newest", "down"),
            offset=offset or 0,
            after=after,
        )
        counts = workloads.replica_counts_many(tx, [each.id for each in found.workloads])
        shown = page(
            found.workloads,
            limit,
            lambda each: workload_view(each, counts[each.id], who.scope),
            lambda each: each.id,
        )
        return WorkloadPage(
            items=shown.items,
            next_cursor=shown.next_cursor if sort is WorkloadSort.SUBMITTED else None,
            total=found.total,
        )

    return answer(await context.database.read(read))


@router.get("/{ref}", response_model=WorkloadDetailView)
async def show(
    ref: WorkloadRef,
    context: Ctx,
    who: Who,
    project: OneProject = None,
) -> Response:
    """Everything about one workload, by its id, or by its name with `project`."""

    def read(tx: Transaction) -> WorkloadDetailView:
        workload = _find(tx, who, ref, project)
        now_ms = context.database.now_ms()
        counts = workloads.replica_counts_many(tx, [workload.id])[workload.id]
        documents = workloads.documents_fetch(tx, who.scope, workload.id)
        ranks = allocations.rank_list(tx, who.scope, workload.id, limit=_RANKS_SHOWN)
        devices = nodes.device_by_id(tx)
        grouped = groups.group_counts(tx, workload.id) if workload.groups else {}
        return WorkloadDetailView(
            **dict(workload_view(workload, counts, who.scope)),
            submitted_spec=documents.submitted,
            resolved_spec=documents.resolved,
            replica_list=[replica_view(each, workload, devices, now_ms) for each in ranks],
            group_states=group_states(workload, grouped),
            depends_on=workloads.dependency_ids(tx, who.scope, workload.id),
            saved_at=None
            if workload.replicas.array
            else utc_or_none(allocations.saved_last_ms(tx, who.scope, workload.id)),
            eta=eta_view(workload, etas.etas_of(tx, who.scope, [workload.id])),
            hold_up=workload_hold_up_view(holdups.workload_hold_up(tx, who.scope, workload.id)),
            remedy=remedy_words(workload),
            usage=usage_view(usage.usage_of_workload(tx, who.scope, workload.id, now_ms)),
        )

    return answer(await context.database.read(read))


@router.get("/{workload_id}/replicas", response_model=Page[ReplicaView])
async def list_replicas(
    workload_id: WorkloadId, context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Each rank's latest attempt, in rank order."""
    after = decode_number_cursor(cursor, -1)

    def read(tx: Transaction) -> Page[ReplicaView]:
        workload = workloads.workload_fetch(tx, who.scope, workload_id)
        ranks = allocations.rank_list(tx, who.scope, workload_id, limit=limit + 1, after=after)
        devices = nodes.device_by_id(tx)
        now_ms = context.database.now_ms()
        return page(
            ranks,
            limit,
            lambda each: replica_view(each, workload, devices, now_ms),
            lambda each: each.rank,
        )

    return answer(await context.database.read(read))


@router.get("/{workload_id}/events", response_model=Page[EventView])
async def list_events(
    workload_id: WorkloadId, context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """The workload's history, oldest first."""
    after = decode_number_cursor(cursor, 0)

    def read(tx: Transaction) -> Page[EventView]:
        workloads.workload_fetch(tx, who.scope, workload_id)
        found = events.event_list(tx, who.scope, workload_id, limit=limit + 1, after=after)
        return page(found, limit, event_view, lambda each: each.seq)

    return answer(await context.database.read(read))


@router.post("/{workload_id}/cancel", response_model=WorkloadView)
async def cancel(
    workload_id: WorkloadId,
    context: Ctx,
    who: Who,
    reason: Annotated[str, Body(embed=True, max_length=500)] = "",
) -> Response:
    """End it, wherever it is. What has ended already stays as it is."""
    await workload_cancel(context.office, who, workload_id, reason=reason)
    return answer(await context.database.read(lambda tx: _view(tx, who, workload_id)))


@router.get("/{workload_id}/usage", response_model=UsageView)
async def show_usage(workload_id: WorkloadId, context: Ctx, who: Who) -> Response:
    """What it has used up to now."""
    now_ms = context.database.now_ms()

    def read(tx: Transaction) -> UsageView:
        workloads.workload_fetch(tx, who.scope, workload_id)
        return usage_view(usage.usage_of_workload(tx, who.scope, workload_id, now_ms))

    return answer(await context.database.read(read))


def documents_of(request: Request, body: bytes) -> list[dict[str, object]]:
    """The specs of a body, by its type. Raises UserError."""
    content_type = request.headers.get("content-type", "application/json").partition(";")[0]
    return load_documents(body, content_type=content_type.strip().lower())


def _submitted(made: Submitted) -> SubmittedView:
    return SubmittedView(
        id=made.id, name=made.name, project=made.project, state=made.state, created=made.created
    )


def _find(tx: Transaction, who: Identity, ref: str, project: str | None) -> Workload:
    if is_id(ref) or project is None:
        return workloads.workload_fetch(tx, who.scope, ref)
    return workloads.workload_find(tx, who.scope, project, ref)


def _view(tx: Transaction, who: Identity, workload_id: str) -> WorkloadView:
    workload = workloads.workload_fetch(tx, who.scope, workload_id)
    counts = workloads.replica_counts_many(tx, [workload_id])[workload_id]
    return workload_view(workload, counts, who.scope)


def _check_cursor(cursor: str | None, sort: WorkloadSort, offset: int | None) -> None:
    if cursor and sort is not WorkloadSort.SUBMITTED:
        raise UserError(
            FieldFault("cursor", f"does not go with sort={sort}.", "Read on with offset instead.")
        )
    if cursor and offset is not None:
        raise UserError(FieldFault("offset", "does not go with a cursor.", "Keep one of the two."))


def _label(text: str, field: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UserError(FieldFault(field, f"'{text}' is not key=value."))
    return key, value
