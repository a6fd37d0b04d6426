"""Changing what lives: priority, time limit and deadline of a workload."""

from __future__ import annotations

from podium.domain.errors import ConflictError, FieldFault, UserError
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.pool import sole_pool
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.domain.workload import Kind
from podium.intake.office import Office
from podium.intake.workloads import row_to_control
from podium.spec.change import Changes, changes_words, read_changes, restated
from podium.spec.views.workload import ChangeRequest
from podium.store import audit, lifecycle, policies, workloads
from podium.store.audit import AuditEntry
from podium.store.codec import Row, names_from_text
from podium.store.database import Transaction

HINTS = ("schedule", "observe", "deadlines", "events")
"""Who has to look again after a change."""


async def workload_change(
    office: Office, identity: Identity, workload_id: str, request: ChangeRequest
) -> bool:
    """True when something is different now; what is so already is written nowhere.

    Raises UserError, NotFoundError, ForbiddenError, and ConflictError when it has ended.
    """
    now_ms = office.database.now_ms()
    changes = read_changes(request, now_ms=now_ms)

    def write(tx: Transaction) -> bool:
        entry = change_one(tx, identity, workload_id, changes, now_ms)
        if entry is not None:
            audit.audit_append(tx, [entry], now_ms)
        return entry is not None

    changed = await office.database.write(write)
    if changed:
        office.hints.wake(*HINTS)
    return changed


def change_one(
    tx: Transaction, identity: Identity, workload_id: str, changes: Changes, now_ms: int
) -> AuditEntry | None:
    """As `workload_change`, in the transaction of the caller, who audits what is returned: None
    where nothing changed."""
    row = row_to_control(tx, identity, workload_id)
    if WorkloadState(row["state"]) in WORKLOAD_ENDS:
        raise ConflictError(
            f"{row['name']} ({workload_id}) has {_ENDED[row['state']]}, so nothing of it can be "
            "changed any more. Clone it to run it again with other values."
        )
    new = {column: value for column, value in changes.items() if row[column] != value}
    if not new:
        return None
    _check_priority(tx, row, new)
    workloads.resolved_revise(tx, workload_id, lambda resolved: restated(resolved, new))
    lifecycle.workload_change(
        tx,
        row,
        new,
        now_ms,
        message=f"{changes_words(row, new)} by {identity.username}.",
        actor=identity.username,
    )
    return AuditEntry(
        actor=identity.username,
        action=Action.WORKLOAD_CONTROL,
        subject=workload_id,
        project=row["project"],
        detail={"before": {column: row[column] for column in new}, "after": dict(new)},
    )


def _check_priority(tx: Transaction, row: Row, new: Changes) -> None:
    """What it had from before it may keep."""
    priority = new.get("priority")
    if priority is None or priority <= row["priority"]:
        return
    pool = sole_pool(names_from_text(row["pools"]))
    highest = policies.policies_fetch(tx).of(Kind(row["kind"]), row["project"], pool).priority_max
    if priority > highest:
        wrong = f"is {priority}; {row['kind']} work here may have {highest} at most."
        raise UserError(FieldFault("priority", wrong, f"Write {highest} or less."))


_ENDED = {"succeeded": "succeeded", "failed": "failed", "cancelled": "been cancelled"}
