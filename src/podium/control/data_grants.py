"""Decides just before a launch whether it may have its data, and tells the audit trail:
`data:mount` for each source, `data:run` for work that is classified by itself. `control/launch`
calls it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from podium.domain.allocation import Allocation
from podium.domain.compliance import MOUNT, RUN
from podium.domain.data import (
    Classification,
    DataSource,
    DataUse,
    Mode,
    approved,
    fits,
    needs_of,
    needs_words,
    right_to,
)
from podium.domain.reason import Cause
from podium.domain.workload import Program, Workload
from podium.engines.contract import DataMount
from podium.store import data_launches
from podium.store.audit import AuditEntry, audit_append
from podium.store.data_sources import sources_fetch, teams_of
from podium.store.database import Transaction
from podium.store.nodes import node_list
from podium.store.replicas import End
from podium.store.sealing import Sealer
from podium.store.secrets import secret_sealed, secret_used

_Key = tuple[str, str]
"""A secret's project and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What became of a batch: ends of those that may not have their data now, and of the others
    what their mounts are made of."""

    refused: dict[str, End] = field(default_factory=dict)
    sources: Mapping[str, DataSource] = field(default_factory=dict)
    sealed: Mapping[_Key, bytes] = field(default_factory=dict, repr=False)
    classes: Mapping[str, Classification] = field(default_factory=dict)


def asks(programs: Mapping[str, Program], classes: Mapping[str, str], each: Allocation) -> bool:
    """Whether there is something to decide."""
    return bool(programs[each.workload_id].data) or each.workload_id in classes


def declared(tx: Transaction, ids: Collection[str]) -> Mapping[str, str]:
    """The classes that workloads give themselves."""
    return data_launches.declared_classes(tx, ids)


def decide(
    tx: Transaction,
    due: Sequence[Allocation],
    found: Mapping[str, Workload],
    programs: Mapping[str, Program],
    now_ms: int,
) -> Decided:
    """By what holds now: grants, classes, and where the nodes are. What is let through is written
    down once, however often its start is tried."""
    ids = {each.workload_id for each in due}
    own = declared(tx, ids)
    wanted = {use.source for key in ids for use in programs[key].data}
    sources = sources_fetch(tx, wanted, lock=True)
    pools, teams = data_launches.pools_held(tx), teams_of(tx)
    at = {node.name: node.pool for node in node_list(tx)}
    noted = data_launches.launched(tx, [each.id for each in due])
    refused: dict[str, End] = {}
    classes: dict[str, Classification] = {}
    told: dict[tuple[str, str], list[int]] = {}
    new: list[str] = []
    for each in due:
        workload, uses = found[each.workload_id], programs[each.workload_id].data
        used = [sources[use.source] for use in uses if use.source in sources]
        class_name = own.get(workload.id)
        needs = needs_of(None if class_name is None else Classification(class_name), used)
        classes[workload.id] = needs.classification
        pool = pools.get(at.get(each.node, ""))
        why = _forbidden(uses, sources, workload, teams)
        if not why and not (
            fits(needs, "", ()) if pool is None else fits(needs, pool.region, approved(pool))
        ):
            where = f"pool {pool.name}" if pool is not None else "no pool"
            why = f"It has {needs_words(needs)}; {each.node} is in {where}."
        if why:
            refused[each.id] = End(allocation_id=each.id, cause=Cause.DATA_DENIED, message=why)
        elif each.id not in noted:
            new.append(each.id)
            told.setdefault((workload.id, each.node), []).append(each.rank)
    entries = []
    for (key, node), ranks in told.items():
        place = pools.get(at.get(node, ""))
        entries += _entries(
            found[key], programs[key].data, sources, teams, classes[key], node,
            "" if place is None else place.name, "" if place is None else place.region, ranks,
        )  # fmt: skip
    data_launches.launches_insert(tx, new)
    audit_append(tx, entries, now_ms)
    return Decided(
        refused=refused, sources=sources, sealed=_sealed(tx, sources, now_ms), classes=classes
    )


def mounts(
    sealer: Sealer, decided: Decided, workload_id: str, uses: Sequence[DataUse]
) -> tuple[DataMount, ...]:
    """What the engine mounts. Raises KeysError."""
    if workload_id not in decided.classes:
        return ()
    found = []
    for use in uses:
        source = decided.sources[use.source]
        key = _secret_key(source)
        secret = ""
        if key is not None and key in decided.sealed:
            secret = sealer.unseal(decided.sealed[key], project=key[0], name=key[1])
        found.append(
            DataMount(
                source=source.id,
                kind=source.kind,
                location=tuple(sorted(source.location.items())),
                path=use.path,
                variable=use.variable,
                write=use.mode is Mode.WRITE,
                secret=secret,
            )
        )
    return tuple(found)


def _forbidden(
    uses: Sequence[DataUse],
    sources: Mapping[str, DataSource],
    workload: Workload,
    teams: Mapping[str, str],
) -> str:
    for use in uses:
        source = sources.get(use.source)
        if source is None:
            return f"There is no data source {use.source} any more."
        if _right(source, use, workload, teams) is None:
            return f"Its project {workload.project} may not use {source.id} so any more."
    return ""


def _right(
    source: DataSource, use: DataUse, workload: Workload, teams: Mapping[str, str]
) -> str | None:
    return right_to(
        source,
        use.mode,
        project=workload.project,
        team=teams.get(workload.project),
        username=workload.owner,
    )


def _entries(
    workload: Workload,
    uses: Sequence[DataUse],
    sources: Mapping[str, DataSource],
    teams: Mapping[str, str],
    classification: Classification,
    node: str,
    pool: str,
    region: str,
    ranks: Sequence[int],
) -> list[AuditEntry]:
    where: dict[str, object] = {
        "ranks": sorted(ranks),
        "node": node,
        "pool": pool,
        "region": region,
        "class": classification.value,
    }
    if not uses:
        return [
            AuditEntry(
                actor=workload.owner,
                action=RUN,
                subject=workload.id,
                project=workload.project,
                detail=where,
            )
        ]
    return [
        AuditEntry(
            actor=workload.owner,
            action=MOUNT,
            subject=use.source,
            project=workload.project,
            detail={
                **where,
                "workload": workload.id,
                "mode": use.mode.value,
                "path": use.path,
                "right": _right(sources[use.source], use, workload, teams),
            },
        )
        for use in uses
    ]


def _secret_key(source: DataSource) -> _Key | None:
    name = source.location.get("secret")
    if not name:
        return None
    return source.project or source.location.get("secret_project", ""), name


def _sealed(tx: Transaction, sources: Mapping[str, DataSource], now_ms: int) -> dict[_Key, bytes]:
    found: dict[_Key, bytes] = {}
    for source in sources.values():
        key = _secret_key(source)
        if key is not None and key not in found:
            values = secret_sealed(tx, key[0], [key[1]])
            if key[1] in values:
                found[key] = values[key[1]]
                secret_used(tx, key[0], [key[1]], now_ms)
    return found
