"""Which limits stand in the way of more work: of GPUs, of what else is counted, of each person.

`ground` asks for a cycle, `forecast` for each of its futures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from podium.domain.quantity import GPU_MILLI
from podium.domain.quota import mig_slices
from podium.domain.resources import Isolation, Request
from podium.scheduling.order.ceilings import Capped, Ceilings, Reached
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.placing.fit import Shape, device_matches
from podium.scheduling.placing.seats import parts_of
from podium.scheduling.snapshot import Demand, Part
from podium.scheduling.space.layout import Layout
from podium.scheduling.space.masks import instance_milli


class Limits:
    """Over what `fairness` and `ceilings` count. For `decide` and `verify` to agree, a request
    counts as the most that it may come to on each GPU type."""

    def __init__(
        self,
        fairness: Fairness,
        ceilings: Ceilings | None,
        layout: Layout,
        milli_of: Callable[[Request], int],
    ) -> None:
        """`milli_of` is what one replica takes of the first kind of device that fits."""
        self.fairness = fairness
        self.ceilings = ceilings
        self._layout = layout
        self._milli_of = milli_of
        self._takes: dict[Request, tuple[tuple[str, int], ...] | None] = {}
        self._slices: dict[Request, int] = {}

    def over(self, fairness: Fairness) -> Limits:
        """The same over a copy of what is counted, which changes for itself."""
        ceilings = None if self.ceilings is None else self.ceilings.fork(fairness)
        other = Limits(fairness, ceilings, self._layout, self._milli_of)
        other._takes, other._slices = self._takes, self._slices
        return other

    def types_open(self, demand: Demand, replicas: int) -> tuple[str, ...] | None:
        """The GPU types that limits leave to so many replicas; None: no limit is in the way. Of a
        gang of unlike groups those of GPUs alone are asked, for all of it."""
        if not demand.parts:
            return self.open_types(demand, demand.request, replicas)
        amount = sum(self._milli_of(part.request) * len(part.ranks) for part in demand.parts)
        return self.fairness.open_types(demand.project, demand.request.gpu_types, amount)

    def open_types(self, demand: Demand, request: Request, replicas: int) -> tuple[str, ...] | None:
        """The GPU types that limits leave to so many replicas; None: no limit is in the way."""
        fairness, project = self.fairness, demand.project
        takes = self._taken(request)
        if takes is None:
            amount = self._milli_of(request) * replicas
            found = fairness.open_types(project, request.gpu_types, amount)
        else:  # each type gives another amount of itself
            left = tuple(
                name
                for name, milli in takes
                if fairness.open_types(project, (name,), milli * replicas) != ()
            )
            found = None if len(left) == len(takes) else left
        if self.ceilings is None or not self.ceilings.caps(project):
            return found
        amounts = [
            each for each in self.amounts(request, replicas) if found is None or each[0] in found
        ]
        left = tuple(self.ceilings.uncapped(project, demand.owner, amounts))
        return found if len(left) == len(amounts) else left

    def under(self, demand: Demand) -> Demand | None:
        """The demand with only the GPU types that limits leave to all of it; None when they leave
        too little."""
        fairness, project = self.fairness, demand.project
        counted: list[tuple[tuple[str, int], ...]] = []
        parts: list[Part] = []
        for part in parts_of(demand):
            request = part.request
            amount = self._milli_of(request) * len(part.ranks)
            types = self.open_types(demand, request, len(part.ranks))
            if types == ():
                break
            if types is not None:
                request = replace(request, gpu_types=types)
            parts.append(Part(request, part.ranks))
            if amount and demand.parts:  # what one group takes, the next one cannot
                first = (types or request.gpu_types or tuple(fairness.types))[0]
                counted.append(((first, amount),))
                fairness.add(project, counted[-1], 0, 0)
        for gpu in counted:
            fairness.remove(project, gpu, 0, 0)
        if len(parts) < len(parts_of(demand)):
            return None
        if demand.parts:
            return replace(demand, request=parts[0].request, parts=tuple(parts))
        return replace(demand, request=parts[0].request)

    def reached(self, demand: Demand, replicas: int) -> Reached | None:
        """The limit of CPU, memory, MIG slices or workspaces in the way of so many replicas, of a
        gang of unlike groups always of all."""
        if self.ceilings is None:
            return None
        return self.ceilings.reached(demand, self.asked(demand, replicas))

    def asked(self, demand: Demand, replicas: int) -> list[tuple[Request, int, int]]:
        """Requests, how many replicas of each, and the most MIG slices of one."""
        groups = [(demand.request, replicas)]
        if demand.parts:
            groups = [(part.request, len(part.ranks)) for part in demand.parts]
        return [(request, count, self.slices(request)) for request, count in groups]

    def capped(self, demand: Demand, replicas: int) -> Capped | None:
        """The cap for each person in the way of so many replicas, where it closes every type that
        other limits leave."""
        if self.ceilings is None or not self.ceilings.caps(demand.project):
            return None
        found: Capped | None = None
        for request in (
            [part.request for part in demand.parts] if demand.parts else [demand.request]
        ):
            for gpu_type, milli in self.amounts(request, replicas):
                capped = self.ceilings.capped(demand.project, demand.owner, gpu_type, milli)
                if capped is not None:
                    found = found or capped
        return found

    def gang_capped(self, demand: Demand) -> bool:
        """Whether a cap for each person is in the way of all groups of a gang at once, each on the
        first type that serves it."""
        if not demand.parts or self.ceilings is None or not self.ceilings.caps(demand.project):
            return False
        wanted: dict[str, int] = {}
        for part in demand.parts:
            for gpu_type, milli in self.amounts(part.request, len(part.ranks))[:1]:
                for key in (gpu_type, ""):
                    wanted[key] = wanted.get(key, 0) + milli
        owner, ceilings = demand.owner, self.ceilings
        return any(ceilings.capped(demand.project, owner, *each) for each in wanted.items())

    def versions(self, project: str) -> tuple[int, ...]:
        """While these stay, so does what is said of one and the same work of the project."""
        path = self.fairness.path(project)
        found = tuple(place.version for place in path if place.limits)
        return found if self.ceilings is None else (*found, *self.ceilings.versions(project))

    def slices(self, request: Request) -> int:
        """The most MIG slices that one replica may take."""
        if request.mig_profile is not None:
            return mig_slices(request.mig_profile) * request.mig_count
        if request.isolation is not Isolation.MIG:
            return 0
        found = self._slices.get(request)
        if found is None:
            cuts = (cut for cut in Shape(request, self._layout.kinds).cuts if cut is not None)
            profiles = (each.name for cut in cuts for each in cut.profiles)
            found = self._slices[request] = max(map(mig_slices, profiles), default=0)
        return found

    def amounts(self, request: Request, replicas: int) -> list[tuple[str, int]]:
        """The most milli-GPU that so many replicas take, by each type that may serve them."""
        takes = self._taken(request)
        if takes is None:
            milli = self._milli_of(request)
            wanted, types = {name.casefold() for name in request.gpu_types}, self.fairness.types
            named = (each for each in types if not wanted or each.casefold() in wanted)
            takes = tuple((name, milli) for name in named) if milli else ()
        return [(name, milli * replicas) for name, milli in takes]

    def _taken(self, request: Request) -> tuple[tuple[str, int], ...] | None:
        """The most that one replica takes of each type which may serve it, where the types differ;
        None where they do not, or none does."""
        share = 0 < request.gpu_milli < GPU_MILLI
        rounded = request.isolation is Isolation.MIG or (share and self._layout.sized)
        if request.gpu_milli and not rounded:
            return None
        if request not in self._takes:
            shape, found = Shape(request, self._layout.kinds), dict[str, int]()
            for kind, grant, cut in zip(self._layout.kinds, shape.grants, shape.cuts, strict=True):
                if grant is not None and device_matches(request, kind):
                    each = grant[0]
                    if cut is not None:
                        each = max(instance_milli(cut.board, some) for some in cut.profiles)
                    found[kind.type] = max(found.get(kind.type, 0), each * shape.count)
            self._takes[request] = tuple(sorted(found.items())) or None
        return self._takes[request]


def narrowed(request: Request, types: tuple[str, ...] | None) -> Request:
    """The request with only these GPU types; None leaves it as it is."""
    return request if types is None else replace(request, gpu_types=types)
