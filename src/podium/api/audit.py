"""The audit trail: looked through, verified, exported."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response, StreamingResponse

from podium.api.answers import answer, decode_number_cursor, encode_cursor
from podium.api.context import Context, Ctx, Who
from podium.api.parameters import Cursor, Limit
from podium.control.notary import Notary
from podium.domain.audit import Link, Place, Removal, Seal, read_break
from podium.domain.audit_lines import end_line, entry_line, header_line, seal_line
from podium.domain.audit_verify import Fault, Verdict
from podium.domain.errors import BusyError, NotFoundError, TemporaryError
from podium.domain.rights import Action
from podium.domain.signature import key_text
from podium.domain.tenancy import WHOLE, Identity, Scope
from podium.intake.audit import break_allowed, break_declared, trail_exported, trail_verified
from podium.intake.office import authorise
from podium.spec.views.audit import (
    AuditActionsView,
    AuditBreakRequest,
    AuditBreakView,
    AuditEntryView,
    AuditFaultView,
    AuditKeyView,
    AuditRemovalView,
    AuditStateView,
    AuditVerdictView,
)
from podium.spec.views.base import Page, milliseconds, utc, utc_or_none
from podium.store import audit_seals, audit_trail
from podium.store.audit_trail import AuditFilter
from podium.store.database import Transaction

router = APIRouter(prefix="/audit", tags=["audit"])

_NEWEST = 2**62
_EXPORT_SLICE = 2_000
_LINES = "application/x-ndjson"
_verifying = asyncio.Lock()

Word = Annotated[str | None, Query(max_length=200)]
OneOnly = Annotated[
    str | None, Query(max_length=63, description="Only this project; all you may read if none.")
]
Since = Annotated[datetime | None, Query(description="From this time on.")]
Until = Annotated[datetime | None, Query(description="Before this time.")]


def _wanted(
    actor: Word = None,
    action: Annotated[
        str | None,
        Query(max_length=200, description="Such as quota:set; `quota:` is all about quotas."),
    ] = None,
    subject: Word = None,
    project: OneOnly = None,
    outcome: Annotated[str | None, Query(pattern="^(allowed|refused)$")] = None,
    source: Word = None,
    request_id: Word = None,
    since: Since = None,
    until: Until = None,
    q: Annotated[
        str | None, Query(min_length=1, max_length=200, description="Words anywhere, in any case.")
    ] = None,
) -> AuditFilter:
    return AuditFilter(
        actor=actor,
        action=action,
        subject=subject,
        project=project,
        outcome=outcome,
        source=source,
        request_id=request_id,
        since_ms=None if since is None else milliseconds(_aware(since)),
        until_ms=None if until is None else milliseconds(_aware(until)),
        text=q,
    )


Wanted = Annotated[AuditFilter, Depends(_wanted)]


@router.get("", response_model=Page[AuditEntryView])
async def list_audit(
    context: Ctx, who: Who, wanted: Wanted, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """Entries that you may read, newest first. With `q` a page looks through 200,000 entries at
    most, so it may be short or empty while `next_cursor` goes on."""
    scope = _readable(who, wanted.project)
    before = decode_number_cursor(cursor, _NEWEST)
    found = await context.database.read(
        lambda tx: audit_trail.entry_list(tx, scope, wanted, limit=limit, before_seq=before)
    )
    more = found.next_before
    return answer(
        Page[AuditEntryView](
            items=[entry_view(link) for link in found.links],
            next_cursor=None if more is None else encode_cursor(str(more)),
        )
    )


@router.get("/actions", response_model=AuditActionsView)
async def list_audit_actions(context: Ctx, who: Who) -> Response:
    """The actions that occur in what you may read, to choose from."""
    scope = _readable(who, None)
    found = await context.database.read(lambda tx: audit_trail.actions_known(tx, scope))
    return answer(AuditActionsView(items=found))


@router.get("/key", response_model=AuditKeyView)
async def show_audit_key(context: Ctx, who: Who) -> Response:
    """The public key of the seals."""
    _readable(who, None)
    return answer(_key_view(_notary(context)))


@router.get("/state", response_model=AuditStateView)
async def show_audit_state(context: Ctx, who: Who) -> Response:
    """How far the trail is sealed, and whether the notary found anything wrong."""
    authorise(who, Action.AUDIT_READ)
    notary = _notary(context)

    def read(tx: Transaction) -> tuple[Place, Seal | None, Removal | None]:
        return audit_trail.head(tx), audit_seals.seal_last(tx), audit_seals.removal_last(tx)

    head, seal, removal = await context.database.read(read)
    return answer(
        AuditStateView(
            last_seq=head.seq,
            sealed_seq=0 if seal is None else seal.seq,
            sealed_at=utc_or_none(None if seal is None else seal.at_ms),
            alarm=notary.alarm,
            kept_days=notary.audit_days,
            removal=_removal_view(removal),
            key=_key_view(notary),
        )
    )


@router.post("/verify", response_model=AuditVerdictView)
async def verify_audit(context: Ctx, who: Who) -> Response:
    """Look at every entry: whether the chain holds, and whether it is what was sealed. One at a
    time; a million entries take some seconds."""
    authorise(who, Action.AUDIT_READ)
    if _verifying.locked():
        raise BusyError("The trail is being verified already. Try again.", retry_after_seconds=5)
    notary = _notary(context)
    async with _verifying:
        started = time.monotonic()
        verdict = await notary.verify()
        took_ms = (time.monotonic() - started) * 1000
    await trail_verified(context.office, who, ok=verdict.ok, entries=verdict.entries)
    return answer(verdict_view(verdict, sorted(notary.keys), took_ms))


@router.post("/break", status_code=201, response_model=AuditBreakView)
async def declare_break(body: AuditBreakRequest, context: Ctx, who: Who) -> Response:
    """Let the chain go on from here in spite of what was found, such as after a backup was
    restored. What is wrong before stays on record."""
    notary = _notary(context)
    reason = break_allowed(who, body.reason)
    view = _break_view(await notary.declare_break(who.username, reason))
    await break_declared(context.office, who, reason, view.first_seq, view.last_seq)
    return answer(view, status=201)


@router.get(
    "/export",
    response_class=Response,
    responses={200: {"description": "JSON Lines.", "content": {_LINES: {}}}},
)
async def export_audit(context: Ctx, who: Who, wanted: Wanted) -> Response:
    """The trail as a file that `podium audit verify FILE` looks at without a server: a first line
    with the key, seals, entries oldest first, and a last line. Of a span of time, it begins and
    ends at the seals around it.

    With any filter but time it is an extract of the entries that fit, within exactly that time,
    without seals; it cannot be verified, and its first line says so. With `project`, the right to
    export in that project is enough.
    """
    filters = _named(wanted)
    await trail_exported(
        context.office,
        who,
        wanted.project,
        since=_text_of(wanted.since_ms),
        until=_text_of(wanted.until_ms),
        **({"filters": filters} if filters else {}),
    )
    notary = _notary(context)
    await notary.step()  # so that all of it is sealed, this export's own entry included
    lines = (
        _extract(context, notary, wanted, filters) if filters else _whole(context, notary, wanted)
    )
    name = "podium-audit-filtered.jsonl" if filters else "podium-audit.jsonl"
    disposition = f'attachment; filename="{name}"'
    return StreamingResponse(lines, media_type=_LINES, headers={"Content-Disposition": disposition})


@router.get("/{seq}", response_model=AuditEntryView)
async def show_audit_entry(
    seq: Annotated[int, Path(ge=1, le=2**53, description="The entry's place in the chain.")],
    context: Ctx,
    who: Who,
) -> Response:
    """One entry."""
    scope = _readable(who, None)
    link = await context.database.read(lambda tx: audit_trail.entry_fetch(tx, seq, scope))
    if link is None:
        raise NotFoundError(f"There is no entry {seq} that you can see.")
    return answer(entry_view(link))


def entry_view(link: Link) -> AuditEntryView:
    (seq, at_ms, actor, action, subject, project, outcome, detail, source, token_id, agent,
     request_id, digest) = link  # fmt: skip
    return AuditEntryView(
        seq=seq,
        at=utc(at_ms),
        actor=actor,
        action=action,
        subject=subject,
        project=project,
        outcome=outcome,
        detail=_detail(detail),
        source=source,
        token_id=token_id,
        user_agent=agent,
        request_id=request_id,
        hash=digest.hex(),
    )


def verdict_view(verdict: Verdict, key_ids: list[str], took_ms: float) -> AuditVerdictView:
    return AuditVerdictView(
        ok=verdict.ok,
        entries=verdict.entries,
        first_seq=verdict.first_seq,
        last_seq=verdict.last_seq,
        sealed_seq=verdict.sealed_seq,
        unsealed=verdict.unsealed,
        seals=verdict.seals,
        first_fault_seq=verdict.faults[0].first_seq if verdict.faults else None,
        fault_count=verdict.fault_count,
        faults=[_fault_view(each) for each in verdict.faults],
        excused=[_fault_view(each) for each in verdict.excused],
        breaks=[_break_view(each) for each in verdict.breaks],
        removal=_removal_view(verdict.removal),
        key_ids=key_ids,
        took_ms=round(took_ms, 1),
    )


def _named(wanted: AuditFilter) -> dict[str, str]:
    """What leaves entries out, by the name of its parameter; time alone does not."""
    found = {"q": wanted.text} | {
        name: getattr(wanted, name)
        for name in ("actor", "action", "subject", "project", "outcome", "source", "request_id")
    }
    named = {name: value for name, value in found.items() if value is not None}
    if named:
        for name, at_ms in (("since", wanted.since_ms), ("until", wanted.until_ms)):
            text = _text_of(at_ms)
            if text is not None:
                named[name] = text
    return named


def _text_of(at_ms: int | None) -> str | None:
    return None if at_ms is None else utc(at_ms).isoformat()


def _header(
    context: Context,
    notary: Notary,
    start: Place,
    removal: Removal | None,
    filters: Mapping[str, str] | None = None,
) -> str:
    return header_line(
        key_id=notary.key.id,
        public_key=key_text(notary.key.public_key),
        start=start,
        removal=removal,
        whole=filters is None,
        at_ms=context.database.now_ms(),
        filters=filters,
    )


async def _extract(
    context: Context, notary: Notary, wanted: AuditFilter, filters: Mapping[str, str]
) -> AsyncIterator[bytes]:
    """The entries that fit, for who may export what they are of."""
    database = context.database
    scope = WHOLE if wanted.project is None else Scope(frozenset({wanted.project}))
    start, end, removal = await database.read(
        lambda tx: (audit_trail.start(tx), audit_trail.head(tx), audit_seals.removal_last(tx))
    )
    yield _header(context, notary, start, removal, filters).encode()
    seq, count = start.seq, 0
    while seq < end.seq:
        links, seq = await database.read(
            lambda tx, after=seq: audit_trail.entries_matching(  # type: ignore[misc]
                tx, scope, wanted, limit=_EXPORT_SLICE, after_seq=after, end_seq=end.seq
            )
        )
        count += len(links)
        yield "".join(map(entry_line, links)).encode()
    yield end_line(None, entries=count).encode()


async def _whole(context: Context, notary: Notary, wanted: AuditFilter) -> AsyncIterator[bytes]:
    database = context.database

    def begin(tx: Transaction) -> tuple[Place, Place, Removal | None, list[Seal]]:
        start, end = audit_trail.span(tx, wanted.since_ms, wanted.until_ms)
        removal = audit_seals.removal_last(tx)
        seals = audit_seals.seal_list(tx, after_seq=start.seq - 1, through_seq=end.seq)
        return start, end, removal, seals

    start, end, removal, seals = await database.read(begin)
    head = _header(context, notary, start, removal)
    yield (head + "".join(map(seal_line, seals))).encode()
    seq, count = start.seq, 0
    while True:
        links = await database.read(
            lambda tx, after=seq: audit_trail.entries_after(  # type: ignore[misc]
                tx, after, _EXPORT_SLICE, through_seq=end.seq
            )
        )
        if not links:
            break
        yield "".join(map(entry_line, links)).encode()
        seq, count = links[-1][0], count + len(links)
    yield end_line(seals[-1] if seals else None, entries=count).encode()


def _readable(who: Identity, project: str | None) -> Scope:
    """Raises ForbiddenError for who may read the trail of no project."""
    scope = who.scope_of(Action.AUDIT_READ)
    if project is not None or scope.projects == frozenset():
        authorise(who, Action.AUDIT_READ, project)
    return scope


def _notary(context: Context) -> Notary:
    if context.notary is None:
        raise TemporaryError("This server does not keep the audit trail.")
    return context.notary


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.astimezone()


def _detail(text: str) -> dict[str, object]:
    """Somebody may have changed it; verifying tells, reading goes on."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {"unreadable": text[:1000]}
    return found if isinstance(found, dict) else {"unreadable": text[:1000]}


def _key_view(notary: Notary) -> AuditKeyView:
    return AuditKeyView(
        key_id=notary.key.id,
        algorithm="Ed25519",
        public_key=key_text(notary.key.public_key),
    )


def _fault_view(fault: Fault) -> AuditFaultView:
    return AuditFaultView(
        kind=fault.kind.value,
        first_seq=fault.first_seq,
        last_seq=fault.last_seq,
        sentence=fault.sentence,
    )


def _break_view(seal: Seal) -> AuditBreakView:
    told = read_break(seal.note)
    return AuditBreakView(
        seq=seal.seq,
        at=utc(seal.at_ms),
        by=told.by,
        reason=told.reason,
        first_seq=told.first_seq,
        last_seq=told.last_seq,
    )


def _removal_view(removal: Removal | None) -> AuditRemovalView | None:
    if removal is None:
        return None
    return AuditRemovalView(
        first_seq=removal.first_seq,
        last_seq=removal.last_seq,
        entries=removal.entries,
        at=utc(removal.at_ms),
    )
