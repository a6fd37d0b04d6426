"""Steps lead from one snapshot to the next, alone, joined, and through bytes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from podium.scheduling.replay.record import packed_value, unpacked_value
from podium.scheduling.replay.trail import (
    NOWHERE,
    Step,
    between,
    followed,
    rest_of,
    then,
    with_rest,
)
from podium.scheduling.snapshot import Past, Snapshot
from unit.scheduling.cases import demand
from unit.scheduling.explain.worlds import worlds

_some = settings(max_examples=80, deadline=None)


def in_order(at: Snapshot) -> Snapshot:
    return replace(at, holds=tuple(sorted(at.holds, key=lambda hold: hold.allocation_id)))


def way(one: Snapshot, other: Snapshot) -> Step:
    return with_rest(between(one, other), one, other)


@given(worlds(), worlds())
@_some
def test_a_step_leads_where_it_was_taken(one: Snapshot, other: Snapshot) -> None:
    other = replace(other, past=Past(3, (1, 2)))
    step = way(one, other)
    assert followed(one, [step]) == in_order(other)
    assert unpacked_value(Step, packed_value(step)) == step
    assert followed(other, [way(other, one)]) == in_order(one), "also where a past ends"
    assert way(one, one) == NOWHERE


@given(worlds(), worlds(), worlds())
@_some
def test_steps_are_joined(one: Snapshot, other: Snapshot, third: Snapshot) -> None:
    first, second = way(one, other), way(other, third)
    joined = then(first, second)
    assert followed(one, [first, second]) == followed(one, [joined]) == in_order(third)
    bare = then(between(one, other), between(other, third))
    assert followed(one, [with_rest(bare, rest_of(one), rest_of(third))]) == in_order(third)
    assert then(NOWHERE, second) is second
    assert then(second, NOWHERE) is second


def test_a_pause_is_made_now_and_then() -> None:
    pauses: list[int] = []
    empty = Snapshot(nodes=(), holds=(), demands=())
    full = replace(empty, demands=tuple(demand(f"w{number}") for number in range(1200)))
    step = between(empty, full, lambda: pauses.append(1))
    assert len(step.waiting) == step.size == 1200
    assert len(pauses) == 2
