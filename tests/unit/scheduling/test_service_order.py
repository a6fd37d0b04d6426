"""The order by what was had: steps, bands learnt from history, and no preemption back and forth."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.scheduling.order import service_order
from podium.scheduling.order.service_order import (
    HUGE_SHARE,
    SMALL_SHARE,
    UNIT_MILLI_MS,
    UNKNOWN,
    Bands,
    Served,
    bands,
    census,
    huge_from,
    level,
    level_ends_milli_ms,
    may_preempt,
    next_change_ms,
    ordered_from,
    rank,
    step,
)

QUANTUM_MS = 600_000

attained = st.integers(0, 2**24).map(lambda units: units * UNIT_MILLI_MS // 256)
some_bands = st.tuples(st.integers(0, 20), st.integers(0, 12)).map(
    lambda pair: Bands(pair[0], pair[0] + pair[1])
)
works = st.builds(
    Served,
    st.text("ab", max_size=3),
    attained,
    st.integers(0, 10),
    st.none() | st.integers(0, 2 * QUANTUM_MS),
    st.integers(0, 2),
)


def test_levels_double() -> None:
    edges = [level_ends_milli_ms(at) for at in range(20)]
    assert edges[0] == UNIT_MILLI_MS
    assert all(later == 2 * earlier for earlier, later in pairwise(edges))
    assert [level(edge - 1) for edge in edges] == list(range(20))
    assert [level(edge) for edge in edges] == list(range(1, 21))
    assert level(10**40) == service_order.levels() - 1


def test_small_ordered_huge() -> None:
    by = Bands(4, 6)
    had = [0, UNIT_MILLI_MS, *(UNIT_MILLI_MS << at for at in range(1, 7))]
    steps = [step(one, by) for one in had]
    assert steps == sorted(steps)
    assert [level(one) for one in had] == list(range(8))
    assert len(set(steps[:4])) == 3
    assert steps[4] == steps[5] > steps[3]
    assert steps[6] == steps[7] > steps[5]


def test_among_equals_projects_within_their_due_then_age_then_id() -> None:
    one = Served("a", 0, 5)
    order = [one, replace(one, workload_id="b"), Served("a", 0, 6), Served("a", 0, 1, over=1)]
    mixed = [*order[2:], *order[:2]]
    assert sorted(mixed, key=lambda work: rank(work, UNKNOWN)) == order


@given(st.lists(works, unique_by=lambda work: work.workload_id, max_size=8), some_bands)
def test_the_order_is_total(found: list[Served], by: Bands) -> None:
    ranks = [rank(work, by) for work in found]
    assert len(set(ranks)) == len(ranks)


@given(attained, attained, some_bands)
def test_more_service_never_goes_earlier(one: int, other: int, by: Bands) -> None:
    less, more = sorted((one, other))
    assert step(less, by) <= step(more, by)


@given(works, works, some_bands, st.integers(0, 5 * QUANTUM_MS))
def test_two_never_have_a_right_to_each_others_place(
    one: Served, other: Served, by: Bands, now_ms: int
) -> None:
    first, second = replace(one, workload_id="1"), replace(other, workload_id="2")
    running = [
        replace(work, running_since_ms=work.running_since_ms or 0) for work in (first, second)
    ]
    taken = may_preempt(first, running[1], by, now_ms, QUANTUM_MS)
    assert not (taken and may_preempt(second, running[0], by, now_ms, QUANTUM_MS))


@given(
    st.lists(st.tuples(attained, st.integers(0, 3)), min_size=2, max_size=5),
    some_bands,
    st.integers(1, 8),
)
@settings(deadline=None)
def test_no_preemption_back_and_forth(rows: list[tuple[int, int]], by: Bands, gpus: int) -> None:
    """One place, all want it, looked at every minute for two days: whoever gets it keeps it for a
    quantum, and each change but the first is paid with a quantum of service."""
    waiting = [Served(str(at), had, queued) for at, (had, queued) in enumerate(rows)]
    waiting.sort(key=lambda work: rank(work, by))
    running = replace(waiting.pop(0), running_since_ms=0)
    for minute in range(1, 2 * 24 * 60):
        now_ms = minute * 60_000
        had = running.attained_milli_ms + 60_000 * 1000 * gpus
        running = replace(running, attained_milli_ms=had)
        waiting.sort(key=lambda work: rank(work, by))
        first = waiting[0]
        if may_preempt(first, running, by, now_ms, QUANTUM_MS):
            assert running.running_since_ms is not None
            assert now_ms - running.running_since_ms >= QUANTUM_MS
            stopped = replace(running, running_since_ms=None)
            waiting[0], running = stopped, replace(first, running_since_ms=now_ms)
            later_ms = now_ms + QUANTUM_MS
            assert not may_preempt(stopped, running, by, later_ms, QUANTUM_MS)


@given(st.lists(attained, max_size=300))
def test_bands_keep_to_their_shares(history: list[int]) -> None:
    seen = census(history)
    assert sum(seen.counts) == len(history)
    assert sum(seen.services_milli_ms) == sum(history)
    small = ordered_from(seen)
    if small > 1 and sum(history):
        edge = level_ends_milli_ms(small - 1)
        part, whole = SMALL_SHARE
        assert sum(min(one, edge) for one in history) * whole <= part * sum(history)
    part, whole = HUGE_SHARE
    huge = huge_from(seen.counts)
    among = sum(level(one) >= huge for one in history)
    assert among * whole <= part * len(history)
    by = bands(small, seen.counts)
    assert by.ordered_from <= by.huge_from


def test_nothing_is_huge_among_few_and_all_is_small_at_first() -> None:
    assert bands(ordered_from(census([])), census([]).counts) == UNKNOWN
    assert huge_from(census([2**60] * 100).counts) > level(2**60)
    history = [UNIT_MILLI_MS] * 999 + [UNIT_MILLI_MS << 20]
    assert level(UNIT_MILLI_MS << 20) >= huge_from(census(history).counts) > level(UNIT_MILLI_MS)


@given(attained, st.integers(1, 64_000))
def test_the_next_level_is_met_on_the_millisecond(had: int, gpu_milli: int) -> None:
    work = Served("a", had, 0)
    at_ms = next_change_ms(work, gpu_milli, 1000)
    assert level(had + (at_ms - 1000) * gpu_milli) > level(had)
    assert level(had + (at_ms - 1001) * gpu_milli) == level(had)
