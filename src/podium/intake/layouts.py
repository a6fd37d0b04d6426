"""How operators want GPUs in MIG mode to be cut; `control/layouts` makes it so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from podium.domain.errors import ConflictError, NotFoundError, TemporaryError
from podium.domain.layouts import Act, Standing, Step, parse_layout, steps_to
from podium.domain.mig import BOARDS, Board, Placed, board_of
from podium.domain.node import Device, Node, NodeState
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, audited, authorise, told
from podium.scheduling.placing.relayout import MOVES_MAX, Card, Packed, Tenant, pack
from podium.scheduling.snapshot import Hold
from podium.store import layouts, nodes
from podium.store.audit import AuditEntry, audit_append
from podium.store.database import Transaction
from podium.store.layouts import Held, WantedLayout, WantedMode
from podium.store.policies import policies_fetch
from podium.store.shapes import Shapes
from podium.store.standing import hold_list

_MODE_SECONDS = 20.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A GPU that can be cut, with what is wanted of it now."""

    node: Node
    device: Device
    board: Board
    held: Held
    wanted: WantedLayout | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The way to a layout. `whose` are the workloads that it waits for, by their instance;
    `objections` say by workload why it cannot start again elsewhere, "" where it can."""

    target: Target
    placed: tuple[Placed, ...]
    steps: tuple[Step, ...]
    whose: dict[tuple[str, int], str]
    objections: dict[str, str]


def gpu_find(tx: Transaction, name: str, index: int) -> tuple[Node, Device]:
    """Raises NotFoundError."""
    node = nodes.node_fetch(tx, name)
    device = next((each for each in node.devices if each.index == index), None)
    if device is None:
        raise NotFoundError(f"Node {name} has no GPU {index}.")
    return node, device


def cut_board(device: Device) -> Board | None:
    """Which board it is, in MIG mode or not; None for what Podium cannot cut."""
    if device.mig_profile is not None:
        return None
    return BOARDS.get(device.board) or board_of(device.model, device.memory_bytes)


def target_fetch(tx: Transaction, name: str, index: int) -> Target:
    """Raises NotFoundError, and ConflictError for a GPU that Podium cannot cut."""
    node, device = gpu_find(tx, name, index)
    board = cut_board(device)
    if board is None:
        what = f"GPU {index} of {name} ({device.type})"
        if device.mig_profile is not None:
            raise ConflictError(f"{what} is a MIG instance that Podium may not change.")
        raise ConflictError(f"{what} has no MIG.")
    held = layouts.held_of(tx, [device.id]).get(device.id, Held())
    wanted = layouts.layouts_fetch(tx, [device.id]).get(device.id)
    return Target(node=node, device=device, board=board, held=held, wanted=wanted)


def layout_plan(tx: Transaction, name: str, index: int, text: str) -> Planned:
    """Raises UserError with the nearest layout that can be, NotFoundError and ConflictError."""
    target = target_fetch(tx, name, index)
    standing = [each.placed for each in standing_of(target) if each.placed is not None]
    return planned(tx, target, parse_layout(target.board, text, standing))


def planned(tx: Transaction, target: Target, placed: tuple[Placed, ...]) -> Planned:
    steps = steps_to(target.board, standing_of(target), placed)
    if not target.device.board:
        steps = (Step(Act.TURN_ON), *steps)
    blocked = [(each.profile, each.start) for each in steps if each.act is Act.WAIT]
    whose = layouts.in_instances(tx, target.device.id, blocked) if blocked else {}
    objections = layouts.movable(tx, sorted(set(whose.values()))) if whose else {}
    return Planned(target=target, placed=placed, steps=steps, whose=whose, objections=objections)


def standing_of(target: Target) -> list[Standing]:
    """As the driver told last."""
    found = []
    for each in target.device.instances:
        profile = target.board.profile(each.profile)
        found.append(
            Standing(
                name=each.profile,
                start=each.start,
                size=1 if profile is None else profile.memory_slices,
                profile=profile,
                in_use=each.busy or (each.profile, each.start) in target.held.instances,
                whole=bool(each.uuid),
            )
        )
    return found


async def layout_set(
    office: Office,
    identity: Identity,
    name: str,
    index: int,
    text: str | None,
    *,
    keep: bool,
    move: bool,
) -> None:
    """Want this layout (None: the instances that stand), for good or until it stands. Work in its
    way goes on until it ends, or with `move` starts again elsewhere where it can."""
    authorise(identity, Action.LAYOUT_SET)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> AuditEntry:
        if text is None:
            target = target_fetch(tx, name, index)
            if not target.device.board:
                words = f"GPU {index} of {name} is not in MIG mode, so no layout stands on it."
                raise ConflictError(words)
            instances = tuple(
                (each.profile, each.start) for each in target.device.instances if each.uuid
            )
        else:
            plan = layout_plan(tx, name, index, text)
            target = plan.target
            instances = tuple((profile.name, start) for profile, start in plan.placed)
        wanted = WantedLayout(
            device_id=target.device.id,
            node=name,
            instances=instances,
            kept=keep,
            moves=move,
            set_by=identity.username,
            set_at_ms=now_ms,
        )
        layouts.layout_put(tx, wanted)
        detail = {"before": _said(target.wanted), "after": _said(wanted)}
        return _entry(identity, name, index, detail)

    await told(office, write)
    office.hints.wake(layouts.HINT, "schedule")


async def layout_unset(office: Office, identity: Identity, name: str, index: int) -> None:
    """Let the scheduler cut it as work asks. Raises NotFoundError when no layout is wanted."""
    authorise(identity, Action.LAYOUT_SET)

    def write(tx: Transaction) -> AuditEntry:
        _, device = gpu_find(tx, name, index)
        before = layouts.layouts_fetch(tx, [device.id]).get(device.id)
        layouts.layout_delete(tx, device.id)
        return _entry(identity, name, index, {"before": _said(before), "after": None})

    await told(office, write)
    office.hints.wake(layouts.HINT, "schedule")


async def mode_set(
    office: Office, identity: Identity, name: str, index: int, *, enabled: bool
) -> None:
    """Turn MIG on or off, and wait until that is done. Raises ConflictError with what the driver
    says, and TemporaryError when nobody answers for the node."""
    authorise(identity, Action.LAYOUT_SET)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> str:
        target = target_fetch(tx, name, index)
        if target.node.state is NodeState.LOST:
            raise ConflictError(f"Node {name} is lost: nobody answers for its GPUs.")
        if target.wanted is not None and not enabled:
            raise ConflictError(
                f"The layout of GPU {index} of {name} is pinned or being made, which needs MIG. "
                "Unpin it first."
            )
        mode = WantedMode(device_id=target.device.id, node=name, enabled=enabled)
        layouts.mode_put(tx, mode, now_ms)
        before = {"mig": bool(target.device.board)}
        entry = _entry(identity, name, index, {"before": before, "after": {"mig": enabled}})
        audit_append(tx, [entry], now_ms)
        return target.device.id

    device_id = await office.database.write(write)
    office.hints.wake(layouts.HINT)
    for _ in range(round(_MODE_SECONDS / _LOOK_SECONDS)):
        mode = await office.database.read(lambda tx: layouts.mode_fetch(tx, device_id))
        if mode is None or mode.message or mode.enabled != enabled:
            words = "somebody asked for the other mode meanwhile."
            if mode is not None and mode.enabled == enabled:
                words = mode.message
            turned = "on" if enabled else "off"
            raise ConflictError(f"MIG was not turned {turned} on GPU {index} of {name}: {words}")
        if mode.done:
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise TemporaryError(
        f"The server that runs node {name} did not answer in time.", retry_after_seconds=10
    )


def pack_plan(tx: Transaction, now_ms: int, moves_max: int) -> Packed:
    """Over all GPUs in MIG mode that are ready and not pinned."""
    machines = nodes.node_list(tx)
    holds = hold_list(tx, policies_fetch(tx), Shapes())
    by_device: dict[str, list[Tenant]] = {}
    spare = {each.name: [each.cpu_milli, each.memory_bytes] for each in machines}
    devices = {device.id: device for node in machines for device in node.devices if device.board}
    for hold in holds:
        if hold.node in spare:
            spare[hold.node][0] -= hold.cpu_milli
            spare[hold.node][1] -= hold.memory_bytes
        able = _moves(hold, now_ms)
        for share in hold.devices:
            device = devices.get(share.device_id)
            profile = None if device is None else BOARDS[device.board].profile(share.mig_profile)
            if profile is not None:
                tenant = Tenant(
                    profile=profile,
                    start=share.mig_start,
                    workload_id=hold.workload_id if able else "",
                    cpu_milli=hold.cpu_milli,
                    memory_bytes=hold.memory_bytes,
                )
                by_device.setdefault(share.device_id, []).append(tenant)
    cards = [
        _card(node, device, by_device.get(device.id, []))
        for node in machines
        for device in node.devices
        if device.board and not device.pinned and device.healthy and node.state is NodeState.READY
    ]
    return pack(
        cards,
        {name: (cpu_milli, memory) for name, (cpu_milli, memory) in spare.items()},
        moves_max=moves_max,
    )


async def pack_apply(office: Office, identity: Identity, moves_max: int = MOVES_MAX) -> Packed:
    """Ask that work to start again elsewhere; what cannot any more is left alone."""
    authorise(identity, Action.LAYOUT_SET)
    now_ms = office.database.now_ms()
    detail: dict[str, object] = {}
    entry = AuditEntry(
        actor=identity.username, action=Action.LAYOUT_SET, subject="pack", detail=detail
    )

    def write(tx: Transaction) -> Packed:
        found = pack_plan(tx, now_ms, moves_max)
        words = "GPUs are packed so that larger MIG instances fit"
        moved = layouts.move(tx, [each.workload_id for each in found.shifts], words, now_ms)
        detail["moved"] = list(moved)
        return found._replace(shifts=tuple(x for x in found.shifts if x.workload_id in moved))

    found = await audited(office, entry, write)
    office.hints.wake("stop", "events", "schedule")
    return found


def rooms(plan: Planned, before: Counter[str]) -> list[tuple[str, int, int]]:
    """By profile, the smallest first: how many more could be placed now, and once it stands."""
    free = Counter(
        profile.name
        for profile, start in plan.placed
        if (profile.name, start) not in plan.target.held.instances
    )
    return [
        (profile.name, before[profile.name], free[profile.name])
        for profile in sorted(
            plan.target.board.profiles,
            key=lambda one: (one.memory_slices, one.compute_slices, one.media),
        )
    ]


def _moves(hold: Hold, now_ms: int) -> bool:
    """Whether it could as well run on another GPU, as far as the store knows."""
    request = hold.request
    return (
        request is not None
        and hold.preemptible
        and not hold.ending
        and hold.saved_at_ms is not None
        and hold.minimum == 1
        and len(hold.devices) == 1
        and not request.node_labels
        and (hold.safe_until_ms is None or hold.safe_until_ms <= now_ms)
    )


def _card(node: Node, device: Device, tenants: list[Tenant]) -> Card:
    board = BOARDS[device.board]
    known = {(each.profile, each.start) for each in tenants}
    strange = [
        Tenant(profile=profile, start=each.start)
        for each in device.instances
        if each.busy
        and (profile := board.profile(each.profile)) is not None
        and (profile, each.start) not in known
    ]
    return Card(
        key=device.id,
        node=node.name,
        board=board,
        pool=(device.type, node.pool),
        tenants=(*tenants, *strange),
    )


def _said(layout: WantedLayout | None) -> dict[str, object] | None:
    if layout is None:
        return None
    instances = ",".join(f"{each}@{start}" for each, start in layout.instances)
    return {"layout": instances or "none", "kept": layout.kept, "moves": layout.moves}


def _entry(identity: Identity, name: str, index: int, detail: Mapping[str, object]) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.LAYOUT_SET,
        subject=f"{name}/{index}",
        detail=dict(detail),
    )
