"""Logs: as text or in pages up to now, or followed as they are written; of some replicas or all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from podium.api.context import Context, Ctx, Still, Who
from podium.api.log_follow import FOLLOWED_MAX, Follower, tail_offset
from podium.api.log_lines import Budget, Cursor, Line, Log, Needle, merged
from podium.api.log_pages import iso, page_after, page_around, page_before, places_of
from podium.api.parameters import LastEventId, WorkloadId
from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity, Scope
from podium.intake.audit import sighted
from podium.spec.views.log import LogPageView
from podium.store import allocations, nodes, workloads
from podium.store.database import Transaction

router = APIRouter(prefix="/workloads", tags=["workloads"])

_RANKS_READ_MAX = 100_000
_TAIL_LINES_MAX = 100_000
_PAGE_LINES_MAX = 10_000
_SEARCH_BYTES = 64 * 2**20
_FLUSH_CHARACTERS = 65_536

Ranks = Annotated[
    list[int], Query(max_length=FOLLOWED_MAX, description="These replicas only; all if none.")
]
Attempt = Annotated[
    int | None, Query(ge=1, le=1_000_000, description="Of this attempt; of the latest if none.")
]
Words = Annotated[
    str | None,
    Query(min_length=1, max_length=200, description="Only lines that have it, in any case."),
]
# Two of them must fit into one address, of which servers read 64 KiB.
_PLACE = {"max_length": 9_000, "pattern": r"^[0-9.@,]*$"}
Place = Annotated[str | None, Query(description="`older` or `newer` of another page.", **_PLACE)]


@router.get("/{workload_id}/logs", response_class=Response)
async def logs(
    workload_id: WorkloadId,
    context: Ctx,
    who: Who,
    still: Still,
    rank: Ranks = [],  # noqa: B006 - FastAPI copies it
    tail: Annotated[
        int | None, Query(ge=0, le=_TAIL_LINES_MAX, description="Last lines of each replica.")
    ] = None,
    last: Annotated[
        int | None,
        Query(ge=0, le=_PAGE_LINES_MAX, description="Follow from the last lines of all together."),
    ] = None,
    follow: Annotated[bool, Query(description="Stay, and stream what is written.")] = False,
    timestamps: Annotated[bool, Query(description="Begin lines of text with their time.")] = False,
    q: Words = None,
    attempt: Attempt = None,
    after: Annotated[
        str | None,
        Query(description="Follow from here on: `newer` of a page of lines.", **_PLACE),
    ] = None,
    last_event_id: LastEventId = None,
) -> Response:
    """What the work printed, up to 256 replicas in the order of time. `follow=true` answers
    server-sent events: `lines` carries a list of {rank, at, stream, text, attempt, offset}; `end`
    follows the last one. With `last` a first event `begin` carries {older}, from which pages of
    earlier lines go on."""
    ranks = _ranks(rank)
    found = await _logs_of(context, who.scope, workload_id, ranks, attempt)
    await _seen(context, who, workload_id)
    if not follow:
        needle = Needle(q) if q is not None else None
        labels = len(found) > 1 or len(ranks) > 1
        return StreamingResponse(
            _text(found, tail, needle, timestamps=timestamps, labels=labels),
            media_type="text/plain; charset=utf-8",
        )
    if q is not None or attempt is not None:
        raise UserError(
            FieldFault(
                "q" if q is not None else "attempt",
                "does not go with following.",
                "Leave follow out, or ask for pages at …/logs/lines.",
            )
        )
    _few(found, "follow")

    async def latest() -> list[Log]:
        return await _logs_of(context, who.scope, workload_id, ranks, None)

    follower = Follower(
        context, who.scope, workload_id, latest, len(ranks) or None, tail=tail, last=last
    )
    places = places_of(last_event_id or after)
    return context.streams.answer(lambda stream: follower.run(stream, places), still)


@router.get("/{workload_id}/logs/lines", response_model=LogPageView)
async def log_lines(
    workload_id: WorkloadId,
    context: Ctx,
    who: Who,
    rank: Ranks = [],  # noqa: B006
    attempt: Attempt = None,
    limit: Annotated[int, Query(ge=1, le=_PAGE_LINES_MAX, description="Lines at most.")] = 1000,
    before: Place = None,
    after: Place = None,
    around: Annotated[
        str | None,
        Query(
            pattern=r"^\d{1,6}\.\d{1,7}@\d{1,18}$",
            description="`RANK.ATTEMPT@OFFSET` of a line that should be in the middle.",
        ),
    ] = None,
    q: Words = None,
) -> Response:
    """Lines of up to 256 replicas in the order of time: the last ones, or those before or after a
    page, or around a line. With `q`, the last ones that have it: one request reads 64 MiB of log
    at most, and `older` goes on from there."""
    given = [name for name, value in (("before", before), ("after", after), ("around", around))
             if value is not None]  # fmt: skip
    if len(given) > 1 or (q is not None and given not in ([], ["before"])):
        raise UserError(
            FieldFault(given[-1], "does not go with the others.", "Ask for one of them at a time.")
        )
    found = await _logs_of(context, who.scope, workload_id, _ranks(rank), attempt)
    _few(found, "read as one")
    await _seen(context, who, workload_id)
    if around is not None:
        key, _, offset = around.partition("@")
        centred = await page_around(found, key, int(offset), limit)
        if centred is None:
            raise NotFoundError(f"The log of workload {workload_id} has no line {around}.")
        page = centred
    elif after is not None:
        page = await page_after(found, places_of(after), limit)
    else:
        page = await page_before(
            found,
            places_of(before) if before is not None else None,
            limit,
            needle=Needle(q) if q is not None else None,
            budget=Budget(_SEARCH_BYTES) if q is not None else None,
        )
    return Response(page.json(), media_type="application/json")


async def _seen(context: Context, who: Identity, workload_id: str) -> None:
    """The audit trail tells who looks at which log."""
    workload = await context.database.read(
        lambda tx: workloads.workload_fetch(tx, who.scope, workload_id)
    )
    await sighted(
        context.office, who, Action.LOG_READ, workload_id, workload.project, name=workload.name
    )


def _ranks(given: Sequence[int]) -> tuple[int, ...]:
    ranks = tuple(sorted(set(given)))
    for each in ranks:
        if not 0 <= each < _RANKS_READ_MAX:
            raise UserError(FieldFault("rank", f"cannot be {each}.", "Ranks count from 0."))
    return ranks


def _few(found: Sequence[Log], what: str) -> None:
    if len(found) > FOLLOWED_MAX:
        raise UserError(
            FieldFault(
                "rank",
                f"is missing, and {len(found)} replicas are too many to {what} at once.",
                f"Name up to {FOLLOWED_MAX} replicas with rank=N.",
            )
        )


async def _logs_of(
    context: Context,
    scope: Scope,
    workload_id: str,
    ranks: Sequence[int],
    attempt: int | None,
) -> list[Log]:
    """The log of each rank that has one, of its newest attempt unless said otherwise."""

    def read(tx: Transaction) -> list[tuple[allocations.RankFacts, str]]:
        found = []
        # Neighbours are read at once.
        for first, last in _runs(ranks) or [(0, _RANKS_READ_MAX)]:
            listed = allocations.rank_list(
                tx, scope, workload_id, limit=last - first + 1, after=first - 1, attempt=attempt
            )
            found += [each for each in listed if each.rank <= last]
        missing = set(ranks) - {each.rank for each in found}
        if missing:
            raise NotFoundError(f"Workload {workload_id} has no replica {min(missing)}.")
        engine_of = nodes.engine_by_node(tx)
        return [
            (each, engine_of.get(each.allocation.node, ""))
            for each in found
            if each.allocation is not None
        ]

    logs = []
    for facts, engine in await context.database.read(read):
        held = facts.allocation
        if held is None:
            continue
        if engine not in context.engines:
            raise NotFoundError(
                f"The log of replica {held.rank} is kept on node {held.node}, which this server "
                "does not reach. Ask the server of that node."
            )
        logs.append(Log(context.engines[engine], held))
    return logs


def _runs(ranks: Sequence[int]) -> list[tuple[int, int]]:
    """0 1 2 7 → (0, 2), (7, 7)"""
    if not ranks:
        return []
    breaks = [(before, after) for before, after in pairwise(ranks) if after != before + 1]
    firsts = [ranks[0], *(after for _, after in breaks)]
    lasts = [*(before for before, _ in breaks), ranks[-1]]
    return list(zip(firsts, lasts, strict=True))


async def _text(
    found: Sequence[Log],
    tail: int | None,
    needle: Needle | None,
    *,
    timestamps: bool,
    labels: bool,
) -> AsyncIterator[bytes]:
    """In the order of time, or replica after replica where they are very many; each line of
    several carries its rank."""
    together = [found] if len(found) <= FOLLOWED_MAX else [[each] for each in found]
    for group in together:
        cursors = []
        for log in group:
            offset = 0 if tail is None else await tail_offset(log, tail)
            cursors.append(Cursor(log, offset, until=await log.end(), needle=needle))
        lines: list[str] = []
        size = 0
        async for line in merged(cursors):
            lines.append(_text_line(line, timestamps=timestamps, label=labels))
            size += len(lines[-1])
            if size >= _FLUSH_CHARACTERS:
                yield "".join(lines).encode()
                lines.clear()
                size = 0
        yield "".join(lines).encode()


def _text_line(line: Line, *, timestamps: bool, label: bool) -> str:
    head = f"{iso(line.at_ms)} " if timestamps and line.at_ms is not None else ""
    return f"{head}{'[' + str(line.rank) + '] ' if label else ''}{line.text}\n"
