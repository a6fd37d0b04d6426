"""Which work to start again elsewhere so that larger MIG instances fit: `podium mig pack`.

`intake/layouts` asks. Only work that has saved what it did is moved; every move has a place to go
to, and the result is counted, not hoped for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from podium.domain.mig import Board, Profile, is_legal
from podium.scheduling.placing.slices import best, free_mask, room, taken

MOVES_MAX = 8
"""So much work is moved at once at most."""

_GPUS_MAX = 400
"""Beyond so many GPUs of one board only the fullest that are not full are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """What one allocation has of a GPU; only those with a `workload_id` can be moved."""

    profile: Profile
    start: int
    workload_id: str = ""
    cpu_milli: int = 0
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A GPU that Podium may cut, and what is held of it. `key` is the device's id; `pool` what
    keeps work apart: it moves between GPUs of the same only."""

    key: str
    node: str
    board: Board
    pool: tuple[str, ...] = ()
    tenants: tuple[Tenant, ...] = ()

    @property
    def mask(self) -> int:
        return free_mask(self.board, [(each.profile, each.start) for each in self.tenants])


class Shift(NamedTuple):
    """One piece of work, from where, and where it would fit."""

    workload_id: str
    profile: str
    source: str
    source_start: int
    target: str
    target_start: int


class Packed(NamedTuple):
    """`rooms` are (board, profile, how many fit now, and after), the largest profile first."""

    shifts: tuple[Shift, ...]
    rooms: tuple[tuple[str, str, int, int], ...]


Spare = Mapping[str, tuple[int, int]]
"""By node, the CPUs in thousandths and the bytes of memory that are free."""


def pack(cards: Sequence[Card], spare: Spare, *, moves_max: int = MOVES_MAX) -> Packed:
    """Again and again the moves after which most room for large instances is won for each piece
    of work that moves; none where nothing is won."""
    left = dict(spare)
    now = {card.key: card for card in cards if is_legal(card.board, _placed(card))}
    shifts: list[Shift] = []
    while len(shifts) < moves_max:
        moved = {each.workload_id for each in shifts}
        found = _best_moves(now, left, moves_max - len(shifts), moved)
        if found is None:
            break
        for shift in found:
            gone = _apply(now, shift)
            _take(left, now[shift.source].node, gone, sign=1)
            _take(left, now[shift.target].node, gone, sign=-1)
            shifts.append(shift)
    before = {card.key: card for card in cards if card.key in now}
    return Packed(tuple(shifts), tuple(_rooms(before, now)))


def _best_moves(
    cards: dict[str, Card], spare: Spare, moves_max: int, moved: set[str]
) -> tuple[Shift, ...] | None:
    """Of all GPUs: all that can be moved off it, or one piece of it."""
    chosen: tuple[tuple[int, int, str], tuple[Shift, ...]] | None = None
    for card in _looked_at(cards):
        movable = [
            each for each in card.tenants if each.workload_id and each.workload_id not in moved
        ]
        groups: list[list[Tenant]] = [[each] for each in movable]
        if 1 < len(movable) <= moves_max:
            groups.append(movable)
        for group in groups:
            shifts = _placed_elsewhere(cards, spare, card, group)
            if shifts is None:
                continue
            gain = _gain(cards, shifts)
            if gain <= 0:
                continue
            key = (-gain // len(shifts), len(shifts), card.key)
            if chosen is None or key < chosen[0]:
                chosen = key, shifts
    return None if chosen is None else chosen[1]


def _looked_at(cards: dict[str, Card]) -> list[Card]:
    """Those with something to move, the emptiest first: they are emptied at the least cost."""
    able = [card for card in cards.values() if any(each.workload_id for each in card.tenants)]
    able.sort(key=lambda card: (sum(one.profile.memory_slices for one in card.tenants), card.key))
    return able[:_GPUS_MAX]


def _placed_elsewhere(
    cards: dict[str, Card], spare: Spare, card: Card, group: Sequence[Tenant]
) -> tuple[Shift, ...] | None:
    """Each to the GPU where least is lost, the largest first; None unless all have a place."""
    masks: dict[str, int] = {}
    left = dict(spare)
    alike = [
        other
        for other in cards.values()
        if other.board == card.board and other.pool == card.pool and other.key != card.key
    ]
    found: list[Shift] = []
    for each in sorted(group, key=lambda one: (-one.profile.memory_slices, one.start)):
        least: tuple[tuple[int, int, str], int] | None = None
        for other in alike:
            if other.node != card.node and not _has(left, other.node, each):
                continue
            mask = masks.get(other.key, other.mask)
            choice = best(card.board, mask, (each.profile,), ())
            if choice is None:
                continue
            after = mask - taken(each.profile, choice.start)
            lost = _value(card.board, mask) - _value(card.board, after)
            key = (lost, choice.left, other.key)
            if least is None or key < least[0]:
                least = key, choice.start
        if least is None:
            return None
        (_, _, target), start = least
        mask = masks.get(target, cards[target].mask)
        masks[target] = mask - taken(each.profile, start)
        if cards[target].node != card.node:
            _take(left, cards[target].node, each, sign=-1)
        found.append(
            Shift(each.workload_id, each.profile.name, card.key, each.start, target, start)
        )
    return tuple(found)


def _gain(cards: dict[str, Card], shifts: Iterable[Shift]) -> int:
    after = dict(cards)
    touched: set[str] = set()
    for shift in shifts:
        _apply(after, shift)
        touched |= {shift.source, shift.target}
    return sum(
        _value(after[key].board, after[key].mask) - _value(cards[key].board, cards[key].mask)
        for key in touched
    )


def _value(board: Board, mask: int) -> int:
    """Room for every profile, where that of a large one counts for more."""
    return sum(
        room(board, mask, profile) * profile.memory_slices * profile.memory_slices
        for profile in board.profiles
    )


def _has(spare: Spare, node: str, tenant: Tenant) -> bool:
    cpu_milli, memory_bytes = spare.get(node, (0, 0))
    return cpu_milli >= tenant.cpu_milli and memory_bytes >= tenant.memory_bytes


def _take(spare: dict[str, tuple[int, int]], node: str, tenant: Tenant, *, sign: int) -> None:
    cpu_milli, memory_bytes = spare.get(node, (0, 0))
    spare[node] = (
        cpu_milli + sign * tenant.cpu_milli,
        memory_bytes + sign * tenant.memory_bytes,
    )


def _apply(cards: dict[str, Card], shift: Shift) -> Tenant:
    """Returns who moved."""
    source, target = cards[shift.source], cards[shift.target]
    gone = next(
        each
        for each in source.tenants
        if (each.workload_id, each.start) == (shift.workload_id, shift.source_start)
    )
    left = tuple(each for each in source.tenants if each is not gone)
    cards[source.key] = replace(source, tenants=left)
    came = replace(gone, start=shift.target_start)
    cards[target.key] = replace(target, tenants=(*target.tenants, came))
    return gone


def _rooms(before: dict[str, Card], after: dict[str, Card]) -> Iterator[tuple[str, str, int, int]]:
    boards = {card.board.name: card.board for card in before.values()}
    for name in sorted(boards):
        board = boards[name]
        mine = [key for key, card in before.items() if card.board == board]
        for profile in sorted(
            board.profiles, key=lambda one: (-one.memory_slices, -one.compute_slices, one.media)
        ):
            counts = [
                sum(room(board, cards[key].mask, profile) for key in mine)
                for cards in (before, after)
            ]
            yield name, profile.name, counts[0], counts[1]


def _placed(card: Card) -> list[tuple[Profile, int]]:
    return [(each.profile, each.start) for each in card.tenants]
