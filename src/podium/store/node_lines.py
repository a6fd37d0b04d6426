"""Nodes over time: what stands there and until when, what is planned, what is booked. The queue's
page draws it. Of others' work only amounts are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.booking import Reserved
from podium.domain.node import Node, NodeState
from podium.domain.quantity import GPU_MILLI
from podium.domain.tenancy import Scope
from podium.scheduling.snapshot import Hold
from podium.scheduling.view import expected_end_ms
from podium.store import tables
from podium.store.bookings import booking_list
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.nodes import node_count, node_fetch_many
from podium.store.policies import policies_fetch
from podium.store.queue_plan import QueueReservation
from podium.store.scoping import within
from podium.store.standing import hold_list

_SOON_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSpan:
    """What one workload of the scope holds of a node. All that others hold is one span without an
    id, a beginning and an end. `certain`: by a limit it ends at `until_ms` at the latest."""

    workload_id: str | None
    gpu_milli: int
    from_ms: int | None = None
    until_ms: int | None = None
    certain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSpan:
    """Without an id where the reader may not see it."""

    workload_id: str | None
    gpu_milli: int
    from_ms: int | None
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLine:
    """`free_milli` is what new work could have now."""

    node: Node
    running: tuple[RunningSpan, ...]
    planned: tuple[PlannedSpan, ...]
    booked: tuple[Reserved, ...]
    free_milli: int


@dataclass(frozen=True, slots=True)
class NodeLines:
    """`left_out` counts the nodes beyond the limit."""

    lines: tuple[NodeLine, ...]
    left_out: int


def node_lines(
    tx: Transaction,
    scope: Scope,
    reservations: Sequence[QueueReservation],
    now_ms: int,
    *,
    until_ms: int,
    limit: int,
) -> NodeLines:
    """Nodes with something kept or booked before `until_ms` first, then others by the soonest end
    of what the reader may see there."""
    bookings = [each for each in booking_list(tx, now_ms, scope=scope) if each.from_ms < until_ms]
    chosen = dict.fromkeys(name for each in reservations for name, _ in each.nodes)
    chosen.update(dict.fromkeys(name for each in bookings for name in each.nodes))
    nodes = node_fetch_many(tx, list(chosen)[: 2 * limit])
    names = [name for name in chosen if name in nodes][:limit]
    if len(names) < limit:
        more = _by_soonest_end(tx, scope, names, limit - len(names))
        nodes.update(node_fetch_many(tx, more))
        names += more
    running, held = _running(tx, scope, names, now_ms), _held(tx, names)
    planned, booked = _planned(reservations, nodes), _booked(bookings)
    return NodeLines(
        tuple(
            NodeLine(
                node=nodes[name],
                running=running.get(name, ()),
                planned=planned.get(name, ()),
                booked=booked.get(name, ()),
                free_milli=_free(nodes[name], held, booked.get(name, ()), now_ms),
            )
            for name in names
        ),
        max(0, node_count(tx) - len(names)),
    )


def _by_soonest_end(
    tx: Transaction, scope: Scope, without: Collection[str], limit: int
) -> list[str]:
    """Nodes with an expected end, with other work, and without any, in this order."""
    node, held, workload = tables.nodes, tables.allocations, tables.workloads
    # As `expected_end_ms` has it, as far as the spec says.
    lasts = sa.func.coalesce(
        workload.c.max_runtime_seconds, 2 * workload.c.expected_runtime_seconds
    )
    end = held.c.started_at_ms + lasts * 1000
    seen = within(scope, held.c.project)
    busy = (
        sa.select(held.c.node, sa.func.min(sa.case((seen, end))).label("end"))
        .join(workload, workload.c.id == held.c.workload_id)
        .where(held.c.released_at_ms.is_(None))
        .group_by(held.c.node)
        .subquery()
    )
    rows = tx.scalars(
        sa.select(node.c.name)
        .outerjoin(busy, busy.c.node == node.c.name)
        .order_by(busy.c.end.is_(None), busy.c.end, busy.c.node.is_(None), node.c.name)
        .limit(limit + len(without))
    )
    taken = set(without)
    return [name for name in rows if name not in taken][:limit]


def _running(
    tx: Transaction, scope: Scope, names: Sequence[str], now_ms: int
) -> dict[str, tuple[RunningSpan, ...]]:
    """Those that end first first, others' work last."""
    held = tables.allocations
    mine: dict[str, dict[str, tuple[int, int]]] = {}  # by node and workload: milli, beginning
    others: dict[str, int] = {}
    for chunk in chunks(names):
        each = (
            sa.select(
                held.c.node,
                sa.case((within(scope, held.c.project), held.c.workload_id)).label("shown"),
                held.c.gpu_milli,
                sa.func.coalesce(held.c.started_at_ms, held.c.created_at_ms).label("from_ms"),
            )
            .where(held.c.released_at_ms.is_(None), held.c.node.in_(chunk))
            .subquery()
        )
        rows = tx.execute(
            sa.select(
                each.c.node,
                each.c.shown,
                sa.func.sum(each.c.gpu_milli),
                sa.func.min(each.c.from_ms),
            )
            .group_by(each.c.node, each.c.shown)
            .order_by(each.c.node, each.c.shown)
        )
        for name, workload_id, milli, from_ms in rows:
            if workload_id is None:
                others[name] = int(milli)
            else:
                mine.setdefault(name, {})[workload_id] = (int(milli), from_ms)
    ends = _ends(tx, {key for spans in mine.values() for key in spans}, now_ms)
    found = {}
    for name in names:
        spans = []
        for workload_id, (milli, from_ms) in mine.get(name, {}).items():
            until_ms, certain = ends.get((name, workload_id), (None, False))
            spans.append(
                RunningSpan(
                    workload_id=workload_id,
                    gpu_milli=milli,
                    from_ms=from_ms,
                    until_ms=until_ms,
                    certain=certain,
                )
            )
        spans.sort(key=lambda span: (span.until_ms is None, span.until_ms or 0, -span.gpu_milli))
        if name in others:
            spans.append(RunningSpan(workload_id=None, gpu_milli=others[name]))
        found[name] = tuple(spans)
    return found


