"""About the server itself: health, version, the spec's schema, metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from podium.api.answers import answer
from podium.api.context import Context, Ctx, Who, context_of
from podium.api.metrics import exposition
from podium.domain.cluster import ClusterSight, ClusterState
from podium.domain.errors import PodiumError
from podium.spec.views.base import utc
from podium.spec.views.server import AboutView, CheckView, HealthView
from podium.spec.workload import json_schema
from podium.store import nodes

open_router = APIRouter(tags=["server"])
router = APIRouter(tags=["server"])
metrics_router = APIRouter(tags=["server"])

_FAILURES_ALARMING = 5
_DRIFT_MS_ALARMING = 5_000


@open_router.get("/healthz", response_model=HealthView)
async def live() -> Response:
    """The process answers."""
    return answer(HealthView(ok=True))


@open_router.get("/readyz", response_model=HealthView, responses={503: {"model": HealthView}})
async def ready(request: Request) -> Response:
    """It can serve: the database answers and the loops go round."""
    health = await _health(context_of(request))
    return answer(health, status=200 if health.ok else 503)


@router.get("/about", response_model=AboutView)
async def about(context: Ctx, _who: Who) -> Response:
    """Version, parts, health, and whether some GPUs here are virtual."""
    return answer(
        AboutView(
            version=context.about["version"],
            store=context.database.dialect,
            engines=sorted(context.engines),
            virtual_gpus=await context.database.read(nodes.gpus_virtual),
            health=await _health(context, clusters=True),
            started_at=utc(context.about["started_at_ms"]),
            isolation=context.about.get("isolation", "none"),
            isolation_words=context.about.get("isolation_words", ""),
        )
    )


@router.get("/schemas/workload")
async def workload_schema(_who: Who) -> dict[str, Any]:
    """JSON Schema of the workload spec, for editors and validators."""
    return json_schema()


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, _who: Who) -> Response:
    return JSONResponse(request.app.openapi())


@metrics_router.get("/metrics", response_class=Response)
async def metrics(context: Ctx, who: Who) -> Response:
    """Prometheus text. Give Prometheus a token as `authorization.credentials`, of somebody who may
    see all work: workloads are counted that the reader may see."""
    return await exposition(context, who.scope)


async def _health(context: Context, *, clusters: bool = False) -> HealthView:
    """With `clusters`, also how each of them is, which only those who are signed in hear."""
    checks = await _checks(context)
    # They are told, but they are no reason to send people elsewhere.
    told_only = {"clock", "audit"}
    if not context.about.get("local", True):
        told_only.add("nodes")  # or nobody could come in to add the first cluster
    ok = all(each.ok for each in checks if each.name not in told_only)
    if clusters and context.fleet is not None:
        checks += [_cluster_check(name, each) for name, each in context.fleet.sights.items()]
    return HealthView(ok=ok, checks=checks)


def _cluster_check(name: str, sight: ClusterSight) -> CheckView:
    well = sight.state is not ClusterState.UNREACHABLE
    since = utc(sight.since_ms).strftime("%Y-%m-%d %H:%M UTC")
    detail = sight.state.value if well else f"does not answer since {since}"
    return CheckView(name=f"cluster {name}", ok=well, detail=detail)


async def _checks(context: Context) -> list[CheckView]:
    checks = []
    try:
        known = await context.database.read(nodes.node_count)
    except PodiumError as error:
        checks.append(CheckView(name="database", ok=False, detail=error.message))
    else:
        checks.append(CheckView(name="database", ok=True, detail=context.database.dialect))
        checks.append(CheckView(name="nodes", ok=known > 0, detail=f"{known} known to the store"))
    checks.extend(
        CheckView(
            name=f"loop {loop.name}",
            ok=loop.failures < _FAILURES_ALARMING,
            detail=f"{loop.failures} failures in a row" if loop.failures else "",
        )
        for loop in context.loops
    )
    alarm = context.notary.alarm if context.notary is not None else ""
    checks.append(CheckView(name="audit", ok=not alarm, detail=alarm))
    drift_ms = context.database.clock.drift_ms()
    checks.append(
        CheckView(
            name="clock",
            ok=abs(drift_ms) < _DRIFT_MS_ALARMING,
            detail=""
            if abs(drift_ms) < _DRIFT_MS_ALARMING
            else f"The machine's clock was set by {drift_ms / 1000:.0f} s since the server "
            "started. Times go on steadily; a restart adopts the new clock.",
        )
    )
    return checks
