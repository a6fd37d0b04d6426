"""A cluster as its watches tell it: its nodes, the pods of this Podium, and what others use."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from podium.domain.errors import PodiumError, TemporaryError
from podium.domain.node import Node
from podium.engines.kubernetes import names, objects
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.devices import is_gpu
from podium.engines.kubernetes.inventory import is_over, is_ready, node_of, notes_of, usage_of
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
        self.asking: dict[str, Pod] = {}
        """By uid, those that others submitted for Podium to place and that have not ended."""

    async def open(self) -> None:
        """Raises what the server says, TemporaryError where it says nothing."""
        await self._nodes.open()
        await self._pods.open()

    async def close(self) -> None:
        await self._nodes.close()
        await self._pods.close()

    def nodes(self) -> Sequence[Node]:
        """Those whose kubelets are heard. Raises TemporaryError while the API server is not."""
        self.check_heard()
        ours = self._ours()
        return tuple(
            node_of(seen, self._site, self._engine, self._others[name], ours[name])
            for (_, name), seen in sorted(self._nodes.items.items())
            if is_ready(seen)
        )

    def node(self, name: str) -> Node | None:
        """The one that the cluster calls so, None where its kubelet is not heard."""
        seen = self._nodes.items.get(("", name))
        if seen is None or not is_ready(seen):
            return None
        return node_of(seen, self._site, self._engine, self._others[name], self._ours()[name])

    def labels(self, name: str) -> Mapping[str, str]:
        """A node's own labels; none of one that is not there."""
        seen = self._nodes.items.get(("", name))
        return seen.metadata.labels if seen is not None else {}

    def uses_gpus(self, name: str) -> bool:
        """Whether some pod on a node has GPUs, Podium's or not."""
        others = any(amount for key, amount in self._others[name].items() if is_gpu(key))
        return others or bool(self._ours()[name])

    def _ours(self) -> defaultdict[str, list[str]]:
        """What Podium's pods note of their devices, by node."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for pod in self.mine.values():
            if pod.spec.node_name and not is_over(pod):
                found[pod.spec.node_name] += notes_of(pod)
        return found

    def check_heard(self) -> None:
        """Raises TemporaryError while the API server is not heard: what is known may be old."""
        if max(self._nodes.away_seconds, self._pods.away_seconds) > _AWAY_SECONDS:
            fault = self._nodes.fault or self._pods.fault
            raise TemporaryError(fault.message if fault else "The cluster does not answer.")

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
        if before is not None:
            self._drop(before)
        if after is not None:
            self._add(after)

    def _drop(self, pod: Pod) -> None:
        self.asking.pop(pod.metadata.uid, None)
        if self._is_mine(pod):
            key = pod.metadata.labels[names.ALLOCATION]
            known = self.mine.get(key)
            if known is not None and known.metadata.uid == pod.metadata.uid:
                del self.mine[key]
                self._changed.set()
                return
        self._count(pod, -1)

    def _add(self, pod: Pod) -> None:
        if names.QUEUE in pod.metadata.labels and not is_over(pod):
            self.asking[pod.metadata.uid] = pod
            self._changed.set()
        if self._is_mine(pod):
            # Of two that say they are the same allocation, the first is: labels can be copied.
            known = self.mine.setdefault(pod.metadata.labels[names.ALLOCATION], pod)
            self._changed.set()
            if known is pod:
                return
        self._count(pod, 1)

    def _is_mine(self, pod: Pod) -> bool:
        labels = pod.metadata.labels
        return labels.get(names.OWNER) == self._site.owner and names.ALLOCATION in labels

    def _count(self, pod: Pod, sign: int) -> None:
        if not pod.spec.node_name:
            return
        counts = self._others[pod.spec.node_name]
        for name, amount in usage_of(pod).items():
            counts[name] += sign * amount


def _unheard(before: objects.Node | None, after: objects.Node | None) -> None:
    """Nodes are looked at when somebody asks."""
    del before, after
