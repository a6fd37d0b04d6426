"""Limits of CPU, memory, MIG slices and workspaces, and of GPUs for each person, over the tree of
shares. `ground` makes one for a cycle where any share has such a limit, `forecast` one for each of
its futures.

Nobody has to give way for them: who reaches one waits until other work below it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from podium.domain.quota import Counted, mig_slices
from podium.domain.resources import DeviceShare, Request
from podium.domain.workload import Kind
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.order.places import CPU, MEMORY, Place
from podium.scheduling.snapshot import Demand, Hold, Share
from podium.scheduling.space.layout import Layout

_COLUMNS = {Counted.CPU: CPU, Counted.MEMORY: MEMORY}


class Reached(NamedTuple):
    """A limit that so much more would exceed."""

    share: str
    what: Counted
    limit: int
    used: int
    adds: int


class Capped(NamedTuple):
    """A person's cap that so much more would exceed; `gpu_type` "" is over all types."""

    share: str
    owner: str
    gpu_type: str
    limit_milli: int
    used_milli: int


class Taken(NamedTuple):
    """What so many replicas of one workload take that counts here; `workspace` is the workload's
    id where it is one, else ""."""

    owner: str
    workspace: str
    gpu: Sequence[tuple[str, int]]
    mig_slices: int
    replicas: int = 1


