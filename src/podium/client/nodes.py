"""Machines and their GPUs. Reached as `client.nodes`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podium.client.curves import span_params
from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.spec.views.base import Page
from podium.spec.views.fragmentation import FragmentationView
from podium.spec.views.node import NodeReleaseView, NodeReplicaView, NodeView
from podium.spec.views.series import CurvesView


class Nodes:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, cluster: str | None = None) -> Iterator[NodeView]:
        """By name; only those of a cluster, or of none with ""."""
        params = {"cluster": cluster}
        yield from items(self._transport, Page[NodeView], "/nodes", params=params)

    def get(self, name: str) -> NodeView:
        return self._transport.fetch(NodeView, path_of("nodes", name))

    def curves(
        self,
        name: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        points: int = 300,
    ) -> CurvesView:
        """What each of its GPUs did over time; the last day unless told otherwise."""
        params = span_params(since, until, points)
        return self._transport.fetch(CurvesView, path_of("nodes", name, "curves"), params)

    def fragmentation(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        points: int = 300,
        gpu_type: str | None = None,
        pool: str | None = None,
    ) -> FragmentationView:
        """How much GPU capacity was free over time, and how much of it was of no use to a typical
        request; the last day unless told otherwise."""
        params = {**span_params(since, until, points), "gpu_type": gpu_type, "pool": pool}
        return self._transport.fetch(FragmentationView, "/fragmentation", params)

    def replicas(self, name: str, *, limit: int | None = None) -> Iterator[NodeReplicaView]:
        """What is placed there, as far as one may see it, oldest first."""
        path = path_of("nodes", name, "replicas")
        yield from items(self._transport, Page[NodeReplicaView], path, limit=limit)

    def cordon(self, name: str) -> NodeView:
        """What runs there goes on; nothing new starts there. For administrators."""
        return self._turn(name, "cordon")

    def uncordon(self, name: str) -> NodeView:
        return self._turn(name, "uncordon")

    def release(self, name: str) -> NodeReleaseView:
        """Gives up the work on a lost node, so that it goes on elsewhere; only when the machine is
        really off. For administrators. Raises ConflictError unless the node is lost."""
        path = path_of("nodes", name, "release")
        answer = self._transport.send("POST", path, repeatable=True)
        return self._transport.parse(NodeReleaseView, answer)

    def _turn(self, name: str, verb: str) -> NodeView:
        answer = self._transport.send("POST", path_of("nodes", name, verb), repeatable=True)
        return self._transport.parse(NodeView, answer)
