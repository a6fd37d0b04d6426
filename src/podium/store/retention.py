"""Keeps every history table bounded. Called by `control/reap`, a slice at a time."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.store import tables
from podium.store.audit_seals import audit_sweep
from podium.store.cycles import cycles_trim
from podium.store.database import Transaction
from podium.store.thinning import samples_thin
from podium.store.tokens import token_delete_expired

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_SLICE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long ended things are kept, in days. Usage and audit outlive the workloads. Of cycles of
    the scheduler that can be decided again, none is older than `cycles_hours`, and all together
    are at most `cycles_max` and take `cycles_bytes`."""

    logs_days: int = 30
    uploads_days: int = 30
    workloads_days: int = 180
    usage_days: int = 1100
    audit_days: int = 400
    idempotency_days: int = 2
    notices_days: int = 30
    samples_days: int = 30  # those of allocations go with their workloads
    minutes_days: int = 30  # figures of the scheduler
    demand_days: int = 400  # what was wanted by the hour
    cycles_hours: int = 24
    cycles_max: int = 50_000
    cycles_bytes: int = 256 * 2**20


def history_trim(tx: Transaction, keep: Retention, now_ms: int) -> int:
    """Delete up to a slice of each table's oldest rows. Returns how many went; call again while
    it is not 0. Workloads go only after their logs went, and of the audit trail only what a signed
    removal covers (`control/notary`)."""
    token_delete_expired(tx, now_ms)
    trimmed = _workloads(tx, now_ms - keep.workloads_days * _DAY_MS)
    for table, column, days in (
        (tables.events, "at_ms", keep.workloads_days),
        (tables.bill_lines, "day_ms", keep.usage_days),
        (tables.usage_days, "day_ms", keep.usage_days),
        (tables.device_spans, "until_ms", keep.usage_days),
        (tables.idempotency, "created_at_ms", keep.idempotency_days),
        (tables.notices, "at_ms", keep.notices_days),
        (tables.bookings, "until_ms", keep.workloads_days),
        (tables.device_samples, "at_ms", keep.samples_days),
        (tables.capacity_samples, "at_ms", keep.samples_days),
        (tables.fragmentation_samples, "at_ms", keep.samples_days),
        (tables.scheduler_minutes, "at_ms", keep.minutes_days),
        (tables.demand_hours, "at_ms", keep.demand_days),
        (tables.demand_hour_reasons, "at_ms", keep.demand_days),
        (tables.quota_history, "at_ms", keep.usage_days),
    ):
        trimmed += _oldest(tx, table, column, now_ms - days * _DAY_MS)
    for table, column in (
        (tables.sign_in_flows, "expires_at_ms"),
        (tables.device_codes, "expires_at_ms"),
        (tables.sign_in_attempts, "forgotten_at_ms"),
    ):
        trimmed += _oldest(tx, table, column, now_ms)
    trimmed += audit_sweep(tx, _SLICE)
    trimmed += _prices(tx, now_ms - keep.usage_days * _DAY_MS)
    trimmed += cycles_trim(
        tx,
        now_ms,
        age_ms=keep.cycles_hours * _HOUR_MS,
        cycles_max=keep.cycles_max,
        bytes_max=keep.cycles_bytes,
    )
    return trimmed + samples_thin(tx, now_ms)


def _prices(tx: Transaction, before_ms: int) -> int:
    """Prices that a later one replaced before the oldest usage that is kept."""
    table, later = tables.prices, tables.prices.alias("later")
    replaced = sa.exists().where(
        later.c.gpu_type == table.c.gpu_type,
        later.c.since_ms > table.c.since_ms,
        later.c.since_ms < before_ms,
    )
    return tx.execute(sa.delete(table).where(replaced)).rowcount


def _workloads(tx: Transaction, before_ms: int) -> int:
    table, held = tables.workloads, tables.allocations
    ids = tx.scalars(
        sa.select(table.c.id)
        .where(
            table.c.ended_at_ms < before_ms,
            ~sa.exists().where(held.c.workload_id == table.c.id, held.c.removed.is_(False)),
        )
        .order_by(table.c.ended_at_ms)
        .limit(_SLICE)
    ).all()
    if ids:
        tx.execute(sa.delete(table).where(table.c.id.in_(ids)))
    return len(ids)


def _oldest(tx: Transaction, table: sa.Table, column: str, before_ms: int) -> int:
    keys = list(table.primary_key.columns)
    rows = tx.execute(
        sa.select(*keys).where(table.c[column] < before_ms).order_by(table.c[column]).limit(_SLICE)
    ).all()
    if not rows:
        return 0
    if len(keys) == 1:
        tx.execute(sa.delete(table).where(keys[0].in_([row[0] for row in rows])))
    else:
        tx.execute(sa.delete(table).where(sa.tuple_(*keys).in_([tuple(row) for row in rows])))
    return len(rows)
