"""When each device was there, and whether it was in service: healthy, on a node that is not lost.
Written by `store/nodes` and `store/lost_nodes` when that changes, read by `store/device_time`."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.node import NodeState
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction


def spans_update(tx: Transaction, now_ms: int) -> None:
    """Write what differs from the inventory. Nothing is written while nothing changes."""
    span = tables.device_spans
    before = tx.scalars(_outdated()).all()
    after = tx.execute(_unwritten()).all()
    if not before and not after:
        return
    starts = _free_from(tx, [*before, *(row.id for row in after)], now_ms)
    for chunk in chunks(before):
        is_open = span.c.device_id.in_(chunk) & span.c.until_ms.is_(None)
        # What began in this moment never was; a clock that went back shortens nothing below 0.
        tx.execute(sa.delete(span).where(is_open, span.c.since_ms >= now_ms))
        tx.execute(sa.update(span).where(is_open).values(until_ms=now_ms))
    if after:
        tx.execute(
            sa.insert(span),
            [
                {
                    "device_id": row.id,
                    "since_ms": starts.get(row.id, now_ms),
                    "until_ms": None,
                    "node": row.node,
                    "gpu_type": row.gpu_type,
                    "in_service": row.in_service,
                }
                for row in after
            ],
        )


def _now() -> sa.Subquery:
    device, node = tables.devices, tables.nodes
    name = sa.case(
        (device.c.mig_profile.is_not(None), device.c.type + " " + device.c.mig_profile),
        else_=device.c.type,
    )
    in_service = sa.and_(device.c.healthy, node.c.state != NodeState.LOST.value)
    return (
        sa.select(
            device.c.id, device.c.node, name.label("gpu_type"), in_service.label("in_service")
        )
        .join(node, node.c.name == device.c.node)
        .subquery()
    )


def _same(now: sa.Subquery) -> sa.ColumnElement[bool]:
    span = tables.device_spans
    return sa.and_(
        span.c.device_id == now.c.id,
        span.c.until_ms.is_(None),
        span.c.node == now.c.node,
        span.c.gpu_type == now.c.gpu_type,
        span.c.in_service == now.c.in_service,
    )


def _outdated() -> sa.Select[str]:
    """Open spans that say something else than the inventory."""
    span, now = tables.device_spans, _now()
    return (
        sa.select(span.c.device_id)
        .outerjoin(now, _same(now))
        .where(span.c.until_ms.is_(None), now.c.id.is_(None))
    )


def _unwritten() -> sa.Select[str, str, str, bool]:
    """Devices of which no open span says what they are."""
    span, now = tables.device_spans, _now()
    return (
        sa.select(now.c.id, now.c.node, now.c.gpu_type, now.c.in_service)
        .select_from(now.outerjoin(span, _same(now)))
        .where(span.c.device_id.is_(None))
        .order_by(now.c.id)
    )


def _free_from(tx: Transaction, ids: list[str], now_ms: int) -> dict[str, int]:
    """From when on the next span of each may begin: not before the end of one, whatever the clock
    says."""
    span = tables.device_spans
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(span.c.device_id, sa.func.max(span.c.until_ms))
            .where(span.c.device_id.in_(chunk), span.c.until_ms.is_not(None))
            .group_by(span.c.device_id)
        )
        found.update((key, max(now_ms, until_ms)) for key, until_ms in rows)
    return found
