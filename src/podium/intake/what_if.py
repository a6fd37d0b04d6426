"""Changes that a person wants to try on the scheduler, checked as if they were made. Nothing is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.layouts import parse_layout, placed_of
from podium.domain.lifecycle import WORKLOAD_ENDS
from podium.domain.node import Device, Node, NodeState
from podium.domain.quantity import GPU_MILLI
from podium.domain.quota import ORGANISATION, Counted, QuotaLevel
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.domain.workload import Workload
from podium.intake.layouts import cut_board
from podium.intake.office import Office, authorise
from podium.intake.workloads import workload_wished
from podium.scheduling.explain.edits import (
    BookingAdded,
    Edit,
    LayoutChanged,
    NodeCordoned,
    NodeDrained,
    NodeLost,
    NodesAdded,
    PriorityChanged,
    QuotaEdited,
    UnknownNameError,
    WorkloadAdded,
    WorkloadRemoved,
    edited,
)
from podium.scheduling.order.share_faults import faults
from podium.scheduling.snapshot import Booking, Demand, Snapshot
from podium.spec.booking import read_times
from podium.spec.views.explain import (
    AddNodesWhat,
    BookWhat,
    CancelWhat,
    CordonWhat,
    DrainWhat,
    LayoutWhat,
    LoseWhat,
    PriorityWhat,
    QuotaWhat,
    SubmitWhat,
    What,
)
from podium.store import projects, workloads
from podium.store.database import Transaction
from podium.store.workloads import NewWorkload

_ALL = "all"
_SUBMITS_MAX = 20


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What was asked, with what it needs of the store. `new` are the works to submit, in order."""

    changes: Sequence[What]
    new: tuple[NewWorkload, ...]
    bookings: Mapping[int, Booking]
    shares: Mapping[int, str]

    @property
    def caps_people(self) -> bool:
        """Whether it has to be known whose work is whose."""
        return any(isinstance(each, QuotaWhat) and each.per_user for each in self.changes)

    def edits(self, snapshot: Snapshot, demands: Sequence[Demand], now_ms: int) -> list[Edit]:
        """What to do to a snapshot; `demands` are those of `new`. Raises UserError, which names the
        change (`changes.0.node`), where the snapshot does not have what one speaks of."""
        found: list[Edit] = []
        fresh = iter(demands)
        for number, change in enumerate(self.changes):
            edit = self._edit(snapshot, number, change, fresh)
            try:
                snapshot, _ = edited(snapshot, (edit,), now_ms)
            except UnknownNameError as error:
                raise UserError(_unknown(number, change, error)) from None
            found.append(edit)
            if isinstance(change, QuotaWhat):
                _check_shares(number, change, snapshot)
        return found

    def _edit(self, snapshot: Snapshot, number: int, change: What, fresh: Iterator[Demand]) -> Edit:
        match change:
            case QuotaWhat():
                return _quota(snapshot, number, self.shares[number], change)
            case DrainWhat():
                return NodeDrained(change.node)
            case CordonWhat():
                return NodeCordoned(change.node)
            case LoseWhat():
                return NodeLost(change.node)
            case AddNodesWhat():
                return NodesAdded(_like(snapshot, number, change))
            case BookWhat():
                return BookingAdded(self.bookings[number])
            case LayoutWhat():
                return _layout(snapshot, number, change)
            case SubmitWhat():
                return WorkloadAdded(next(fresh))
            case CancelWhat():
                return WorkloadRemoved(change.workload)
            case PriorityWhat():
                return PriorityChanged(change.workload, change.priority)


async def what_if_checked(office: Office, identity: Identity, changes: Sequence[What]) -> WhatIf:
    """Raises UserError with fields under `changes.NUMBER`, ForbiddenError and NotFoundError, as
    the changes themselves would."""
    now_ms = office.database.now_ms()
    for change in changes:
        _authorise_cluster(identity, change)
    wrong = [
        FieldFault(
            f"changes.{number}.ceilings.{Counted.STORAGE}",
            "is no limit of the scheduler's.",
            "Leave it out: what is stored holds up no work.",
        )
        for number, change in enumerate(changes)
        if isinstance(change, QuotaWhat) and Counted.STORAGE in change.ceilings
    ]
    bookings = {}
    for number, change in enumerate(changes):
        if isinstance(change, BookWhat):
            found: list[FieldFault] = []
            from_ms, until_ms = read_times(change.from_at, change.until_at, now_ms, found)
            wrong += [replace(each, field=f"changes.{number}.{each.field}") for each in found]
            bookings[number] = Booking(
                name=f"what-if-{number}",
                nodes=tuple(sorted(set(change.nodes))),
                from_ms=from_ms,
                until_ms=until_ms,
                project=change.project,
            )
    if wrong:
        raise UserError(*wrong)
    new = await _wishes(office, identity, changes)
    shares = await office.database.read(lambda tx: _known(tx, identity, changes))
    return WhatIf(changes, new, bookings, shares)


