"""Turns a reader's scope into SQL. Every read of tenant data goes through here."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.tenancy import Scope


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
