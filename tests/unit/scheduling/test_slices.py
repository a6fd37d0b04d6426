"""Masks and prices of MIG against brute force over single slices."""

from __future__ import annotations

import itertools
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.mig import BOARDS, GIB, Board, Placed, Profile, is_legal
from podium.scheduling.placing.slices import (
    MEDIA,
    WEIGHT_ONE,
    Mix,
    Need,
    Prices,
    best,
    free_mask,
    legal,
    price,
    room,
    starts_for,
    taken,
    weights,
)

A30, A100, H100, H200 = (
    BOARDS[name] for name in ("A30-24GB", "A100-40GB", "H100-80GB", "H200-141GB")
)
NEEDS = (
    Need(4 * GIB),
    Need(9 * GIB),
    Need(8 * GIB, 250),
    Need(18 * GIB),
    Need(30 * GIB, 500),
    Need(70 * GIB),
    Need(profile="1g.10gb"),
    Need(profile="1g.10gb+me"),
    Need(1, media=True),
)

boards = st.sampled_from([A30, A100, H100, H200])


@st.composite
def cuts(draw: st.DrawFn) -> tuple[Board, list[Placed]]:
    """A board with instances that came and went in a random legal order."""
    board = draw(boards)
    places = [(profile, start) for profile in board.profiles for start in profile.starts]
    placed: list[Placed] = []
    for place in draw(st.lists(st.sampled_from(places), max_size=12)):
        if place in placed:
            placed.remove(place)
        elif is_legal(board, [*placed, place]):
            placed.append(place)
    return board, placed


@st.composite
def mixes(draw: st.DrawFn, board: Board) -> Mix:
    needs = draw(st.lists(st.sampled_from(NEEDS), max_size=5, unique=True))
    return tuple(
        (need.on(board), draw(st.integers(1, WEIGHT_ONE // 8))) for need in needs if need.on(board)
    )


@given(cuts())
def test_a_mask_keeps_the_laws_of_the_board(cut: tuple[Board, list[Placed]]) -> None:
    board, placed = cut
    mask = free_mask(board, placed)
    for profile in board.profiles:
        could = tuple(
            start for start in profile.starts if is_legal(board, [*placed, (profile, start)])
        )
        assert starts_for(board, profile, mask) == could
        for start in range(board.memory_slices):
            assert legal(mask, profile, start) == (start in could)


@cache
def _most(board: Board, mask: int, profiles: tuple[Profile, ...]) -> int:
    """As many as can be made one after the other, tried in every order."""
    found = 0
    for profile in profiles:
        for start in profile.starts:
            if legal(mask, profile, start):
                found = max(found, 1 + _most(board, mask - taken(profile, start), profiles))
    return found


@settings(deadline=None)
@given(cuts(), st.sampled_from(NEEDS))
def test_room_is_the_most_that_fit(cut: tuple[Board, list[Placed]], need: Need) -> None:
    board, placed = cut
    mask = free_mask(board, placed)
    assert room(board, mask, *need.on(board)) == _most(board, mask, need.on(board))
    for profile in board.profiles:
        assert room(board, mask, profile) == _most(board, mask, (profile,))


@settings(deadline=None)
@given(cuts(), st.sampled_from(NEEDS), st.data())
def test_the_best_placement_is_legal_and_the_cheapest(
    cut: tuple[Board, list[Placed]], need: Need, data: st.DataObject
) -> None:
    board, placed = cut
    mix = data.draw(mixes(board))
    mask = free_mask(board, placed)
    costs = {
        (profile, start): _cost(board, mask, taken(profile, start), mix)
        for profile in need.on(board)
        for start in profile.starts
        if is_legal(board, [*placed, (profile, start)])
    }
    for (profile, start), cost in costs.items():
        assert price(board, mask, profile, start, mix) == cost >= 0
    choice = best(board, mask, need.on(board), mix)
    if choice is None:
        assert not costs
        return
    assert is_legal(board, [*placed, (choice.profile, choice.start)])
    assert choice.price == costs[choice.profile, choice.start] == min(costs.values())
    free = (mask & ~MEDIA).bit_count()
    assert choice.left == free - choice.profile.memory_slices
    alone = best(board, mask, (choice.profile,), mix)
    assert alone is not None
    assert alone.price == choice.price


def _cost(board: Board, mask: int, bits: int, mix: Mix) -> int:
    return sum(
        weight * (_most(board, mask, profiles) - _most(board, mask - bits, profiles))
        for profiles, weight in mix
    )


@pytest.mark.parametrize(
    ("held", "name", "start"),
    [
        ((), "1g.10gb", 6),  # beside the slice that only larger ones use; a 4g still fits
        ((), "1g.20gb", 6),
        ((), "3g.40gb", 4),  # the first half is the only place of a 4g
        ((("1g.10gb", 6),), "1g.10gb", 4),  # the same half; alike there, so the lower start
        ((("3g.40gb", 0),), "1g.10gb", 6),
        ((("1g.10gb", 6),), "2g.20gb", 4),
    ],
)
def test_equals_are_told_apart_on_purpose(
    held: tuple[tuple[str, int], ...], name: str, start: int
) -> None:
    """Without a mix nothing has a price."""
    placed = [(_named(H100, one), at) for one, at in held]
    choice = best(H100, free_mask(H100, placed), (_named(H100, name),), ())
    assert choice is not None
    assert choice.start == start


def test_a_larger_instance_over_the_same_slices_is_not_taken() -> None:
    choice = best(H100, free_mask(H100), Need(30 * GIB).on(H100), ())
    assert choice is not None
    assert choice.profile.name == "3g.40gb"


def test_frequent_and_scarce_needs_weigh_most() -> None:
    assert weights([5, 5], [10, 100])[0] > weights([5, 5], [10, 100])[1]
    assert weights([8, 2], [10, 10])[0] > weights([8, 2], [10, 10])[1]
    assert weights([0, 1], [0, 0]) == (0, WEIGHT_ONE)
    assert weights([], []) == ()


def test_whole_gpus_are_kept_for_those_who_need_them() -> None:
    """A small one goes to the board that the large ones cannot use."""
    prices = Prices(
        [(Need(4 * GIB), 60), (Need(70 * GIB), 40)],
        [(H100, free_mask(H100), 1), (A30, free_mask(A30), 1)],
    )
    small = Need(4 * GIB)
    whole = prices.choices(H100, small)[free_mask(H100)]
    other = prices.choices(A30, small)[free_mask(A30)]
    assert whole is not None
    assert other is not None
    assert other[:2] < whole[:2]
    assert prices.choices(A30, Need(70 * GIB))[free_mask(A30)] is None


def test_the_media_engines_are_for_one() -> None:
    media = _named(H100, "1g.10gb+me")
    mask = free_mask(H100, [(media, 0)])
    assert not mask & MEDIA
    assert starts_for(H100, media, mask) == ()
    assert room(H100, mask, media) == 0
    assert room(H100, mask, _named(H100, "1g.10gb")) == 6


def test_counts_follow_from_the_slices() -> None:
    """So a mask needs no counters: only of media engines can there be too many."""
    for board in BOARDS.values():
        for profile in board.profiles:
            spans = [(profile, start) for start in profile.starts]
            most = max(
                len(some)
                for count in range(len(spans) + 1)
                for some in itertools.combinations(spans, count)
                if is_legal(board, some)
            )
            assert most == profile.max_instances == room(board, free_mask(board), profile)


def _named(board: Board, name: str) -> Profile:
    profile = board.profile(name)
    assert profile is not None
    return profile
