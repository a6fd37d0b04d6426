"""What open allocations keep from others, as the scheduler has to know it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from podium.domain.lifecycle import ReplicaState
from podium.domain.policies import Policies
from podium.domain.policy import Order
from podium.domain.pool import sole_pool
from podium.domain.resources import DeviceShare, Request
from podium.domain.workload import Kind
from podium.scheduling.snapshot import Expected, Hold
from podium.store import tables
from podium.store.caps import CappedProjects
from podium.store.chunks import chunks
from podium.store.codec import Row, names_from_text
from podium.store.database import Transaction
from podium.store.learning import Learnt, attained, like_milli
from podium.store.pools import reach_fetch
from podium.store.shapes import REQUEST_COLUMNS, Shapes

_SPARED_MAX = 8


def hold_list(
    tx: Transaction,
    policies: Policies,
    shapes: Shapes | None = None,
    *,
    only: Collection[str] | None = None,
    learnt: Learnt | None = None,
) -> tuple[Hold, ...]:
    """In the order of their ids; of all workloads or of some. What was `learnt` of runtimes stands
    in where the work says nothing. With `shapes`, what may be moved has its request."""
    held, workload = tables.allocations, tables.workloads
    chosen: sa.ColumnElement[bool] = held.c.released_at_ms.is_(None)
    if only is not None:
        chosen &= held.c.workload_id.in_(sorted(only))
    shares, spared = _shares(tx, chosen), _spared(tx, chosen)
    rows = tx.execute(
        sa.select(
            held.c.id,
            held.c.workload_id,
            held.c.project,
            held.c.rank,
            held.c.state,
            held.c.node,
            held.c.cpu_milli,
            held.c.memory_bytes,
            held.c.created_at_ms,
            held.c.started_at_ms,
            held.c.saved_at_ms,
            workload.c.priority,
            workload.c.kind,
            workload.c.preemptible,
            workload.c.replicas_min,
            workload.c.replicas_max,
            workload.c.replicas_resize,
            workload.c.is_array,
            workload.c.max_runtime_seconds,
            workload.c.expected_runtime_seconds,
            workload.c.submitted_at_ms,
            workload.c.attempt.label("workload_attempt"),
            workload.c.gpu_milli,
            workload.c.mig_count,
            workload.c.groups_gpu_milli,
            workload.c.owner,
            workload.c.name,
            workload.c.pools,
            workload.c.gpu_types,
        )
        .join(workload, workload.c.id == held.c.workload_id)
        .where(chosen)
        .order_by(held.c.id)
    )
    found = rows.mappings().all()
    had: Mapping[str, int] = {}
    if policies.scheduling.order is Order.ATTAINED:
        again = (row for row in found if row["is_array"] or row["workload_attempt"] > 1)
        had = attained(tx, [row["workload_id"] for row in again])
    saved = _saved(found)
    requests = (
        {} if shapes is None else _requests(tx, [each for each in found if _moves(each)], shapes)
    )
    capped = CappedProjects(tx)
    return tuple(
        replace(
            _hold(row, shares.get(row["id"], ()), policies, spared.get(row["workload_id"], 0)),
            expected=_expected(row, learnt),
            saved_at_ms=_saved_at_ms(row, saved),
            attained_milli_ms=had.get(row["workload_id"], 0),
            request=requests.get(row["workload_id"]),
            owner=capped.owner(row["project"], row["owner"]),
        )
        for row in found
    )


def _moves(row: Row) -> bool:
    """Whether it could go on elsewhere from what it saved, without anybody missing it."""
    alone = row["replicas_max"] == 1 and not row["is_array"]
    stays = row["preemptible"] and row["state"] != ReplicaState.STOPPING
    return alone and stays and row["saved_at_ms"] is not None


def _requests(tx: Transaction, rows: Sequence[Row], shapes: Shapes) -> Mapping[str, Request]:
    """By workload, as it would ask now; without what its project may use nowhere any more."""
    if not rows:
        return {}
    table, reach = tables.workloads, reach_fetch(tx)
    columns = [table.c[name] for name in REQUEST_COLUMNS]
    # Where data lets it stand is asked when it waits again.
    free = (table.c.classification == "") & (table.c.data_uses == "")
    projects = {row["workload_id"]: row["project"] for row in rows}
    found: dict[str, Request] = {}
    for chunk in chunks(projects):
        for key, *shape in tx.execute(
            sa.select(table.c.id, *columns).where(table.c.id.in_(chunk), free)
        ):
            request, names = shapes.request(tuple(shape)), reach.of(projects[key])
            reached = request if names is None else shapes.reached(request, names)
            if reached is not None:
                found[key] = reached
    return found


def _saved(rows: Sequence[Row]) -> Mapping[str, int]:
    """When each workload last saved what it did: one rank does that for all of a gang."""
    found: dict[str, int] = {}
    for row in rows:
        at_ms, key = row["saved_at_ms"], row["workload_id"]
        if at_ms is not None and at_ms > found.get(key, 0):
            found[key] = at_ms
    return found


def _saved_at_ms(row: Row, saved: Mapping[str, int]) -> int | None:
    """Nothing of a replica that joined later was lost before it began."""
    at_ms = row["saved_at_ms"] if row["is_array"] else saved.get(row["workload_id"])
    if at_ms is None or row["started_at_ms"] is None:
        return at_ms
    return max(int(at_ms), int(row["started_at_ms"]))


def _expected(row: Row, learnt: Learnt | None) -> Expected | None:
    limit_seconds, expected_seconds = row["max_runtime_seconds"], row["expected_runtime_seconds"]
    if expected_seconds is not None:
        return expectation(expected_seconds, limit_seconds)
    if learnt is None:
        return None
    return learnt.expected(
        project=row["project"],
        kind=row["kind"],
        gpu_milli=like_milli(
            row["gpu_milli"],
            row["mig_count"],
            row["replicas_max"],
            is_array=row["is_array"],
            groups_gpu_milli=row["groups_gpu_milli"],
        ),
        owner=row["owner"],
        name=row["name"],
        limit_seconds=limit_seconds,
    )


def expectation(seconds: int, limit_seconds: int | None) -> Expected:
    """From what the spec says: rarely more than twice as long, and never beyond its limit."""
    likely_ms, most_ms = seconds * 1000, seconds * 2000
    if limit_seconds is not None:
        likely_ms, most_ms = (min(each, limit_seconds * 1000) for each in (likely_ms, most_ms))
    return Expected(likely_ms, most_ms)


def _hold(row: Row, devices: tuple[DeviceShare, ...], policies: Policies, gave_way: int) -> Hold:
    kind = Kind(row["kind"])
    limit_seconds = row["max_runtime_seconds"]
    started_at_ms = row["started_at_ms"]
    pool = sole_pool(names_from_text(row["pools"]))
    least_ms = policies.of(kind, row["project"], pool).minimum_runtime_ms
    if least_ms is None:
        least_ms = policies.scheduling.minimum_runtime_ms
    # Longer each time, so that work which gave way often gets somewhere in the end.
    least_ms *= min(_SPARED_MAX, 1 + gave_way)
    ending = row["state"] == ReplicaState.STOPPING
    return Hold(
        allocation_id=row["id"],
        workload_id=row["workload_id"],
        project=row["project"],
        priority=row["priority"],
        kind=kind,
        rank=row["rank"],
        node=row["node"],
        cpu_milli=row["cpu_milli"],
        memory_bytes=row["memory_bytes"],
        devices=devices,
        started_at_ms=started_at_ms,
        ends_at_ms=None
        if started_at_ms is None or limit_seconds is None
        else started_at_ms + limit_seconds * 1000,
        queued_at_ms=row["submitted_at_ms"],
        ending=ending,
        preemptible=row["preemptible"] and not ending,
        minimum=_minimum(row),
        gpu_types=names_from_text(row["gpu_types"]),
        safe_until_ms=(row["created_at_ms"] if started_at_ms is None else started_at_ms) + least_ms,
    )


def _minimum(row: Row) -> int:
    """Of a gang that cannot shrink all must go, also of one that began with fewer than its most."""
    if row["is_array"]:
        return 0
    return int(row["replicas_min"] if row["replicas_resize"] else row["replicas_max"])


def _shares(tx: Transaction, chosen: sa.ColumnElement[bool]) -> dict[str, tuple[DeviceShare, ...]]:
    held, part = tables.allocations, tables.allocation_devices
    found: dict[str, list[DeviceShare]] = {}
    rows = tx.execute(
        sa.select(
            part.c.allocation_id,
            part.c.device_id,
            part.c.gpu_milli,
            part.c.memory_bytes,
            part.c.mig_profile,
            part.c.mig_start,
        )
        .join(held, held.c.id == part.c.allocation_id)
        .where(chosen)
        .order_by(part.c.allocation_id, part.c.device_id, part.c.mig_start)
    )
    for key, *share in rows:
        found.setdefault(key, []).append(DeviceShare(*share))
    return {key: tuple(shares) for key, shares in found.items()}


def _spared(tx: Transaction, chosen: sa.ColumnElement[bool]) -> dict[str, int]:
    """How often work that holds something gave way as a whole before."""
    table, held = tables.preemptions, tables.allocations
    holding = sa.select(held.c.workload_id).where(chosen)
    rows = tx.execute(
        sa.select(table.c.workload_id, sa.func.count())
        .where(table.c.whole, table.c.workload_id.in_(holding))
        .group_by(table.c.workload_id)
    )
    return {row[0]: row[1] for row in rows}
