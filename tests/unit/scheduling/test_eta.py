"""Expected starts: what can be known, what cannot, and how ranges follow from how they held."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.resources import DeviceShare, Topology, TopologyLevel
from podium.domain.workload import Kind
from podium.scheduling.forecast.chances import FUTURES_MAX, chance, runtime_ms
from podium.scheduling.forecast.eta import Eta, forecast
from podium.scheduling.forecast.runtimes import MOST
from podium.scheduling.forecast.track import Track
from podium.scheduling.order.queue import queue_order
from podium.scheduling.snapshot import Booking, Demand, Expected, Hold, Share, Snapshot
from unit.scheduling.cases import GIB, NOW_MS, node, request

HOUR_MS = 3_600_000
SURE = Expected(HOUR_MS, HOUR_MS)


def running(name: str, on: str, gpus: int, began_ms: int = NOW_MS, **changes: object) -> Hold:
    devices = tuple(DeviceShare(f"{on}-A100-{i}", 1000, 80 * GIB) for i in range(gpus))
    plain = Hold(
        allocation_id=f"a-{name}-{on}", workload_id=name, project="p", priority=50, node=on,
        cpu_milli=1000, memory_bytes=GIB, devices=devices, started_at_ms=began_ms,
        kind=Kind.TRAINING, expected=SURE,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def asks(name: str, gpus: int, replicas: int = 1, **changes: object) -> Demand:
    plain = Demand(
        workload_id=name, project="p", kind=Kind.TRAINING, priority=50, queued_at_ms=NOW_MS,
        request=request(gpus), pending_ranks=tuple(range(replicas)), minimum=replicas,
        expected=SURE,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def seen(holds: list[Hold], demands: list[Demand], nodes: int = 1, **changes: object) -> Snapshot:
    plain = Snapshot(
        nodes=tuple(node(f"n{at}", 4) for at in range(nodes)),
        holds=tuple(holds),
        demands=queue_order(demands),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def hours(etas: dict[str, Eta]) -> dict[str, int]:
    """Likely starts, rounded to hours from now."""
    return {key: round((eta.likely_ms - NOW_MS) / HOUR_MS) for key, eta in etas.items()}


def test_one_after_the_other() -> None:
    snapshot = seen(
        [running("r", "n0", 4)],
        [asks("first", 4), asks("second", 4, priority=40), asks("third", 2, priority=30)],
    )
    assert hours(forecast(snapshot, NOW_MS)) == {"first": 1, "second": 2, "third": 3}


def test_what_fits_starts_now() -> None:
    etas = forecast(seen([running("r", "n0", 2)], [asks("small", 2), asks("large", 4)]), NOW_MS)
    assert etas["small"] == Eta(NOW_MS, NOW_MS, NOW_MS)
    assert etas["large"].early_ms > NOW_MS


def test_a_gang_waits_for_whole_nodes_and_is_not_starved() -> None:
    old_ms = NOW_MS - 10 * HOUR_MS
    snapshot = seen(
        [running("r", "n0", 4), running("s", "n1", 4, expected=Expected(2 * HOUR_MS, 2 * HOUR_MS))],
        [asks("gang", 4, replicas=2, queued_at_ms=old_ms)]
        + [asks(f"small-{at}", 2) for at in range(8)],
        nodes=2,
    )
    etas = hours(forecast(snapshot, NOW_MS))
    assert etas["gang"] == 2
    assert etas["small-0"] == 3


def test_a_place_that_holds_all_of_it() -> None:
    snapshot = seen(
        [running("r", "n0", 4), running("s", "n1", 2)],
        [asks("pair", 2, replicas=2, topology=Topology(within=TopologyLevel.NODE))],
        nodes=2,
    )
    assert hours(forecast(snapshot, NOW_MS)) == {"pair": 1}


@pytest.mark.parametrize("kind", [Kind.SERVICE, Kind.WORKSPACE])
def test_nobody_knows_behind_endless_work(kind: Kind) -> None:
    snapshot = seen([running("r", "n0", 4, kind=kind)], [asks("w", 1)])
    assert forecast(snapshot, NOW_MS) == {}
    stopping = seen([running("r", "n0", 4, kind=kind, ending=True)], [asks("w", 1)])
    assert "w" in forecast(stopping, NOW_MS)


def test_booked_nodes_are_waited_for_by_others_only() -> None:
    booked = Booking(name="fix", nodes=("n0",), from_ms=NOW_MS - 1, until_ms=NOW_MS + 3 * HOUR_MS)
    snapshot = seen([], [asks("w", 4)], bookings=(booked,))
    assert hours(forecast(snapshot, NOW_MS)) == {"w": 3}
    later = replace(booked, from_ms=NOW_MS + HOUR_MS // 2)
    busy = seen([running("r", "n0", 4)], [asks("w", 4)], bookings=(later,))
    assert hours(forecast(busy, NOW_MS)) == {"w": 3}
    theirs = replace(booked, project="p")
    assert hours(forecast(seen([], [asks("w", 4)], bookings=(theirs,)), NOW_MS)) == {"w": 0}


def test_nobody_knows_what_fits_nowhere() -> None:
    snapshot = seen([running("r", "n0", 1)], [asks("large", 8), asks("small", 1)])
    assert list(forecast(snapshot, NOW_MS)) == ["small"]


def test_a_limit_of_its_share_holds_it_back() -> None:
    share = Share(name="p", project="p", limits=(("", 2000),))
    snapshot = seen([running("r", "n0", 2)], [asks("w", 2)], shares=(share,))
    assert hours(forecast(snapshot, NOW_MS)) == {"w": 1}
    assert hours(forecast(replace(snapshot, shares=()), NOW_MS)) == {"w": 0}


def test_tasks_of_an_array_start_with_the_first() -> None:
    tasks = replace(asks("array", 2, replicas=6), minimum=1)
    etas = forecast(seen([running("r", "n0", 4)], [tasks, asks("after", 4, priority=1)]), NOW_MS)
    assert hours(etas) == {"array": 1, "after": 4}


def test_what_is_late_goes_on_and_the_range_is_wider() -> None:
    fresh = Expected(HOUR_MS, 10 * HOUR_MS)
    late = running("r", "n0", 4, began_ms=NOW_MS - 20 * HOUR_MS, expected=fresh)
    soon = running("r", "n0", 4, expected=fresh)
    one = forecast(seen([late], [asks("w", 1)]), NOW_MS)["w"]
    two = forecast(seen([soon], [asks("w", 1)]), NOW_MS)["w"]
    assert one.likely_ms > two.likely_ms > NOW_MS
    assert two.late_ms - two.early_ms > HOUR_MS


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 4]), st.integers(1, 3)), min_size=1, max_size=12),
    st.integers(1, 3),
    st.integers(1, 100),
)
def test_it_is_pure_and_ordered(
    wants: list[tuple[int, int]], nodes: int, runs_minutes: int
) -> None:
    expected = Expected(runs_minutes * 60_000, runs_minutes * 200_000)
    snapshot = seen(
        [running(f"r{at}", f"n{at}", 4, expected=expected) for at in range(nodes)],
        [asks(f"w{at:02}", gpus, count) for at, (gpus, count) in enumerate(wants)],
        nodes=nodes,
    )
    etas = forecast(snapshot, NOW_MS)
    again = replace(snapshot, holds=snapshot.holds[::-1])
    assert forecast(snapshot, NOW_MS) == etas
    assert forecast(again, NOW_MS) == etas
    for at, (gpus, count) in enumerate(wants):
        assert (f"w{at:02}" in etas) == (gpus * count <= 4 * nodes)
    assert all(eta.early_ms >= NOW_MS for eta in etas.values())


@given(st.text(max_size=20))
def test_the_futures_of_a_name_cover_the_odds(name: str) -> None:
    found = sorted(chance(name, future) for future in range(FUTURES_MAX))
    assert found == [(at + 0.5) / FUTURES_MAX for at in range(FUTURES_MAX)]


def test_the_curve_goes_through_both_values() -> None:
    expected = Expected(HOUR_MS, 8 * HOUR_MS)
    assert abs(runtime_ms(expected, 0, 0.5) - HOUR_MS) <= 1
    assert abs(runtime_ms(expected, 0, MOST) - 8 * HOUR_MS) <= 1


@given(
    st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**12), st.floats(0.01, 0.99)
)
def test_some_time_is_always_left(likely: int, more: int, ran_ms: int, part: float) -> None:
    expected = Expected(likely, likely + more)
    left = runtime_ms(expected, ran_ms, part)
    assert left > ran_ms
    assert runtime_ms(expected, ran_ms, min(0.995, part + 0.005)) >= left


def test_ranges_follow_how_they_held() -> None:
    eta = Eta(NOW_MS + HOUR_MS, NOW_MS + 2 * HOUR_MS, NOW_MS + 3 * HOUR_MS)
    track = Track()
    before = track.widened(eta, NOW_MS)
    assert before.early_ms < eta.early_ms
    assert before.late_ms > eta.late_ms
    for _ in range(200):
        track.add(NOW_MS, eta, NOW_MS + 6 * HOUR_MS)
    after = track.widened(eta, NOW_MS)
    assert abs(after.likely_ms - NOW_MS - 6 * HOUR_MS) <= 10
    assert after.late_ms - after.early_ms < before.late_ms - before.early_ms
    # Who waits beyond what was likely counts before it has started.
    waiting = [(NOW_MS, eta)] * 200
    assert Track().widened(eta, NOW_MS + 20 * HOUR_MS, waiting).late_ms > before.late_ms


@given(
    st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 10**10)
)
def test_a_widened_range_stays_a_range(early: int, likely: int, late: int, came: int) -> None:
    eta = Eta(*(NOW_MS + each for each in sorted((early, likely, late))))
    track = Track()
    for _ in range(30):
        track.add(NOW_MS, eta, NOW_MS + came)
    found = track.widened(eta, NOW_MS)
    assert NOW_MS <= found.early_ms <= found.likely_ms <= found.late_ms
