"""Runtimes learnt from history, and what is left of them once work has outrun them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.workload import Kind
from podium.scheduling.forecast.runtimes import Like, Runtimes, revised, stem
from podium.scheduling.snapshot import Expected

MINUTE_MS = 60_000


def like(project: str = "p", name: str | None = None, gpu_milli: int = 1000) -> Like:
    return Like(
        project=project,
        kind=Kind.TRAINING,
        gpu_milli=gpu_milli,
        stem=None if name is None else stem(name),
    )


def test_nothing_is_said_of_nothing() -> None:
    assert Runtimes().expected(like()) is None
    assert Runtimes([(like(), MINUTE_MS)] * 2).expected(like()) is None


def test_the_most_like_work_counts_most() -> None:
    history = [(like("q"), 100 * MINUTE_MS)] * 200
    history += [(like("p", f"sweep-{at}"), 10 * MINUTE_MS) for at in range(40)]
    history += [(like("p", f"big-{at}", 8000), 500 * MINUTE_MS) for at in range(40)]
    known = Runtimes(history)
    found = {
        name: known.expected(like("p", name, gpus))
        for name, gpus in (("sweep-99", 1000), ("big-7", 8000), ("new", 8000))
    }
    likely = {name: one.likely_ms / MINUTE_MS for name, one in found.items() if one}
    assert 10 <= likely["sweep-99"] < 15
    assert 300 < likely["big-7"] <= 500
    assert 100 < likely["new"] <= likely["big-7"]
    other = known.expected(like("r"))
    assert other is not None
    assert other.likely_ms == pytest.approx(100 * MINUTE_MS, rel=0.01)


def test_one_odd_sample_moves_little() -> None:
    history = [(like("q"), 100 * MINUTE_MS)] * 20
    found = Runtimes([*history, (like("p"), 10_000 * MINUTE_MS)]).expected(like("p"))
    assert found is not None
    assert found.likely_ms < 300 * MINUTE_MS


def test_old_samples_are_forgotten() -> None:
    known = Runtimes([(like(), MINUTE_MS)] * 600 + [(like(), 10 * MINUTE_MS)] * 512)
    found = known.expected(like())
    assert found is not None
    assert found.likely_ms == pytest.approx(10 * MINUTE_MS, rel=0.01)


@given(st.lists(st.integers(0, 10**12), min_size=3, max_size=60))
def test_expected_lies_among_what_was_seen(history: list[int]) -> None:
    found = Runtimes((like(), ran_ms) for ran_ms in history).expected(like())
    assert found is not None
    assert min(history) * 0.999 <= found.likely_ms <= found.most_ms
    assert found.most_ms <= max(2, max(history) * 1.001)


def test_an_overrun_by_hand() -> None:
    """At its median half are left; the odds say that half of those end within 3^(1/k) of it."""
    before = Expected(10 * MINUTE_MS, 190 * MINUTE_MS)
    assert revised(before, 0) == before
    after = revised(before, 10 * MINUTE_MS)
    assert after.likely_ms == pytest.approx(30 * MINUTE_MS, rel=0.01)
    assert after.most_ms == pytest.approx(390 * MINUTE_MS, rel=0.01)


@given(
    st.integers(0, 10**11),
    st.integers(0, 10**11),
    st.integers(0, 10**12),
    st.integers(0, 10**12),
)
def test_revisions_only_grow_and_lie_ahead(one: int, other: int, ran_ms: int, more: int) -> None:
    before = Expected(min(one, other), max(one, other))
    after, later = revised(before, ran_ms), revised(before, ran_ms + more)
    assert after.likely_ms > ran_ms or ran_ms == 0
    assert before.likely_ms <= after.likely_ms <= later.likely_ms
    assert before.most_ms <= after.most_ms <= later.most_ms


def test_names_without_what_counts_them() -> None:
    assert stem("sweep-lr-017") == stem("sweep-lr-018") == "sweep-lr"
    assert stem("2024") == "2024"
