"""Guarantees, limits and weights, as administrators set them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.quantity import format_milli
from podium.domain.quota import ORGANISATION, Quota, QuotaLevel
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise, entry_of_level, told
from podium.scheduling.order.share_faults import ShareFault, faults
from podium.scheduling.snapshot import Share
from podium.store import quota_history, quotas, shares
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

HINTS = ("tenancy",)
"""Clusters keep limits of projects, too."""
ALL = "all"
"""How people write all GPU types together."""


async def quota_set(office: Office, identity: Identity, quota: Quota) -> None:
    """Put it in the place of what was set before; the same again changes nothing. GPU types may
    differ in capitals from those of the inventory. Raises NotFoundError for a team or project
    that does not exist, and UserError with every field that is wrong (`gpus.H100.limit_milli`)."""
    authorise(identity, Action.QUOTA_SET)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> AuditEntry:
        wanted = _checked(tx, quota)
        before = quotas.quota_list(tx).get((wanted.level, wanted.name))
        if before != wanted:
            quotas.quota_set(tx, wanted, now_ms, identity.username)
            _remember(tx, identity, before, wanted, now_ms)
        return _entry(identity, wanted.level, wanted.name, before, wanted)

    await told(office, write)
    office.hints.wake(*HINTS)


async def quota_preview(office: Office, identity: Identity, quota: Quota) -> Quota:
    """The quota as `quota_set` would store it, for `api/quotas` to try. Raises as it does, and
    stores nothing."""
    authorise(identity, Action.QUOTA_SET)
    return await office.database.read(lambda tx: _checked(tx, quota))


async def quota_remove(office: Office, identity: Identity, level: QuotaLevel, name: str) -> None:
    """Nothing guaranteed, nothing limited, weight 1. Raises NotFoundError where none is set."""
    authorise(identity, Action.QUOTA_SET)
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> AuditEntry:
        _known(tx, level, name)
        before = quotas.quota_list(tx).get((level, name))
        if not quotas.quota_remove(tx, level, name):
            label = Quota(level=level, name=name).label
            raise NotFoundError(f"No quota is set for {label}.")
        _remember(tx, identity, before, None, now_ms)
        return _entry(identity, level, name, before, None)

    await told(office, write)
    office.hints.wake(*HINTS)


def quota_dropped(
    tx: Transaction, identity: Identity, level: QuotaLevel, name: str, now_ms: int
) -> dict[str, object] | None:
    """For a project or team that goes, in the transaction of the caller, who audits what is
    returned: the quota that it had."""
    before = quotas.quota_list(tx).get((level, name))
    if quotas.quota_remove(tx, level, name):
        _remember(tx, identity, before, None, now_ms)
    return _amounts(before)


def _checked(tx: Transaction, quota: Quota) -> Quota:
    """As it is to be stored. Raises NotFoundError and UserError."""
    _known(tx, quota.level, quota.name)
    capacity = shares.capacity(tx)
    wanted = _spelled(quota, capacity)
    wrong = _faults(tx, wanted, capacity)
    if wrong:
        raise UserError(*wrong)
    return wanted


def _remember(
    tx: Transaction, identity: Identity, before: Quota | None, after: Quota | None, now_ms: int
) -> None:
    quota = after or before
    assert quota is not None
    quota_history.history_insert(
        tx,
        quota.level,
        quota.name,
        now_ms,
        identity.username,
        _amounts(before),
        _amounts(after),
    )


def _entry(
    identity: Identity, level: QuotaLevel, name: str, before: Quota | None, after: Quota | None
) -> AuditEntry:
    detail = {"before": _amounts(before), "after": _amounts(after)}
    return entry_of_level(identity, Action.QUOTA_SET, level.value, name, detail)


def _amounts(quota: Quota | None) -> dict[str, object] | None:
    if quota is None:
        return None
    return {
        "weight": quota.weight,
        "guarantees": {name or ALL: milli for name, milli in quota.guarantees},
        "limits": {name or ALL: milli for name, milli in quota.limits},
        "per_user": {name or ALL: milli for name, milli in quota.per_user},
        "ceilings": {what.value: most for what, most in quota.ceilings},
    }


def _known(tx: Transaction, level: QuotaLevel, name: str) -> None:
    if not quotas.named(tx, level, name):
        raise NotFoundError(f"There is no {level} {name}.")


def _spelled(quota: Quota, capacity: Mapping[str, int]) -> Quota:
    """With GPU types as the inventory has them; unknown ones stay as they are."""
    known = {name.casefold(): name for name in capacity}

    def spelled(amounts: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        return tuple(sorted((known.get(name.casefold(), name), milli) for name, milli in amounts))

    return Quota(
        level=quota.level,
        name=quota.name,
        weight=quota.weight,
        guarantees=spelled([pair for pair in quota.guarantees if pair[1]]),
        limits=spelled(quota.limits),
        per_user=spelled(quota.per_user),
        ceilings=tuple(sorted(quota.ceilings)),
    )


def _faults(tx: Transaction, wanted: Quota, capacity: Mapping[str, int]) -> list[FieldFault]:
    if wanted.level is QuotaLevel.ORGANISATION:
        found = list(_of_the_organisation(wanted))
        if found:
            return found
    before = shares.tree(tx)
    after = shares.tree(tx, changed=wanted)
    old = next(a for a, b in zip(before, after, strict=True) if _mine(b, wanted))
    new = next(b for b in after if _mine(b, wanted))
    known = set(faults(before, capacity))
    return [
        FieldFault(_field(fault, new), fault.message, _remedy(fault, capacity))
        for fault in faults(after, capacity)
        # What was wrong before, as when nodes left, is not the fault of this change, and who
        # promises less than before makes nothing worse.
        if fault not in known and not (fault.sums and _eased(old, new))
    ]


def _of_the_organisation(wanted: Quota) -> Iterator[FieldFault]:
    if wanted.weight != 1:
        yield FieldFault(
            "weight",
            "The organisation stands beside nothing.",
            "Leave it out, and give weights to teams and projects.",
        )
    for gpu_type, _ in wanted.guarantees:
        yield FieldFault(
            f"gpus.{gpu_type or ALL}.guarantee_milli",
            "The organisation has the whole cluster.",
            "Guarantee GPUs to teams and projects.",
        )


def _mine(share: Share, quota: Quota) -> bool:
    if quota.level is QuotaLevel.PROJECT:
        return share.project == quota.name
    name = quota.name or ORGANISATION
    return share.project is None and share.name == name


def _eased(old: Share, new: Share) -> bool:
    """Whether `new` guarantees no more and limits no more tightly."""
    guarantees, limits = dict(old.guarantees), dict(old.limits)
    kept = dict(new.limits)
    return all(milli <= guarantees.get(name, 0) for name, milli in new.guarantees) and all(
        name in limits and milli >= limits[name] for name, milli in kept.items()
    )


def _field(fault: ShareFault, mine: Share) -> str:
    """Where in the request it comes from: what others cannot keep any more, its guarantee broke."""
    kind, _, gpu_type = fault.field.partition(".")
    if not gpu_type:
        return fault.field
    own = fault.share == mine.name
    if own and kind in ("limits", "per_user"):
        return f"gpus.{gpu_type}.{'limit' if kind == 'limits' else 'per_user'}_milli"
    given = {name or ALL for name, _ in (*mine.guarantees, *(mine.limits if own else ()))}
    return f"gpus.{gpu_type}.guarantee_milli" if gpu_type in given else "gpus"


def _remedy(fault: ShareFault, capacity: Mapping[str, int]) -> str:
    if not fault.sums:
        return ""
    if fault.share == ORGANISATION and fault.field.startswith("guarantees"):
        gpu_type = fault.field.partition(".")[2]
        there = sum(capacity.values()) if gpu_type == ALL else capacity[gpu_type]
        return f"Keep the sum of all guarantees at {format_milli(there)} or less."
    return "Change one of the two."
