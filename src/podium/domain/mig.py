"""The geometry of MIG: which instances the boards of NVIDIA can be cut into, and where they lie.

The scheduler places by it, the virtual driver keeps it, and it stands in where a driver tells
nothing. Where a driver tells its own placements, those hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import NamedTuple

GIB = 2**30

MEMORY_MILLI_TOLERANCE = 30
"""So much of its size may the memory that a driver tells differ from that of the board."""


class Evidence(StrEnum):
    """How well a row of the table is known."""

    CAPTURED = "captured"  # as a driver has answered on such a board
    DOCUMENTED = "documented"  # as the maker's papers or test data say
    INFERRED = "inferred"  # from boards of the same chip, or by the maker's rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One kind of instance. At start `s` it lies on memory slices `s` to `s + memory_slices - 1`.

    `memory_bytes` is what a program can use of it; where `inferred`, the least that boards of the
    same kind leave. `media` profiles hold the media engines of the GPU, so there is one at most.
    Names change with drivers: slices and `media` say which profile it is. `smi_id` is the number
    that nvidia-smi shows.
    """

    name: str
    compute_slices: int
    memory_slices: int
    starts: tuple[int, ...]
    max_instances: int
    media: bool
    memory_bytes: int
    multiprocessors: int | None
    smi_id: int
    inferred: bool = False

    def __hash__(self) -> int:
        return hash(self.name)  # profiles key many tables, and all their fields are slow to hash


Placed = tuple[Profile, int]
"""An instance and its start."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One kind of GPU. `geometry` tells how well its starts and counts are known."""

    name: str
    memory_slices: int
    compute_slices: int
    memory_bytes: int
    profiles: tuple[Profile, ...]
    geometry: Evidence = Evidence.INFERRED

    def __hash__(self) -> int:
        return hash(self.name)  # boards key many tables, and all their fields are slow to hash

    @cached_property
    def has_media(self) -> bool:
        """Whether some of its instances hold the media engines."""
        return any(profile.media for profile in self.profiles)

    @cached_property
    def _by_name(self) -> dict[str, Profile]:
        return {profile.name: profile for profile in self.profiles}

    def profile(self, name: str) -> Profile | None:
        """The profile of this name, as nvidia-smi writes it: `1g.10gb`, `1g.10gb+me`."""
        return self._by_name.get(name)

    def fitting(
        self, gpu_memory_bytes: int, compute_milli: int = 0, *, media: bool = False
    ) -> tuple[Profile, ...]:
        """Profiles with so much memory and so many thousandths of the board's compute slices, the
        smallest first; with media engines only those that are asked for with them."""
        enough = [
            profile
            for profile in self.profiles
            if profile.media == media
            and profile.memory_bytes >= gpu_memory_bytes
            and profile.compute_slices * 1000 >= compute_milli * self.compute_slices
        ]
        return tuple(sorted(enough, key=lambda one: (one.memory_slices, one.compute_slices)))


def board_of(model: str, memory_bytes: int) -> Board | None:
    """The board by the maker's name of it, such as `NVIDIA H100 80GB HBM3`, and its whole memory;
    None where it has no MIG or is not in the table."""
    words = model.upper().replace("-", " ").split()
    chip = next((word for word in words if word in _CHIPS), None)
    if chip is None:
        return None
    kin = [board for name, board in BOARDS.items() if name.split("-")[0] in _CHIPS[chip]]
    nearest = min(kin, key=lambda board: abs(board.memory_bytes - memory_bytes))
    off = abs(nearest.memory_bytes - memory_bytes) * 1000
    return nearest if off <= nearest.memory_bytes * MEMORY_MILLI_TOLERANCE else None


def is_legal(board: Board, placed: Iterable[Placed]) -> bool:
    """Whether a GPU can hold these instances at once: each of its own board and at a start that it
    may have, none over another, no more of a kind than may be, media engines with one at most."""
    covered = 0
    counts: dict[str, int] = {}
    media = 0
    for profile, start in placed:
        if board.profile(profile.name) != profile or start not in profile.starts:
            return False
        span = span_of(profile, start)
        counts[profile.name] = counts.get(profile.name, 0) + 1
        media += profile.media
        if covered & span or counts[profile.name] > profile.max_instances or media > 1:
            return False
        covered |= span
    return True


def span_of(profile: Profile, start: int) -> int:
    """The memory slices that an instance lies on: bit i is slice i."""
    return ((1 << profile.memory_slices) - 1) << start


def layouts(
    board: Board, profiles: Sequence[Profile] | None = None
) -> tuple[tuple[Placed, ...], ...]:
    """All ways to cut a GPU to which nothing can be added, of `profiles` alone (default: all of the
    board). Instances stand in the order of their starts."""
    chosen = board.profiles if profiles is None else tuple(profiles)
    return _layouts(board, chosen)


@lru_cache(maxsize=64)
def _layouts(board: Board, chosen: tuple[Profile, ...]) -> tuple[tuple[Placed, ...], ...]:
    places = sorted(
        ((profile, start) for profile in chosen for start in profile.starts),
        key=lambda place: (place[1], -place[0].memory_slices, -place[0].compute_slices),
    )

    def grown(layout: tuple[Placed, ...], at: int) -> Iterator[tuple[Placed, ...]]:
        if not any(is_legal(board, (*layout, place)) for place in places):
            yield layout
        for next_at in range(at, len(places)):
            longer = (*layout, places[next_at])
            if is_legal(board, longer):
                yield from grown(longer, next_at + 1)

    return tuple(grown((), 0))