def _authorise_cluster(identity: Identity, change: What) -> None:
    """Of what belongs to no project; the rest is checked where it is read."""
    match change:
        case QuotaWhat():
            authorise(identity, Action.QUOTA_SET)
        case BookWhat():
            authorise(identity, Action.BOOKING_SET)
        case LayoutWhat():
            authorise(identity, Action.LAYOUT_SET)
        case DrainWhat() | CordonWhat() | LoseWhat() | AddNodesWhat():
            authorise(identity, Action.NODE_CONTROL)


async def _wishes(
    office: Office, identity: Identity, changes: Sequence[What]
) -> tuple[NewWorkload, ...]:
    """Checked together, so that one may depend on another."""
    places = [at for at, change in enumerate(changes) if isinstance(change, SubmitWhat)]
    if not places:
        return ()
    if len(places) > _SUBMITS_MAX:
        message = f"has {len(places)} workloads to submit."
        raise UserError(FieldFault("changes", message, f"Try at most {_SUBMITS_MAX} at once."))
    documents = [each.workload for each in changes if isinstance(each, SubmitWhat)]
    try:
        return tuple(await workload_wished(office, identity, documents))
    except UserError as error:
        told = []
        for fault in error.faults:
            at, field = 0, fault.field
            if len(documents) > 1 and field.startswith("workloads."):
                _, number, field = (*field.split(".", 2), "")[:3]
                at = int(number)
            inside = f"changes.{places[at]}.workload"
            told.append(replace(fault, field=f"{inside}.{field}" if field else inside))
        raise UserError(*told, message="" if told else error.message) from None


def _known(tx: Transaction, identity: Identity, changes: Sequence[What]) -> dict[int, str]:
    """The names of the shares of quotas, by the number of the change."""
    shares = {}
    for number, change in enumerate(changes):
        match change:
            case QuotaWhat():
                shares[number] = _share_name(tx, identity, number, change)
            case BookWhat() if change.project is not None:
                projects.project_fetch(tx, identity.known, change.project)
            case CancelWhat() | PriorityWhat():
                workload = workloads.workload_fetch(tx, identity.scope, change.workload)
                authorise(identity, Action.WORKLOAD_CONTROL, workload.project)
                _check_lives(number, workload)
    return shares


def _check_lives(number: int, workload: Workload) -> None:
    if workload.state in WORKLOAD_ENDS:
        wrong = f"{workload.name} has ended as {workload.state}."
        raise UserError(FieldFault(f"changes.{number}.workload", wrong, "Leave it out."))


def _share_name(tx: Transaction, identity: Identity, number: int, change: QuotaWhat) -> str:
    """As `store/shares` names it."""
    if change.level is QuotaLevel.ORGANISATION:
        return ORGANISATION
    if not change.name:
        wrong = f"is missing: whose quota, as the level is {change.level}."
        raise UserError(FieldFault(f"changes.{number}.name", wrong))
    if change.level is QuotaLevel.TEAM:
        return change.name
    return f"{projects.project_fetch(tx, identity.known, change.name).team}/{change.name}"


def _quota(snapshot: Snapshot, number: int, name: str, change: QuotaWhat) -> QuotaEdited:
    share = next((each for each in snapshot.shares if each.name == name), None)
    if share is None:
        raise NotFoundError(f"There is no {change.level} {change.name}.")
    types = {
        device.type.casefold(): device.type for node in snapshot.nodes for device in node.devices
    }

    def merged(
        before: Sequence[tuple[str, int]], named: Mapping[str, int | None]
    ) -> tuple[tuple[str, int], ...] | None:
        if not named:
            return None
        amounts: dict[str, int] = dict(before)
        for gpu_type, milli in named.items():
            key = "" if gpu_type == _ALL else types.get(gpu_type.casefold(), gpu_type)
            if milli is None:
                amounts.pop(key, None)
            else:
                amounts[key] = milli
        return tuple(sorted(amounts.items()))

    guarantees = merged(share.guarantees, change.guarantees)
    limits = merged(share.limits, change.limits)
    per_user = merged(share.per_user, change.per_user)
    ceilings = merged(share.ceilings, {what.value: most for what, most in change.ceilings.items()})
    given = (guarantees, limits, per_user, ceilings, change.weight)
    if all(each is None for each in given):
        wrong = "says nothing of what to set."
        remedy = "Name guarantees, limits, caps for each person, ceilings or a weight."
        raise UserError(FieldFault(f"changes.{number}", wrong, remedy))
    return QuotaEdited(
        share=name,
        guarantees=guarantees,
        limits=limits,
        weight=change.weight,
        per_user=per_user,
        ceilings=ceilings,
    )


