"""Where the audit trail is forwarded to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from podium.api.answers import answer
from podium.api.context import Context, Ctx, Who
from podium.control.forwarding import Forwarder
from podium.domain.audit import Place
from podium.domain.errors import TemporaryError
from podium.domain.forwarding import Forward
from podium.domain.rights import Action
from podium.intake.forwarding import forward_remove, forward_set, forward_tried
from podium.intake.office import authorise
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.forwarding import (
    ForwardRequest,
    ForwardsView,
    ForwardTrialView,
    ForwardView,
)
from podium.store import audit_trail, forwards
from podium.store.database import Transaction

router = APIRouter(prefix="/audit/forwards", tags=["audit"])

Name = Annotated[str, Path(max_length=63, description="The forward's name.", examples=["siem"])]


@router.get("", response_model=ForwardsView)
async def list_forwards(context: Ctx, who: Who) -> Response:
    """Where the trail is forwarded to, and how far each receiver has got."""
    authorise(who, Action.AUDIT_ADMINISTER)

    def read(tx: Transaction) -> list[ForwardView]:
        return [_view(tx, each, context) for each in forwards.forward_list(tx)]

    return answer(ForwardsView(items=await context.database.read(read)))


@router.get("/{name}", response_model=ForwardView)
async def show_forward(name: Name, context: Ctx, who: Who) -> Response:
    """One receiver."""
    authorise(who, Action.AUDIT_ADMINISTER)

    def read(tx: Transaction) -> ForwardView:
        return _view(tx, forwards.forward_fetch(tx, name), context)

    return answer(await context.database.read(read))


@router.put("/{name}", response_model=ForwardView)
async def set_forward(name: Name, body: ForwardRequest, context: Ctx, who: Who) -> Response:
    """Forward the trail from now on. Each entry is sent once or, after a fault, more than once, and
    in order."""
    forward = await forward_set(
        context.office,
        context.office.outbound,
        who,
        name=name,
        address=body.address,
        secret=None if body.secret is None else body.secret.get_secret_value(),
        ca=body.ca,
        from_start=body.from_start,
    )
    return answer(await context.database.read(lambda tx: _view(tx, forward, context)))


@router.delete("/{name}", status_code=204)
async def remove_forward(name: Name, context: Ctx, who: Who) -> Response:
    """Forward the trail no longer."""
    await forward_remove(context.office, who, name)
    return Response(status_code=204)


@router.post("/{name}/test", response_model=ForwardTrialView)
async def try_forward(name: Name, context: Ctx, who: Who) -> Response:
    """Send the receiver an entry that is none: its `seq` is 0 and its action `audit:test`."""
    authorise(who, Action.AUDIT_ADMINISTER)
    forward = await context.database.read(lambda tx: forwards.forward_fetch(tx, name))
    took_ms, fault = await _forwarder(context).trial(forward, who.username)
    await forward_tried(context.office, who, name, fault)
    return answer(ForwardTrialView(ok=not fault, took_ms=round(took_ms, 1), fault=fault))


def _forwarder(context: Context) -> Forwarder:
    if context.forwarder is None:
        raise TemporaryError("This server forwards nothing yet. Try again.")
    return context.forwarder


def _view(tx: Transaction, forward: Forward, context: Context) -> ForwardView:
    forwarder = context.forwarder
    next_try_ms = forwarder.next_try_ms(forward.name) if forwarder and forward.fault else None
    head: Place = audit_trail.head(tx)
    waiting = audit_trail.entries_after(tx, forward.sent_seq, 1)
    return ForwardView(
        name=forward.name,
        kind=forward.kind,
        address=forward.address,
        signed=forward.has_secret,
        own_ca=bool(forward.ca),
        created_at=utc(forward.created_at_ms),
        created_by=forward.created_by,
        sent_seq=forward.sent_seq,
        sent_at=utc_or_none(forward.sent_at_ms),
        behind=head.seq - forward.sent_seq,
        behind_since=utc(waiting[0][1]) if waiting else None,
        skipped=forward.skipped,
        failing_since=utc_or_none(forward.failing_since_ms),
        fault=forward.fault,
        next_try_at=utc_or_none(next_try_ms),
    )