class _Row(NamedTuple):
    """A profile before it has a board. `leaves_milli` is the least part of the memory of its slices
    that any captured board lets programs use, for boards that nobody has captured."""

    compute_slices: int
    memory_slices: int
    starts: tuple[int, ...]
    max_instances: int
    smi_id: int
    leaves_milli: int
    media: bool = False


# Two families: boards of eight memory slices, of which the last has no compute slice of its own,
# and the A30 with four.
_ONE = _Row(1, 1, (0, 1, 2, 3, 4, 5, 6), 7, 19, 840)
_EIGHT = (
    _ONE,
    _ONE._replace(max_instances=1, smi_id=20, media=True),
    _Row(1, 2, (0, 2, 4, 6), 4, 15, 910),
    _Row(2, 2, (0, 2, 4), 3, 14, 910),
    _Row(3, 4, (0, 4), 2, 9, 970),
    _Row(4, 4, (0,), 1, 5, 970),
    _Row(7, 8, (0,), 1, 0, 980),
)
_FOUR = (
    _Row(1, 1, (0, 1, 2, 3), 4, 14, 960),
    _Row(1, 1, (0, 1, 2, 3), 1, 21, 960, media=True),
    _Row(2, 2, (0, 2), 2, 5, 970),
    _Row(2, 2, (0, 2), 1, 6, 970, media=True),
    _Row(4, 4, (0,), 1, 0, 970),
)

_Known = tuple[float | None, ...]
"""Of instances on 1, 2, 4 … memory slices, in GiB."""

_AMPERE = (14, 14, 14, 28, 42, 56, 98)
_HOPPER = (16, 16, 26, 32, 60, 64, 132)
_B200 = (18, 18, 30, 36, None, None, None)
_GB200 = (18, 18, 32, 38, None, None, None)
_UNKNOWN = (None,) * 7
_QUARTER = GIB // 4


def _board(
    name: str,
    sizes: tuple[int, ...],
    memory_gib: _Known,
    multiprocessors: tuple[int | None, ...],
    geometry: Evidence,
    rows: tuple[_Row, ...] = _EIGHT,
) -> Board:
    """`sizes` are the gigabytes in the names of instances on 1, 2, 4 … memory slices; the last one
    is the whole board, in GiB."""
    total_bytes = sizes[-1] * GIB
    slices = rows[-1].memory_slices
    profiles = []
    for row, processors in zip(rows, multiprocessors, strict=True):
        step = row.memory_slices.bit_length() - 1
        known = memory_gib[step]
        if known is None:
            share = total_bytes * row.memory_slices * row.leaves_milli // (slices * 1000)
            memory_bytes = share // _QUARTER * _QUARTER
        else:
            memory_bytes = round(known * GIB)
        profiles.append(
            Profile(
                name=f"{row.compute_slices}g.{sizes[step]}gb{'+me' if row.media else ''}",
                compute_slices=row.compute_slices,
                memory_slices=row.memory_slices,
                starts=row.starts,
                max_instances=row.max_instances,
                media=row.media,
                memory_bytes=memory_bytes,
                multiprocessors=processors,
                smi_id=row.smi_id,
                inferred=known is None,
            )
        )
    return Board(
        name=name,
        memory_slices=slices,
        compute_slices=rows[-1].compute_slices,
        memory_bytes=total_bytes,
        profiles=tuple(profiles),
        geometry=geometry,
    )


_NONE: _Known = (None,) * 4
_CAPTURED, _DOCUMENTED, _INFERRED = Evidence.CAPTURED, Evidence.DOCUMENTED, Evidence.INFERRED
_ALL = (
    _board("A100-40GB", (5, 10, 20, 40), (4.75, 9.62, 19.5, 39.25), _AMPERE, _CAPTURED),
    _board("A100-80GB", (10, 20, 40, 80), (9.62, 19.5, 39.25, 78.5), _AMPERE, _DOCUMENTED),
    _board("A30-24GB", (6, 12, 24), (5.81, 11.69, 23.44), (14, 14, 28, 28, 56), _CAPTURED, _FOUR),
    _board("H100-80GB", (10, 20, 40, 80), (9.75, 19.62, 39.5, 79.25), _HOPPER, _CAPTURED),
    _board("H100-94GB", (12, 24, 47, 94), (10.75, 21.62, 46.38, 93.12), _HOPPER, _CAPTURED),
    _board("H100-96GB", (12, 24, 48, 96), _NONE, _UNKNOWN, _INFERRED),
    _board("H200-141GB", (18, 35, 71, 141), (16, 32.25, 69.5, 139.75), _HOPPER, _INFERRED),
    # The smallest instance of a B200 has been seen with 20.5 and with 22 GiB: promised is the less.
    _board("B200-180GB", (23, 45, 90, 180), (20.5, 44.25, None, None), _B200, _DOCUMENTED),
    _board("GB200-186GB", (23, 47, 93, 186), (22, 45.5, None, None), _GB200, _DOCUMENTED),
    _board("GB200-189GB", (24, 47, 95, 189), (20, 45.5, None, None), _GB200, _INFERRED),
    _board("B300-269GB", (34, 67, 135, 269), _NONE, _UNKNOWN, _INFERRED),
    _board("GB300-278GB", (35, 70, 139, 278), _NONE, _UNKNOWN, _INFERRED),
)

BOARDS: Mapping[str, Board] = MappingProxyType({board.name: board for board in _ALL})

# The chip that a model's name tells, and whose boards it may be.
_CHIPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "A100": ("A100",),
        "A30": ("A30",),
        "H100": ("H100",),
        "GH200": ("H100",),
        "H200": ("H200",),
        "B200": ("B200",),
        "GB200": ("GB200",),
        "B300": ("B300",),
        "GB300": ("GB300",),
    }
)
