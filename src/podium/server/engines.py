"""The one place that knows concrete engines: that of this machine, and those of clusters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import structlog

from podium.control.fleet import MakeEngine
from podium.domain.cluster import Cluster, ClusterFindings
from podium.engines.contract import Engine
from podium.engines.local.engine import LocalEngine
from podium.engines.local.order import Limits
from podium.engines.local.walls import Level, Walls, uids_read, walls_found
from podium.intake.clusters import reach_check
from podium.server.home import node_name_of
from podium.server.settings import (
    Settings,
    data_roots_of,
    outbound_of,
    site_of,
    virtual_gpus_of,
)

_log = structlog.get_logger(__name__)


def local_engine(settings: Settings, walls: Walls) -> LocalEngine:
    """Raises UserError."""
    return LocalEngine(
        settings.home,
        node_name=node_name_of(settings),
        virtual_gpus=virtual_gpus_of(settings),
        site=site_of(settings),
        walls=walls,
        limits=Limits(
            outbound=outbound_of(settings),
            data_roots=tuple(map(str, data_roots_of(settings))),
        ),
    )


def cluster_engines(settings: Settings, *, owner: str) -> MakeEngine:
    """What makes the engines of clusters. `owner` tells this Podium's pods from another one's."""

    async def make(cluster: Cluster, kubeconfig: str | None) -> Engine:
        # Servers that know no cluster need not load any of it.
        from podium.engines.kubernetes.engine import KubernetesEngine
        from podium.engines.kubernetes.site import ClusterSite

        if not cluster.in_cluster:
            await reach_check(outbound_of(settings), cluster.server)
        return KubernetesEngine(
            settings.home / "clusters" / cluster.name,
            site=ClusterSite(
                cluster=cluster.name,
                owner=f"podium-{owner}",
                image=cluster.image,
                groups_prefix=cluster.groups_prefix,
                labels=dict(cluster.node_labels),
                folders=tuple(map(str, data_roots_of(settings))),
            ),
            kubeconfig=kubeconfig,
            context=cluster.context,
            logs=settings.common / "clusters" / cluster.name / "logs",
        )

    return make


async def probe(kubeconfig: str | None, context: str) -> ClusterFindings:
    """As `engines/kubernetes/check` has it."""
    from podium.engines.kubernetes.check import cluster_probe

    return await cluster_probe(kubeconfig, context)


def walls_of(settings: Settings) -> Walls:
    """What keeps projects apart on this machine. Raises UserError."""
    walls = walls_found(
        settings.home,
        settings.isolation,
        uids=uids_read(settings.isolation_uids),
        hidden=[
            *_socket_folders(settings.database),
            *data_roots_of(settings),
            *([settings.shared] if settings.shared else ()),
        ],
    )
    if walls.level is Level.NONE:
        _log.warning("no_isolation", why=walls.why)
    return walls


def _socket_folders(database: str | None) -> Sequence[Path]:
    """Where PostgreSQL listens on this machine: it may trust whoever is the server's user."""
    url = urlsplit(database or "")
    if not url.scheme.startswith("postgres") or url.hostname:
        return ()
    usual = os.environ.get("PGHOST", "/var/run/postgresql")
    hosts = parse_qs(url.query).get("host", [usual])
    return [Path(each) for each in hosts if each.startswith("/") and Path(each).is_dir()]