def _check_shares(number: int, change: QuotaWhat, after: Snapshot) -> None:
    """What `intake/quotas` would refuse of this change, as far as it breaks the tree."""
    capacity: dict[str, int] = {}
    for node in after.nodes:
        for device in node.devices:
            capacity[device.type] = capacity.get(device.type, 0) + GPU_MILLI
    given: dict[str, Iterable[str]] = {
        "guarantees": change.guarantees,
        "limits": change.limits,
        "per_user": change.per_user,
    }
    named = {kind: {each.casefold() for each in amounts} for kind, amounts in given.items()}
    for fault in faults(after.shares, capacity):
        _, _, gpu_type = fault.field.partition(".")
        kinds = [kind for kind, types in named.items() if gpu_type.casefold() in types]
        if not gpu_type or kinds:
            field = f"changes.{number}.{kinds[0]}.{gpu_type}" if kinds else f"changes.{number}"
            raise UserError(FieldFault(field, fault.message))


def _like(snapshot: Snapshot, number: int, change: AddNodesWhat) -> tuple[Node, ...]:
    model = next((node for node in snapshot.nodes if node.name == change.like), None)
    if model is None:
        raise UserError(_no_node(f"changes.{number}.like", change.like))
    devices = _devices_like(snapshot, number, model, change)
    taken = {node.name for node in snapshot.nodes}
    names = (f"{change.like}-new-{at}" for at in range(1, len(taken) + change.count + 1))
    made: list[Node] = []
    for name in names:
        if name not in taken and len(made) < change.count:
            made.append(
                replace(
                    model,
                    name=name,
                    state=NodeState.READY,
                    devices=tuple(
                        replace(
                            each,
                            id=f"{name}/{each.index}",
                            node=name,
                            uuid=f"{name}/{each.index}",
                            healthy=True,
                            fault="",
                            instances=() if each.board else each.instances,
                        )
                        for each in devices
                    ),
                )
            )
    return tuple(made)


def _devices_like(
    snapshot: Snapshot, number: int, model: Node, change: AddNodesWhat
) -> tuple[Device, ...]:
    devices = model.devices
    if change.gpu_type is not None:
        known = next(
            (
                device
                for node in snapshot.nodes
                for device in node.devices
                if device.type.casefold() == change.gpu_type.casefold()
            ),
            devices[0] if devices else None,
        )
        count = change.gpus if change.gpus is not None else max(1, len(devices))
        pattern = None if known is None else replace(known, type=change.gpu_type)
    else:
        count = len(devices) if change.gpus is None else change.gpus
        pattern = devices[0] if devices else None
    if change.gpus is None and change.gpu_type is None:
        return devices
    if count and pattern is None:
        wrong = f"has no GPU that {change.like} or any node could be a model of."
        raise UserError(FieldFault(f"changes.{number}.gpu_type", wrong))
    return tuple(replace(pattern, index=at) for at in range(count)) if pattern else ()


def _layout(snapshot: Snapshot, number: int, change: LayoutWhat) -> LayoutChanged:
    node = next((each for each in snapshot.nodes if each.name == change.node), None)
    if node is None:
        raise UserError(_no_node(f"changes.{number}.node", change.node))
    name = f"GPU {change.gpu} of {change.node}"
    device = next((each for each in node.devices if each.index == change.gpu), None)
    if device is None:
        wrong = f"Node {change.node} has no GPU {change.gpu}."
        raise UserError(FieldFault(f"changes.{number}.gpu", wrong, "See: podium nodes"))
    board = cut_board(device)
    if board is None:
        wrong = f"{name} ({device.type}) has no MIG."
        if device.mig_profile is not None:
            wrong = f"{name} is a MIG instance that Podium may not change."
        raise UserError(FieldFault(f"changes.{number}.gpu", wrong, "See: podium mig show"))
    standing = placed_of(board, ((each.profile, each.start) for each in device.instances))
    held = placed_of(
        board,
        (
            (share.mig_profile, share.mig_start)
            for hold in snapshot.holds
            if hold.node == change.node
            for share in hold.devices
            if share.device_id == device.id
        ),
    )
    try:
        placed = parse_layout(board, change.layout, (*held, *standing))
    except UserError as error:
        faults = (replace(each, field=f"changes.{number}.{each.field}") for each in error.faults)
        raise UserError(*faults) from None
    return LayoutChanged(
        node=change.node,
        gpu=change.gpu,
        board=board.name,
        instances=tuple((profile.name, start) for profile, start in placed),
        moves=change.move,
    )


def _no_node(field: str, name: str) -> FieldFault:
    return FieldFault(field, f"There is no node {name}.", "See: podium nodes")


def _unknown(number: int, change: What, error: UnknownNameError) -> FieldFault:
    field = "nodes" if isinstance(change, BookWhat) else error.noun
    remedies = {"node": "See: podium nodes", "workload": "It ends now; leave it out."}
    return FieldFault(
        f"changes.{number}.{field}",
        f"There is no {error.noun} {error.name} now.",
        remedies.get(error.noun, ""),
    )
