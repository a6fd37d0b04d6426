"""Turns a reader's scope into SQL. Every read of tenant data goes through here."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction

MANY = 50
"""Beyond so many projects a look at every row is quicker than a search for each project."""


class unindexed(FunctionElement[str]):  # noqa: N801 - as functions of SQL are named
    """A column whose index SQLite is not to use: it takes every list of values for a short one and
    searches once for each. PostgreSQL counts by itself."""

    name = "unindexed"
    type = sa.Text()
    inherit_cache = True


@compiles(unindexed)
def _plain(element: unindexed, compiler: SQLCompiler, **how: Any) -> str:
    return compiler.process(element.clauses, **how)


@compiles(unindexed, "sqlite")
def _marked(element: unindexed, compiler: SQLCompiler, **how: Any) -> str:
    return f"+{compiler.process(element.clauses, **how)}"


class _elements(FunctionElement[str]):  # noqa: N801 - as functions of SQL are named
    """The texts of a JSON array as rows."""

    name = "elements"
    type = sa.Text()
    inherit_cache = True


@compiles(_elements)
def _of_postgresql(element: _elements, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **how)} AS JSON))"


@compiles(_elements, "sqlite")
def _of_sqlite(element: _elements, compiler: SQLCompiler, **how: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **how)})"


def among(column: sa.ColumnElement[str], values: Collection[str]) -> sa.ColumnElement[bool]:
    """As `in_`, with one parameter and one plan however many values there are."""
    array = sa.bindparam(None, json.dumps(sorted(values)), sa.Text())
    return column.in_(sa.select(_elements(array).table_valued("value").c.value))


def sifted(column: sa.ColumnElement[str], names: Collection[str]) -> sa.ColumnElement[bool]:
    """As `in_`, for rows that are found by something else: no index of the column is used."""
    if len(names) <= MANY:
        return unindexed(column).in_(sorted(names))
    # PostgreSQL joins what is a plain IN, and loses the order that rows are in.
    return among(unindexed(column), names).is_(True)


@dataclass(frozen=True, slots=True)
class Sieve:
    """A scope by the shorter of two lists: the projects that are seen, or those that are not."""

    names: frozenset[str]
    hidden: bool

    @property
    def few(self) -> bool:
        """Whether projects are few enough to search for each."""
        return not self.hidden and len(self.names) <= MANY

    def admits(
        self, column: sa.ColumnElement[str], *, search: bool = True
    ) -> sa.ColumnElement[bool]:
        """True for rows whose project the reader may see; `search` for each project's rows when
        projects are few."""
        if self.hidden and not self.names:
            return sa.true()
        if self.few and search:
            return column.in_(sorted(self.names))
        return sa.not_(sifted(column, self.names)) if self.hidden else sifted(column, self.names)


def sieve(tx: Transaction, scope: Scope, asked: Collection[str] = ()) -> Sieve:
    """For a reader, and of that only the projects `asked` for unless there are none.

    Of who sees most projects it has those that they do not see: nearly every row passes then, and
    every row has a project that there is, so that what is in neither list cannot be."""
    if asked:
        return Sieve(frozenset(each for each in asked if scope.admits(each)), hidden=False)
    if scope.projects is None:
        return Sieve(frozenset(), hidden=True)
    if len(scope.projects) > MANY:
        hidden = frozenset(tx.scalars(sa.select(tables.projects.c.name))) - scope.projects
        if len(hidden) < len(scope.projects):
            return Sieve(hidden, hidden=True)
    return Sieve(scope.projects, hidden=False)


def within(scope: Scope, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """True for rows whose project the reader may see."""
    if scope.projects is None:
        return sa.true()
    return column.in_(sorted(scope.projects))


def within_found(scope: Scope, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """As `within`, for a few rows that are found by their ids."""
    return sa.true() if scope.projects is None else sifted(column, scope.projects)


def within_project(
    scope: Scope, project: str | None, column: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """As `within`, for a reader who asked for one project only."""
    seen = within(scope, column)
    return seen if project is None else seen & (column == project)
