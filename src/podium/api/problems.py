"""The one place where errors become HTTP answers: problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from podium.api.headers import added
from podium.api.refused import refusal_told, request_id
from podium.domain.errors import (
    BusyError,
    ConflictError,
    DeviceFlowError,
    FieldFault,
    ForbiddenError,
    NotFoundError,
    PodiumError,
    TemporaryError,
    TooLargeError,
    UnauthenticatedError,
    UserError,
)
from podium.spec.views.problem import FaultView, Problem

_log = structlog.get_logger(__name__)

_STATUSES: tuple[tuple[type[PodiumError], int, str], ...] = (
    (UserError, 422, "The request has faults"),
    (DeviceFlowError, 400, "Not let in"),
    (NotFoundError, 404, "Not found"),
    (ConflictError, 409, "Conflict"),
    (ForbiddenError, 403, "Not allowed"),
    (UnauthenticatedError, 401, "Not signed in"),
    (TooLargeError, 413, "Too large"),
    (BusyError, 429, "Too many at once"),
    (TemporaryError, 503, "Not possible now"),
)
_TITLES = {404: "Not found", 405: "Method not allowed", 413: "Too large"}

RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": title,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    for status, title in (
        *((status, title) for _, status, title in _STATUSES),
        (400, "The request cannot be read"),
    )
}


def install(app: FastAPI) -> None:
    """Give `app` an answer for every error, known or not."""
    app.add_exception_handler(PodiumError, _podium_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected_error)


def status_of(error: PodiumError) -> int:
    """The HTTP status that says the same."""
    return next((status for kind, status, _ in _STATUSES if isinstance(error, kind)), 500)


def problem_response(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    faults: Sequence[FieldFault] = (),
    retry_after_seconds: float | None = None,
) -> Response:
    problem = Problem(
        type=f"urn:podium:problem:{code}",
        title=title,
        status=status,
        code=code,
        detail=detail,
        faults=[
            FaultView(field=each.field, message=each.message, remedy=each.remedy) for each in faults
        ],
        retry_after_seconds=retry_after_seconds,
        request_id=request_id(),
    )
    headers: dict[str, str] = {}
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(max(1, round(retry_after_seconds)))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        problem.model_dump_json(),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


async def _podium_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PodiumError)
    await refusal_told(request, error)
    for kind, status, title in _STATUSES:
        if isinstance(error, kind):
            return problem_response(
                status,
                error.code,
                title,
                error.message,
                faults=error.faults if isinstance(error, UserError) else (),
                retry_after_seconds=error.retry_after_seconds
                if isinstance(error, TemporaryError)
                else None,
            )
    return problem_response(500, error.code, "Something went wrong", error.message)


async def _validation_error(_request: Request, error: Exception) -> Response:
    """FastAPI's own checks of paths, queries and small bodies, in our words."""
    assert isinstance(error, RequestValidationError)
    faults = []
    for each in error.errors():
        place = [str(part) for part in each["loc"] if part not in ("body", "query", "path")]
        faults.append(FieldFault(".".join(place) or "body", f"{_lower(each['msg'])}."))
    return problem_response(
        422, "invalid", "The request has faults", "; ".join(map(str, faults)), faults=faults
    )


async def _gone(_request: Request, _error: Exception) -> Response:
    """Who sent half a body and left is no fault of ours, and reads no answer."""
    return problem_response(
        400, "bad_request", "The request cannot be read", "The connection was closed within it."
    )


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = _TITLES.get(error.status_code, "The request cannot be read")
    response = problem_response(
        error.status_code, title.lower().replace(" ", "_"), title, str(error.detail)
    )
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


async def _unexpected_error(request: Request, error: Exception) -> Response:
    known = request_id()
    _log.error("request_failed", path=request.url.path, request_id=known, exc_info=error)
    response = problem_response(
        500,
        "internal",
        "Something went wrong",
        f"Podium could not answer this request. Give its id {known} to your operators.",
    )
    # Starlette sends this one itself, past the guard.
    response.raw_headers.extend(added(request.url.path, request.url.scheme, response.raw_headers))
    return response


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]
