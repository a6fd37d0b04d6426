"""Quotas as administrators set them. `store/shares` makes the scheduler's tree from them."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.quota import Counted, Quota, QuotaLevel
from podium.store import tables
from podium.store.database import Transaction

Key = tuple[QuotaLevel, str]


def quota_list(tx: Transaction) -> dict[Key, Quota]:
    """Those that were set, by level and name."""
    table, amount = tables.quotas, tables.quota_amounts
    guarantees: dict[Key, list[tuple[str, int]]] = {}
    limits: dict[Key, list[tuple[str, int]]] = {}
    caps: dict[Key, list[tuple[str, int]]] = {}
    ceilings: dict[Key, list[tuple[Counted, int]]] = {}
    order = (amount.c.level, amount.c.name, amount.c.gpu_type)
    for row in tx.execute(sa.select(amount).order_by(*order)):
        key = (QuotaLevel(row.level), row.name)
        if row.guarantee_milli:
            guarantees.setdefault(key, []).append((row.gpu_type, row.guarantee_milli))
        if row.limit_milli is not None:
            limits.setdefault(key, []).append((row.gpu_type, row.limit_milli))
        if row.per_user_milli is not None:
            caps.setdefault(key, []).append((row.gpu_type, row.per_user_milli))
    ceiling = tables.quota_ceilings
    for row in tx.execute(
        sa.select(ceiling).order_by(ceiling.c.level, ceiling.c.name, ceiling.c.counted)
    ):
        key = (QuotaLevel(row.level), row.name)
        ceilings.setdefault(key, []).append((Counted(row.counted), row.amount))
    found: dict[Key, Quota] = {}
    for row in tx.execute(sa.select(table).order_by(table.c.level, table.c.name)):
        key = (QuotaLevel(row.level), row.name)
        found[key] = Quota(
            level=key[0],
            name=row.name,
            weight=row.weight,
            guarantees=tuple(guarantees.get(key, ())),
            limits=tuple(limits.get(key, ())),
            per_user=tuple(caps.get(key, ())),
            ceilings=tuple(ceilings.get(key, ())),
        )
    return found


def quota_set(tx: Transaction, quota: Quota, now_ms: int, username: str) -> None:
    """Put it in the place of what stood there."""
    quota_remove(tx, quota.level, quota.name)
    key = {"level": quota.level.value, "name": quota.name}
    tx.execute(
        sa.insert(tables.quotas).values(
            **key, weight=quota.weight, updated_at_ms=now_ms, updated_by=username
        )
    )
    guarantees, limits, caps = dict(quota.guarantees), dict(quota.limits), dict(quota.per_user)
    rows = [
        {
            **key,
            "gpu_type": gpu_type,
            "guarantee_milli": guarantees.get(gpu_type, 0),
            "limit_milli": limits.get(gpu_type),
            "per_user_milli": caps.get(gpu_type),
        }
        for gpu_type in sorted({*guarantees, *limits, *caps})
    ]
    if rows:
        tx.execute(sa.insert(tables.quota_amounts), rows)
    if quota.ceilings:
        tx.execute(
            sa.insert(tables.quota_ceilings),
            [{**key, "counted": what.value, "amount": most} for what, most in quota.ceilings],
        )


def quota_remove(tx: Transaction, level: QuotaLevel, name: str) -> bool:
    """Whether there was one."""
    for table in (tables.quota_amounts, tables.quota_ceilings, tables.quotas):
        deleted = tx.execute(
            sa.delete(table).where(table.c.level == level.value, table.c.name == name)
        )
    return deleted.rowcount > 0


def named(tx: Transaction, level: QuotaLevel, name: str) -> bool:
    """Whether there is such a team or project that is not archived. The organisation's name is
    empty."""
    if level is QuotaLevel.ORGANISATION:
        return not name
    table = tables.teams if level is QuotaLevel.TEAM else tables.projects
    there = sa.select(table.c.name).where(table.c.name == name, table.c.archived_at_ms.is_(None))
    return tx.scalar(there) is not None
