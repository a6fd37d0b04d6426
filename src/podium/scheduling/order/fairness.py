"""Who is served next and who may count on what, over the tree of organisation, teams and projects.

`decide` makes one for each cycle, tells it what is held and placed, and asks it for the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from podium.scheduling.order.places import (
    ALL,
    CPU,
    FIRST_TYPE,
    LAST,
    MEMORY,
    NO_CAPACITY,
    SCALE,
    Place,
    apart,
    inside,
    upwards,
)
from podium.scheduling.snapshot import Share

NOWHERE = 2
"""The grade of what no guarantee covers."""


class Limit(NamedTuple):
    """The limit that work would exceed; `gpu_type` "" is the limit over all types."""

    share: str
    gpu_type: str
    limit_milli: int
    used_milli: int


class Fairness:
    """Usage, guarantees and limits of all shares during one cycle.

    A guarantee belongs to a place of the tree, and whoever stands below may use it: work is inside
    when it fits its project's own guarantee, or that of a place above. Against others a place
    counts by its highest part that differs: between two teams the teams' guarantees decide, inside
    a team those of its projects. Without GPUs nothing is guaranteed and nothing is limited.
    """

    def __init__(
        self,
        shares: Sequence[Share],
        capacity: Mapping[str, int],
        cpu_milli: int,
        memory_bytes: int,
        half_life_ms: int,
    ) -> None:
        """`shares` in preorder. `capacity` is the milli-GPU of each type in the whole inventory,
        whatever its health, so that an outage changes nobody's order. Past use comes in milli x
        milliseconds; divided by the half-life it is about what was held on average over the last
        half-life, and so can be added to what is held now."""
        assert half_life_ms > 0
        self._half_life_ms = half_life_ms
        self.types: list[str] = []  # of each column from the fourth on
        self.capacity: list[int] = [0, cpu_milli, memory_bytes]
        self._columns: dict[str, int] = {}
        self.places: list[Place] = []
        self._paths: dict[str, tuple[Place, ...]] = {}  # leaf first, root last
        # What may cover a project's work of some types: promises are made once and stay.
        self._covers: dict[tuple[str, tuple[str, ...]], tuple[tuple[Place, int, int], ...]] = {}
        for name in sorted(capacity):
            self.capacity[ALL] += capacity[name]
            self.capacity[self._column(name)] += capacity[name]
        by_name: dict[str, Place] = {}
        tops = [share for share in shares if share.parent is None]
        if len(tops) != 1 or tops[0].project is not None:
            self._add_place("", None, 1, None)  # the caller left the root out
        for share in shares:
            above = by_name.get(share.parent) if share.parent is not None else None
            place = self._add_place(share.name, share.project, share.weight, above)
            by_name[share.name] = place
            self._promise(place, share)

    # -- building the tree

    def _column(self, gpu_type: str) -> int:
        """Of a type in any spelling; one that is new gets a column on every place."""
        column = self._columns.get(gpu_type)
        if column is None:
            folded = gpu_type.casefold()
            column = self._columns.get(folded)
            if column is None:
                column = len(self.types) + FIRST_TYPE
                self.types.append(gpu_type)
                if len(self.capacity) <= column:
                    self.capacity.append(0)
                for place in self.places:
                    place.use.append(0)
                    place.past.append(0)
                    place.divisors.append(NO_CAPACITY)
                self._columns[folded] = column
            self._columns[gpu_type] = column
        return column

    def _add_place(self, name: str, project: str | None, weight: int, above: Place | None) -> Place:
        if above is None and self.places:
            above = self.places[0]
        place = Place(name, project, weight, above, len(self.places))
        place.use = [0] * len(self.capacity)
        place.past = [0] * len(self.capacity)
        place.divisors = [
            amount * max(weight, 1) if amount > 0 else NO_CAPACITY for amount in self.capacity
        ]
        place.share = 0 if weight > 0 else LAST
        self.places.append(place)
        if project is not None:
            self._paths[project] = upwards(place)
        return place

    def _promise(self, place: Place, share: Share) -> None:
        for gpu_type, milli in share.guarantees:
            if milli > 0:
                place.guarantees[self._column(gpu_type) if gpu_type else ALL] = milli
        for gpu_type, milli in share.limits:
            place.limits[self._column(gpu_type) if gpu_type else ALL] = milli
        for gpu_type, milli_ms in share.used:
            column = self._column(gpu_type)
            for each in upwards(place):
                each.past[column] += milli_ms // self._half_life_ms
        for each in upwards(place):
            each.share = self._dominant(each)

    @property
    def root(self) -> Place:
        return self.places[0]

    def path(self, project: str) -> tuple[Place, ...]:
        """The places of a project from its own up to the root."""
        path = self._paths.get(project)
        if path is None:
            self._add_place(project, project, 1, None)
            path = self._paths[project]
        return path

    # -- usage and order

    def add(
        self, project: str, gpu: tuple[tuple[str, int], ...], cpu_milli: int, memory_bytes: int
    ) -> None:
        """Count what `project` now holds more, on every place above it."""
        path = self._paths.get(project) or self.path(project)
        columns = self._columns
        for place in path:
            use = place.use
            divisors = place.divisors
            place.version += 1
            use[CPU] += cpu_milli
            use[MEMORY] += memory_bytes
            share = use[CPU] * SCALE // divisors[CPU]
            other = use[MEMORY] * SCALE // divisors[MEMORY]
            if other > share:  # noqa: PLR1730 - max() takes twice as long, and this is hot
                share = other
            for gpu_type, milli in gpu:
                # A new type lengthens the lists in place, which `use` and `divisors` still are.
                column = columns.get(gpu_type) or self._column(gpu_type)
                use[ALL] += milli
                use[column] += milli
                other = (use[column] + place.past[column]) * SCALE // divisors[column]
                if other > share:  # noqa: PLR1730
                    share = other
            if place.weight == 0:
                share += LAST
            # Amounts only grew, so the largest share is the old one or one of these.
            if share > place.share:  # noqa: PLR1730
                place.share = share

    def remove(
        self, project: str, gpu: tuple[tuple[str, int], ...], cpu_milli: int, memory_bytes: int
    ) -> None:
        """Take back what `add` counted."""
        for place in self.path(project):
            use = place.use
            place.version += 1
            use[CPU] -= cpu_milli
            use[MEMORY] -= memory_bytes
            for gpu_type, milli in gpu:
                use[ALL] -= milli
                use[self._column(gpu_type)] -= milli
            assert min(use) >= 0, f"{place.name} gives back more than it holds"
            place.share = self._dominant(place)

    def _dominant(self, place: Place) -> int:
        divisors = place.divisors
        largest = max(
            (used + past) * SCALE // divisors[column]
            for column, (used, past) in enumerate(zip(place.use, place.past, strict=True))
            if column != ALL
        )
        return largest if place.weight else largest + LAST

    def recent(self, place: Place) -> dict[str, int]:
        """The past as it counts in the order, in milli-GPU by type."""
        past = zip(self.types, place.past[FIRST_TYPE:], strict=True)
        return {gpu_type: milli for gpu_type, milli in past if milli}

    def key(self, project: str) -> tuple[int | str, ...]:
        """Least first: the dominant share and the name of each place from below the root down to
        the project, so that comparing two keys descends the tree as far as they part."""
        path = self._paths.get(project) or self.path(project)
        if len(path) == 3:
            leaf, above, _ = path
            return (above.share, above.name, leaf.share, leaf.name)
        found: list[int | str] = []
        for place in path[-2::-1]:
            found.append(place.share)
            found.append(place.name)
        return tuple(found)

    # -- guarantees

    def within_guarantee(self, project: str, gpu_types: tuple[str, ...], amount_milli: int) -> bool:
        """Whether `amount_milli` more of some acceptable type (none named: any) is guaranteed to
        the project or to a place above it. Never for work without GPUs: no CPU is guaranteed, so
        such work neither goes ahead of others nor takes from them."""
        return self.grade(project, gpu_types, amount_milli) != NOWHERE

    def grade(self, project: str, gpu_types: tuple[str, ...], amount_milli: int) -> int:
        """Where `amount_milli` more is guaranteed: 0 to the project itself, 1 to a place above it,
        2 nowhere. Work of a lower grade is served first."""
        own, above = self.headroom(project, gpu_types)
        return grade_of(amount_milli, own, above)

    def headroom(self, project: str, gpu_types: tuple[str, ...]) -> tuple[int, int]:
        """How much more of the best acceptable type is guaranteed to the project itself, and to
        the place above it that has most left; 0 where none is."""
        own = above = 0
        for place, column, guarantee in self._covering(project, gpu_types):
            left = guarantee - place.use[column]
            if place.project == project:
                if left > own:  # noqa: PLR1730 - max() takes twice as long, and this is hot
                    own = left
            elif left > above:
                above = left
        return own, above

    def _covering(
        self, project: str, gpu_types: tuple[str, ...]
    ) -> tuple[tuple[Place, int, int], ...]:
        """The places below the root that guarantee some acceptable type: its column, and how much
        is guaranteed of it."""
        question = (project, gpu_types)
        found = self._covers.get(question)
        if found is None:
            columns = {ALL, *(self._known(each) for each in self._acceptable(gpu_types))}
            found = self._covers[question] = tuple(
                (place, column, milli)
                for place in self.path(project)[:-1]
                for column, milli in place.guarantees.items()
                if column in columns
            )
        return found

    def surplus(self, project: str, gpu_type: str, *, taker: str | None = None) -> int:
        """How much milli-GPU of a type others may take back from the project without cutting into
        a guarantee of it or of a place above; 0 when that is none. With `taker` only the places
        that the two do not share count, because what is the team's is both's."""
        column = self._known(gpu_type)
        victims = self.path(project)
        if column is None:
            return 0
        below = victims[:-1] if taker is None else apart(victims, self.path(taker))
        found = victims[0].use[column]
        for place in below:
            guarantees = place.guarantees
            if guarantees:
                use = place.use
                typed = guarantees.get(column, 0)
                overall = guarantees.get(ALL, 0)
                found = min(found, use[column] - typed, use[ALL] - overall)
        return max(found, 0)

    def may_reclaim_from(
        self, taker: str, victim: str, gpu_type: str, amount_milli: int = 0, taking_milli: int = 1
    ) -> bool:
        """Whether `taker`, with `amount_milli` more, is inside what it is guaranteed against
        `victim`, while `victim` is beyond what it is guaranteed against `taker` by `taking_milli`
        or more. Who takes several things from one team counts each with `remove` before it asks
        for the next.

        On the taker's side the highest place that the two do not share and that has a guarantee
        for the type decides: a team beyond its own takes nothing from other teams.
        """
        column = self._known(gpu_type)
        if column is None or taker == victim:
            return False
        takers = apart(self.path(taker), self.path(victim))
        for place in reversed(takers):
            if column in place.guarantees or ALL in place.guarantees:
                return (
                    inside(place, column, amount_milli)
                    and self.surplus(victim, gpu_type, taker=taker) >= taking_milli
                )
        return False

    # -- limits

    def open_types(
        self, project: str, gpu_types: tuple[str, ...], amount_milli: int
    ) -> tuple[str, ...] | None:
        """None when no limit stands in the way of any acceptable type; else the types that no
        limit closes, which may be none."""
        if amount_milli <= 0:
            return None
        open_here = acceptable = self._acceptable(gpu_types)
        for place in self.path(project):
            if place.limits:
                open_here = tuple(
                    each for each in open_here if self._closed(place, each, amount_milli) is None
                )
        return None if open_here == acceptable else open_here

    def over_limit(
        self, project: str, gpu_types: tuple[str, ...], amount_milli: int
    ) -> Limit | None:
        """The limit, looking from the project up, at which no acceptable type is open any more.
        None when some type is open, and for work without GPUs."""
        if amount_milli <= 0:
            return None
        open_types: Sequence[str] = self._acceptable(gpu_types)
        for place in self.path(project):
            if place.limits:
                still = []
                reached: Limit | None = None
                for each in open_types:
                    limit = self._closed(place, each, amount_milli)
                    if limit is None:
                        still.append(each)
                    elif reached is None:
                        reached = limit
                if not still and reached is not None:
                    return reached
                open_types = still
        return None

    def _closed(self, place: Place, gpu_type: str, amount_milli: int) -> Limit | None:
        column = self._known(gpu_type)
        for each, named in ((column, gpu_type), (ALL, "")):
            limit = None if each is None else place.limits.get(each)
            if each is not None and limit is not None and place.use[each] + amount_milli > limit:
                return Limit(place.name, named, limit, place.use[each])
        return None

    # -- types

    def _acceptable(self, gpu_types: tuple[str, ...]) -> tuple[str, ...]:
        """As the inventory spells them, where it has them; "" when it has none at all."""
        if not gpu_types:
            return tuple(self.types) or ("",)
        found = []
        for gpu_type in gpu_types:
            column = self._known(gpu_type)
            found.append(gpu_type if column is None else self.types[column - FIRST_TYPE])
        return tuple(dict.fromkeys(found))

    def _known(self, gpu_type: str) -> int | None:
        return self._columns.get(gpu_type) or self._columns.get(gpu_type.casefold())


def grade_of(amount_milli: int, own_milli: int, above_milli: int) -> int:
    """`Fairness.grade` by what `Fairness.headroom` has found."""
    if 0 < amount_milli <= own_milli:
        return 0
    return 1 if 0 < amount_milli <= above_milli else NOWHERE
