"""What rows of workloads have in common, each as one object. `demands` and `standing` read with it.

Rows are many and shapes are few: equal requests, topologies and rank lists are one object each,
which spares reading them again and lets the scheduler compare them by identity.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from podium.domain.resources import Request, Topology
from podium.scheduling.parts import Asking, parts_from
from podium.scheduling.snapshot import Part
from podium.scheduling.space.topology import within_reach
from podium.store.codec import request_from_row, topology_from_row

REQUEST_COLUMNS = (
    "cpu_milli",
    "memory_bytes",
    "gpu_milli",
    "gpu_share_bytes",
    "gpu_types",
    "gpu_memory_min_bytes",
    "gpu_memory_max_bytes",
    "mig_profile",
    "mig_count",
    "node_labels",
    "pools",
    "isolation",
)
TOPOLOGY_COLUMNS = ("topology_within", "topology_prefer")


class Shapes:
    """What rows have in common, each once. May be kept from one reading to the next."""

    def __init__(self) -> None:
        self.requests: dict[tuple[Any, ...], Request] = {}
        self.topologies: dict[tuple[tuple[Any, ...], bool], Topology] = {}
        self.ranks: dict[int, tuple[int, ...]] = {}
        self._reached: dict[tuple[Request, tuple[str, ...]], Request] = {}
        self._parts: dict[tuple[tuple[Asking, ...], tuple[int, ...]], tuple[Part, ...]] = {}

    def request(self, shape: tuple[Any, ...]) -> Request:
        """Of the values of REQUEST_COLUMNS."""
        found = self.requests.get(shape)
        if found is None:
            found = request_from_row(dict(zip(REQUEST_COLUMNS, shape, strict=True)))
            self.requests[shape] = found
        return found

    def topology(self, place: tuple[Any, ...], *, bound: bool = False) -> Topology:
        """Of the values of TOPOLOGY_COLUMNS; `bound` to one cluster at least."""
        found = self.topologies.get((place, bound))
        if found is None:
            asked = topology_from_row(dict(zip(TOPOLOGY_COLUMNS, place, strict=True)))
            found = self.topologies[place, bound] = within_reach(asked) if bound else asked
        return found

    def reached(self, request: Request, reach: tuple[str, ...]) -> Request | None:
        """The request on the nodes that its project may use; None where it names others only."""
        found = self._reached.get((request, reach))
        if found is None:
            pools = tuple(name for name in request.pools if name in reach)
            if request.pools and not pools:
                return None
            found = self._reached[request, reach] = replace(request, pools=pools or reach)
        return found

    def parts(self, groups: tuple[Asking, ...], ranks: tuple[int, ...]) -> tuple[Part, ...]:
        """The pending `ranks` of a gang of groups by what they ask for."""
        found = self._parts.get((groups, ranks))
        if found is None:
            found = self._parts[groups, ranks] = parts_from(groups, ranks)
        return found
