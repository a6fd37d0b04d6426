"""Tells the audit trail who was refused what. `api/problems` calls it, where every error leaves the
API."""

from __future__ import annotations

import secrets

from fastapi import Request

from podium.api.context import Context
from podium.domain.errors import (
    ForbiddenError,
    NotFoundError,
    PodiumError,
    UnauthenticatedError,
)
from podium.domain.tenancy import Identity
from podium.intake.audit import refusal_noted
from podium.store.audit import ORIGIN, AuditEntry

_REFUSALS = (ForbiddenError, NotFoundError, UnauthenticatedError)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PREFIX = "/api/v1/"
_DETAIL_MAX = 300


def new_request_id() -> str:
    return secrets.token_hex(8)


def request_id() -> str:
    """That of the request which is being answered."""
    origin = ORIGIN.get()
    return origin.request_id if origin is not None else new_request_id()


async def refusal_told(request: Request, error: PodiumError) -> None:
    """Every right that somebody does not have, and every command that was refused or went to what
    is not there. A read of something that is not there is no news."""
    context = getattr(request.app.state, "context", None)
    refused = isinstance(error, _REFUSALS) and request.method not in _SAFE_METHODS
    if not isinstance(context, Context) or not (refused or error.refused_action):
        return
    who = getattr(request.state, "identity", None)
    entry = AuditEntry(
        actor=error.refused_actor or (who.username if isinstance(who, Identity) else ""),
        action=error.refused_action or _action(request),
        subject=request.url.path.removeprefix(_PREFIX),
        project=error.refused_project,
        detail={"method": request.method, "why": error.message[:_DETAIL_MAX]},
    )
    await refusal_noted(context.office, entry)


def _action(request: Request) -> str:
    """The route's own name, where nothing says which right it takes."""
    route = request.scope.get("route")
    name = str(getattr(route, "name", "")) or request.method.lower()
    return f"request:{name.replace('_', '-')}"
