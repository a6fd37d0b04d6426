"""A cluster as its watches tell it: its nodes, the pods of this Podium, and what others use."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence

from podium.domain.errors import PodiumError, TemporaryError
from podium.domain.node import Node
from podium.engines.kubernetes import names, objects
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.inventory import is_ready, node_of, usage_of
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.reflector import Reflector
from podium.engines.kubernetes.site import ClusterSite

_AWAY_SECONDS = 10.0  # after which what was seen last is no inventory any more


class ClusterView:
    """`changed` is set for each change of a pod that is this Podium's."""

    def __init__(
        self, connection: Connection, site: ClusterSite, engine: str, changed: asyncio.Event
    ) -> None:
        self._site = site
        self._engine = engine
        self._changed = changed
        self._others: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._nodes = Reflector(connection, "/api/v1/nodes", objects.Node, _unheard)
        self._pods = Reflector(connection, "/api/v1/pods", Pod, self._heard)
        self.mine: dict[str, Pod] = {}
        """By allocation."""

    async def open(self) -> None:
        """Raises what the server says, TemporaryError where it says nothing."""
        await self._nodes.open()
        await self._pods.open()

    async def close(self) -> None:
        await self._nodes.close()
        await self._pods.close()

    def nodes(self) -> Sequence[Node]:
        """Those whose kubelets are heard. Raises TemporaryError while the API server is not."""
        if max(self._nodes.away_seconds, self._pods.away_seconds) > _AWAY_SECONDS:
            fault = self._nodes.fault or self._pods.fault
            raise TemporaryError(fault.message if fault else "The cluster does not answer.")
        return tuple(
            node_of(seen, self._site, self._engine, self._others[name])
            for (_, name), seen in sorted(self._nodes.items.items())
            if is_ready(seen)
        )

    @property
    def fault(self) -> PodiumError | None:
        return self._nodes.fault or self._pods.fault

    def has_node(self, name: str) -> bool:
        """By the cluster's own name of it."""
        return ("", name) in self._nodes.items

    def node_gone(self, pod: Pod) -> bool:
        """Whether it was on a node that is not in the cluster any more."""
        return bool(pod.spec.node_name) and not self.has_node(pod.spec.node_name)

    def take(self, pod: Pod) -> None:
        """What the server answered to a change, before a watch tells of it."""
        self._pods.take(pod)

    def _heard(self, before: Pod | None, after: Pod | None) -> None:
        told = after or before
        assert told is not None
        if not self._is_mine(told):
            self._count(before, -1)
            self._count(after, 1)
            return
        key = told.metadata.labels[names.ALLOCATION]
        if after is None:
            self.mine.pop(key, None)
        else:
            self.mine[key] = after
        self._changed.set()

    def _is_mine(self, pod: Pod) -> bool:
        labels = pod.metadata.labels
        return labels.get(names.OWNER) == self._site.owner and names.ALLOCATION in labels

    def _count(self, pod: Pod | None, sign: int) -> None:
        if pod is None or not pod.spec.node_name:
            return
        counts = self._others[pod.spec.node_name]
        for name, amount in usage_of(pod).items():
            counts[name] += sign * amount


def _unheard(before: objects.Node | None, after: objects.Node | None) -> None:
    """Nodes are looked at when somebody asks."""
    del before, after
