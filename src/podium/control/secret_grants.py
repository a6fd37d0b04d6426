"""What a launch gets of its project's secrets, and the record of who got which. `control/launch`
calls it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from podium.domain.allocation import Allocation
from podium.domain.errors import PermanentError
from podium.domain.secret import SecretUse
from podium.domain.workload import Program, Workload
from podium.engines.contract import SecretFile
from podium.store import audit
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.sealing import Sealer
from podium.store.secrets import secret_sealed, secret_used

USED = "secret:use"
"""The action under which the audit trail has it."""


class SecretMissingError(PermanentError):
    """A secret was removed after the work was accepted."""

    code = "secret_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretGrant:
    """Opened secrets of one launch: variables with their values, and files."""

    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    files: tuple[SecretFile, ...] = ()


def sealed_fetch(
    tx: Transaction, found: Mapping[str, Workload], programs: Mapping[str, Program]
) -> dict[str, dict[str, bytes]]:
    """By workload: sealed values by name."""
    return {
        key: secret_sealed(tx, found[key].project, names_of(program.secrets))
        for key, program in programs.items()
        if program.secrets
    }


def names_of(uses: Iterable[SecretUse]) -> set[str]:
    return {use.name for use in uses}


def opened(
    sealer: Sealer, project: str, uses: Sequence[SecretUse], sealed: Mapping[str, bytes]
) -> SecretGrant:
    """Raises SecretMissingError, and KeysError when a value cannot be opened."""
    values: dict[str, str] = {}
    for name in sorted(names_of(uses)):
        if name not in sealed:
            raise SecretMissingError(
                f"The secret {name} was removed before the work started. Set it again with "
                f"`podium secret set {name} --project {project}`, and submit the work again."
            )
        values[name] = sealer.unseal(sealed[name], project=project, name=name)
    return SecretGrant(
        variables=tuple((use.variable, values[use.name]) for use in uses if not use.as_file),
        files=tuple(
            SecretFile(name=use.name, variable=use.variable, content=values[use.name].encode())
            for use in uses
            if use.as_file
        ),
    )


def use_record(
    tx: Transaction,
    started: Collection[Allocation],
    found: Mapping[str, Workload],
    programs: Mapping[str, Program],
    now_ms: int,
) -> None:
    """Write down that these got their secrets: one audit entry for each workload."""
    entries = []
    for key, program in programs.items():
        ranks = sorted(each.rank for each in started if each.workload_id == key)
        if not program.secrets or not ranks:
            continue
        workload = found[key]
        names = sorted(names_of(program.secrets))
        secret_used(tx, workload.project, names, now_ms)
        entries.append(
            AuditEntry(
                actor=workload.owner,
                action=USED,
                subject=key,
                project=workload.project,
                detail={"secrets": names, "ranks": ranks},
            )
        )
    if entries:
        audit.audit_append(tx, entries, now_ms)
