"""The same action on many workloads, each in its own right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from podium.domain.audit import REFUSED
from podium.domain.errors import (
    ConflictError,
    FieldFault,
    ForbiddenError,
    NotFoundError,
    UserError,
)
from podium.domain.identity import is_id
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake import changes as changing
from podium.intake import workloads as cancelling
from podium.intake.changes import change_one
from podium.intake.office import Office
from podium.intake.workloads import cancel_one
from podium.spec.change import read_changes
from podium.spec.views.workload import ChangeRequest
from podium.store import audit, listing
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.listing import WorkloadFilter

ACTION_MAX = 10_000
FAULTS_TOLD_MAX = 100
_CHUNK = 50  # in one transaction, so that others can write in between

Act = Callable[[Transaction, str, int], AuditEntry | None]


@dataclass(slots=True)
class Acted:
    """What became of each: done, left as it was, or not allowed. `faults` holds the first 100 as
    id and sentence."""

    done: int = 0
    unchanged: int = 0
    fault_count: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: Acted) -> None:
        self.done += other.done
        self.unchanged += other.unchanged
        self.fault_count += other.fault_count
        self.faults = (self.faults + other.faults)[:FAULTS_TOLD_MAX]


async def workloads_act(
    office: Office,
    identity: Identity,
    action: Literal["cancel", "change"],
    *,
    ids: Sequence[str],
    chosen: WorkloadFilter,
    change: ChangeRequest | None = None,
    reason: str = "",
) -> Acted:
    """Cancel or change workloads, by `ids` or else all that match `chosen` and have not ended.

    Done in pieces: when the store fails in between, what was done before stays done, and the same
    request may be sent again. Raises UserError for a selection that is empty or above 10,000.
    """
    act, hints = _act(office, identity, action, change, reason)
    wanted = await _selected(office, identity, ids, chosen)
    total = Acted()
    for start in range(0, len(wanted), _CHUNK):
        piece = wanted[start : start + _CHUNK]
        now_ms = office.database.now_ms()
        acted = await office.database.write(
            partial(_each, actor=identity.username, act=act, ids=piece, now_ms=now_ms)
        )
        if acted.done:
            office.hints.wake(*hints)
        total.add(acted)
    return total


def _act(
    office: Office,
    identity: Identity,
    action: Literal["cancel", "change"],
    change: ChangeRequest | None,
    reason: str,
) -> tuple[Act, tuple[str, ...]]:
    if action == "cancel":
        if change is not None:
            raise UserError(FieldFault("change", "goes only with the action change."))
        return (
            lambda tx, each, now_ms: cancel_one(tx, identity, each, reason, now_ms),
            cancelling.HINTS,
        )
    changes = (
        {}
        if change is None
        else read_changes(change, now_ms=office.database.now_ms(), place="change.")
    )
    if not changes:
        raise UserError(
            FieldFault(
                "change", "names nothing to change.", "Give priority, max_runtime or deadline."
            )
        )
    return (
        lambda tx, each, now_ms: change_one(tx, identity, each, changes, now_ms),
        changing.HINTS,
    )


async def _selected(
    office: Office, identity: Identity, ids: Sequence[str], chosen: WorkloadFilter
) -> list[str]:
    filtered = chosen != WorkloadFilter()
    if ids and filtered:
        raise UserError(
            FieldFault("selection", "names both ids and filters.", "Keep one of the two.")
        )
    if ids:
        return list(dict.fromkeys(ids))
    if not filtered:
        raise UserError(
            FieldFault("selection", "is empty.", "Name ids, or at least one filter of the list.")
        )
    found = await office.database.read(
        lambda tx: listing.workload_ids_living(tx, identity.scope, chosen, limit=ACTION_MAX + 1)
    )
    if len(found) > ACTION_MAX:
        raise UserError(
            FieldFault(
                "selection",
                f"matches more than {ACTION_MAX:,} workloads.",
                "Narrow it, for example by project or owner.",
            )
        )
    return found


def _each(tx: Transaction, *, actor: str, act: Act, ids: Sequence[str], now_ms: int) -> Acted:
    acted = Acted()
    entries: list[AuditEntry] = []
    refused: list[str] = []
    for each in ids:
        try:
            if not is_id(each):
                raise NotFoundError(f"There is no workload {each} that you can see.")
            entry = act(tx, each, now_ms)
            if entry is None:
                acted.unchanged += 1
            else:
                entries.append(entry)
        except ConflictError:
            acted.unchanged += 1  # it has ended
        except (NotFoundError, ForbiddenError) as error:
            refused.append(each)
            acted.add(Acted(fault_count=1, faults=[(each, error.message)]))
    audit.audit_append(tx, entries, now_ms)
    if refused:
        entry = AuditEntry(
            actor=actor,
            action=Action.WORKLOAD_CONTROL,
            subject=f"{len(refused)} workloads",
            outcome=REFUSED,
            detail={"ids": [each[:64].replace("\0", "") for each in refused]},
        )
        audit.audit_append(tx, [entry], now_ms)
    acted.done = len(entries)
    return acted
