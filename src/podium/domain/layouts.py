"""MIG layouts as people write them, and the steps from one to another.

Intake reads a layout and shows the steps, the driver's side (`engines/devices/relayout`) does the
first of them, looks again, and so on. No state on the way breaks the geometry, and what is in use
is never touched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from podium.domain.errors import FieldFault, UserError
from podium.domain.mig import Board, Placed, Profile, is_legal, span_of

NONE = "none"
"""How people write the layout without any instance."""

FIELD = "layout"
_ITEM = re.compile(r"(?:(\d{1,2})\s*[x×]\s*)?([0-9]g\.[0-9]+gb(?:\+me)?)(?:\s*@\s*(\d{1,2}))?")
_ITEMS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An instance that a driver told of. `profile` is None for one that its board's table does not
    have; `whole`: one compute instance has all of it, so that work can run on it."""

    name: str
    start: int
    size: int
    profile: Profile | None
    in_use: bool = False
    whole: bool = True

    @property
    def placed(self) -> Placed | None:
        return None if self.profile is None else (self.profile, self.start)


class Act(StrEnum):
    """What a step does."""

    TURN_ON = "turn_on"  # MIG mode
    END = "end"
    WAIT = "wait"  # until the work in it has ended
    MAKE = "make"


@dataclass(frozen=True, slots=True)
class Step:
    """`profile` and `start` say of which instance; both are empty for TURN_ON."""

    act: Act
    profile: str = ""
    start: int = 0

    def __str__(self) -> str:
        where = f"{self.profile} at slice {self.start}"
        match self.act:
            case Act.TURN_ON:
                return "Turn MIG on."
            case Act.END:
                return f"End {where}."
            case Act.WAIT:
                return f"Wait for the work in {where} to end."
            case Act.MAKE:
                return f"Make {where}."


def steps_to(
    board: Board, standing: Iterable[Standing], wanted: Iterable[Placed]
) -> tuple[Step, ...]:
    """From what stands to a legal layout: first what is idle and not wanted ends, then all is made
    that has room, and the rest as the work in the way ends. Empty when it stands."""
    missing = sorted(wanted, key=_largest_first)
    beside: list[Standing] = []
    steps: list[Step] = []
    used: list[Standing] = []
    for each in sorted(standing, key=lambda one: one.start):
        if each.whole and each.placed in missing:
            missing.remove(each.placed)
            beside.append(each)
        elif each.in_use:
            used.append(each)
        else:
            steps.append(Step(Act.END, each.name, each.start))
    waiting = list(used)

    def make() -> Iterator[Step]:
        for placed in list(missing):
            if _has_room(board, placed, [*beside, *waiting]):
                missing.remove(placed)
                beside.append(_made(placed))
                yield Step(Act.MAKE, placed[0].name, placed[1])

    steps += make()
    for each in used:
        steps += (
            Step(Act.WAIT, each.name, each.start),
            Step(Act.END, each.name, each.start),
        )
        waiting.remove(each)
        steps += make()
    assert not missing, "a legal layout can be reached"
    return tuple(steps)


def layout_text(placed: Iterable[Placed]) -> str:
    """`"3g.40gb@0,1g.10gb@4"`, in the order of starts; `none` for an empty one."""
    ordered = sorted(placed, key=lambda each: each[1])
    return ",".join(f"{profile.name}@{start}" for profile, start in ordered) or NONE


def parse_layout(board: Board, text: str, standing: Collection[Placed] = ()) -> tuple[Placed, ...]:
    """`"3g.40gb@4,4x1g.10gb"`: instances by their starts. Where none is given one is chosen so that
    all fit, if possible where such an instance is `standing`. Raises UserError with what is wrong
    and the nearest layout that can be."""
    wanted = tuple(_read(board, text))
    fixed = [(profile, start) for profile, start in wanted if start is not None]
    loose = [profile for profile, start in wanted if start is None]
    if is_legal(board, fixed):
        found = _chosen(board, fixed, loose, frozenset(standing))
        if found is not None:
            return found
    raise UserError(_fault(board, fixed, loose))


def placed_of(board: Board, instances: Iterable[tuple[str, int]]) -> tuple[Placed, ...]:
    """By name; what the board does not have is left out."""
    found = ((board.profile(name), start) for name, start in instances)
    return tuple((profile, start) for profile, start in found if profile is not None)


