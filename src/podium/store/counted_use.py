"""What is held now of all that quotas limit beside GPUs, by project. `store/shares` asks."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.quota import Counted, mig_slices
from podium.domain.workload import Kind
from podium.store import tables
from podium.store.database import Transaction
from podium.store.storage import stored_by_project

Use = dict[Counted, int]


def counted_use(tx: Transaction) -> dict[str, Use]:
    """By project; those that hold nothing are left out."""
    held, workload = tables.allocations, tables.workloads
    part, device = tables.allocation_devices, tables.devices
    is_open = held.c.released_at_ms.is_(None)
    found: dict[str, Use] = {}

    def add(project: str, what: Counted, amount: int) -> None:
        use = found.setdefault(project, {})
        use[what] = use.get(what, 0) + int(amount)

    for project, cpu_milli, memory_bytes in tx.execute(
        sa.select(held.c.project, sa.func.sum(held.c.cpu_milli), sa.func.sum(held.c.memory_bytes))
        .where(is_open)
        .group_by(held.c.project)
    ):
        add(project, Counted.CPU, cpu_milli)
        add(project, Counted.MEMORY, memory_bytes)
    for project, count in tx.execute(
        sa.select(held.c.project, sa.func.count(held.c.workload_id.distinct()))
        .join(workload, workload.c.id == held.c.workload_id)
        .where(is_open, workload.c.kind == Kind.WORKSPACE.value)
        .group_by(held.c.project)
    ):
        add(project, Counted.WORKSPACES, count)
    profile = sa.func.coalesce(sa.func.nullif(part.c.mig_profile, ""), device.c.mig_profile)
    for project, name, count in tx.execute(
        sa.select(held.c.project, profile, sa.func.count())
        .join(part, part.c.allocation_id == held.c.id)
        .join(device, device.c.id == part.c.device_id)
        .where(is_open, profile.is_not(None))
        .group_by(held.c.project, profile)
    ):
        add(project, Counted.MIG_SLICES, mig_slices(name) * count)
    for project, size_bytes in stored_by_project(tx).items():
        add(project, Counted.STORAGE, size_bytes)
    return found
