"""Layouts of GPUs in MIG mode that operators want, and what they wait for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.errors import NotFoundError
from podium.domain.lifecycle import WORKLOAD_UNDER_WAY, ReplicaState
from podium.domain.node import Device
from podium.domain.reason import Cause
from podium.store import tables
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.lifecycle import workload_rows, workload_stop

HINT = "layouts"
"""Wakes the loop that changes layouts."""

MODE_MS = 30_000
"""So long a wish for another MIG mode holds."""

Instances = tuple[tuple[str, int], ...]
"""Profiles with their starts, by start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLayout:
    """How a GPU is to be cut. `kept` for good, or until it stands; `moves`: saved work in its way
    starts again elsewhere. `message` is what it waits for, or why it cannot be."""

    device_id: str
    node: str
    instances: Instances
    kept: bool
    moves: bool
    set_by: str
    set_at_ms: int
    stands_at_ms: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedMode:
    device_id: str
    node: str
    enabled: bool
    done: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What open allocations have of a GPU: instances, or (`whole`) all or a share of it."""

    instances: frozenset[tuple[str, int]] = frozenset()
    whole: bool = False


def layout_put(tx: Transaction, layout: WantedLayout) -> None:
    """In the place of what was wanted before. From now on only instances that stand and are wanted
    get work."""
    table, instance = tables.mig_layouts, tables.mig_layout_instances
    tx.execute(sa.delete(instance).where(instance.c.device_id == layout.device_id))
    tx.execute(sa.delete(table).where(table.c.device_id == layout.device_id))
    tx.execute(
        sa.insert(table).values(
            device_id=layout.device_id,
            node=layout.node,
            kept=layout.kept,
            moves=layout.moves,
            set_by=layout.set_by,
            set_at_ms=layout.set_at_ms,
            stands_at_ms=layout.stands_at_ms,
            message=layout.message,
        )
    )
    rows = [
        {"device_id": layout.device_id, "profile": profile, "start": start}
        for profile, start in layout.instances
    ]
    if rows:
        tx.execute(sa.insert(instance), rows)
    _pin(tx, layout.device_id, on=True)


def layout_delete(tx: Transaction, device_id: str) -> None:
    """The scheduler cuts the GPU again as work asks. Raises NotFoundError when no layout is
    wanted."""
    table, instance = tables.mig_layouts, tables.mig_layout_instances
    known = tx.execute(sa.select(table.c.device_id).where(table.c.device_id == device_id)).first()
    if known is None:
        raise NotFoundError("No layout of this GPU is pinned or being made.")
    tx.execute(sa.delete(instance).where(instance.c.device_id == device_id))
    tx.execute(sa.delete(table).where(table.c.device_id == device_id))
    _pin(tx, device_id, on=False)


def layouts_fetch(
    tx: Transaction,
    device_ids: Collection[str] | None = None,
    *,
    nodes: Collection[str] | None = None,
) -> dict[str, WantedLayout]:
    """By device: all, or those of these devices or nodes."""
    table, instance = tables.mig_layouts, tables.mig_layout_instances
    statement = sa.select(table).order_by(table.c.device_id)
    if nodes is not None:
        statement = statement.where(table.c.node.in_(sorted(nodes)))
    found: dict[str, WantedLayout] = {}
    for chunk in [None] if device_ids is None else chunks(device_ids):
        chosen = statement if chunk is None else statement.where(table.c.device_id.in_(chunk))
        rows = tx.execute(chosen).mappings().all()
        wanted: dict[str, list[tuple[str, int]]] = {}
        for keys in chunks(row["device_id"] for row in rows):
            for each in tx.execute(
                sa.select(instance)
                .where(instance.c.device_id.in_(keys))
                .order_by(instance.c.device_id, instance.c.start)
            ):
                wanted.setdefault(each.device_id, []).append((each.profile, each.start))
        found.update(
            (
                row["device_id"],
                WantedLayout(**row, instances=tuple(wanted.get(row["device_id"], ()))),
            )
            for row in rows
        )
    return found


def layout_answered(
    tx: Transaction, layout: WantedLayout, *, stands: bool, message: str, now_ms: int
) -> None:
    """Note how far it is, unless another one is wanted meanwhile. One that is not kept is
    forgotten once it stands."""
    table = tables.mig_layouts
    same = (table.c.device_id == layout.device_id) & (table.c.set_at_ms == layout.set_at_ms)
    if stands and not layout.kept:
        if tx.execute(sa.select(table.c.device_id).where(same)).first() is not None:
            layout_delete(tx, layout.device_id)
        return
    values: dict[str, object] = {"message": message}
    if stands and layout.stands_at_ms is None:
        values["stands_at_ms"] = now_ms
    tx.execute(sa.update(table).where(same).values(values))


def pins_hold(tx: Transaction, layouts: Collection[WantedLayout]) -> None:
    """Devices that are reported anew, after their machine was started say, are pinned again."""
    for each in layouts:
        _pin(tx, each.device_id, on=True)


def mode_put(tx: Transaction, mode: WantedMode, now_ms: int) -> None:
    table = tables.mig_modes
    tx.execute(sa.delete(table).where(table.c.device_id == mode.device_id))
    tx.execute(
        sa.insert(table).values(
            device_id=mode.device_id,
            node=mode.node,
            enabled=mode.enabled,
            asked_at_ms=now_ms,
            done=False,
            message="",
        )
    )


def modes_wanted(tx: Transaction, nodes: Collection[str], since_ms: int) -> list[WantedMode]:
    """Those that nobody answered yet, of later than that: nobody waits for older ones any more."""
    table = tables.mig_modes
    rows = tx.execute(
        sa.select(table)
        .where(
            table.c.node.in_(sorted(nodes)),
            table.c.done.is_(False),
            table.c.asked_at_ms >= since_ms,
        )
        .order_by(table.c.device_id)
    )
    return [WantedMode(device_id=row.device_id, node=row.node, enabled=row.enabled) for row in rows]


def mode_answered(tx: Transaction, mode: WantedMode, message: str) -> None:
    table = tables.mig_modes
    same = (table.c.device_id == mode.device_id) & (table.c.enabled == mode.enabled)
    tx.execute(sa.update(table).where(same).values(done=True, message=message))


def mode_fetch(tx: Transaction, device_id: str) -> WantedMode | None:
    """What was asked for last."""
    table = tables.mig_modes
    row = tx.execute(sa.select(table).where(table.c.device_id == device_id)).first()
    if row is None:
        return None
    return WantedMode(
        device_id=device_id,
        node=row.node,
        enabled=row.enabled,
        done=row.done,
        message=row.message,
    )


def held_of(tx: Transaction, device_ids: Collection[str]) -> dict[str, Held]:
    """By device, those that have none left out."""
    held, part = tables.allocations, tables.allocation_devices
    instances: dict[str, set[tuple[str, int]]] = {}
    whole: set[str] = set()
    for chunk in chunks(device_ids):
        rows = tx.execute(
            sa.select(part.c.device_id, part.c.mig_profile, part.c.mig_start)
            .join(held, held.c.id == part.c.allocation_id)
            .where(held.c.released_at_ms.is_(None), part.c.device_id.in_(chunk))
        )
        for device_id, profile, start in rows:
            instances.setdefault(device_id, set())
            if profile:
                instances[device_id].add((profile, start))
            else:
                whole.add(device_id)
    return {key: Held(frozenset(of_device), key in whole) for key, of_device in instances.items()}


def in_instances(
    tx: Transaction, device_id: str, instances: Collection[tuple[str, int]]
) -> dict[tuple[str, int], str]:
    """Ids of the workloads in these."""
    held, part = tables.allocations, tables.allocation_devices
    rows = tx.execute(
        sa.select(part.c.mig_profile, part.c.mig_start, held.c.workload_id)
        .join(held, held.c.id == part.c.allocation_id)
        .where(held.c.released_at_ms.is_(None), part.c.device_id == device_id)
    )
    wanted = frozenset(instances)
    return {
        (profile, start): workload_id
        for profile, start, workload_id in rows
        if (profile, start) in wanted
    }


def movable(tx: Transaction, ids: Collection[str]) -> dict[str, str]:
    """By workload, why it cannot start again elsewhere; "" where it can: what stands alone, may
    be stopped for others, and has saved what it did."""
    held = tables.allocations
    states: dict[str, list[tuple[str, int | None]]] = {}
    for chunk in chunks(ids):
        for workload_id, state, saved_at_ms in tx.execute(
            sa.select(held.c.workload_id, held.c.state, held.c.saved_at_ms).where(
                held.c.released_at_ms.is_(None), held.c.workload_id.in_(chunk)
            )
        ):
            states.setdefault(workload_id, []).append((state, saved_at_ms))
    rows = workload_rows(tx, frozenset(ids))
    return {key: _objection(rows.get(key), states.get(key, [])) for key in ids}


def move(
    tx: Transaction, workload_ids: Sequence[str], justification: str, now_ms: int
) -> tuple[str, ...]:
    """Ask those that can to end and start again elsewhere. Returns which."""
    objections = movable(tx, workload_ids)
    rows = workload_rows(tx, frozenset(workload_ids))
    moved = tuple(key for key in workload_ids if not objections[key])
    for key in moved:
        tx.execute(
            sa.insert(tables.preemptions).values(
                at_ms=now_ms,
                workload_id=key,
                ranks="[0]",
                whole=True,
                in_favour_of="",
                justification=justification,
                lost_milli_ms=0,
            )
        )
        message = f"It starts again elsewhere, because {justification}."
        workload_stop(tx, rows[key], Cause.PREEMPTED, now_ms, message=message)
    return moved


def _objection(row: Mapping[str, object] | None, held: Sequence[tuple[str, int | None]]) -> str:
    if row is None or row["state"] not in WORKLOAD_UNDER_WAY or len(held) != 1:
        return "more of it runs elsewhere" if len(held) > 1 else "it does not run"
    state, saved_at_ms = held[0]
    if state == ReplicaState.STOPPING:
        return "it is ending"
    if row["is_array"] or row["replicas_max"] != 1:
        return "it is one of several"
    if not row["preemptible"]:
        return "it may not be stopped for others"
    if saved_at_ms is None:
        return "it has saved nothing yet"
    return ""


def stands(device: Device, instances: Instances) -> bool:
    """As far as the driver told last."""
    standing = {(each.profile, each.start) for each in device.instances if each.uuid}
    return (
        bool(device.board)
        and standing == set(instances)
        and len(device.instances) == len(instances)
    )


def _pin(tx: Transaction, device_id: str, *, on: bool) -> None:
    table = tables.devices
    tx.execute(
        sa.update(table).where(table.c.id == device_id, table.c.pinned.is_not(on)).values(pinned=on)
    )