def _read(board: Board, text: str) -> Iterator[tuple[Profile, int | None]]:
    words = text.strip().lower()
    if words == NONE:
        return
    items = words.split(",")
    total = 0
    for item in items:
        match = _ITEM.fullmatch(item.strip())
        if match is None:
            raise UserError(
                FieldFault(
                    FIELD,
                    f"'{item.strip()[:40]}' is no instance.",
                    f"Write it like {_example(board)}, or none.",
                )
            )
        count, name, start = match.groups()
        profile = board.profile(name)
        if profile is None:
            known = ", ".join(each.name for each in board.profiles)
            raise UserError(
                FieldFault(FIELD, f"{board.name} has no profile {name}.", f"It has {known}.")
            )
        if count and start:
            raise UserError(
                FieldFault(
                    FIELD,
                    f"'{item.strip()[:40]}' puts several instances at one start.",
                    "Name each start, or leave it out.",
                )
            )
        if start and int(start) not in profile.starts:
            raise UserError(
                FieldFault(
                    FIELD,
                    f"{name} cannot start at memory slice {start}.",
                    f"It can at {', '.join(map(str, profile.starts))}.",
                )
            )
        total += int(count or 1)
        if total > _ITEMS_MAX:
            most = board.memory_slices
            raise UserError(
                FieldFault(
                    FIELD, f"names more than {_ITEMS_MAX} instances.", f"{most} are the most."
                )
            )
        for _ in range(int(count or 1)):
            yield profile, int(start) if start else None


def _example(board: Board) -> str:
    """Half of the board in one, the rest in the smallest."""
    small = board.profiles[0].name
    half = next(each for each in board.profiles if each.memory_slices * 2 == board.memory_slices)
    return f"{half.name}@{half.starts[-1]},2x{small}"


def _chosen(
    board: Board, fixed: Sequence[Placed], loose: Sequence[Profile], preferred: frozenset[Placed]
) -> tuple[Placed, ...] | None:
    """With a start for each, the largest first; None where they do not all fit."""
    rest = sorted(loose, key=lambda one: (-one.memory_slices, one.media, -one.compute_slices))

    def placed(at: int, done: tuple[Placed, ...], begin: int = 0) -> tuple[Placed, ...] | None:
        if at == len(rest):
            return done
        profile = rest[at]
        order = sorted(profile.starts, key=lambda start: (profile, start) not in preferred)
        for number in range(begin, len(order)):
            more = (*done, (profile, order[number]))
            if is_legal(board, more):
                # Equal ones in one order only, or the search would take all their permutations.
                same = at + 1 < len(rest) and rest[at + 1] == profile
                found = placed(at + 1, more, number + 1 if same else 0)
                if found is not None:
                    return found
        return None

    found = placed(0, tuple(fixed))
    return None if found is None else tuple(sorted(found, key=lambda each: each[1]))


def _fault(board: Board, fixed: Sequence[Placed], loose: Sequence[Profile]) -> FieldFault:
    profiles = [*(profile for profile, _ in fixed), *loose]
    counts = Counter(profiles)
    many = next((each for each in counts if counts[each] > each.max_instances), None)
    if many is not None:
        words = f"{counts[many]} × {many.name} are more than the {many.max_instances} that can be."
    elif sum(profile.media for profile in profiles) > 1:
        words = "only one instance can have the media engines."
    else:
        words = _overlap(fixed) or f"these instances do not fit on {board.name} together."
    return FieldFault(FIELD, words, f"The nearest that can be is {_nearest(board, profiles)}.")


def _overlap(fixed: Sequence[Placed]) -> str:
    for number, (profile, start) in enumerate(fixed):
        for other, at in fixed[:number]:
            if span_of(profile, start) & span_of(other, at):
                return f"{other.name} at slice {at} and {profile.name} at {start} overlap."
    return ""


def _nearest(board: Board, profiles: Sequence[Profile]) -> str:
    """The same instances where they fit; else without as few as possible, small ones first."""
    ordered = tuple(sorted(profiles, key=lambda one: (one.memory_slices, one.media, one.name)))
    level = [ordered]
    while True:
        below: dict[tuple[Profile, ...], None] = {}
        for each in level:
            found = _chosen(board, (), each, frozenset()) if _may_fit(board, each) else None
            if found is not None:
                return layout_text(found)
            for at in range(len(each)):
                below[each[:at] + each[at + 1 :]] = None
        level = list(below)


def _may_fit(board: Board, profiles: Sequence[Profile]) -> bool:
    """A quick look before the long one."""
    counts = Counter(profiles)
    return (
        sum(each.memory_slices for each in profiles) <= board.memory_slices
        and sum(each.compute_slices for each in profiles) <= board.compute_slices
        and all(count <= each.max_instances for each, count in counts.items())
    )


def _largest_first(placed: Placed) -> tuple[int, int]:
    return -placed[0].memory_slices, placed[1]


def _made(placed: Placed) -> Standing:
    profile, start = placed
    return Standing(name=profile.name, start=start, size=profile.memory_slices, profile=profile)


def _has_room(board: Board, placed: Placed, beside: Sequence[Standing]) -> bool:
    known = [each.placed for each in beside if each.placed is not None]
    strange = [each for each in beside if each.placed is None]
    profile, start = placed
    end = start + profile.memory_slices
    return is_legal(board, [*known, placed]) and not any(
        each.start < end and start < each.start + each.size for each in strange
    )
