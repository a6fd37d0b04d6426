"""Logs: as text up to now, or followed as they are written, of one replica or all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from podium.api.context import Context, Ctx, Who
from podium.api.log_tail import Piece, lines_json
from podium.api.parameters import LastEventId, WorkloadId
from podium.api.streams import Stream, frame
from podium.domain.allocation import Allocation
from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.lifecycle import WORKLOAD_ENDS
from podium.domain.tenancy import Scope
from podium.domain.workload import Workload
from podium.engines.contract import Engine
from podium.store import allocations, nodes, workloads
from podium.store.database import Transaction

router = APIRouter(prefix="/workloads", tags=["workloads"])

_FOLLOWED_MAX = 256
_CHUNK_BYTES = 262_144
_TAIL_LINES_MAX = 100_000
_LINE_BYTES_GUESS = 200
_QUICK_SECONDS = 0.02
_IDLE_SECONDS = 1.0


@router.get("/{workload_id}/logs", response_class=Response)
async def logs(
    workload_id: WorkloadId,
    context: Ctx,
    who: Who,
    rank: Annotated[int | None, Query(ge=0, le=100_000, description="One replica only.")] = None,
    tail: Annotated[int | None, Query(ge=0, le=_TAIL_LINES_MAX, description="Last lines.")] = None,
    follow: Annotated[bool, Query(description="Stay, and stream what is written.")] = False,
    timestamps: Annotated[bool, Query(description="Begin lines of text with their time.")] = False,
    last_event_id: LastEventId = None,
) -> Response:
    """What the work printed. `follow=true` answers server-sent events: `lines` carries a list of
    {rank, at, stream, text}; `end` follows the last one."""
    found = await _latest(context, who.scope, workload_id, rank)
    if not follow:
        return StreamingResponse(
            _text(found, tail, timestamps=timestamps, labels=rank is None),
            media_type="text/plain; charset=utf-8",
        )
    if len(found) > _FOLLOWED_MAX:
        raise UserError(
            FieldFault(
                "rank",
                f"is missing, and {len(found)} replicas are too many to follow at once.",
                "Name one replica with rank=N.",
            )
        )
    follower = _Follower(context, who.scope, workload_id, rank, tail)
    places = _places(last_event_id)
    return context.streams.answer(lambda stream: follower.run(stream, places))


class _Follower:
    """One reader of one workload's logs, over retries and replicas that start later."""

    def __init__(
        self,
        context: Context,
        scope: Scope,
        workload_id: str,
        rank: int | None,
        tail: int | None,
    ) -> None:
        self._context = context
        self._scope = scope
        self._workload_id = workload_id
        self._rank = rank
        self._tail = tail
        self._places: dict[str, int] = {}
        self._queue: asyncio.Queue[tuple[str, Piece | None]] = asyncio.Queue(64)
        self._readers: dict[str, asyncio.Task[None]] = {}

    async def run(self, stream: Stream, places: dict[str, int]) -> None:
        self._places = places
        pause_seconds = _QUICK_SECONDS
        first = True
        try:
            while True:
                workload = await self._workload()
                await self._start_readers(first=first)
                first = False
                ended = workload.state in WORKLOAD_ENDS
                while not self._idle() or not self._queue.empty():
                    item = await self._next(workload)
                    if item is None:
                        break
                    pause_seconds = _QUICK_SECONDS
                    allocation_id, piece = item
                    if piece is None:
                        continue
                    self._places[allocation_id] = piece.next_offset
                    if piece.json_text != "[]":
                        await stream.send(frame("lines", piece.json_text, self._token()))
                if self._idle() and self._queue.empty():
                    if ended:
                        await stream.send(frame("end", "{}"))
                        return
                    # Not started yet, or its end is about to be written down.
                    await asyncio.sleep(pause_seconds)
                    pause_seconds = min(_IDLE_SECONDS, pause_seconds * 1.5)
        finally:
            for task in self._readers.values():
                task.cancel()
            await asyncio.gather(*self._readers.values(), return_exceptions=True)

    def _idle(self) -> bool:
        return all(task.done() for task in self._readers.values())

    async def _next(self, workload: Workload) -> tuple[str, Piece | None] | None:
        """What a reader has next; None when it is time to look for replicas that started since."""
        wanted = 1 if self._rank is not None else workload.replicas.maximum
        if len(self._readers) >= wanted:
            return await self._queue.get()
        try:
            return await asyncio.wait_for(self._queue.get(), _IDLE_SECONDS)
        except TimeoutError:
            return None

    def _token(self) -> str:
        return ",".join(f"{key}@{offset}" for key, offset in self._places.items())

    async def _workload(self) -> Workload:
        return await self._context.database.read(
            lambda tx: workloads.workload_fetch(tx, self._scope, self._workload_id)
        )

    async def _start_readers(self, *, first: bool) -> None:
        for held, engine in await _latest(
            self._context, self._scope, self._workload_id, self._rank
        ):
            if held.id in self._readers or len(self._readers) >= 4 * _FOLLOWED_MAX:
                continue
            offset = self._places.get(held.id)
            if offset is None:
                offset = await self._beginning(held, engine) if first else 0
            self._readers[held.id] = asyncio.create_task(self._read(held, engine, offset))

    async def _beginning(self, held: Allocation, engine: Engine) -> int:
        if self._tail is None:
            return 0
        try:
            return await _tail_offset(engine, held, self._tail)
        except NotFoundError:
            return 0

    async def _read(self, held: Allocation, engine: Engine, offset: int) -> None:
        tails = self._context.log_tails
        pause_seconds = _QUICK_SECONDS
        last_look = False
        while True:
            try:
                async for piece in tails.follow(engine, held.id, held.rank, offset):
                    await self._queue.put((held.id, piece))
            except NotFoundError:
                # Scheduled, but not started yet; or removed long after its end.
                if held.released_at_ms is not None or last_look:
                    break
                last_look = (await self._workload()).state in WORKLOAD_ENDS
                if not last_look:
                    await asyncio.sleep(pause_seconds)
                    pause_seconds = min(_IDLE_SECONDS, pause_seconds * 1.5)
            else:
                break
        await self._queue.put((held.id, None))


