"""Puts the API together: routes, errors, limits, headers, and the console's files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

from podium import __version__
from podium.api import (
    access,
    accounts,
    audit,
    auth,
    bindings,
    bookings,
    budgets,
    capacity,
    changes,
    clusters,
    compliance,
    cost,
    curves,
    data,
    device,
    directory,
    explain,
    forwarding,
    fragmentation,
    groups,
    layouts,
    logs,
    nodes,
    notices,
    oidc,
    overview,
    policies,
    pools,
    prices,
    problems,
    projects,
    queue,
    quotas,
    roles,
    saved,
    scheduler,
    search,
    secrets,
    server,
    teams,
    uploads,
    usage,
    users,
    what_if,
    workloads,
)
from podium.api.context import Context, let_in
from podium.api.headers import added, with_nonce
from podium.api.refused import new_request_id
from podium.api.scim import router as scim
from podium.domain.audit import USER_AGENT_CHARACTERS, Origin
from podium.spec.views.problem import Problem
from podium.spec.views.workload import ChangeView, LogLineView
from podium.spec.workload import json_schema
from podium.store.audit import ORIGIN

PREFIX = "/api/v1"
WEBROOT = Path(__file__).parent.parent / "webroot"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_BODY_BYTES_MAX = 2**20
# These read their bodies themselves, with limits of their own.
_OWN_LIMITS = frozenset(
    f"{PREFIX}/{path}"
    for path in (
        "workloads",
        "workloads/bulk",
        "workloads/validate",
        "workloads/dry-run",
        "uploads",
    )
)
_TOO_LARGE = f"The request is larger than {_BODY_BYTES_MAX // 2**20} MiB, the limit."


def make_app(context: Context | None) -> FastAPI:
    """The application. `context=None` gives one that only knows its own document."""
    app = FastAPI(
        title="Podium",
        version=__version__,
        description="AI orchestration for private GPU clusters: schedule, run and watch AI work.",
        openapi_url=None,
        redirect_slashes=False,  # it would build an address from whatever Host says
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.context = context
    problems.install(app)
    app.include_router(server.open_router)
    app.include_router(server.metrics_router, dependencies=[Depends(let_in)])
    for router in (
        auth.open_router,
        oidc.open_router,
        device.open_router,
        auth.router,
        device.router,
        oidc.router,
        projects.router,
        secrets.router,
        secrets.keys_router,
        users.router,
        forwarding.router,  # its /audit/forwards comes before /audit/{seq}
        audit.router,
        directory.router,
        notices.router,
        saved.router,
        changes.topics_router,
    ):
        app.include_router(router, prefix=PREFIX)
    # Of all that follows, who has no role at all sees nothing.
    for router in (
        access.router,
        accounts.router,
        bindings.router,
        groups.router,
        roles.router,
        teams.router,
        overview.router,
        queue.router,
        quotas.router,
        capacity.router,
        search.router,
        prices.router,
        policies.router,
        pools.router,
        data.router,
        compliance.router,
        bookings.router,
        budgets.router,
        scheduler.router,
        curves.router,
        fragmentation.router,
        changes.router,  # its /stream comes before /{ref}
        explain.router,
        what_if.router,
        workloads.router,
        logs.router,
        nodes.router,
        clusters.router,
        layouts.router,
        usage.router,
        cost.router,
        uploads.router,
        server.router,
    ):
        app.include_router(router, prefix=PREFIX, dependencies=[Depends(let_in)])
    app.include_router(scim.router)
    app.add_api_route("/{path:path}", _console, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_middleware(Guard)
    _complete_document(app)
    return app


class Guard:
    """Security headers on every answer, and a limit on bodies that no route reads itself."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        origin = origin_of(scope)
        token = ORIGIN.set(origin)
        own = (b"x-request-id", origin.request_id.encode())

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                message["headers"] = [*given, *added(scope["path"], scope["scheme"], given), own]
            await send(message)

        try:
            if scope["path"] in _OWN_LIMITS:
                await self._app(scope, receive, guarded)
            elif _declared_bytes(scope) > _BODY_BYTES_MAX:
                await _refusal()(scope, receive, guarded)
            else:
                await self._app(scope, _counting(receive), guarded)
        finally:
            ORIGIN.reset(token)


def origin_of(scope: Scope) -> Origin:
    """Where a request comes from, with an id of its own. Behind a proxy the address is the one that
    the server was told to believe."""
    client = scope.get("client")
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    return Origin(
        source=client[0] if client else "",
        user_agent=agent.decode("latin-1").replace("\0", "")[:USER_AGENT_CHARACTERS],
        request_id=new_request_id(),
    )


def _declared_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else _BODY_BYTES_MAX + 1
    return 0


def _counting(receive: Receive) -> Receive:
    """Ends a body that says nothing of its length as soon as it is above the limit."""
    size = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > _BODY_BYTES_MAX:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return counted


def _refusal() -> Response:
    return problems.problem_response(413, "too_large", "Too large", _TOO_LARGE)


async def _console(path: str) -> Response:
    """The console's files; any other page of it is its index, which routes by itself."""
    if path.startswith("api/"):
        raise HTTPException(404, f"There is nothing at /{path}.")
    file = _file(path)
    index = WEBROOT / "index.html"
    if file is not None and file != index:
        cache = "public, max-age=31536000, immutable" if "assets" in file.parts else "no-cache"
        return FileResponse(file, headers={"Cache-Control": cache})
    if not index.is_file():
        raise HTTPException(
            404, "The console is not built here. Run `make install`, or use the API."
        )
    if file is None and Path(path).suffix:
        raise HTTPException(404, f"There is nothing at /{path}.")
    page, headers = with_nonce(index.read_text())
    return HTMLResponse(page, headers=headers)


def _file(path: str) -> Path | None:
    """The console's own file of this name, if there is one."""
    try:
        file = (WEBROOT / path).resolve()
        return file if file.is_relative_to(WEBROOT.resolve()) and file.is_file() else None
    except (OSError, ValueError):  # too long for a file's name, or no name at all
        return None


def _complete_document(app: FastAPI) -> None:
    """Add what FastAPI cannot know: the spec's schema, the problem's, and how to sign in."""
    made = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = made()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_embedded("WorkloadSpec", json_schema()))
        for view in (Problem, ChangeView, LogLineView):  # the last two travel in streams
            schemas.update(_embedded(view.__name__, view.model_json_schema(mode="serialization")))
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "podium_session"},
        }
        document["security"] = [{"token": []}, {"session": []}]
        ways_in = (
            "login", "ticket", "providers", "oidc/{name}/start", "oidc/{name}/callback",
            "oidc/{name}/backchannel-logout", "device", "device/token",
        )  # fmt: skip
        open_paths = {"/healthz", "/readyz", *(f"{PREFIX}/auth/{each}" for each in ways_in)}
        for path in open_paths:
            for operation in document["paths"][path].values():
                operation["security"] = []
        return document

    app.openapi = complete  # type: ignore[method-assign]


def _embedded(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A stand-alone JSON Schema as components of the document: its $defs move beside it."""
    body = {key: value for key, value in schema.items() if key not in ("$defs", "$schema", "$id")}
    parts = {name: body, **schema.get("$defs", {})}
    return {key: _redirect(part) for key, part in parts.items()}


def _redirect(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/")
            if key == "$ref" and isinstance(value, str)
            else _redirect(value)
            for key, value in part.items()
        }
    if isinstance(part, list):
        return [_redirect(each) for each in part]
    return part
