"""Where MIG instances go on a node: on GPUs that can be cut, at a start that keeps most open, and
on instances that stand for themselves. `fit` counts with it, `classes` and `scene` choose with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from podium.domain.mig import BOARDS, Board, Profile
from podium.domain.quantity import GPU_MILLI
from podium.domain.resources import Isolation, Request
from podium.scheduling.placing.slices import Choice, Need, Prices, legal, room, taken
from podium.scheduling.space.layout import DeviceKind
from podium.scheduling.space.masks import SLICED, instance_milli, less, mask_of

STANDING = -1
"""The price of an instance that nothing else could use: it is taken first."""


class Cut(NamedTuple):
    """A kind of GPU that can be cut: the profiles that would do for one request. Where `pinned` is
    not None, only these instances (profile, start) may be used, and no other is made."""

    board: Board
    profiles: tuple[Profile, ...]
    pinned: tuple[tuple[Profile, int], ...] | None


class Instance(NamedTuple):
    """One instance on the device of a column. `profile` is None for a device that is an instance
    already; `price` and `left` say how good the choice is, less being better."""

    column: int
    amount: int
    memory_bytes: int
    profile: Profile | None
    start: int
    price: int
    left: int


Chooser = Callable[[Board, int], Choice | None]


def need_of(request: Request) -> Need | None:
    """What a request asks of one instance; None for one that instances cannot serve."""
    if request.mig_profile is not None:
        return Need(profile=request.mig_profile)
    if request.isolation is not Isolation.MIG:
        return None
    if request.gpu_share_bytes:
        return Need(memory_bytes=request.gpu_share_bytes)
    if 0 < request.gpu_milli < GPU_MILLI:
        return Need(share_milli=request.gpu_milli)
    return None  # a whole GPU is nobody else's


def cut_of(need: Need, kind: DeviceKind) -> Cut | None:
    """How a kind of GPU serves the need, None where it does not."""
    board = BOARDS.get(kind.board)
    if board is None:
        return None
    profiles = need.on(board)
    if kind.pinned is None:
        return Cut(board, profiles, None) if profiles else None
    pinned = tuple(
        (profile, start)
        for profile, start in ((board.profile(name), start) for name, start in kind.pinned)
        if profile is not None and profile in profiles
    )
    return Cut(board, profiles, pinned) if pinned else None


def cut_milli(cut: Cut) -> int:
    """The least that one instance counts for."""
    return min(instance_milli(cut.board, profile) for profile in cut.profiles)


def instances_left(cut: Cut, value: int) -> int:
    """How many more instances one GPU with so much free can give at once."""
    if value < SLICED:
        return 0
    mask = mask_of(value)
    if cut.pinned is None:
        return room(cut.board, mask, *cut.profiles)
    return sum(legal(mask, profile, start) for profile, start in cut.pinned)


def instances_of(
    cuts: Sequence[Cut | None],
    grants: Sequence[tuple[int, int] | None],
    count: int,
    devices: Sequence[int],
    shelf: Sequence[int],
    choose: Chooser,
) -> tuple[Instance, ...] | None:
    """The best instances for one replica on a node whose devices have so much free, one after
    another; None where there are too few. `cuts` and `grants` are by kind of device."""
    left = list(devices)
    found: list[Instance] = []
    for _ in range(count):
        best: tuple[tuple[int, int, int], Instance] | None = None
        for column, (kind, value) in enumerate(zip(shelf, left, strict=True)):
            one = _on(cuts[kind], grants[kind], column, value, choose)
            if one is not None:
                key = (one.price, one.left, column)
                if best is None or key < best[0]:
                    best = key, one
        if best is None:
            return None
        one = best[1]
        left[one.column] = less(left[one.column], one.amount)
        found.append(one)
    return tuple(found)


def _on(
    cut: Cut | None, grant: tuple[int, int] | None, column: int, value: int, choose: Chooser
) -> Instance | None:
    if cut is None:
        if grant is None or value < grant[0]:
            return None
        return Instance(column, grant[0], grant[1], None, 0, STANDING, 0)
    if value < SLICED:
        return None  # it is ill, or gone
    mask = mask_of(value)
    if cut.pinned is None:
        choice = choose(cut.board, mask)
        if choice is None:
            return None
        bits = taken(choice.profile, choice.start)
        size = choice.profile.memory_bytes
        return Instance(column, bits, size, choice.profile, choice.start, choice.price, choice.left)
    for profile, start in sorted(cut.pinned, key=lambda each: (each[0].memory_slices, each[1])):
        if legal(mask, profile, start):
            bits = taken(profile, start)
            return Instance(column, bits, profile.memory_bytes, profile, start, STANDING, 0)
    return None


_PLAIN = Prices((), ())


def plain_chooser(need: Need) -> Chooser:
    """Chooses without knowing what is asked for lately."""
    return _PLAIN.chooser(need)
