"""What projects used in the past, fading by the half-life of `domain/decay`.

One row for each project and GPU type holds the faded sum of all released allocations:
`store/replicas` adds each with its bill, so that reading costs the same after any number of them.
What is still held comes on top (`store/shares`). A half-life that was changed holds from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa

from podium.domain import decay
from podium.domain.policies import SCHEDULING, PolicyLevel
from podium.domain.policy import DEFAULT_SCHEDULING
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.codec import Row
from podium.store.database import Transaction


def past_use_add(tx: Transaction, released: Sequence[Row], now_ms: int) -> None:
    """Count allocations that were released now, for each GPU type that they held."""
    ran = {row["id"]: row for row in released if row["runtime_ms"] > 0}
    if not ran:
        return
    half_life_ms = half_life(tx)
    table = tables.past_use
    more: dict[tuple[str, str], int] = {}
    for key, gpu_type, milli in _grants(tx, ran):
        row = ran[key]
        place = (row["project"], gpu_type)
        more[place] = more.get(place, 0) + decay.held(milli, row["runtime_ms"], half_life_ms)
    for project, gpu_type in sorted(more):
        amount = more[project, gpu_type]
        mine = (table.c.project == project) & (table.c.gpu_type == gpu_type)
        before = tx.execute(
            sa.select(table.c.at_ms, table.c.milli_ms).where(mine).with_for_update()
        ).first()
        if before is None:
            values = {"project": project, "gpu_type": gpu_type, "at_ms": now_ms}
            tx.execute(sa.insert(table).values(**values, milli_ms=amount))
            continue
        left = decay.faded(before.milli_ms, now_ms - before.at_ms, half_life_ms)
        tx.execute(
            sa.update(table)
            .where(mine)
            .values(at_ms=max(now_ms, before.at_ms), milli_ms=left + amount)
        )


def _grants(tx: Transaction, ids: Collection[str]) -> Iterator[tuple[str, str, int]]:
    """Allocation, GPU type and milli-GPU of each."""
    part, device = tables.allocation_devices, tables.devices
    for chunk in chunks(ids):
        rows = tx.execute(
            sa.select(part.c.allocation_id, device.c.type, sa.func.sum(part.c.gpu_milli))
            .join(device, device.c.id == part.c.device_id)
            .where(part.c.allocation_id.in_(chunk))
            .group_by(part.c.allocation_id, device.c.type)
        )
        for key, gpu_type, milli in rows:
            yield key, gpu_type, int(milli)


def past_use_list(tx: Transaction, now_ms: int, half_life_ms: int) -> dict[str, dict[str, int]]:
    """Of released allocations, by project and GPU type, in milli-GPU x milliseconds."""
    table = tables.past_use
    found: dict[str, dict[str, int]] = {}
    for row in tx.execute(sa.select(table).order_by(table.c.project, table.c.gpu_type)):
        left = decay.faded(row.milli_ms, now_ms - row.at_ms, half_life_ms)
        if left:
            found.setdefault(row.project, {})[row.gpu_type] = left
    return found


def half_life(tx: Transaction) -> int:
    """In milliseconds, as the cluster's policy has it now."""
    table = tables.policies
    text = tx.scalar(
        sa.select(table.c.value).where(
            table.c.level == PolicyLevel.CLUSTER.value,
            table.c.name == "",
            table.c.part == SCHEDULING,
            table.c.field == "half_life_ms",
        )
    )
    return int(text) if text else DEFAULT_SCHEDULING.half_life_ms
