"""Turns a reader's scope into SQL. Every read of tenant data goes through here."""

from __future__ import annotations

import sqlalchemy as sa

from podium.domain.tenancy import Scope


def within(scope: Scope, column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """True for rows whose project the reader may see."""
    if scope.projects is None:
        return sa.true()
    return column.in_(sorted(scope.projects))
