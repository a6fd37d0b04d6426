"""Where on which GPU a MIG instance goes, so that most of what is asked for lately still fits.

What is free of a GPU is a mask: bit i is memory slice i, and `MEDIA` the media engines. There are
so few masks that all answers stand in tables: of a board, of a need on it, of a mix of needs. The
scheduler's classes and `podium bench scheduler --shape mig-churn` ask.

A placement costs what the recent mix loses by it: of every need, how many more instances would
have fit on this GPU, times how scarce room for that need is in the cluster (`weights`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from podium.domain.mig import Board, Placed, Profile, span_of

MEDIA = 1 << 8
"""The bit of the media engines, above the slices of every board."""

NEEDS_MAX = 64
"""So many needs of a mix make the prices, the most frequent ones."""

WEIGHT_ONE = 1 << 40
"""The weight of a need that is all that is asked for and has no room left. Sums of room times
weight stay below 2⁵³."""

_SLICES = MEDIA - 1

Mix = tuple[tuple[tuple[Profile, ...], int], ...]
"""On one board: the profiles that would do for a need, and the weight of the need."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a request asks of one instance: memory and a part of the board's compute slices, in
    thousandths; or a part of the whole GPU, of both kinds of slices; or a profile by its name."""

    memory_bytes: int = 0
    compute_milli: int = 0
    share_milli: int = 0
    media: bool = False
    profile: str = ""

    def on(self, board: Board) -> tuple[Profile, ...]:
        """The profiles of this board that would do, the smallest first."""
        return _profiles_for(self, board)


class Choice(NamedTuple):
    """A placement on one GPU. Of several, on whatever GPUs, the least is the best: the price, then
    what is `left` of the GPU in slices, so that a used one is filled before another is begun."""

    price: int
    left: int
    profile: Profile
    start: int


def free_mask(board: Board, placed: Iterable[Placed] = ()) -> int:
    """What is free of a GPU that holds these instances."""
    mask = (1 << board.memory_slices) - 1 | (MEDIA if board.has_media else 0)
    for profile, start in placed:
        bits = taken(profile, start)
        assert mask & bits == bits, f"{profile.name} at {start} lies over another"
        mask -= bits
    return mask


def taken(profile: Profile, start: int) -> int:
    """The bits that an instance takes of a mask."""
    return span_of(profile, start) | (MEDIA if profile.media else 0)


def legal(mask: int, profile: Profile, start: int) -> bool:
    """Whether the instance may be made there: the mask keeps every law of `domain.mig.is_legal`."""
    bits = taken(profile, start)
    return start in profile.starts and mask & bits == bits


def starts_for(board: Board, profile: Profile, mask: int) -> tuple[int, ...]:
    """Where the instance may be made, ascending."""
    return _starts(board, profile)[mask]


def room(board: Board, mask: int, *profiles: Profile) -> int:
    """How many more instances fit at once, each of any of these profiles."""
    return _rooms(board, profiles)[mask]


def price(board: Board, mask: int, profile: Profile, start: int, mix: Mix) -> int:
    """What the mix loses by the placement: how many instances fewer fit, weighted; 0 or more."""
    worth = _worths(board, mix)
    return worth[mask] - worth[mask - taken(profile, start)]


def best(board: Board, mask: int, profiles: tuple[Profile, ...], mix: Mix) -> Choice | None:
    """The placement of any of these profiles that the mix loses least by; None where none fits.

    Of equal ones that which leaves the largest blocks whole, so that slices go first which nobody
    else can use; then the smaller profile, and the lower start.
    """
    worth, openness = _worths(board, mix), _openness(board)
    found: tuple[int, int, Profile, int] | None = None
    for bits, profile, start in _spots(profiles):
        if mask & bits != bits:
            continue
        after = mask - bits
        lost, closed = worth[mask] - worth[after], -openness[after]
        if found is None or (lost, closed) < found[:2]:
            found = (lost, closed, profile, start)
    if found is None:
        return None
    lost, _, profile, start = found
    left = (mask & _SLICES).bit_count() - profile.memory_slices
    return Choice(lost, left, profile, start)


def weights(counts: Sequence[int], rooms: Sequence[int]) -> tuple[int, ...]:
    """How much one place for each need is worth, from how often it was asked for lately and how
    many places there are for it in the cluster.

    The part of all requests that ask for it, over the places, squared: what is asked for often and
    fits in few places is kept open first. By frequency alone small needs, of which there are many,
    would close every large block.
    """
    total = max(1, sum(counts))
    return tuple(
        WEIGHT_ONE * count * count // (total * total * (places + 1) ** 2)
        for count, places in zip(counts, rooms, strict=True)
    )


class Choices(dict[int, Choice | None]):
    """The best placement by mask, found when `choices[mask]` is first looked up. Where many GPUs
    are compared, this is faster than a `chooser`."""

    def __init__(self, board: Board, profiles: tuple[Profile, ...], mix: Mix) -> None:
        self._asked = (board, profiles, mix)

    def __missing__(self, mask: int) -> Choice | None:
        board, profiles, mix = self._asked
        choice = best(board, mask, profiles, mix) if profiles else None
        self[mask] = choice
        return choice


class Prices:
    """Prices of placements at one moment, by the needs seen lately and what is free. Immutable, but
    for answers that it remembers: make new ones when much has come or gone."""

    def __init__(
        self, seen: Iterable[tuple[Need, int]], gpus: Iterable[tuple[Board, int, int]]
    ) -> None:
        """`seen` is how often each need was asked for lately; `gpus` are board, mask, and how many
        GPUs are in that state."""
        self._needs = sorted(seen, key=lambda entry: -entry[1])[:NEEDS_MAX]
        self._mixes: dict[Board, Mix] = {}
        self._choices: dict[tuple[Board, Need], Choices] = {}
        states: dict[Board, list[tuple[int, int]]] = {}
        for board, mask, count in gpus:
            states.setdefault(board, []).append((mask, count))
        rooms = [0] * len(self._needs)
        for board, masks in states.items():
            for at, (need, _) in enumerate(self._needs):
                table = _rooms(board, need.on(board))
                rooms[at] += sum(count * table[mask] for mask, count in masks)
        self._weights = weights([count for _, count in self._needs], rooms)

    def mix(self, board: Board) -> Mix:
        """The mix as this board can serve it, with the weights of the moment."""
        mix = self._mixes.get(board)
        if mix is None:
            needs = zip(self._needs, self._weights, strict=True)
            entries = [(need.on(board), weight) for (need, _), weight in needs]
            mix = tuple((profiles, weight) for profiles, weight in entries if profiles and weight)
            self._mixes[board] = mix
        return mix

    def chooser(self, need: Need) -> Callable[[Board, int], Choice | None]:
        """Tells the best placement for the need on a GPU by its board and mask; None where it does
        not fit. It remembers what it told."""

        def choice(board: Board, mask: int) -> Choice | None:
            return self.choices(board, need)[mask]

        return choice

    def choices(self, board: Board, need: Need) -> Choices:
        """By mask, the best placement for the need on a GPU of this board; None where it does not
        fit."""
        key = (board, need)
        if key not in self._choices:
            self._choices[key] = Choices(board, need.on(board), self.mix(board))
        return self._choices[key]


@lru_cache(maxsize=4096)
def _profiles_for(need: Need, board: Board) -> tuple[Profile, ...]:
    if need.profile:
        named = board.profile(need.profile)
        return () if named is None else (named,)
    compute_milli = max(need.compute_milli, need.share_milli)
    fitting = board.fitting(need.memory_bytes, compute_milli, media=need.media)
    least = need.share_milli * board.memory_slices
    return tuple(profile for profile in fitting if profile.memory_slices * 1000 >= least)


@lru_cache(maxsize=512)
def _starts(board: Board, profile: Profile) -> tuple[tuple[int, ...], ...]:
    """By mask."""
    return tuple(
        tuple(start for start in profile.starts if legal(mask, profile, start))
        for mask in range(_masks(board))
    )


@lru_cache(maxsize=1024)
def _spots(profiles: tuple[Profile, ...]) -> tuple[tuple[int, Profile, int], ...]:
    """Bits, profile and start of all that would do and contains nothing else that would do: what
    takes more of the same slices never costs less. Of equal bits the first profile has it."""
    spots: dict[int, tuple[Profile, int]] = {}
    for profile in profiles:
        for start in profile.starts:
            spots.setdefault(taken(profile, start), (profile, start))
    return tuple(
        (bits, profile, start)
        for bits, (profile, start) in spots.items()
        if not any(other & bits == other for other in spots if other != bits)
    )


@lru_cache(maxsize=1024)
def _rooms(board: Board, profiles: tuple[Profile, ...]) -> tuple[int, ...]:
    """By mask; each mask looks up what is left of it by one instance more."""
    spans = [bits for bits, _, _ in _spots(profiles)]
    rooms: list[int] = []
    for mask in range(_masks(board)):
        left = [rooms[mask - bits] for bits in spans if mask & bits == bits]
        rooms.append(1 + max(left) if left else 0)
    return tuple(rooms)


@lru_cache(maxsize=256)
def _worths(board: Board, mix: Mix) -> tuple[int, ...]:
    """What each mask is worth: room for each need of the mix, times its weight."""
    if not mix:
        return (0,) * _masks(board)
    rooms = np.array([_rooms(board, profiles) for profiles, _ in mix], dtype=np.int64)
    weight = np.array([weight for _, weight in mix], dtype=np.int64)
    return tuple((weight @ rooms).tolist())


@lru_cache(maxsize=64)
def _openness(board: Board) -> tuple[int, ...]:
    """By mask: the room for every profile as digits of one number, that of the largest first."""
    openness = np.zeros(_masks(board), dtype=np.int64)
    order = sorted(
        board.profiles, key=lambda one: (one.memory_slices, one.compute_slices, one.media)
    )
    for profile in reversed(order):
        openness = openness * (board.memory_slices + 1) + np.array(_rooms(board, (profile,)))
    return tuple(openness.tolist())


def _masks(board: Board) -> int:
    return 2 * MEDIA if board.has_media else 1 << board.memory_slices
