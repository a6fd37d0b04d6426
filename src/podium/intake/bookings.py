"""Taking nodes out of the common use for a time, as administrators do."""

from __future__ import annotations

from dataclasses import asdict

from podium.domain.booking import Reserved
from podium.domain.errors import ConflictError, FieldFault, UserError
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.rights import Action
from podium.domain.tenancy import WHOLE, Identity
from podium.intake.office import Office, authorise, told
from podium.spec.booking import read_times
from podium.spec.views.booking import BookingRequest
from podium.store import bookings, nodes, projects
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

HINTS = ("schedule",)
"""Who has to look again after a change."""


async def booking_create(office: Office, identity: Identity, request: BookingRequest) -> Reserved:
    """Work that runs there goes on; from now on only what is sure to end before is placed there.

    Raises UserError with every field that is wrong, NotFoundError for an unknown project, and
    ConflictError where the name or a node is taken.
    """
    authorise(identity, Action.BOOKING_SET)
    now_ms = office.database.now_ms()
    faults = _faults(request)
    from_ms, until_ms = read_times(request.from_at, request.until_at, now_ms, faults)
    if faults:
        raise UserError(*faults)
    booking = Reserved(
        name=request.name or office.ids.new("b"),
        nodes=tuple(sorted(set(request.nodes))),
        project=request.project,
        from_ms=from_ms,
        until_ms=until_ms,
        note=request.note.strip(),
        created_at_ms=now_ms,
        created_by=identity.username,
    )

    def write(tx: Transaction) -> AuditEntry:
        if booking.project is not None:
            projects.project_held(tx, identity.known, booking.project)
        _check_nodes(tx, request)
        taken = bookings.booking_overlaps(tx, booking.nodes, from_ms, until_ms)
        if taken is not None:
            raise ConflictError(
                f"Node {taken[1]} is booked in that time by {taken[0]}. Choose other nodes or "
                "another time, or delete that booking."
            )
        bookings.booking_insert(tx, booking)
        return _entry(identity, booking, None, booking)

    await told(office, write)
    office.hints.wake(*HINTS)
    return booking


async def booking_remove(office: Office, identity: Identity, name: str) -> None:
    """Raises NotFoundError."""
    authorise(identity, Action.BOOKING_SET)

    def write(tx: Transaction) -> AuditEntry:
        before = bookings.booking_fetch(tx, WHOLE, name)
        bookings.booking_delete(tx, name)
        return _entry(identity, before, before, None)

    await told(office, write)
    office.hints.wake(*HINTS)


def _faults(request: BookingRequest) -> list[FieldFault]:
    faults: list[FieldFault] = []
    if request.name is not None:
        fault = name_fault(request.name)
        if fault is not None:
            faults.append(
                FieldFault("name", f"{fault}.", f"Try '{name_suggestion(request.name)}'.")
            )
    if (request.project is not None) == request.maintenance:
        wrong = "cannot go together with maintenance." if request.maintenance else "is missing."
        faults.append(
            FieldFault("project", wrong, "Name the project that may use the nodes, or maintenance.")
        )
    return faults


def _check_nodes(tx: Transaction, request: BookingRequest) -> None:
    known = nodes.engine_by_node(tx)
    faults = [
        FieldFault(f"nodes.{index}", f"There is no node {name}.", "See: podium nodes")
        for index, name in enumerate(request.nodes)
        if name not in known
    ]
    if faults:
        raise UserError(*faults[:20])


def _entry(
    identity: Identity, booking: Reserved, before: Reserved | None, after: Reserved | None
) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.BOOKING_SET,
        subject=booking.name,
        project=booking.project,
        detail={
            "before": None if before is None else asdict(before),
            "after": None if after is None else asdict(after),
        },
    )
