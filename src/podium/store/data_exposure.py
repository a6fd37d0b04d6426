"""Work that stands where its data may not be any more: found after each change of an approval,
told to its owner and to the audit trail, once. It runs on. `intake` calls it in the transaction of
the change, and `control/data_watch` for what else may move a node to another pool."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from podium.domain.compliance import EXPOSED
from podium.domain.data import Classification, Needs, approved, fits, needs_of
from podium.store import tables
from podium.store.audit import AuditEntry, audit_append
from podium.store.data_sources import sources_fetch
from podium.store.data_uses import uses_from_text
from podium.store.database import Transaction
from podium.store.nodes import node_list
from podium.store.notices import notice_insert
from podium.store.pools import pool_list

_SLICE = 10_000


def exposed_note(tx: Transaction, now_ms: int, actor: str) -> int:
    """How many allocations were found that were in order before."""
    rows = _standing(tx)
    if not rows:
        return 0
    wanted = {name for row in rows for name, _ in uses_from_text(row.data_uses)}
    sources = sources_fetch(tx, wanted)
    pools = {pool.name: pool for pool in pool_list(tx)}
    at = {node.name: node.pool for node in node_list(tx)}
    found: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        pool = pools.get(at.get(row.node, ""))
        needs = _needs(row, sources)
        inside = fits(needs, "", ()) if pool is None else fits(needs, pool.region, approved(pool))
        if not inside:
            found.setdefault((row.workload_id, row.node), []).append((row, needs))
    if not found:
        return 0
    entries, notices, ids = [], [], []
    for (workload_id, node), members in found.items():
        row, needs = members[0]
        ids += [each.id for each, _ in members]
        pool_name = at.get(node, "")
        entries.append(
            AuditEntry(
                actor=actor,
                action=EXPOSED,
                subject=workload_id,
                project=row.project,
                detail={
                    "ranks": sorted(each.rank for each, _ in members),
                    "node": node,
                    "pool": pool_name,
                    "class": needs.classification.value,
                },
            )
        )
        where = f"pool {pool_name}" if pool_name else "no pool"
        notices.append(
            {
                "at_ms": now_ms,
                "username": row.owner,
                "workload_id": workload_id,
                "level": "bad",
                "sentence": f"{row.name} has {needs.classification} data on {node}, in {where}, "
                "which is not approved for it any more. It runs on; stop it if it must not.",
            }
        )
    launches = tables.data_launches
    for start in range(0, len(ids), 500):
        tx.execute(
            sa.update(launches)
            .where(launches.c.allocation_id.in_(ids[start : start + 500]))
            .values(exposed_at_ms=now_ms)
        )
    audit_append(tx, entries, now_ms)
    notice_insert(tx, notices)
    return len(ids)


def _needs(row: Any, sources: Any) -> Needs:
    used = [sources[name] for name, _ in uses_from_text(row.data_uses) if name in sources]
    declared = Classification(row.classification) if row.classification else None
    return needs_of(declared, used)


def _standing(tx: Transaction) -> Any:
    """What runs with data and is not noted yet."""
    held, launch, workload = tables.allocations, tables.data_launches, tables.workloads
    return tx.execute(
        sa.select(
            held.c.id,
            held.c.workload_id,
            held.c.project,
            held.c.rank,
            held.c.node,
            workload.c.owner,
            workload.c.name,
            workload.c.classification,
            workload.c.data_uses,
        )
        .join(launch, launch.c.allocation_id == held.c.id)
        .join(workload, workload.c.id == held.c.workload_id)
        .where(held.c.released_at_ms.is_(None), launch.c.exposed_at_ms.is_(None))
        .order_by(held.c.id)
        .limit(_SLICE)
    ).all()
