"""Clusters that Podium works on beside its servers' own machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import SecretStr

from podium.api.answers import answer
from podium.api.context import Context, Ctx, Who
from podium.domain.cluster import Cluster, ClusterSight, ClusterState
from podium.domain.errors import TemporaryError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.clusters import cluster_add, cluster_change, cluster_check, cluster_remove
from podium.intake.office import authorise
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.cluster import (
    ClusterAccess,
    ClusterChangeRequest,
    ClusterCheckView,
    ClusterRemovalView,
    ClusterRequest,
    ClustersView,
    ClusterView,
    DriftView,
)
from podium.store import clusters
from podium.store.clusters import ClusterStock
from podium.store.database import Transaction
from podium.store.tenants import drift_list

_DRIFTS_SHOWN = 10
router = APIRouter(prefix="/clusters", tags=["nodes"])

Name = Annotated[str, Path(max_length=63, description="The cluster's name.", examples=["munich"])]


@router.get("", response_model=ClustersView)
async def list_clusters(context: Ctx, who: Who) -> Response:
    """Every cluster with its nodes and GPUs, and how this server finds it."""
    authorise(who, Action.NODE_READ)

    def read(tx: Transaction) -> ClustersView:
        stocks = clusters.cluster_stocks(tx)
        found = clusters.cluster_list(tx)
        return ClustersView(items=[_view(each, stocks, context, who) for each in found])

    return answer(await context.database.read(read))


@router.post("", response_model=ClusterView, status_code=201)
async def add_cluster(body: ClusterRequest, context: Ctx, who: Who) -> Response:
    """Work on one more cluster; adding the same again changes nothing. For administrators."""
    cluster = await cluster_add(
        context.office,
        who,
        name=body.name,
        kubeconfig=_opened(body.kubeconfig),
        context=body.context,
        in_cluster=body.in_cluster,
        region=body.region,
        labels=body.labels,
        image=body.image,
        groups_prefix=body.groups_prefix,
    )
    return answer(await _shown(context, who, cluster.name), status=201)


@router.post("/check", response_model=ClusterCheckView)
async def check_cluster(body: ClusterAccess, context: Ctx, who: Who) -> Response:
    """Try to reach a cluster, and keep nothing: its version, nodes, GPUs, and which rights Podium
    lacks there. For administrators."""
    authorise(who, Action.CLUSTER_MANAGE)
    if context.probe is None:
        raise TemporaryError("This server asks no clusters yet. Try again.")
    access, found = await cluster_check(
        context.office,
        who,
        context.probe,
        kubeconfig=_opened(body.kubeconfig),
        context=body.context,
        in_cluster=body.in_cluster,
    )
    view = ClusterCheckView(
        server=access.server if access else "",
        context=access.context if access else "",
        version=found.version,
        nodes=found.nodes,
        gpus=found.gpus,
        missing=list(found.missing),
        claims=found.claims,
        ok=not found.missing,
    )
    return answer(view)


@router.get("/{name}", response_model=ClusterView)
async def show_cluster(name: Name, context: Ctx, who: Who) -> Response:
    """One cluster."""
    authorise(who, Action.NODE_READ)
    return answer(await _shown(context, who, name))


@router.patch("/{name}", response_model=ClusterView)
async def change_cluster(
    name: Name, body: ClusterChangeRequest, context: Ctx, who: Who
) -> Response:
    """Change a cluster. What runs there goes on. For administrators."""
    await cluster_change(
        context.office,
        who,
        name=name,
        kubeconfig=_opened(body.kubeconfig),
        context=body.context,
        in_cluster=body.in_cluster,
        region=body.region,
        labels=body.labels,
        image=body.image,
        groups_prefix=body.groups_prefix,
    )
    return answer(await _shown(context, who, name))


@router.delete("/{name}", response_model=ClusterRemovalView)
async def remove_cluster(
    name: Name,
    context: Ctx,
    who: Who,
    force: Annotated[
        bool,
        Query(
            description="Give up what is placed there. What runs there now is stopped by nobody."
        ),
    ] = False,
) -> Response:
    """Work on a cluster no longer, and forget its nodes. Refused while Podium's work is placed
    there. For administrators."""
    gone = await cluster_remove(context.office, who, name, force=force)
    view = ClusterRemovalView(
        name=name, nodes=gone.nodes, replicas=gone.replicas, workloads=gone.workloads
    )
    return answer(view)


async def _shown(context: Context, who: Identity, name: str) -> ClusterView:
    def read(tx: Transaction) -> ClusterView:
        cluster = clusters.cluster_fetch(tx, name)
        view = _view(cluster, clusters.cluster_stocks(tx), context, who)
        if not who.may(Action.CLUSTER_MANAGE):
            return view
        drifts = [
            DriftView(
                at=utc(each.at_ms), project=each.project, words=each.words, mended=each.mended
            )
            for each in drift_list(tx, name, limit=_DRIFTS_SHOWN)
        ]
        return view.model_copy(update={"drifts": drifts})

    return await context.database.read(read)


def _view(
    cluster: Cluster, stocks: Mapping[str, ClusterStock], context: Context, who: Identity
) -> ClusterView:
    stock = stocks.get(cluster.name, ClusterStock())
    sight = context.fleet.sight(cluster.name) if context.fleet is not None else None
    if sight is None:
        sight = ClusterSight(state=ClusterState.CONNECTING, since_ms=cluster.updated_at_ms)
    manages = who.may(Action.CLUSTER_MANAGE)
    return ClusterView(
        name=cluster.name,
        region=cluster.region,
        labels=dict(cluster.labels),
        image=cluster.image,
        in_cluster=cluster.in_cluster,
        groups_prefix=cluster.groups_prefix if manages else "",
        server=cluster.server if manages else "",
        context=cluster.context if manages else "",
        added_at=utc(cluster.added_at_ms),
        added_by=cluster.added_by if manages else "",
        state=sight.state,
        since=utc(sight.since_ms),
        words=sight.words if manages else "",
        version=sight.version,
        missing=list(sight.missing) if manages else [],
        nodes=stock.nodes,
        nodes_ready=stock.nodes_ready,
        gpus=stock.gpus,
        gpu_milli_used=stock.gpu_milli_used,
        seen_at=utc_or_none(stock.seen_at_ms),
    )


def _opened(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
