"""The two state machines: every state reaches an end, and ends are ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.lifecycle import (
    REPLICA_ENDS,
    REPLICA_HOLDS,
    REPLICA_TRANSITIONS,
    WORKLOAD_ENDS,
    WORKLOAD_TRANSITIONS,
    IllegalTransitionError,
    ReplicaEvent,
    ReplicaState,
    WorkloadEvent,
    WorkloadState,
    replica_next,
    workload_next,
)

MACHINES: list[Any] = [
    pytest.param(
        WorkloadState,
        WorkloadEvent,
        WORKLOAD_TRANSITIONS,
        WORKLOAD_ENDS,
        workload_next,
        id="workload",
    ),
    pytest.param(
        ReplicaState, ReplicaEvent, REPLICA_TRANSITIONS, REPLICA_ENDS, replica_next, id="replica"
    ),
]


def reachable(transitions: Mapping[tuple[Any, Any], Any], start: Any) -> set[Any]:
    seen, edge = {start}, [start]
    while edge:
        state = edge.pop()
        for (before, _), after in transitions.items():
            if before == state and after not in seen:
                seen.add(after)
                edge.append(after)
    return seen


@pytest.mark.parametrize(("states", "events", "transitions", "ends", "step"), MACHINES)
def test_every_state_reaches_every_end(
    states: Any, events: Any, transitions: Any, ends: Any, step: Any
) -> None:
    for state in set(states) - ends:
        assert ends <= reachable(transitions, state), state


@pytest.mark.parametrize(("states", "events", "transitions", "ends", "step"), MACHINES)
def test_every_state_is_reached_from_the_first(
    states: Any, events: Any, transitions: Any, ends: Any, step: Any
) -> None:
    assert reachable(transitions, next(iter(states))) == set(states)


@pytest.mark.parametrize(("states", "events", "transitions", "ends", "step"), MACHINES)
def test_every_move_is_in_the_table_or_raises_with_the_story(
    states: Any, events: Any, transitions: Any, ends: Any, step: Any
) -> None:
    for state in states:
        for event in events:
            if (state, event) in transitions:
                assert step(state, event) == transitions[state, event]
                continue
            with pytest.raises(IllegalTransitionError) as caught:
                step(state, event, subject="w-1", story=["first", "then"])
            assert caught.value.story == ("first", "then")
            assert (caught.value.state, caught.value.event) == (state, event)
            for word in ("w-1", str(state), str(event), "first", "then"):
                assert word in str(caught.value)


def test_an_ended_workload_stays_ended() -> None:
    assert not [move for move in WORKLOAD_TRANSITIONS if move[0] in WORKLOAD_ENDS]


def test_an_ended_replica_can_only_be_requeued() -> None:
    moves = {move: after for move, after in REPLICA_TRANSITIONS.items() if move[0] in REPLICA_ENDS}
    assert moves == {(end, ReplicaEvent.REQUEUED): ReplicaState.WAITING for end in REPLICA_ENDS}


def test_a_replica_holds_devices_from_its_placement_to_its_end() -> None:
    assert set(ReplicaState) == REPLICA_HOLDS | REPLICA_ENDS | {ReplicaState.WAITING}
    assert not REPLICA_HOLDS & REPLICA_ENDS
    for (before, _), after in REPLICA_TRANSITIONS.items():
        if before in REPLICA_HOLDS:
            # Devices are let go of by ending only, so that none is free while something runs.
            assert after in REPLICA_HOLDS | REPLICA_ENDS


@given(choices=st.lists(st.integers(0, 100), max_size=40))
def test_a_walk_never_leaves_the_table_and_can_always_be_stopped(choices: list[int]) -> None:
    state = WorkloadState.QUEUED
    for choice in choices:
        moves = sorted(event for before, event in WORKLOAD_TRANSITIONS if before == state)
        if not moves:
            assert state in WORKLOAD_ENDS
            return
        state = workload_next(state, moves[choice % len(moves)])
    if state in WORKLOAD_ENDS:
        return
    if state not in (WorkloadState.QUEUED, WorkloadState.STOPPING):
        state = workload_next(state, WorkloadEvent.STOP_REQUESTED)
    assert workload_next(state, WorkloadEvent.CANCELLED) is WorkloadState.CANCELLED
