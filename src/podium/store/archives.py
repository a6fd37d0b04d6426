"""What a project or team has when somebody archives it, what ends with it, and what stays: all of
the record. `intake/archiving` calls it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.rights import Level
from podium.store import tables
from podium.store.database import Transaction
from podium.store.tokens import tokens_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """What would be lost, or goes on: ids of work that has not ended (at most as many as were asked
    for), names of secrets, and names of bookings that are not over."""

    work: Sequence[str]
    secrets: Sequence[str]
    bookings: Sequence[str]

    @property
    def any(self) -> bool:
        return bool(self.work or self.secrets or self.bookings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What ended with a project: roles as `[subject, role]`, service accounts that are disabled
    now, and how many tokens."""

    bindings: Sequence[tuple[str, str]]
    accounts: Sequence[str]
    tokens: int


def project_living(tx: Transaction, project: str, now_ms: int, *, limit: int) -> Living:
    work, secret, booking = tables.workloads, tables.secrets, tables.bookings
    running = (
        sa.select(work.c.id)
        .where(work.c.project == project, work.c.ended_at_ms.is_(None))
        .order_by(work.c.id)
        .limit(limit)
    )
    kept = sa.select(secret.c.name).where(secret.c.project == project).order_by(secret.c.name)
    coming = (
        sa.select(booking.c.name)
        .where(booking.c.project == project, booking.c.until_ms > now_ms)
        .order_by(booking.c.name)
    )
    return Living(
        work=list(tx.scalars(running)),
        secrets=list(tx.scalars(kept)),
        bookings=list(tx.scalars(coming)),
    )


def project_archive(tx: Transaction, project: str, now_ms: int) -> Ended:
    """Its roles go, its service accounts are disabled, and their tokens end with those that were
    made for this project alone."""
    user, token, table = tables.users, tables.tokens, tables.projects
    accounts = list(
        tx.scalars(
            sa.select(user.c.username)
            .where(user.c.project == project, user.c.disabled_at_ms.is_(None))
            .order_by(user.c.username)
        )
    )
    of_account = sa.select(user.c.username).where(user.c.project == project)
    tokens = tokens_end(
        tx, token.c.username.in_(of_account) | (token.c.projects == json.dumps([project]))
    )
    tx.execute(sa.update(user).where(user.c.username.in_(accounts)).values(disabled_at_ms=now_ms))
    bindings = _bindings_end(tx, Level.PROJECT, project)
    tx.execute(sa.update(table).where(table.c.name == project).values(archived_at_ms=now_ms))
    return Ended(bindings=bindings, accounts=accounts, tokens=tokens)


def team_archive(tx: Transaction, team: str, now_ms: int) -> Ended:
    """Its roles go; it has no projects any more."""
    table = tables.teams
    bindings = _bindings_end(tx, Level.TEAM, team)
    tx.execute(sa.update(table).where(table.c.name == team).values(archived_at_ms=now_ms))
    return Ended(bindings=bindings, accounts=(), tokens=0)


def restore(tx: Transaction, level: Level, name: str) -> None:
    table = tables.projects if level is Level.PROJECT else tables.teams
    tx.execute(sa.update(table).where(table.c.name == name).values(archived_at_ms=None))


def team_projects(tx: Transaction, team: str, *, limit: int) -> list[str]:
    """Those of the team that are not archived."""
    table = tables.projects
    there = sa.select(table.c.name).where(table.c.team == team, table.c.archived_at_ms.is_(None))
    return list(tx.scalars(there.order_by(table.c.name).limit(limit)))


def project_move(tx: Transaction, project: str, team: str, now_ms: int) -> int:
    """With the work that has not ended; what has ended, and its bills, stay with the team that they
    were of. How much work went along."""
    table, work = tables.projects, tables.workloads
    tx.execute(
        sa.update(table).where(table.c.name == project).values(team=team, moved_at_ms=now_ms)
    )
    along = tx.execute(
        sa.update(work)
        .where(work.c.project == project, work.c.ended_at_ms.is_(None))
        .values(team=team)
    )
    return along.rowcount


def _bindings_end(tx: Transaction, level: Level, target: str) -> list[tuple[str, str]]:
    table = tables.bindings
    there = (table.c.level == level.value, table.c.target == target)
    found = [
        (row.subject, row.role)
        for row in tx.execute(
            sa.select(table.c.subject, table.c.role)
            .where(*there)
            .order_by(table.c.subject, table.c.role)
        )
    ]
    tx.execute(sa.delete(table).where(*there))
    return found