def _ends(
    tx: Transaction, ids: Collection[str], now_ms: int
) -> dict[tuple[str, str], tuple[int | None, bool]]:
    """By node and workload, when the last of its replicas there is expected to end, and whether
    it has to."""
    policies = policies_fetch(tx)
    found: dict[tuple[str, str], tuple[int | None, bool]] = {}
    for chunk in chunks(ids):
        for hold in hold_list(tx, policies, only=chunk):
            key = (hold.node, hold.workload_id)
            end_ms, certain = _end_ms(hold, now_ms), hold.ends_at_ms is not None
            if key in found:
                before_ms, before = found[key]
                certain = certain and before
                unknown = end_ms is None or before_ms is None
                end_ms = None if unknown else max(end_ms or 0, before_ms or 0)
            found[key] = (end_ms, certain)
    return found


def _end_ms(hold: Hold, now_ms: int) -> int | None:
    """Work that should have ended already is given as long again as it is late, as reservations
    count it."""
    end_ms = expected_end_ms(hold)
    if end_ms is None or end_ms > now_ms:
        return end_ms
    return now_ms + max(_SOON_MS, now_ms - end_ms)


def _held(tx: Transaction, names: Sequence[str]) -> dict[str, int]:
    """Milli-GPU that is held of each device of the nodes."""
    held, part = tables.allocations, tables.allocation_devices
    found: dict[str, int] = {}
    for chunk in chunks(names):
        rows = tx.execute(
            sa.select(part.c.device_id, sa.func.sum(part.c.gpu_milli))
            .join(held, held.c.id == part.c.allocation_id)
            .where(held.c.released_at_ms.is_(None), held.c.node.in_(chunk))
            .group_by(part.c.device_id)
        )
        found.update((device_id, int(milli)) for device_id, milli in rows)
    return found


def _free(node: Node, held: dict[str, int], booked: Iterable[Reserved], now_ms: int) -> int:
    maintained = any(each.project is None and each.from_ms <= now_ms for each in booked)
    if node.state is not NodeState.READY or maintained:
        return 0
    return sum(
        max(0, GPU_MILLI - held.get(device.id, 0)) for device in node.devices if device.healthy
    )


def _planned(
    reservations: Iterable[QueueReservation], nodes: dict[str, Node]
) -> dict[str, tuple[PlannedSpan, ...]]:
    found: dict[str, list[PlannedSpan]] = {}
    for each in reservations:
        until_ms = None
        if each.from_ms is not None and each.lasts_ms is not None:
            until_ms = each.from_ms + each.lasts_ms
        for name, replicas in each.nodes:
            if name not in nodes:
                continue
            found.setdefault(name, []).append(
                PlannedSpan(
                    workload_id=each.workload_id if each.seen else None,
                    gpu_milli=replicas * _milli(each, nodes[name]) // each.replicas,
                    from_ms=each.from_ms,
                    until_ms=until_ms,
                )
            )
    return {name: tuple(spans) for name, spans in found.items()}


def _milli(each: QueueReservation, node: Node) -> int:
    """Of one replica; a share by memory is the part that it is of the node's largest device."""
    if not each.gpu_share_bytes:
        return each.gpu_milli
    largest_bytes = max((device.memory_bytes for device in node.devices), default=0)
    if not largest_bytes:
        return each.gpu_milli
    return each.gpu_milli + min(GPU_MILLI, each.gpu_share_bytes * GPU_MILLI // largest_bytes)


def _booked(bookings: Iterable[Reserved]) -> dict[str, tuple[Reserved, ...]]:
    found: dict[str, list[Reserved]] = {}
    for each in bookings:
        for name in each.nodes:
            found.setdefault(name, []).append(each)
    return {name: tuple(spans) for name, spans in found.items()}
