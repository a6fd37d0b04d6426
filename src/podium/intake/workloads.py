"""Submitting and cancelling workloads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from podium.domain.errors import ConflictError, FieldFault, NotFoundError, UserError
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadEvent, WorkloadState
from podium.domain.outcome import comes_back
from podium.domain.policies import Policies
from podium.domain.reason import Cause
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.domain.workload import UploadSource, Wish, Workload
from podium.intake.data_uses import data_resolved
from podium.intake.office import Office, authorise
from podium.intake.pools import pool_faults
from podium.spec.workload import check_many, resolved
from podium.store import audit, lifecycle, policies, pools, projects, submissions, workloads
from podium.store.audit import AuditEntry
from podium.store.codec import Row
from podium.store.database import Transaction
from podium.store.queue import refusal_update
from podium.store.quota_check import hopeless
from podium.store.secrets import secret_names
from podium.store.workloads import NewWorkload

BULK_MAX = 10_000
_KEY_LENGTH_MAX = 200
_FIRST = "workloads.0."

HINTS = ("stop", "schedule", "events")
"""Who has to look again after something was cancelled."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of one document of a submission."""

    id: str
    name: str
    project: str
    state: WorkloadState
    created: bool


async def workload_submit(
    office: Office,
    identity: Identity,
    documents: Sequence[Mapping[str, object]],
    *,
    key: str | None = None,
) -> list[Submitted]:
    """Store all of the documents as queued workloads, or none.

    With an idempotency `key` the same request sent again answers the workloads that the first one
    made. Raises UserError, ConflictError, ForbiddenError, NotFoundError.
    """
    if not documents:
        raise UserError(FieldFault("workloads", "is empty.", "Name at least one workload."))
    if len(documents) > BULK_MAX:
        raise UserError(
            FieldFault(
                "workloads",
                f"holds {len(documents)} workloads.",
                f"Send at most {BULK_MAX} at once, or use an array.",
            )
        )
    if key is not None and not 0 < len(key) <= _KEY_LENGTH_MAX:
        raise UserError(FieldFault("Idempotency-Key", "must have 1 to 200 characters."))
    now_ms = office.database.now_ms()
    wishes = await _wishes(office, identity, documents, now_ms)
    ids = [office.ids.new("w") for _ in wishes]
    digest = _digest(documents) if key is not None else ""

    def write(tx: Transaction) -> list[Submitted]:
        if key is not None:
            earlier = _earlier(tx, identity, key, digest)
            if earlier is not None:
                return earlier
        new = _resolve(tx, identity, ids, wishes, documents)
        workloads.workload_insert(tx, new, now_ms)
        refusal_update(tx, hopeless(tx, new), now_ms)
        audit.audit_append(tx, [_submitted_entry(each) for each in new], now_ms)
        if key is not None:
            submissions.idempotency_insert(tx, identity.username, key, digest, ids, now_ms)
        return [
            Submitted(each.id, each.wish.name, each.wish.project, WorkloadState.QUEUED, True)
            for each in new
        ]

    submitted = await office.database.write(write)
    office.hints.wake("schedule", "events")
    return submitted


async def workload_wished(
    office: Office, identity: Identity, documents: Sequence[Mapping[str, object]]
) -> list[NewWorkload]:
    """What `workload_submit` would store, checked as it does; nothing is stored, and code need not
    be uploaded yet. Raises as it does."""
    wishes = await _wishes(office, identity, documents, office.database.now_ms())
    ids = [office.ids.new("w") for _ in wishes]
    return await office.database.read(
        lambda tx: _resolve(tx, identity, ids, wishes, documents, uploaded=False)
    )


async def _wishes(
    office: Office,
    identity: Identity,
    documents: Sequence[Mapping[str, object]],
    now_ms: int,
) -> list[Wish]:
    """Raises UserError, and what `authorise` raises."""
    holds = await office.database.read(policies.policies_fetch)
    wishes = _checked(documents, now_ms, _default_project(identity), holds)
    for project in sorted({wish.project for wish in wishes}):
        authorise(identity, Action.WORKLOAD_SUBMIT, project)
    return wishes


