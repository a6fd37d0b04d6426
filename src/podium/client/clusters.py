"""Clusters that Podium works on. Reached as `client.clusters`."""

from __future__ import annotations

from collections.abc import Mapping

from podium.client.transport import Transport, path_of
from podium.spec.views.cluster import (
    ClusterCheckView,
    ClusterRemovalView,
    ClustersView,
    ClusterView,
)

_CHECK_SECONDS = 90.0


class Clusters:
    """A kubeconfig is text that names no files: `podium.client.kubeconfig.load` makes it of one on
    this machine."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> list[ClusterView]:
        """By name."""
        return self._transport.fetch(ClustersView, "/clusters").items

    def get(self, name: str) -> ClusterView:
        """Raises NotFoundError."""
        return self._transport.fetch(ClusterView, path_of("clusters", name))

    def add(
        self,
        name: str,
        kubeconfig: str | None = None,
        *,
        context: str = "",
        in_cluster: bool = False,
        region: str = "",
        labels: Mapping[str, str] | None = None,
        image: str = "",
        groups_prefix: str = "",
    ) -> ClusterView:
        """Adding the same once more changes nothing. For administrators. Raises UserError, which
        names the fields, and ConflictError where another cluster has the name."""
        body = {
            "name": name,
            "kubeconfig": kubeconfig,
            "context": context,
            "in_cluster": in_cluster,
            "region": region,
            "labels": dict(labels or {}),
            "image": image,
            "groups_prefix": groups_prefix,
        }
        answer = self._transport.send("POST", "/clusters", body=body, repeatable=True)
        return self._transport.parse(ClusterView, answer)

    def change(
        self,
        name: str,
        *,
        kubeconfig: str | None = None,
        context: str | None = None,
        in_cluster: bool | None = None,
        region: str | None = None,
        labels: Mapping[str, str] | None = None,
        image: str | None = None,
        groups_prefix: str | None = None,
    ) -> ClusterView:
        """What is None stays. For administrators. Raises UserError and NotFoundError."""
        wanted: dict[str, object] = {
            "kubeconfig": kubeconfig,
            "context": context,
            "in_cluster": in_cluster,
            "region": region,
            "labels": None if labels is None else dict(labels),
            "image": image,
            "groups_prefix": groups_prefix,
        }
        body = {key: value for key, value in wanted.items() if value is not None}
        answer = self._transport.send(
            "PATCH", path_of("clusters", name), body=body, repeatable=True
        )
        return self._transport.parse(ClusterView, answer)

    def check(
        self, kubeconfig: str | None = None, *, context: str = "", in_cluster: bool = False
    ) -> ClusterCheckView:
        """Try to reach it, from the server; nothing is kept. For administrators. Raises UserError,
        which says what came of it."""
        body = {"kubeconfig": kubeconfig, "context": context, "in_cluster": in_cluster}
        answer = self._transport.send(
            "POST",
            "/clusters/check",
            body=body,
            repeatable=True,
            timeout_seconds=_CHECK_SECONDS,
        )
        return self._transport.parse(ClusterCheckView, answer)

    def remove(self, name: str, *, force: bool = False) -> ClusterRemovalView:
        """With its nodes. Raises NotFoundError, and ConflictError while Podium's work is placed
        there, unless that is given up by `force`."""
        answer = self._transport.send(
            "DELETE", path_of("clusters", name), params={"force": force}, repeatable=False
        )
        return self._transport.parse(ClusterRemovalView, answer)
