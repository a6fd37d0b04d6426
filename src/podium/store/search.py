"""Finds workloads, projects, nodes and people by a part of their name or id. `api/search` asks.

Every step reads a bounded number of rows, so that the answer takes no longer in a large store.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal

import sqlalchemy as sa

from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.scoping import within

_NEWEST = 5000
_NEWEST_LEAST = 100
_FITS_MAX = 200
_PROJECTS_ONE_BY_ONE = 50
_OTHERS_MAX = 8
_SHOWN = ("id", "name", "project", "owner", "kind", "state")
_ID_LENGTH = 18
_ID_HEAD = "w-"
# A name in which nothing can stand after its last letter ends before this one.
_AFTER_ALL = "\U0010ffff"


class Likeness(IntEnum):
    """How well something fits what was asked for; the least is best."""

    ID = 0
    NAME = 1
    BEGINNING = 2
    PART = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`id` is what its page is called by."""

    kind: Literal["workload", "project", "node", "user"]
    id: str
    title: str
    detail: str
    state: str | None
    likeness: Likeness


def find(
    tx: Transaction, scope: Scope, text: str, *, limit: int, people: bool = False
) -> list[Finding]:
    """The best `limit` fits: exact ids, exact names, beginnings, then parts; among workloads that
    fit equally well the newest first. Nodes are everyone's to see; users only with `people`.

    Ids, names and beginnings are looked up in indexes. Parts inside a name are looked for among
    the newest 5,000 workloads only (of at least 100 a project, for readers of a few projects).
    """
    words = text.strip().lower()
    if not words or not words.isprintable():
        return []  # no name has a sign that cannot be shown, and databases disagree on them
    found = [*_projects(tx, scope, words), *_nodes(tx, words), *_workloads(tx, scope, words, limit)]
    if people:
        found += _users(tx, words)
    # Sorting keeps the order of equals: that of the lists, and of age among workloads.
    return sorted(found, key=lambda each: each.likeness)[:limit]


def _projects(tx: Transaction, scope: Scope, words: str) -> list[Finding]:
    table = tables.projects
    seen = within(scope, table.c.name) & table.c.archived_at_ms.is_(None)
    return [
        Finding(
            kind="project",
            id=row.name,
            title=row.name,
            detail=f"team {row.team}",
            state=None,
            likeness=likeness,
        )
        for row, likeness in _named(tx, table, table.c.name, words, seen)
    ]


def _nodes(tx: Transaction, words: str) -> list[Finding]:
    table, device = tables.nodes, tables.devices
    rows = list(_named(tx, table, table.c.name, words, sa.true()))
    gpus: dict[str, int] = {
        row[0]: row[1]
        for row in tx.execute(
            sa.select(device.c.node, sa.func.count())
            .where(device.c.node.in_([row.name for row, _ in rows]))
            .group_by(device.c.node)
        )
    }
    return [
        Finding(
            kind="node",
            id=row.name,
            title=row.name,
            detail=_place(gpus.get(row.name, 0), row.block, row.rack, row.nvlink),
            state=row.state,
            likeness=likeness,
        )
        for row, likeness in rows
    ]


def _place(gpus: int, *places: str) -> str:
    count = f"{gpus} GPU{'' if gpus == 1 else 's'}" if gpus else "no GPU"
    return ", ".join([count, *(part for part in places if part)])


def _users(tx: Transaction, words: str) -> list[Finding]:
    table = tables.users
    return [
        Finding(
            kind="user",
            id=row.username,
            title=row.username,
            detail=row.display_name or row.kind,
            state=None,
            likeness=likeness,
        )
        for row, likeness in _named(tx, table, table.c.username, words, sa.true())
    ]


def _named(
    tx: Transaction,
    table: sa.Table,
    name: sa.Column[str],
    words: str,
    seen: sa.ColumnElement[bool],
) -> Iterator[tuple[sa.Row[Any], Likeness]]:
    """Rows of a short table whose name holds the words, those that begin with them first."""
    begins = name.startswith(words, autoescape=True)
    rows = tx.execute(
        sa.select(table)
        .where(name.contains(words, autoescape=True), seen)
        .order_by(name != words, sa.not_(begins), name)
        .limit(_OTHERS_MAX)
    )
    for row in rows:
        yield row, _likeness(row._mapping[name], words)


