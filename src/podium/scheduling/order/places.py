"""The places of the tree of shares, with what is used below each. `fairness` builds and asks it."""

from __future__ import annotations

SCALE = 10**12
"""A share of 1 in the keys, which are whole numbers."""

LAST = SCALE * 10**6  # added for a weight of 0: served when nobody else wants anything
ALL, CPU, MEMORY = range(3)
"""Columns of every place's amounts; GPU types follow."""
FIRST_TYPE = 3
NO_CAPACITY = 1 << 200  # divides to a share of nothing


class Place:
    """One share of the tree with what is used below it, by column. Guarantees and limits hold
    only the columns that have one."""

    __slots__ = (
        "divisors",
        "guarantees",
        "level",
        "limits",
        "name",
        "parent",
        "past",
        "position",
        "project",
        "share",
        "use",
        "version",
        "weight",
    )

    def __init__(
        self, name: str, project: str | None, weight: int, parent: Place | None, position: int
    ) -> None:
        self.name = name
        self.project = project
        self.weight = weight
        self.parent = parent
        self.position = position
        self.level: int = 0 if parent is None else parent.level + 1
        self.guarantees: dict[int, int] = {}
        self.limits: dict[int, int] = {}
        self.use: list[int] = []
        self.past: list[int] = []
        self.divisors: list[int] = []
        self.share = 0
        self.version = 0  # grows with each change of `use`

    @property
    def dominant(self) -> int:
        """The share itself, without what puts a weight of 0 behind all others."""
        return self.share if self.weight else self.share - LAST


def upwards(place: Place) -> tuple[Place, ...]:
    path = [place]
    while path[-1].parent is not None:
        path.append(path[-1].parent)
    return tuple(path)


def apart(path: tuple[Place, ...], other: tuple[Place, ...]) -> tuple[Place, ...]:
    """The part of `path`, leaf first, that does not lie on `other` too."""
    shared = 0
    for mine, theirs in zip(reversed(path), reversed(other), strict=False):
        if mine is not theirs:
            break
        shared += 1
    return path[: len(path) - shared]


def inside(place: Place, column: int | None, amount_milli: int) -> bool:
    """Whether a guarantee of this very place covers that much more of a type."""
    guarantees = place.guarantees
    for each in (column, ALL):
        if each is None or each not in guarantees:
            continue
        if place.use[each] + amount_milli <= guarantees[each]:
            return True
    return False
