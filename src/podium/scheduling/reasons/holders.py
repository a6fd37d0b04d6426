"""Who holds what another workload waits for, as evidence of a refusal.

The view keeps the holders of each kind of device in order of size, so that the largest are found
without a look at all.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from podium.domain.reason import Evidence
from podium.domain.resources import DeviceShare
from podium.scheduling.placing.fit import Shape
from podium.scheduling.space.layout import Layout
from podium.scheduling.space.room import Bools

HOLDERS_MAX = 5
CPU = -1
"""Stands for CPU among the kinds of devices."""

Amounts = Mapping[int, int]
"""Milli-GPU by kind of device, milli-CPU under `CPU`."""


@dataclass(frozen=True, slots=True)
class Held:
    """A hold, or a placement that becomes one."""

    workload_id: str
    project: str
    node: str
    cpu_milli: int
    devices: tuple[DeviceShare, ...]


@dataclass(frozen=True, slots=True)
class Holders:
    """`sizes[kind]` are (amount below zero, workload id), ascending, so the largest first.
    `amounts` are by workload, and `projects` say whose it is; `mixed` are the workloads that hold
    devices of several kinds."""

    sizes: Mapping[int, Sequence[tuple[int, str]]]
    amounts: Mapping[str, Amounts]
    projects: Mapping[str, str]
    mixed: Mapping[str, None]

    @staticmethod
    def of(layout: Layout, held: Iterable[Held]) -> Holders:
        amounts: dict[str, dict[int, int]] = {}
        projects: dict[str, str] = {}
        for one in held:
            projects[one.workload_id] = one.project
            _add(layout, amounts.setdefault(one.workload_id, {}), one)
        sizes: dict[int, list[tuple[int, str]]] = {}
        for workload_id, by_kind in amounts.items():
            for kind, amount in by_kind.items():
                sizes.setdefault(kind, []).append((-amount, workload_id))
        for each in sizes.values():
            each.sort()
        mixed = {name: None for name, by_kind in amounts.items() if _is_mixed(by_kind)}
        return Holders(sizes, amounts, projects, mixed)

    def changed(self, layout: Layout, now: Mapping[str, Sequence[Held]]) -> Holders:
        """When these workloads hold this, and all others what they held before."""
        sizes: dict[int, list[tuple[int, str]]] = {}

        def of_kind(kind: int) -> list[tuple[int, str]]:
            if kind not in sizes:
                sizes[kind] = list(self.sizes.get(kind, ()))
            return sizes[kind]

        amounts, projects, mixed = dict(self.amounts), dict(self.projects), dict(self.mixed)
        for workload_id, held in now.items():
            for kind, amount in amounts.pop(workload_id, {}).items():
                entries = of_kind(kind)
                del entries[bisect_left(entries, (-amount, workload_id))]
            projects.pop(workload_id, None)
            mixed.pop(workload_id, None)
            fresh: dict[int, int] = {}
            for one in held:
                projects[workload_id] = one.project
                _add(layout, fresh, one)
            for kind, amount in fresh.items():
                insort(of_kind(kind), (-amount, workload_id))
            if fresh:
                amounts[workload_id] = fresh
            if _is_mixed(fresh):
                mixed[workload_id] = None
        return Holders({**self.sizes, **sizes}, amounts, projects, mixed)

    def evidence(self, kinds: Sequence[int]) -> tuple[Evidence, ...]:
        """How many workloads hold something of these kinds, and the largest of them:
        `Evidence("holder", workload id, project)`."""
        count, first = self._largest(kinds)
        if not count:
            return ()
        return (
            Evidence("holders", str(count)),
            *(Evidence("holder", name, self.projects[name]) for _, name in first),
        )

    def _largest(self, kinds: Sequence[int]) -> tuple[int, list[tuple[int, str]]]:
        lists = [self.sizes[kind] for kind in kinds if self.sizes.get(kind)]
        # Who holds of several kinds may be small in each list alone, so all of them are looked at.
        several = [
            (-sum(self.amounts[name].get(kind, 0) for kind in kinds), name) for name in self.mixed
        ]
        several = [entry for entry in several if entry[0]]
        twice = sum(sum(kind in self.amounts[name] for kind in kinds) - 1 for _, name in several)
        first = several
        for entries in lists:
            single = (entry for entry in entries if entry[1] not in self.mixed)
            first += islice(single, HOLDERS_MAX)
        return sum(map(len, lists)) - twice, sorted(first)[:HOLDERS_MAX]


def on_nodes(held: Iterable[Held], layout: Layout, allowed: Bools) -> list[Held]:
    """Those that stand on these nodes."""
    position = layout.position
    return [one for one in held if one.node in position and allowed[position[one.node]]]


def kinds_wanted(shape: Shape) -> tuple[int, ...]:
    """The kinds of device that the shape could use."""
    return tuple(kind for kind, grant in enumerate(shape.grants) if grant is not None)


def _is_mixed(amounts: Amounts) -> bool:
    return len(amounts) - (CPU in amounts) > 1


def _add(layout: Layout, amounts: dict[int, int], one: Held) -> None:
    at = layout.position.get(one.node)
    if at is None:
        return
    if one.cpu_milli:
        amounts[CPU] = amounts.get(CPU, 0) + one.cpu_milli
    shelf = layout.shelves[layout.shelf[at]]
    for column, share in layout.shares(one.node, one.devices):
        kind = shelf[column]
        amounts[kind] = amounts.get(kind, 0) + share.gpu_milli