def _workloads(tx: Transaction, scope: Scope, words: str, limit: int) -> list[Finding]:
    """The best `limit`, newest first among equals."""
    projects = _project_names(tx, scope)
    names = {
        **_by_id(tx, scope, words),
        **_by_name(tx, projects, words),
        **_by_part(tx, scope, projects, words),
    }
    likeness = {key: _workload_likeness(key, name, words) for key, name in names.items()}
    best = sorted(sorted(names, reverse=True), key=lambda each: likeness[each])[:limit]
    table = tables.workloads
    rows = tx.execute(
        sa.select(*(table.c[name] for name in _SHOWN)).where(
            table.c.id.in_(best), within(scope, table.c.project)
        )
    )
    found = {row.id: row for row in rows}
    return [
        Finding(
            kind="workload",
            id=row.id,
            title=row.name,
            detail=f"{row.kind} of {row.owner} in {row.project}",
            state=row.state,
            likeness=likeness[row.id],
        )
        for row in (found[each] for each in best if each in found)
    ]


def _workload_likeness(workload_id: str, name: str, words: str) -> Likeness:
    if workload_id == words:
        return Likeness.ID
    begins = Likeness.BEGINNING if workload_id.startswith(words) else Likeness.PART
    return min(_likeness(name, words), begins)


def _likeness(name: str, words: str) -> Likeness:
    if name == words:
        return Likeness.NAME
    return Likeness.BEGINNING if name.startswith(words) else Likeness.PART


def _project_names(tx: Transaction, scope: Scope) -> list[str]:
    if scope.projects is not None:
        return sorted(scope.projects)
    return list(tx.scalars(sa.select(tables.projects.c.name).order_by(tables.projects.c.name)))


def _by_id(tx: Transaction, scope: Scope, words: str) -> dict[str, str]:
    """Names by ids that begin so. All ids have one length, so the first and the last that could
    begin so are known."""
    if not words.startswith(_ID_HEAD) or not words[2:].isalnum() or not words.isascii():
        return {}
    table = tables.workloads
    first, last = words.ljust(_ID_LENGTH, "0"), words.ljust(_ID_LENGTH, "z")
    rows = tx.execute(
        sa.select(table.c.id, table.c.name)
        .where(table.c.id.between(first, last), within(scope, table.c.project))
        .order_by(table.c.id.desc())
        .limit(_FITS_MAX)
    )
    return {row.id: row.name for row in rows}


def _by_name(tx: Transaction, projects: list[str], words: str) -> dict[str, str]:
    """Names by ids of workloads that are called so, the newest; and of some whose name begins
    so."""
    table = tables.workloads
    begins = table.c.name.startswith(words, autoescape=True)
    if tx.dialect.name == "sqlite":  # whose LIKE uses no index
        begins &= table.c.name.between(words, words + _AFTER_ALL)
    names: dict[str, str] = {}
    for seen in _stretches(projects):
        chosen = sa.select(table.c.id, table.c.name).where(seen).limit(_FITS_MAX)
        called = chosen.where(table.c.name == words).order_by(table.c.id.desc())
        for statement in (called, chosen.where(begins)):
            names.update((row.id, row.name) for row in tx.execute(statement))
    return names


def _by_part(tx: Transaction, scope: Scope, projects: list[str], words: str) -> dict[str, str]:
    """Names by ids, of the newest only."""
    table = tables.workloads
    whole = scope.projects is None or len(projects) > _PROJECTS_ONE_BY_ONE
    stretches = [sa.true()] if whole else list(_stretches(projects))
    reach = max(_NEWEST_LEAST, _NEWEST // max(1, len(stretches)))
    names: dict[str, str] = {}
    for stretch in stretches:
        newest = (
            sa.select(table.c.id, table.c.name, table.c.project)
            .where(stretch)
            .order_by(table.c.id.desc())
            .limit(reach)
            .subquery()
        )
        rows = tx.execute(
            sa.select(newest.c.id, newest.c.name)
            .where(newest.c.name.contains(words, autoescape=True), within(scope, newest.c.project))
            .order_by(newest.c.id.desc())
            .limit(_FITS_MAX)
        )
        names.update((row.id, row.name) for row in rows)
    return names


def _stretches(projects: list[str]) -> Iterator[sa.ColumnElement[bool]]:
    """One stretch of an index a project, which is read in its order; all at once when many."""
    project = tables.workloads.c.project
    if len(projects) > _PROJECTS_ONE_BY_ONE:
        yield project.in_(projects)
        return
    for name in projects:
        yield project == name