async def workload_cancel(
    office: Office, identity: Identity, workload_id: str, *, reason: str = ""
) -> Workload:
    """End a workload, wherever it is. Cancelling what has ended changes nothing."""

    def write(tx: Transaction) -> Workload:
        now_ms = office.database.now_ms()
        entry = cancel_one(tx, identity, workload_id, reason, now_ms)
        if entry is not None:
            audit.audit_append(tx, [entry], now_ms)
        return workloads.workload_fetch(tx, identity.scope, workload_id)

    workload = await office.database.write(write)
    office.hints.wake(*HINTS)
    return workload


def row_to_control(tx: Transaction, identity: Identity, workload_id: str) -> Row:
    """The workload's row, locked. Raises NotFoundError, and ForbiddenError where this person may
    only look."""
    row = lifecycle.workload_rows(tx, [workload_id]).get(workload_id)
    if row is None or not identity.scope.admits(row["project"]):
        raise NotFoundError(f"There is no workload {workload_id} that you can see.")
    authorise(identity, Action.WORKLOAD_CONTROL, row["project"])
    return row


def cancel_one(
    tx: Transaction, identity: Identity, workload_id: str, reason: str, now_ms: int
) -> AuditEntry | None:
    """As `workload_cancel`, in the transaction of the caller, who audits what is returned: None
    where nothing changed."""
    row = row_to_control(tx, identity, workload_id)
    state = WorkloadState(row["state"])
    if state in WORKLOAD_ENDS or (state is WorkloadState.STOPPING and not _comes_back(row)):
        return None
    message = f"Cancelled by {identity.username}." + (f" {reason}" if reason else "")
    if state is WorkloadState.QUEUED:
        event = WorkloadEvent.CANCELLED
        lifecycle.workload_withdraw(
            tx, row, event, Cause.CANCELLED, now_ms, message=message, actor=identity.username
        )
    elif state is WorkloadState.STOPPING:
        event = WorkloadEvent.STOP_REQUESTED
        lifecycle.workload_apply(
            tx, row, event, Cause.CANCELLED, now_ms, message=message, actor=identity.username
        )
    else:
        lifecycle.workload_stop(
            tx, row, Cause.CANCELLED, now_ms, message=message, actor=identity.username
        )
    return AuditEntry(
        actor=identity.username,
        action=Action.WORKLOAD_CONTROL,
        subject=workload_id,
        project=row["project"],
        detail={"before": {"state": state.value}, "after": {"cancelled": True}, "reason": reason},
    )


def _comes_back(row: Row) -> bool:
    """Whether what is being stopped would be queued again."""
    cause = Cause(row["cause"])
    if cause is Cause.CANCELLED:
        return False
    return comes_back(cause, failures=row["failures"], retries=row["retries"])


def _checked(
    documents: Sequence[Mapping[str, object]],
    now_ms: int,
    project: str | None,
    holds: Policies,
) -> list[Wish]:
    """A single spec's faults name its fields alone; those of several say which spec."""
    try:
        return check_many(documents, now_ms=now_ms, project=project, policies=holds)
    except UserError as error:
        if len(documents) > 1:
            raise
        alone = (replace(each, field=each.field.removeprefix(_FIRST)) for each in error.faults)
        raise UserError(*alone) from None


def _default_project(identity: Identity) -> str | None:
    """Whoever works in one project only need not name it."""
    return next(iter(identity.roles)) if len(identity.roles) == 1 else None


