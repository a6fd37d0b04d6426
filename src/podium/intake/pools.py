"""Pools of nodes, as administrators set them, and which of them a submission may name."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from podium.domain.errors import FieldFault, UserError
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.pool import Pool
from podium.domain.quota import QuotaLevel
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.domain.workload import Wish
from podium.intake.office import Office, authorise, told
from podium.spec.faults import FieldError, under
from podium.spec.fields import read_labels
from podium.spec.views.pool import PoolRequest
from podium.store import pools, quotas
from podium.store.audit import AuditEntry
from podium.store.data_exposure import exposed_note
from podium.store.database import Transaction
from podium.store.pools import Reach

HINTS = ("schedule",)
"""Who has to look again after a change."""


async def pool_set(office: Office, identity: Identity, name: str, request: PoolRequest) -> Pool:
    """Make a pool, or change what it is. What runs there goes on; from now on only work of those
    who may use it is placed there. Raises UserError with every field that is wrong."""
    authorise(identity, Action.POOL_SET)
    faults: list[FieldFault] = []
    wrong = name_fault(name)
    if wrong is not None:
        faults.append(FieldFault("name", f"{wrong}.", f"Try '{name_suggestion(name)}'."))
    labels: tuple[tuple[str, str], ...] = ()
    try:
        labels = read_labels(request.labels)
    except FieldError as error:
        faults.extend(under("labels", error.faults))
    pool = Pool(
        name=name,
        labels=labels,
        projects=tuple(sorted(set(request.projects))),
        teams=tuple(sorted(set(request.teams))),
        note=request.note.strip(),
        region=request.region,
        approved_for=tuple(sorted({each.value for each in request.approved_for})),
    )
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> AuditEntry:
        found = [*faults, *_unknown(tx, request)]
        if found:
            raise UserError(*found[:20])
        before = _standing(tx, name)
        pools.pool_put(tx, pool, now_ms, identity.username)
        exposed_note(tx, now_ms, identity.username)
        return _entry(identity, name, before, pool)

    await told(office, write)
    office.hints.wake(*HINTS)
    return pool


async def pool_remove(office: Office, identity: Identity, name: str) -> None:
    """Its nodes fall to the next pool whose labels they carry, or to everyone. Raises
    NotFoundError."""
    authorise(identity, Action.POOL_SET)

    def write(tx: Transaction) -> AuditEntry:
        before = _standing(tx, name)
        pools.pool_delete(tx, name)
        exposed_note(tx, office.database.now_ms(), identity.username)
        return _entry(identity, name, before, None)

    await told(office, write)
    office.hints.wake(*HINTS)


def pool_faults(wish: Wish, reach: Reach, prefix: str = "") -> Iterator[FieldFault]:
    """Where a wish names a pool that its project may not use, or that is none: people hear the
    same of both."""
    open_names = reach.names(wish.project)
    if not wish.groups:
        yield from _not_open(wish.request.pools, wish.project, open_names, f"{prefix}resources")
    for index, group in enumerate(wish.groups):
        place = f"{prefix}groups.{index}.resources"
        yield from _not_open(group.request.pools, wish.project, open_names, place)


def _not_open(
    named: tuple[str, ...], project: str, open_names: Collection[str], place: str
) -> Iterator[FieldFault]:
    for index, name in enumerate(named):
        if name not in open_names:
            field = f"{place}.pool" + (f".{index}" if len(named) > 1 else "")
            remedy = "Leave it out: no pool is open to this project."
            if open_names:
                remedy = f"Open to it: {', '.join(open_names)}."
            yield FieldFault(field, f"project {project} has no pool '{name}' to use.", remedy)


def _unknown(tx: Transaction, request: PoolRequest) -> Iterator[FieldFault]:
    for field, level, names in (
        ("projects", QuotaLevel.PROJECT, request.projects),
        ("teams", QuotaLevel.TEAM, request.teams),
    ):
        for index, name in enumerate(names):
            if not quotas.named(tx, level, name):
                remedy = "See: podium project ls"
                message = f"There is no {level.value} {name}."
                yield FieldFault(f"{field}.{index}", message, remedy)


def _standing(tx: Transaction, name: str) -> Pool | None:
    return next((pool for pool in pools.pool_list(tx) if pool.name == name), None)


def _entry(identity: Identity, name: str, before: Pool | None, after: Pool | None) -> AuditEntry:
    def said(pool: Pool | None) -> dict[str, object] | None:
        if pool is None:
            return None
        return {
            "labels": dict(pool.labels),
            "projects": pool.projects,
            "teams": pool.teams,
            "note": pool.note,
            "region": pool.region,
            "approved_for": list(pool.approved_for),
        }

    return AuditEntry(
        actor=identity.username,
        action=Action.POOL_SET,
        subject=name,
        detail={"before": said(before), "after": said(after)},
    )
