"""The SCIM endpoint. Reads the request, lets the protocol's library work on the store in one
transaction, and answers errors as SCIM does."""

from __future__ import annotations

import json
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import Response
from scim2_models import Error, InvalidValueException, SCIMException, UniquenessException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE, ScimResponse
from scim2_server.routing import Operation
from scim2_server.service import ScimService

from podium.api.context import Context, Ctx, identity_of
from podium.api.directory import PATH
from podium.api.problems import status_of
from podium.api.refused import refusal_told
from podium.api.scim.models import provider
from podium.api.scim.service import DirectoryService
from podium.api.scim.storage import DirectoryStorage
from podium.domain.errors import (
    PodiumError,
    TemporaryError,
    UnauthenticatedError,
    UserError,
)
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import authorise
from podium.intake.provisioning import Provisioning, TakenError
from podium.store.database import Transaction

router = APIRouter(prefix=PATH, include_in_schema=False)

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_READING = frozenset({Operation.query, Operation.search, Operation.search_with_body})
_service = DirectoryService(provider())


@router.api_route("", methods=_METHODS)
@router.api_route("/{path:path}", methods=_METHODS)
async def scim(request: Request, context: Ctx, path: str = "") -> Response:
    """Any request of a directory."""
    try:
        return _answer(await _served(request, context, path))
    except SCIMException as error:
        return _answer(_service.error_response(error))
    except PodiumError as error:
        await refusal_told(request, error)
        return _refusal(error)


async def _served(request: Request, context: Context, path: str) -> ScimResponse:
    identity = await _identity(request)
    body = await request.body()
    asked = ScimRequest(
        method=request.method,
        base_url=(context.public_url or str(request.base_url)).rstrip("/") + PATH,
        path="/" + path,
        query=dict(request.query_params),
        headers=list(request.headers.items()),
        body=body,
    )
    if b"\0" in body or rb"\u0000" in body:
        raise InvalidValueException(detail="A text holds a NUL character. Leave it out.")
    target = ScimService.match(asked)
    if target.endpoint is None or target.operation in _READING:
        return await context.database.read(
            lambda tx: ScimHandler(_service, DirectoryStorage(tx)).handle(asked)
        )

    def write(tx: Transaction) -> tuple[ScimResponse, bool]:
        provisioning = Provisioning(context.office, identity, tx)
        answer = ScimHandler(_service, DirectoryStorage(tx, provisioning)).handle(asked)
        return answer, provisioning.changed

    answer, changed = await context.database.write(write)
    if changed:
        # Who was disabled, or left a group, has lost what went with it from here on.
        context.sign_in.forget()
    return answer


async def _identity(request: Request) -> Identity:
    """Whose token this is. Cookies do not count here, so no page can make a browser do this."""
    if "authorization" not in request.headers:
        raise UnauthenticatedError("Send a token made by `podium scim token` as a bearer token.")
    identity = await identity_of(request)
    authorise(identity, Action.DIRECTORY_WRITE)
    return identity


def _refusal(error: PodiumError) -> Response:
    if isinstance(error, TakenError):
        return _answer(_service.error_response(UniquenessException(detail=error.message)))
    if isinstance(error, UserError):
        return _answer(_service.error_response(InvalidValueException(detail=error.message)))
    status = status_of(error)
    said = Error(status=status, detail=error.message).model_dump()
    answer = _answer(ScimResponse(HTTPStatus(status), said))
    if isinstance(error, UnauthenticatedError):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="SCIM"'
    if isinstance(error, TemporaryError):
        answer.headers["Retry-After"] = str(max(1, round(error.retry_after_seconds)))
    return answer


def _answer(answer: ScimResponse) -> Response:
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
    return Response(
        None if answer.body is None else json.dumps(answer.body),
        status_code=int(answer.status),
        media_type=None if answer.body is None else SCIM_MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **headers},
    )
