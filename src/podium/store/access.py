"""Who may do something, and by which binding: the same bindings that rights come from, read the
other way round. `api/access` answers with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.rights import GRANTED_WITH_ANY, Action, Binding, Level, SubjectKind
from podium.domain.tenancy import User
from podium.store import tables
from podium.store.database import Transaction
from podium.store.roles import binding_of_row, bindings_of, role_all
from podium.store.users import user_of_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A binding, and the group through which it is somebody's; None: it names them."""

    binding: Binding
    group: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody who may do what was asked about, and all ways by which they may."""

    user: User
    paths: tuple[Path, ...]


def holders(
    tx: Transaction,
    action: Action,
    *,
    project: str | None = None,
    team: str | None = None,
    limit: int,
    after: str = "",
) -> list[Holder]:
    """By name: people and service accounts, who are not disabled, that may do `action` in the
    project or team, or, with neither, everywhere."""
    binding, member, user = tables.bindings, tables.group_members, tables.users
    places = _places(tx, action, project, team)
    names = [
        role.name for role in role_all(tx).values() if action in role.actions | GRANTED_WITH_ANY
    ]
    chosen = binding.c.role.in_(names) & places
    by_name = sa.select(
        binding.c.subject.label("username"), binding.c.id, sa.null().label("group")
    ).where(chosen, binding.c.subject_kind == SubjectKind.USER.value)
    by_group = (
        sa.select(member.c.username, binding.c.id, member.c.group)
        .join(binding, binding.c.subject == member.c.group)
        .where(chosen, binding.c.subject_kind == SubjectKind.GROUP.value)
    )
    ways = sa.union_all(by_name, by_group).subquery()
    found = (
        sa.select(user)
        .where(
            user.c.username.in_(sa.select(ways.c.username)),
            user.c.username > after,
            user.c.disabled_at_ms.is_(None),
        )
        .order_by(user.c.username)
        .limit(limit)
    )
    users = [user_of_row(row) for row in tx.execute(found).mappings()]
    rows = tx.execute(
        sa.select(ways.c.username, ways.c.group.label("through"), binding)
        .join(binding, binding.c.id == ways.c.id)
        .where(ways.c.username.in_([each.username for each in users]))
        .order_by(ways.c.username, binding.c.id, ways.c.group)
    ).mappings()
    paths: dict[str, list[Path]] = {}
    for row in rows:
        path = Path(binding=binding_of_row(row), group=row["through"])
        paths.setdefault(row["username"], []).append(path)
    return [Holder(user=each, paths=tuple(paths[each.username])) for each in users]


def paths_of(tx: Transaction, username: str) -> Sequence[Path]:
    """All roles of somebody, by name and through groups."""
    return [
        Path(binding=each, group=each.subject if each.subject_kind is SubjectKind.GROUP else None)
        for each in bindings_of(tx, username)
    ]


def _places(
    tx: Transaction, action: Action, project: str | None, team: str | None
) -> sa.ColumnElement[bool]:
    """Bindings that reach there: its own, and those of what it is a part of."""
    binding, table = tables.bindings, tables.projects
    if project is None and team is None and action in GRANTED_WITH_ANY:
        return sa.true()
    reach = binding.c.level == Level.ORGANISATION.value
    if project is not None:
        team = tx.scalar(sa.select(table.c.team).where(table.c.name == project))
        reach |= (binding.c.level == Level.PROJECT.value) & (binding.c.target == project)
    if team is not None:
        reach |= (binding.c.level == Level.TEAM.value) & (binding.c.target == team)
    return reach
