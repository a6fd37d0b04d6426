"""What a demand would take of which GPU types: dry runs price it, and count it against quotas."""

from __future__ import annotations

from collections.abc import Collection

from podium.scheduling.placing.fit import Shape
from podium.scheduling.snapshot import Demand
from podium.scheduling.view import View

Taken = tuple[tuple[str, int], ...]
"""GPU types of which any one would do, each with the milli-GPU that all replicas take of it."""


def gpus_taken(view: View, demand: Demand, nodes: Collection[str] = ()) -> tuple[Taken, ...]:
    """For each group of the demand that asks for GPUs; with `nodes`, of the types that these
    have. A group for which no device would do is left out."""
    groups = [(part.request, len(part.ranks)) for part in demand.parts]
    found = []
    for request, count in groups or [(demand.request, len(demand.pending_ranks))]:
        if not request.wants_gpu:
            continue
        shape = Shape(request, view.layout.kinds)
        types: dict[str, int] = {}
        for kind, grant in zip(view.layout.kinds, shape.grants, strict=True):
            if grant is not None:
                types[kind.type] = max(types.get(kind.type, 0), count * shape.count * grant[0])
        here = _types_on(view, nodes)
        chosen = {name: milli for name, milli in types.items() if name in here} or types
        if chosen:
            found.append(tuple(sorted(chosen.items())))
    return tuple(found)


def _types_on(view: View, nodes: Collection[str]) -> set[str]:
    layout = view.layout
    return {
        device.type
        for name in nodes
        if name in layout.position
        for device in layout.devices[layout.position[name]]
    }
