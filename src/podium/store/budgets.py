"""Budgets as they were set, and what was told of them. How they stand: `store/budget_ledger`."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.budget import Budget, BudgetLevel, Period, WhenSpent
from podium.domain.errors import NotFoundError
from podium.store import tables
from podium.store.codec import Row, names_from_text
from podium.store.database import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A budget, who set it, and the highest threshold that was told in the period since
    `told_since_ms`. `runs_out_ms` is when it will be or was spent, by what ran at the last look;
    that holds until `until_ms`, the end of the period."""

    budget: Budget
    updated_at_ms: int
    updated_by: str
    told_since_ms: int
    told_percent: int
    runs_out_ms: int | None
    until_ms: int | None


def budget_list(tx: Transaction, *, when_spent: tuple[WhenSpent, ...] = ()) -> list[Kept]:
    """By name; with `when_spent` those alone that do one of these."""
    table = tables.budgets
    statement = sa.select(table).order_by(table.c.name)
    if when_spent:
        statement = statement.where(table.c.when_spent.in_([each.value for each in when_spent]))
    return [_kept(row) for row in tx.execute(statement).mappings()]


def budget_find(tx: Transaction, name: str) -> Kept | None:
    table = tables.budgets
    row = tx.execute(sa.select(table).where(table.c.name == name)).mappings().first()
    return None if row is None else _kept(row)


def budget_set(tx: Transaction, budget: Budget, now_ms: int, username: str) -> None:
    """Put it in the place of what stood there. What was told before is told again if it is still
    so, for the amount may be another one."""
    table = tables.budgets
    tx.execute(sa.delete(table).where(table.c.name == budget.name))
    tx.execute(
        sa.insert(table).values(
            name=budget.name,
            level=budget.level.value,
            target=budget.target,
            amount=budget.amount,
            currency=budget.currency,
            period=budget.period.value,
            gpu_types=",".join(budget.gpu_types),
            thresholds=",".join(map(str, budget.thresholds)),
            when_spent=budget.when_spent.value,
            since_ms=budget.since_ms,
            note=budget.note,
            updated_at_ms=now_ms,
            updated_by=username,
            told_since_ms=0,
            told_percent=0,
            runs_out_ms=None,
            until_ms=None,
        )
    )


def budget_remove(tx: Transaction, name: str) -> None:
    """Raises NotFoundError."""
    table = tables.budgets
    if not tx.execute(sa.delete(table).where(table.c.name == name)).rowcount:
        raise NotFoundError(f"There is no budget {name}.")


def budget_told(tx: Transaction, name: str, *, since_ms: int, percent: int) -> None:
    """People have been told of this threshold in the period that began at `since_ms`."""
    table = tables.budgets
    values = {"told_since_ms": since_ms, "told_percent": percent}
    tx.execute(sa.update(table).where(table.c.name == name).values(values))


def budget_foretell(
    tx: Transaction, name: str, *, runs_out_ms: int | None, until_ms: int | None
) -> None:
    """Keep when it is spent, for those who decide what may start."""
    table = tables.budgets
    values = {"runs_out_ms": runs_out_ms, "until_ms": until_ms}
    tx.execute(sa.update(table).where(table.c.name == name).values(values))


def budgets_spent(tx: Transaction, now_ms: int) -> list[Kept]:
    """Those that let nothing new start now, by name."""
    table = tables.budgets
    rows = tx.execute(
        sa.select(table)
        .where(
            table.c.when_spent != WhenSpent.WARN.value,
            table.c.runs_out_ms <= now_ms,
            table.c.until_ms.is_(None) | (table.c.until_ms > now_ms),
        )
        .order_by(table.c.name)
    )
    return [_kept(row) for row in rows.mappings()]


def cost_centre_list(tx: Transaction) -> list[str]:
    """Those that a team or a project is billed to."""
    found: set[str] = set()
    for table in (tables.teams, tables.projects):
        found.update(tx.scalars(sa.select(table.c.cost_centre).distinct()))
    return sorted(found - {""})


def _kept(row: Row) -> Kept:
    return Kept(
        budget=Budget(
            name=row["name"],
            level=BudgetLevel(row["level"]),
            target=row["target"],
            amount=row["amount"],
            currency=row["currency"],
            period=Period(row["period"]),
            gpu_types=names_from_text(row["gpu_types"]),
            thresholds=tuple(map(int, names_from_text(row["thresholds"]))),
            when_spent=WhenSpent(row["when_spent"]),
            since_ms=row["since_ms"],
            note=row["note"],
        ),
        updated_at_ms=row["updated_at_ms"],
        updated_by=row["updated_by"],
        told_since_ms=row["told_since_ms"],
        told_percent=row["told_percent"],
        runs_out_ms=row["runs_out_ms"],
        until_ms=row["until_ms"],
    )
