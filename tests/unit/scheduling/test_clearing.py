"""Who has to leave when a booking begins."""

from __future__ import annotations

from dataclasses import replace

from podium.domain.resources import DeviceShare
from podium.scheduling.evolution import evolved
from podium.scheduling.plan import Placement, Preemption
from podium.scheduling.snapshot import Booking, Hold, Snapshot
from podium.scheduling.waiting.clearing import booking_named, clearing, leaving_holds
from unit.scheduling.cases import GIB, NOW_MS, hold, node, snapshot

HOUR_MS = 3_600_000
N1, N2, N3 = node("n1", 4), node("n2", 4), node("n3", 4)
FIRMWARE = Booking(name="firmware", nodes=("n1",), from_ms=NOW_MS, until_ms=NOW_MS + HOUR_MS)


def stands(at: str, rank: int = 0, name: str = "w", project: str = "p", **changes: object) -> Hold:
    """One GPU for half an hour so far."""
    shares = (DeviceShare(f"{at}-A100-{rank % 4}", 1000, 80 * GIB),)
    found = hold(Placement(name, rank, at, 1000, GIB, shares), project)
    facts: dict[str, object] = {
        "rank": rank, "preemptible": True, "started_at_ms": NOW_MS - HOUR_MS // 2, **changes,
    }  # fmt: skip
    return replace(found, **facts)  # type: ignore[arg-type]


def booked(*holds: Hold, bookings: tuple[Booking, ...] = (FIRMWARE,)) -> Snapshot:
    return replace(snapshot([N1, N2, N3], [], list(holds)), bookings=bookings)


def asked(*holds: Hold, now_ms: int = NOW_MS, **more: tuple[Booking, ...]) -> list[Preemption]:
    return list(clearing(booked(*holds, **more), now_ms))


def ranks(*holds: Hold, **more: tuple[Booking, ...]) -> dict[str, tuple[int, ...]]:
    return {each.workload_id: each.ranks for each in asked(*holds, **more)}


def test_what_stands_there_goes_when_it_begins_and_not_before() -> None:
    single, elsewhere = stands("n1"), stands("n2", name="elsewhere")
    assert asked(single, elsewhere, now_ms=NOW_MS - 1) == []
    assert asked(single, elsewhere, now_ms=NOW_MS + HOUR_MS) == []
    (one,) = asked(single, elsewhere)
    assert (one.workload_id, one.ranks) == ("w", (0,))
    assert booking_named(one.in_favour_of) == "firmware"
    assert one.justification == "its node n1 is booked for maintenance now"
    assert one.lost_milli_ms == 1000 * HOUR_MS // 2
    assert booking_named("w-01k2x5e8g7h3m9qz") is None


def test_what_was_saved_is_not_lost() -> None:
    (one,) = asked(stands("n1", saved_at_ms=NOW_MS - 1000))
    assert one.lost_milli_ms == 1000 * 1000


def test_the_projects_own_work_and_what_may_not_be_stopped_stay() -> None:
    paper = replace(FIRMWARE, name="paper", project="p")
    assert ranks(stands("n1"), stands("n1", name="x", project="q"), bookings=(paper,)) == {
        "x": (0,)
    }
    assert ranks(stands("n1", preemptible=False)) == {}
    assert ranks(stands("n1", preemptible=False, ending=True)) == {}, "it is on its way already"


def test_young_work_goes_too() -> None:
    assert ranks(stands("n1", safe_until_ms=NOW_MS + HOUR_MS)) == {"w": (0,)}


def test_a_gang_goes_whole() -> None:
    gang = [stands(at, rank, minimum=3) for rank, at in enumerate(("n2", "n1", "n3"))]
    assert ranks(*gang) == {"w": (0, 1, 2)}
    assert ranks(*gang[:2]) == {"w": (0, 1)}, "one that has lost a replica, too"


def test_an_elastic_gang_goes_on_where_it_can() -> None:
    gang = [stands(at, rank, minimum=2) for rank, at in enumerate(("n2", "n1", "n3", "n1"))]
    assert ranks(*gang) == {"w": (1, 3)}
    assert ranks(*(replace(each, minimum=3) for each in gang)) == {"w": (0, 1, 2, 3)}
    meets_there = [stands(at, rank, minimum=1) for rank, at in enumerate(("n1", "n2", "n3"))]
    assert ranks(*meets_there) == {"w": (0, 1, 2)}, "they meet at rank 0"
    shrinking = [replace(gang[1], ending=True, preemptible=False), *gang[::2], gang[3]]
    assert ranks(*shrinking) == {"w": (3,)}, "who goes already is not asked again"


def test_only_the_tasks_there_go() -> None:
    tasks = [stands("n1" if rank % 2 else "n2", rank, minimum=0) for rank in range(4)]
    assert ranks(*tasks) == {"w": (1, 3)}


def test_what_a_cycle_plans_on_when_it_asks() -> None:
    at = booked(*(stands("n1" if rank % 2 else "n2", rank, minimum=0) for rank in range(4)))
    leaving = leaving_holds(at, clearing(at, NOW_MS))
    assert [(each.rank, each.ending, each.preemptible) for each in leaving] == [
        (1, True, False), (3, True, False),
    ]  # fmt: skip
    assert clearing(evolved(at, held=leaving), NOW_MS) == (), "then there is nobody left to ask"


def test_two_bookings_ask_once() -> None:
    both = (FIRMWARE, replace(FIRMWARE, name="cables", nodes=("n2",)))
    gang = [stands("n1", 0, minimum=2), stands("n2", 1, minimum=2)]
    (one,) = asked(*gang, bookings=both)
    assert (one.in_favour_of, one.ranks) == ("booking cables", (0, 1))


def test_many_nodes_are_told_in_short() -> None:
    nodes = tuple(f"m{number}" for number in range(5))
    wide = replace(FIRMWARE, nodes=nodes, project="q")
    gang = [stands(at, rank, minimum=5) for rank, at in enumerate(nodes)]
    (one,) = asked(*gang, bookings=(wide,))
    assert one.justification == (
        "its nodes m0, m1, m2 and 2 more are booked for another project now"
    )
