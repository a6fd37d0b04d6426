"""Policies in place of the built-in ones, as administrators set them."""

from __future__ import annotations

from collections.abc import Mapping

from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.policies import SCHEDULING, Override, PolicyLevel, value_to_text
from podium.domain.quota import QuotaLevel
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.domain.workload import Kind
from podium.intake.office import Office, authorise, entry_of_level, told
from podium.spec.faults import unknown_field
from podium.spec.policy import KIND_FIELDS, SCHEDULING_FIELDS, PolicyField, read_values
from podium.store import policies, pools, quotas
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

PARTS = (SCHEDULING, *(kind.value for kind in Kind))

HINTS = ("schedule",)
"""Who has to look again after a change."""


async def policy_set(
    office: Office,
    identity: Identity,
    *,
    level: PolicyLevel,
    name: str,
    part: str,
    values: Mapping[str, object],
) -> None:
    """Put `values`, as people write them, in the place of what holds otherwise. Raises
    NotFoundError, and UserError with every field that is wrong."""
    authorise(identity, Action.POLICY_SET)
    fields = _fields(level, part)
    _known_fields(values, fields)
    read = read_values(values, fields)
    priority, highest = read.get("priority"), read.get("priority_max")
    if isinstance(priority, int) and isinstance(highest, int) and priority > highest:
        raise UserError(
            FieldFault(
                "priority", f"is {priority}, above priority_max.", f"Write {highest} or less."
            )
        )
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> AuditEntry:
        _known(tx, level, name)
        before = _held(tx, level, name, part)
        for column, value in read.items():
            override = Override(
                level=level, name=name, part=part, field=column, value=value_to_text(value)
            )
            policies.override_set(tx, override, now_ms, identity.username)
        detail = {"part": part, "before": before, "after": _held(tx, level, name, part)}
        return entry_of_level(identity, Action.POLICY_SET, level.value, name, detail)

    await told(office, write)
    office.hints.wake(*HINTS)


async def policy_reset(
    office: Office,
    identity: Identity,
    *,
    level: PolicyLevel,
    name: str,
    part: str,
    field: str | None = None,
) -> None:
    """Let hold again what holds otherwise: for one field, or for the whole part. What is so
    already stays."""
    authorise(identity, Action.POLICY_SET)
    fields = _fields(level, part)
    if field is not None:
        _known_fields([field], fields)

    def write(tx: Transaction) -> AuditEntry:
        _known(tx, level, name)
        before = _held(tx, level, name, part)
        column = None if field is None else fields[field].column
        policies.override_delete(tx, level, name, part, column)
        detail = {"part": part, "before": before, "after": _held(tx, level, name, part)}
        return entry_of_level(identity, Action.POLICY_SET, level.value, name, detail)

    await told(office, write)
    office.hints.wake(*HINTS)


def _held(tx: Transaction, level: PolicyLevel, name: str, part: str) -> dict[str, str]:
    """What is set there, in place of what holds otherwise."""
    return {
        each.field: each.value
        for each in policies.override_list(tx)
        if (each.level, each.name, each.part) == (level, name, part)
    }


def _fields(level: PolicyLevel, part: str) -> Mapping[str, PolicyField]:
    if part not in PARTS:
        raise NotFoundError(f"There is no policy {part}. Known are {', '.join(PARTS)}.")
    if part != SCHEDULING:
        return KIND_FIELDS
    if level is not PolicyLevel.CLUSTER:
        raise UserError(
            FieldFault(
                "level", "scheduling is a matter of the whole cluster.", "Set it for the cluster."
            )
        )
    return SCHEDULING_FIELDS


def _known_fields(names: Mapping[str, object] | list[str], fields: Mapping[str, object]) -> None:
    faults = [unknown_field(name, list(fields))[0] for name in names if name not in fields]
    if faults:
        raise UserError(*faults)


def _known(tx: Transaction, level: PolicyLevel, name: str) -> None:
    if level is PolicyLevel.POOL:
        known = any(pool.name == name for pool in pools.pool_list(tx))
    else:
        known = level is PolicyLevel.CLUSTER or quotas.named(tx, QuotaLevel(level.value), name)
    if not known:
        raise NotFoundError(f"There is no {level} {name}.")