async def _latest(
    context: Context, scope: Scope, workload_id: str, rank: int | None
) -> list[tuple[Allocation, Engine]]:
    """The newest allocation of each rank that has one, with the engine that keeps its log."""

    def read(tx: Transaction) -> list[tuple[Allocation, str]]:
        limit, after = (1, rank - 1) if rank is not None else (_FOLLOWED_MAX * 40, -1)
        ranks = allocations.rank_list(tx, scope, workload_id, limit=limit, after=after)
        if rank is not None and (not ranks or ranks[0].rank != rank):
            raise NotFoundError(f"Workload {workload_id} has no replica {rank}.")
        engine_of = nodes.engine_by_node(tx)
        return [
            (each.allocation, engine_of.get(each.allocation.node, ""))
            for each in ranks
            if each.allocation is not None
        ]

    found = await context.database.read(read)
    for held, engine in found:
        if engine not in context.engines:
            raise NotFoundError(
                f"The log of replica {held.rank} is kept on node {held.node}, which this server "
                "does not reach. Ask the server of that node."
            )
    return [(held, context.engines[engine]) for held, engine in found]


async def _text(
    found: list[tuple[Allocation, Engine]],
    tail: int | None,
    *,
    timestamps: bool,
    labels: bool,
) -> AsyncIterator[bytes]:
    """Replica after replica; each line of several carries its rank."""
    label = labels and len(found) > 1
    for held, engine in found:
        try:
            offset = 0 if tail is None else await _tail_offset(engine, held, tail)
            while True:
                chunk = await engine.read_log(held.id, offset=offset, limit_bytes=_CHUNK_BYTES)
                lines: list[dict[str, Any]] = json.loads(lines_json(held.rank, chunk))
                yield "".join(
                    _text_line(each, timestamps=timestamps, label=label) for each in lines
                ).encode()
                if chunk.next_offset <= offset:
                    break
                offset = chunk.next_offset
        except NotFoundError:
            continue


def _text_line(line: dict[str, Any], *, timestamps: bool, label: bool) -> str:
    head = f"{line['at']} " if timestamps and line["at"] else ""
    return f"{head}{'[' + str(line['rank']) + '] ' if label else ''}{line['text']}\n"


async def _tail_offset(engine: Engine, held: Allocation, lines: int) -> int:
    """Where the last `lines` lines begin: reads back in growing steps."""
    reach = max(4096, lines * _LINE_BYTES_GUESS)
    while True:
        chunk = await engine.read_log(held.id, offset=-reach, limit_bytes=reach)
        start, found = chunk.offset, list(chunk.lines)
        while chunk.next_offset > chunk.offset:
            chunk = await engine.read_log(
                held.id, offset=chunk.next_offset, limit_bytes=_CHUNK_BYTES
            )
            found.extend(chunk.lines)
        if len(found) >= lines or start == 0 or reach > 64 * 2**20:
            break
        reach *= 4
    skipped = found[: max(0, len(found) - lines)]
    return start + sum(len(each.encode()) + 1 for each in skipped)


def _places(token: str | None) -> dict[str, int]:
    """Where a broken stream had got to, by allocation."""
    places: dict[str, int] = {}
    for part in (token or "").split(","):
        allocation_id, sign, offset = part.partition("@")
        if sign and offset.isdigit() and len(offset) <= 18:
            places[allocation_id] = int(offset)
    return places
