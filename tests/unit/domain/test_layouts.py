"""Layouts as people write them, and the steps between any two."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.errors import UserError
from podium.domain.layouts import Act, Standing, layout_text, parse_layout, placed_of, steps_to
from podium.domain.mig import BOARDS, Board, Placed, is_legal, span_of

H100 = BOARDS["H100-80GB"]
A30 = BOARDS["A30-24GB"]


def text_of(layout: str, board: Board = H100, *standing: tuple[str, int]) -> str:
    return layout_text(parse_layout(board, layout, placed_of(board, standing)))


@pytest.mark.parametrize(
    ("layout", "found"),
    [
        ("3g.40gb@4,4x1g.10gb", "1g.10gb@0,1g.10gb@1,1g.10gb@2,1g.10gb@3,3g.40gb@4"),
        (" 3g.40gb @ 4 , 2 x 1g.10gb ", "1g.10gb@0,1g.10gb@1,3g.40gb@4"),
        ("1g.10gb,4g.40gb", "4g.40gb@0,1g.10gb@4"),
        ("2x3g.40gb", "3g.40gb@0,3g.40gb@4"),
        ("NONE", "none"),
    ],
)
def test_starts_are_chosen_so_that_all_fit(layout: str, found: str) -> None:
    assert text_of(layout) == found


def test_what_stands_stays_where_it_is() -> None:
    assert text_of("2x1g.10gb", H100, ("1g.10gb", 5)) == "1g.10gb@0,1g.10gb@5"
    assert text_of("3g.40gb,1g.10gb", H100, ("1g.10gb", 6)) == "3g.40gb@0,1g.10gb@6"


@pytest.mark.parametrize(
    ("layout", "words", "nearest"),
    [
        ("8x1g.10gb", "8 × 1g.10gb are more than the 7", "1g.10gb@6."),
        ("3g.40gb@0,1g.10gb@2", "3g.40gb at slice 0 and 1g.10gb at 2 overlap", "@0,1g.10gb@4."),
        ("2x3g.40gb,1g.10gb", "do not fit on H100-80GB together", "3g.40gb@0,3g.40gb@4."),
        ("2x1g.10gb+me", "2 × 1g.10gb+me are more than the 1", "1g.10gb+me@0."),
        ("3g.40gb@2", "3g.40gb cannot start at memory slice 2", "It can at 0, 4."),
        ("2x3g.40gb@0", "puts several instances at one start", "Name each start"),
        ("1g.5gb", "H100-80GB has no profile 1g.5gb", "It has 1g.10gb,"),
        ("17x1g.10gb", "names more than 16", "8 are the most"),
        ("", "'' is no instance", "or none"),
        ("1g.10gb,", "'' is no instance", "Write it like 3g.40gb@4,2x1g.10gb"),
    ],
)
def test_what_cannot_be_is_refused_with_the_nearest(layout: str, words: str, nearest: str) -> None:
    with pytest.raises(UserError) as told:
        parse_layout(H100, layout)
    (fault,) = told.value.faults
    assert words in fault.message
    assert nearest in fault.remedy


def test_only_one_instance_has_the_media_engines() -> None:
    with pytest.raises(UserError, match="only one instance can have the media engines"):
        parse_layout(A30, "1g.6gb+me,2g.12gb+me")


@st.composite
def legal(draw: st.DrawFn, board: Board) -> tuple[Placed, ...]:
    places = [(profile, start) for profile in board.profiles for start in profile.starts]
    found: tuple[Placed, ...] = ()
    for place in draw(st.permutations(places))[: draw(st.integers(0, len(places)))]:
        if is_legal(board, (*found, place)):
            found = (*found, place)
    return found


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_any_layout_leads_to_any_other(data: st.DataObject) -> None:
    """Every state on the way is legal, and nothing ends before its work has."""
    board = data.draw(st.sampled_from(list(BOARDS.values())))
    begin, wanted = data.draw(legal(board)), data.draw(legal(board))
    used = {each for each in begin if data.draw(st.booleans())}
    halves = {each for each in begin if each not in used and data.draw(st.integers(0, 9)) == 0}
    standing = [
        Standing(
            name=profile.name,
            start=start,
            size=profile.memory_slices,
            profile=profile,
            in_use=(profile, start) in used,
            whole=(profile, start) not in halves,
        )
        for profile, start in begin
    ]
    now, ended = set(begin), set()
    steps = steps_to(board, standing, wanted)
    for step in steps:
        (place,) = placed_of(board, [(step.profile, step.start)])
        match step.act:
            case Act.WAIT:
                ended.add(place)
            case Act.END:
                assert place not in used or place in ended, "it is in use"
                now.remove(place)
            case Act.MAKE:
                assert place not in now
                now.add(place)
        assert is_legal(board, now)
    assert now == set(wanted)
    untouched = set(begin) & set(wanted) - halves
    assert not {(step.profile, step.start) for step in steps} & {
        (profile.name, start) for profile, start in untouched
    }


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_layout_reads_as_it_is_written(data: st.DataObject) -> None:
    board = data.draw(st.sampled_from(list(BOARDS.values())))
    layout = data.draw(legal(board))
    assert set(parse_layout(board, layout_text(layout))) == set(layout)
    loose = ",".join(profile.name for profile, _ in layout) or "none"
    found = parse_layout(board, loose)
    assert sorted(each.name for each, _ in found) == sorted(each.name for each, _ in layout)


def test_an_instance_that_the_table_lacks_blocks_its_slices_only() -> None:
    strange = Standing(name="1c.4g", start=0, size=4, profile=None, in_use=True)
    wanted = placed_of(H100, [("1g.10gb", 0), ("3g.40gb", 4)])
    told = [str(each) for each in steps_to(H100, [strange], wanted)]
    assert told == [
        "Make 3g.40gb at slice 4.",
        "Wait for the work in 1c.4g at slice 0 to end.",
        "End 1c.4g at slice 0.",
        "Make 1g.10gb at slice 0.",
    ]
    assert span_of(*wanted[0]) == 1
