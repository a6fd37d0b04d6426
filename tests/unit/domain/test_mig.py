"""The geometry of MIG: the table against what is known of it, and its laws against brute force."""

from __future__ import annotations

import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.mig import (
    BOARDS,
    GIB,
    Board,
    Evidence,
    Placed,
    Profile,
    board_of,
    is_legal,
    layouts,
)

MIB = 2**20
A30 = BOARDS["A30-24GB"]
H100 = BOARDS["H100-80GB"]
EIGHTS = [board for board in BOARDS.values() if board.memory_slices == 8]


def _plain(board: Board) -> list[Profile]:
    return [profile for profile in board.profiles if not profile.media]


def _one(board: Board, name: str) -> Profile:
    profile = board.profile(name)
    assert profile is not None
    return profile


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_a_row_is_sound(board: Board) -> None:
    assert len({profile.name for profile in board.profiles}) == len(board.profiles)
    assert len({profile.smi_id for profile in board.profiles}) == len(board.profiles)
    slice_bytes = board.memory_bytes / board.memory_slices
    for profile in board.profiles:
        assert len(profile.starts) >= profile.max_instances
        assert all(0 <= at <= board.memory_slices - profile.memory_slices for at in profile.starts)
        assert 0.8 < profile.memory_bytes / (slice_bytes * profile.memory_slices) <= 1
        assert profile.compute_slices <= board.compute_slices
        assert board.profile(profile.name) is profile
    whole = board.profiles[-1]
    assert (whole.memory_slices, whole.compute_slices) == (
        board.memory_slices,
        board.compute_slices,
    )


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_names_follow_the_makers_rule(board: Board) -> None:
    """Eighths of the whole memory, rounded up, times the gigabytes of the board, rounded."""
    total_gib = board.memory_bytes / GIB
    for profile in board.profiles:
        eighths = -(-8 * profile.memory_bytes // board.memory_bytes)
        size = int(eighths / 8 * total_gib + 0.5)
        media = "+me" if profile.media else ""
        assert profile.name == f"{profile.compute_slices}g.{size}gb{media}"


@pytest.mark.parametrize("board", EIGHTS, ids=lambda board: board.name)
def test_eight_slices_have_as_many_layouts_as_the_maker_says(board: Board) -> None:
    plain = _plain(board)
    single = [one for one in plain if (one.compute_slices, one.memory_slices) != (1, 2)]
    assert len(layouts(board, single)) == 19
    assert len(layouts(board, plain)) == 78


def test_four_slices_have_five_layouts() -> None:
    assert len(layouts(A30, _plain(A30))) == 5


@pytest.mark.parametrize("board", [A30, H100], ids=lambda board: board.name)
def test_layouts_are_legal_maximal_and_different(board: Board) -> None:
    found = layouts(board)
    assert len({frozenset(layout) for layout in found}) == len(found)
    places = [(profile, start) for profile in board.profiles for start in profile.starts]
    for layout in found:
        assert is_legal(board, layout)
        assert [start for _, start in layout] == sorted(start for _, start in layout)
        assert sum(profile.compute_slices for profile, _ in layout) <= board.compute_slices
        assert not any(is_legal(board, (*layout, place)) for place in places)


def test_every_legal_set_on_four_slices_is_part_of_a_layout() -> None:
    places = [(profile, start) for profile in A30.profiles for start in profile.starts]
    whole = [set(layout) for layout in layouts(A30)]
    legal = 0
    for count in range(5):
        for placed in itertools.combinations(places, count):
            if is_legal(A30, placed):
                legal += 1
                assert any(set(placed) <= layout for layout in whole)
    assert legal > len(whole)


@given(st.data())
def test_legal_is_what_the_laws_say(data: st.DataObject) -> None:
    board = data.draw(st.sampled_from([A30, H100]))
    one = st.tuples(st.sampled_from(board.profiles), st.integers(0, 7))
    placed: list[Placed] = data.draw(st.lists(one, max_size=5))
    covered = [at + k for profile, at in placed for k in range(profile.memory_slices)]
    names = [profile.name for profile, _ in placed]
    assert is_legal(board, placed) == (
        all(at in profile.starts for profile, at in placed)
        and len(covered) == len(set(covered))
        and all(names.count(p.name) <= p.max_instances for p, _ in placed)
        and sum(profile.media for profile, _ in placed) <= 1
    )


def test_a_profile_of_another_board_is_not_legal() -> None:
    other = _one(BOARDS["A100-80GB"], "1g.10gb")
    assert not is_legal(H100, [(other, 0)])


def test_a_three_at_the_first_start_is_in_the_way_of_a_four() -> None:
    three, four = _one(H100, "3g.40gb"), _one(H100, "4g.40gb")
    assert not is_legal(H100, [(three, 0), (four, 0)])
    assert is_legal(H100, [(three, 4), (four, 0)])


@pytest.mark.parametrize(
    ("model", "memory_mib", "name"),
    [
        ("NVIDIA A100-SXM4-40GB", 40960, "A100-40GB"),
        ("NVIDIA A100 80GB PCIe", 81920, "A100-80GB"),
        ("NVIDIA A30", 24576, "A30-24GB"),
        ("NVIDIA H100 80GB HBM3", 81559, "H100-80GB"),
        ("NVIDIA H100 NVL", 95830, "H100-94GB"),
        ("NVIDIA GH200 480GB", 97871, "H100-96GB"),
        ("NVIDIA H200", 143771, "H200-141GB"),
        ("NVIDIA B200", 183359, "B200-180GB"),
        ("NVIDIA GB200", 189471, "GB200-186GB"),
        ("Virtual H100", 81920, "H100-80GB"),
    ],
)
def test_a_board_is_known_by_its_model_and_memory(model: str, memory_mib: int, name: str) -> None:
    board = board_of(model, memory_mib * MIB)
    assert board is not None
    assert board.name == name


@pytest.mark.parametrize(
    ("model", "memory_mib"),
    [("NVIDIA L4", 23034), ("NVIDIA A10", 23028), ("Tesla T4", 15360), ("NVIDIA H100", 40960)],
)
def test_what_is_not_in_the_table_has_no_board(model: str, memory_mib: int) -> None:
    assert board_of(model, memory_mib * MIB) is None


def test_a_need_is_met_by_the_smallest_first() -> None:
    names = [profile.name for profile in H100.fitting(15 * GIB)]
    assert names == ["1g.20gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"]
    half = [profile.name for profile in H100.fitting(1, compute_milli=500)]
    assert half == ["4g.40gb", "7g.80gb"]
    assert [profile.name for profile in H100.fitting(1, media=True)] == ["1g.10gb+me"]
    assert H100.fitting(80 * GIB) == ()


def test_what_is_inferred_says_so() -> None:
    assert BOARDS["H100-96GB"].geometry is Evidence.INFERRED
    assert all(profile.inferred for profile in BOARDS["H100-96GB"].profiles)
    assert H100.geometry is Evidence.CAPTURED
    assert not any(profile.inferred for profile in H100.profiles)


def test_a_board_stays_the_same_in_another_process() -> None:
    again = pickle.loads(pickle.dumps(H100))
    assert again == H100
    assert {again: 1}[H100] == 1
