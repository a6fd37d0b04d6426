"""Projects as clusters have to know them: their limits, which groups of people may look, and what
opens their registries. `control/tenancy` keeps their namespaces by it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa

from podium.domain.cluster import DRIFTED
from podium.domain.quota import Counted, Quota, QuotaLevel
from podium.domain.rights import Action, Level, Role, SubjectKind
from podium.domain.secret import REGISTRIES
from podium.domain.tenancy import WHOLE
from podium.store import tables
from podium.store.audit_trail import AuditFilter, entry_list
from podium.store.chunks import chunks
from podium.store.database import Transaction
from podium.store.providers import provider_list
from podium.store.quotas import quota_list
from podium.store.roles import role_all

ALL_TYPES = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRecord:
    """Limits as `domain/quota` has them, None: none. Groups by the names that the directory gives
    them. `registries` is sealed."""

    project: str
    archived: bool = False
    gpu_milli: int | None = None
    cpu_milli: int | None = None
    memory_bytes: int | None = None
    viewers: tuple[str, ...] = ()
    log_readers: tuple[str, ...] = ()
    registries: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRecord:
    """What others changed of a project's room, as the audit trail has it."""

    at_ms: int
    project: str
    words: str
    mended: bool


@dataclass(frozen=True, slots=True)
class _Given:
    """A role that a group has somewhere."""

    group: str
    role: str
    level: Level
    target: str

    def holds_in(self, project: str, team: str) -> bool:
        if self.level is Level.ORGANISATION:
            return True
        return self.target == (team if self.level is Level.TEAM else project)


def tenants_fetch(tx: Transaction, projects: Collection[str]) -> dict[str, TenantRecord]:
    """By name, of those that there are. Empty without a query where none is asked for."""
    if not projects:
        return {}
    table, secret = tables.projects, tables.secrets
    mine = (secret.c.project == table.c.name) & (secret.c.name == REGISTRIES)
    quotas, roles, given, known_as = quota_list(tx), role_all(tx), _given(tx), _directory_names(tx)
    found: dict[str, TenantRecord] = {}
    for chunk in chunks(projects):
        rows = tx.execute(
            sa.select(table.c.name, table.c.team, table.c.archived_at_ms, secret.c.sealed)
            .outerjoin(secret, mine)
            .where(table.c.name.in_(chunk))
        )
        for row in rows:
            here = [each for each in given if each.holds_in(row.name, row.team)]
            quota = quotas.get((QuotaLevel.PROJECT, row.name))
            limits, ceilings = _limits(quota)
            found[row.name] = TenantRecord(
                project=row.name,
                archived=row.archived_at_ms is not None,
                gpu_milli=limits.get(ALL_TYPES),
                cpu_milli=ceilings.get(Counted.CPU),
                memory_bytes=ceilings.get(Counted.MEMORY),
                viewers=_groups(here, roles, Action.WORKLOAD_READ, known_as),
                log_readers=_groups(here, roles, Action.LOG_READ, known_as),
                registries=row.sealed,
            )
    return found


def project_placed(tx: Transaction, project: str, nodes: Collection[str]) -> bool:
    """Whether something of the project is placed on one of these nodes, or may still run there
    although it was given up."""
    held, work = tables.allocations, tables.workloads
    for chunk in chunks(nodes):
        placed = (
            sa.select(held.c.id)
            .join(work, work.c.id == held.c.workload_id)
            .where(
                work.c.project == project,
                held.c.node.in_(chunk),
                held.c.released_at_ms.is_(None) | held.c.given_up,
            )
            .limit(1)
        )
        if tx.scalar(placed) is not None:
            return True
    return False


def drift_list(tx: Transaction, cluster: str, *, limit: int) -> list[DriftRecord]:
    """Newest first."""
    wanted = AuditFilter(action=DRIFTED, subject=cluster)
    found = []
    for _, at_ms, _, _, _, project, _, text, *_ in entry_list(tx, WHOLE, wanted, limit=limit).links:
        detail = json.loads(text)
        found.append(
            DriftRecord(
                at_ms=at_ms,
                project=project or "",
                words=str(detail["words"]),
                mended=bool(detail["mended"]),
            )
        )
    return found


def _limits(quota: Quota | None) -> tuple[dict[str, int], dict[Counted, int]]:
    return ({}, {}) if quota is None else (dict(quota.limits), dict(quota.ceilings))


def _groups(
    given: Collection[_Given],
    roles: Mapping[str, Role],
    action: Action,
    known_as: Mapping[str, Collection[str]],
) -> tuple[str, ...]:
    """The directory's names of those that may do `action`."""
    names = {
        each.group for each in given if each.role in roles and action in roles[each.role].actions
    }
    return tuple(sorted({said for name in names for said in known_as.get(name, (name,))}))


def _given(tx: Transaction) -> list[_Given]:
    table = tables.bindings
    rows = tx.execute(
        sa.select(table.c.subject, table.c.role, table.c.level, table.c.target).where(
            table.c.subject_kind == SubjectKind.GROUP.value
        )
    )
    return [_Given(row.subject, row.role, Level(row.level), row.target) for row in rows]


def _directory_names(tx: Transaction) -> dict[str, set[str]]:
    """What directories and sign-in providers call groups that are called otherwise here."""
    table = tables.directory_groups
    found: dict[str, set[str]] = {}
    for row in tx.execute(sa.select(table.c.group, table.c.display_name)):
        found.setdefault(row.group, set()).add(row.display_name)
    for provider in provider_list(tx):
        for said, group in provider.group_names.items():
            found.setdefault(group, set()).add(said)
    return found