class Ceilings:
    """What is used below the places that have such limits, `fairness` counting CPU and memory."""

    def __init__(
        self, shares: Sequence[Share], holds: Iterable[Hold], fairness: Fairness, layout: Layout
    ) -> None:
        self._fairness = fairness
        self._layout = layout
        by_name = {share.name: share for share in shares}
        self._limits: dict[Place, tuple[tuple[Counted, int], ...]] = {}
        self._caps: dict[Place, Mapping[str, int]] = {}
        for place in fairness.places:
            share = by_name.get(place.name)
            if share is not None and share.ceilings:
                self._limits[place] = tuple((Counted(name), most) for name, most in share.ceilings)
            if share is not None and share.per_user:
                self._caps[place] = {name.casefold(): milli for name, milli in share.per_user}
        # By the position of the place.
        self._slices: dict[int, int] = {}
        self._workspaces: dict[int, dict[str, int]] = {}  # how many replicas of each
        self._people: dict[tuple[int, str], dict[str, int]] = {}
        self._limited_on: dict[str, tuple[Place, ...]] = {}
        self._capped_on: dict[str, tuple[Place, ...]] = {}
        self._standing = {
            (node.name, device.id): device.mig_profile
            for node in layout.nodes
            for device in node.devices
            if device.mig_profile
        }
        # CPU and memory are counted already.
        counts = any(what not in _COLUMNS for limits in self._limits.values() for what, _ in limits)
        self._counts = counts or bool(self._caps)
        for hold in holds if self._counts else ():
            if self._limiting(hold.project) or self._capping(hold.project):
                self.take(hold.project, self.taken(hold, hold.node, hold.devices))

    def fork(self, fairness: Fairness) -> Ceilings:
        """A copy that changes for itself; `fairness` is over the same shares."""
        other = Ceilings.__new__(Ceilings)
        other._fairness, other._layout, other._standing = fairness, self._layout, self._standing
        places = fairness.places
        other._limits = {places[place.position]: most for place, most in self._limits.items()}
        other._caps = {places[place.position]: most for place, most in self._caps.items()}
        other._slices = dict(self._slices)
        other._workspaces = {at: dict(ids) for at, ids in self._workspaces.items()}
        other._people = {key: dict(mine) for key, mine in self._people.items()}
        other._limited_on, other._capped_on = {}, {}
        other._counts = self._counts
        return other

    @staticmethod
    def among(shares: Iterable[Share]) -> bool:
        """Whether any share has such a limit."""
        return any(share.ceilings or share.per_user for share in shares)

    def _limiting(self, project: str) -> tuple[Place, ...]:
        found = self._limited_on.get(project)
        if found is None:
            path = self._fairness.path(project)
            found = self._limited_on[project] = tuple(p for p in path if p in self._limits)
        return found

    def _capping(self, project: str) -> tuple[Place, ...]:
        found = self._capped_on.get(project)
        if found is None:
            path = self._fairness.path(project)
            found = self._capped_on[project] = tuple(p for p in path if p in self._caps)
        return found

    # -- what is used

    def add(self, demand: Demand, node: str, devices: Sequence[DeviceShare]) -> None:
        """One replica of the demand has been placed."""
        if self._counts:
            self.take(demand.project, self.taken(demand, node, devices))

    def taken(self, whose: Demand | Hold, node: str, devices: Sequence[DeviceShare]) -> Taken:
        """What one replica takes with these devices of a node."""
        return Taken(
            whose.owner,
            whose.workload_id if whose.kind is Kind.WORKSPACE else "",
            self._layout.types(node, devices),
            self._slices_of(node, devices),
        )

    def take(self, project: str, taken: Taken, sign: int = 1) -> None:
        """Count it, or with -1 give it back."""
        if not self._counts:
            return
        for place in self._limiting(project):
            if taken.mig_slices:
                used = self._slices.get(place.position, 0) + sign * taken.mig_slices
                self._slices[place.position] = used
            if taken.workspace:
                ids = self._workspaces.setdefault(place.position, {})
                left = ids.get(taken.workspace, 0) + sign * taken.replicas
                if left:
                    ids[taken.workspace] = left
                else:
                    del ids[taken.workspace]
        for place in self._capping(project):
            mine = self._people.setdefault((place.position, taken.owner), {})
            for gpu_type, milli in taken.gpu:
                for key in (gpu_type.casefold(), ""):
                    mine[key] = mine.get(key, 0) + sign * milli

    def _slices_of(self, node: str, devices: Iterable[DeviceShare]) -> int:
        profiles = (
            share.mig_profile or self._standing.get((node, share.device_id)) for share in devices
        )
        return sum(mig_slices(profile) for profile in profiles if profile)

    # -- what is left

    def reached(self, demand: Demand, asked: Sequence[tuple[Request, int, int]]) -> Reached | None:
        """The limit, looking from the project up, that these would exceed: requests, how many
        replicas of each, and MIG slices of one."""
        return next(self.all_reached(demand, asked), None)

    def all_reached(
        self, demand: Demand, asked: Sequence[tuple[Request, int, int]]
    ) -> Iterator[Reached]:
        """All of them."""
        places = self._limiting(demand.project)
        if not places:
            return
        adds = {
            Counted.CPU: sum(request.cpu_milli * count for request, count, _ in asked),
            Counted.MEMORY: sum(request.memory_bytes * count for request, count, _ in asked),
            Counted.MIG_SLICES: sum(slices * count for _, count, slices in asked),
            Counted.WORKSPACES: int(demand.kind is Kind.WORKSPACE),
        }
        for place in places:
            for what, limit in self._limits[place]:
                more = adds[what]
                if what is Counted.WORKSPACES and demand.workload_id in self._workspaces.get(
                    place.position, ()
                ):
                    continue
                used = self._used(place, what)
                if more and used + more > limit:
                    yield Reached(place.name, what, limit, used, more)

    def _used(self, place: Place, what: Counted) -> int:
        if what in _COLUMNS:
            return place.use[_COLUMNS[what]]
        if what is Counted.WORKSPACES:
            return len(self._workspaces.get(place.position, ()))
        return self._slices.get(place.position, 0)

    def capped(self, project: str, owner: str, gpu_type: str, amount_milli: int) -> Capped | None:
        """The cap, looking from the project up, that so much more of a type would exceed."""
        return next(self.all_capped(project, owner, gpu_type, amount_milli), None)

    def all_capped(
        self, project: str, owner: str, gpu_type: str, amount_milli: int
    ) -> Iterator[Capped]:
        """All of them."""
        for place in self._capping(project):
            caps = self._caps[place]
            mine = self._people.get((place.position, owner), {})
            for key, name in ((gpu_type.casefold(), gpu_type), ("", "")):
                cap = caps.get(key)
                if cap is not None and mine.get(key, 0) + amount_milli > cap:
                    yield Capped(place.name, owner, name, cap, mine.get(key, 0))

    def versions(self, project: str) -> tuple[int, ...]:
        """While these stay, so does what is said of the project's work."""
        places = (*self._limiting(project), *self._capping(project))
        return tuple(place.version for place in places)

    def caps(self, project: str) -> bool:
        """Whether anything limits what one person holds there."""
        return bool(self._capping(project))

    def uncapped(
        self, project: str, owner: str, amounts: Iterable[tuple[str, int]]
    ) -> Iterator[str]:
        """The types of (type, milli-GPU) that no cap closes."""
        return (each for each, milli in amounts if not self.capped(project, owner, each, milli))
