"""Pools: named sets of nodes, and whose work may stand there.

`store/pools` keeps them; what is read of nodes and demands has their names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]

NO_POOL = ""
"""Stands for the nodes that belong to no pool, which are open to everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The nodes that carry all of `labels`, as far as no pool of an earlier name has them.

    With neither `projects` nor `teams` everyone may place work there, else only those. `region`
    says where they stand; `approved_for` names classes of data that are bound to approved pools.
    """

    name: str
    labels: Labels
    projects: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    note: str = ""
    region: str = ""
    approved_for: tuple[str, ...] = ()

    @property
    def restricted(self) -> bool:
        return bool(self.projects or self.teams)

    def open_to(self, project: str, team: str | None) -> bool:
        return not self.restricted or project in self.projects or team in self.teams


def pool_of(labels: Collection[tuple[str, str]], pools: Iterable[Pool]) -> str:
    """The name of the pool of a node with these labels; `pools` are in name order."""
    for pool in pools:
        if all(label in labels for label in pool.labels):
            return pool.name
    return NO_POOL


def pools_open(pools: Iterable[Pool], project: str, team: str | None) -> tuple[str, ...] | None:
    """Where work of a project may stand: the names of the pools open to it, and NO_POOL. None
    where no pool is closed to it."""
    known = tuple(pools)
    names = tuple(pool.name for pool in known if pool.open_to(project, team))
    return None if len(names) == len(known) else (NO_POOL, *names)


def sole_pool(names: tuple[str, ...]) -> str | None:
    """The pool whose policies hold for work that names these: the one, else none."""
    return names[0] if len(names) == 1 else None
