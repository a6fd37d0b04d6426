"""Turns a reader's scope into SQL. Every read of tenant data goes through here."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from podium.domain.tenancy import Scope

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


def within(scope: Scope, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """True for rows whose project the reader may see."""
    if scope.projects is None:
        return sa.true()
    return column.in_(sorted(scope.projects))


def within_project(
    scope: Scope, project: str | None, column: sa.ColumnElement[str]
) -> sa.ColumnElement[bool]:
    """As `within`, for a reader who asked for one project only."""
    seen = within(scope, column)
    return seen if project is None else seen & (column == project)