def _digest(documents: Sequence[Mapping[str, object]]) -> str:
    text = json.dumps(documents, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _earlier(tx: Transaction, identity: Identity, key: str, digest: str) -> list[Submitted] | None:
    found = submissions.idempotency_find(tx, identity.username, key)
    if found is None:
        return None
    earlier_digest, ids = found
    if earlier_digest != digest:
        raise ConflictError(
            "This Idempotency-Key was used for another spec. Use a new key for a new request."
        )
    known = workloads.workload_fetch_many(tx, identity.scope, ids)
    return [
        Submitted(each.id, each.name, each.project, each.state, created=False)
        for each in (known[one] for one in ids if one in known)
    ]


def _resolve(
    tx: Transaction,
    identity: Identity,
    ids: Sequence[str],
    wishes: Sequence[Wish],
    documents: Sequence[Mapping[str, object]],
    *,
    uploaded: bool = True,
) -> list[NewWorkload]:
    """Check what needs the store: projects, dependencies, secrets and, with `uploaded`, uploads."""
    in_batch = {(wish.project, wish.name): each for each, wish in zip(ids, wishes, strict=True)}
    names = sorted({wish.project for wish in wishes})
    found = projects.project_held if uploaded else projects.project_open
    teams = {name: found(tx, identity.known, name).team for name in names}
    reach = pools.reach_fetch(tx)
    faults: list[FieldFault] = []
    new: list[NewWorkload] = []
    for index, wish in enumerate(wishes):
        prefix = f"workloads.{index}." if len(wishes) > 1 else ""
        needs, needs_open = _dependencies(tx, wish, in_batch, prefix, faults)
        _check_secrets(tx, wish, prefix, faults)
        wish = data_resolved(  # noqa: PLW2901 - with the ids that its names mean
            tx, wish, identity.username, teams[wish.project], prefix, faults
        )
        if uploaded:
            _check_upload(tx, wish, prefix, faults)
        faults.extend(pool_faults(wish, reach, prefix))
        new.append(
            NewWorkload(
                id=ids[index],
                wish=wish,
                team=teams[wish.project],
                owner=identity.username,
                needs=needs,
                needs_open=needs_open,
                submitted=dict(documents[index]),
                resolved=resolved(wish),
            )
        )
    if faults:
        raise UserError(*faults)
    return new


def _dependencies(
    tx: Transaction,
    wish: Wish,
    in_batch: Mapping[tuple[str, str], str],
    prefix: str,
    faults: list[FieldFault],
) -> tuple[tuple[str, ...], int]:
    if not wish.depends_on:
        return (), 0
    stored = workloads.workload_id_by_name(tx, wish.project, wish.depends_on)
    needs: dict[str, bool] = {}
    for index, name in enumerate(wish.depends_on):
        field = f"{prefix}depends_on.{index}"
        if (wish.project, name) in in_batch:
            needs[in_batch[wish.project, name]] = True
        elif name not in stored:
            faults.append(
                FieldFault(
                    field,
                    f"project {wish.project} has no workload '{name}'.",
                    "Name one that exists, or submit both together.",
                )
            )
        else:
            need, state = stored[name]
            if state in WORKLOAD_ENDS and state is not WorkloadState.SUCCEEDED:
                faults.append(
                    FieldFault(field, f"'{name}' ({need}) has ended as {state}; it cannot succeed.")
                )
            needs[need] = state is not WorkloadState.SUCCEEDED
    return tuple(needs), sum(needs.values())


def _check_secrets(tx: Transaction, wish: Wish, prefix: str, faults: list[FieldFault]) -> None:
    if not wish.program.secrets:
        return
    names = {use.name for use in wish.program.secrets}
    known = secret_names(tx, wish.project, names)
    faults.extend(
        FieldFault(
            f"{prefix}secrets.{index}",
            f"project {wish.project} has no secret '{name}'.",
            f"Set it with: podium secret set {name} --project {wish.project}",
        )
        for index, name in enumerate(use.name for use in wish.program.secrets)
        if name not in known
    )


def _check_upload(tx: Transaction, wish: Wish, prefix: str, faults: list[FieldFault]) -> None:
    source = wish.program.source
    if isinstance(source, UploadSource) and not submissions.upload_exists(
        tx, wish.project, source.sha256
    ):
        faults.append(
            FieldFault(
                f"{prefix}source.upload",
                f"project {wish.project} has no upload {source.sha256[:12]}….",
                "Upload the folder first; `podium submit` does it for source.path.",
            )
        )


def _submitted_entry(new: NewWorkload) -> AuditEntry:
    return AuditEntry(
        actor=new.owner,
        action=Action.WORKLOAD_SUBMIT,
        subject=new.id,
        project=new.wish.project,
        detail={"name": new.wish.name},
    )
