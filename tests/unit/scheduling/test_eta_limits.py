"""Expected starts of what waits for a limit: the same as deciding again and again as work ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.policy import DEFAULT_SCHEDULING, Order, Preempt
from podium.domain.quota import Counted
from podium.domain.resources import DeviceShare, Request
from podium.domain.workload import Kind
from podium.scheduling.decide import decide
from podium.scheduling.explain.dry_run import dry_run
from podium.scheduling.forecast.eta import Eta, forecast
from podium.scheduling.order.queue import queue_order
from podium.scheduling.parts import Asking, parts_from
from podium.scheduling.snapshot import Demand, Expected, Hold, Share, Snapshot
from unit.scheduling.cases import GIB, NOW_MS, demand, gpus, node, request, sliced
from unit.scheduling.test_ceilings import trees

HOUR_MS = 3_600_000
SURE = Expected(10 * HOUR_MS, 10 * HOUR_MS)
"""Longer than any limit: what has one ends with it."""

ROOM = node(
    "n1",
    [*gpus("n1", 40), *gpus("n1", 40, "L4", 24 * GIB), *sliced("n1", 10, first=80)],
    cpu_milli=10**6,
    memory_bytes=10**4 * GIB,
)


def asks(
    name: str,
    wants: Request | None = None,
    hours: int = 1,
    replicas: int = 1,
    minimum: int | None = None,
    **changes: object,
) -> Demand:
    limited = {"limit_ms": hours * HOUR_MS, "expected": SURE, "owner": "ada", **changes}
    return demand(name, wants or request(1), replicas, minimum, **limited)  # type: ignore[arg-type]


def runs(name: str, hours: int | None, index: int = 0, **changes: object) -> Hold:
    """Of one A100; None: without an end."""
    plain = Hold(
        allocation_id=f"a-{name}", workload_id=name, project="p", priority=50, node="n1",
        cpu_milli=1000, memory_bytes=GIB, owner="ada", started_at_ms=NOW_MS, expected=SURE,
        devices=(DeviceShare(f"n1-A100-{39 - index}", 1000, 80 * GIB),),
        kind=Kind.TRAINING if hours else Kind.SERVICE,
        ends_at_ms=NOW_MS + hours * HOUR_MS if hours else None,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def seen(demands: list[Demand], holds: Sequence[Hold], *shares: Share) -> Snapshot:
    return Snapshot(
        nodes=(ROOM,),
        holds=tuple(holds),
        demands=queue_order(demands),
        shares=shares,
        policy=replace(DEFAULT_SCHEDULING, order=Order.FIFO, preempt=Preempt.NEVER),
    )


def hours(etas: dict[str, Eta]) -> dict[str, float]:
    assert all(eta.early_ms == eta.likely_ms == eta.late_ms for eta in etas.values())
    return {name: (eta.likely_ms - NOW_MS) / HOUR_MS for name, eta in etas.items()}


def share(**changes: object) -> Share:
    return Share(name="p", project="p", **changes)  # type: ignore[arg-type]


SLICE = request(0, mig_profile="3g.40gb", mig_count=1)


@pytest.mark.parametrize(
    ("limit", "wants", "kind"),
    [
        (share(ceilings=((Counted.CPU, 2000),)), request(0, 1), Kind.TRAINING),
        (share(ceilings=((Counted.MEMORY, 2 * GIB),)), request(0, 1), Kind.TRAINING),
        (share(ceilings=((Counted.MIG_SLICES, 6),)), SLICE, Kind.TRAINING),
        (share(ceilings=((Counted.WORKSPACES, 2),)), request(0), Kind.WORKSPACE),
        (share(per_user=(("a100", 2000),)), request(1, gpu_types=("A100",)), Kind.TRAINING),
        (share(per_user=(("", 2000),)), request(1, gpu_types=("A100",)), Kind.TRAINING),
        (share(limits=(("", 2000),)), request(1, gpu_types=("A100",)), Kind.TRAINING),
    ],
)
def test_it_starts_when_enough_below_the_limit_ends(
    limit: Share, wants: Request, kind: Kind
) -> None:
    waiting = [asks(f"w{at}", wants, at + 1, kind=kind, queued_at_ms=at) for at in range(4)]
    found = forecast(seen(waiting, [], limit), NOW_MS)
    assert hours(found) == {"w0": 0, "w1": 0, "w2": 1, "w3": 2}


def test_nobody_knows_where_only_endless_work_could_give_it_back() -> None:
    cap = share(per_user=(("", 2000),))
    at = seen([asks("w"), asks("b", owner="bob")], [runs("r", None), runs("s", None, 1)], cap)
    assert hours(forecast(at, NOW_MS)) == {"b": 0}
    at = seen([asks("w")], [runs("r", None), runs("s", 3, 1)], cap)
    assert hours(forecast(at, NOW_MS)) == {"w": 3}
    assert forecast(seen([asks("w", request(3))], [], cap), NOW_MS) == {}


def test_a_dry_run_tells_when_and_says_nothing_where_nobody_knows() -> None:
    cap = share(ceilings=((Counted.CPU, 2000),))
    for runtime, starts in ((2, NOW_MS + 2 * HOUR_MS), (None, None)):
        found = dry_run(
            seen([], [runs("r", runtime)], cap), asks("w", request(0, 2)), NOW_MS, eta_most=10
        )
        assert not found.starts_now
        assert (found.eta and found.eta.likely_ms) == starts


def test_what_a_limit_holds_back_keeps_no_nodes_from_others() -> None:
    """Nor does it close the other types that would do."""
    small = node("n1", [*gpus("n1", 2), *gpus("n1", 2, "L4", 24 * GIB)])
    limit = share(limits=(("A100", 1000),))
    old = asks("old", request(2, gpu_types=("A100",)), queued_at_ms=0)
    either = asks("either", request(2, gpu_types=("A100", "L4")), queued_at_ms=1)
    other = asks("other", request(2), queued_at_ms=2, project="q")
    at = replace(seen([old, either, other], [], limit), nodes=(small,))
    assert hours(forecast(at, NOW_MS)) == {"either": 0, "other": 0}


def test_tasks_of_an_array_start_as_far_as_the_limit_goes() -> None:
    array = asks("array", request(1, gpu_types=("A100",)), 1, 70, 1)
    after = asks("after", request(0, 1), queued_at_ms=NOW_MS + 1)
    for cpu_milli, hour in ((70_000, 1), (71_000, 0), (20_000, 3)):
        limit = share(ceilings=((Counted.CPU, cpu_milli),))
        machine = replace(ROOM, devices=tuple(gpus("n1", 80)))
        at = replace(seen([array, after], [], limit), nodes=(machine,))
        assert hours(forecast(at, NOW_MS)) == {"array": 0, "after": hour}


# -- against deciding again at each end

_REQUESTS = (
    request(0, 2),
    request(1, gpu_types=("A100",)),
    request(2, gpu_types=("L4",)),
    request(0, gpu_milli=250, gpu_types=("A100",)),
    request(0, gpu_share_bytes=20 * GIB, gpu_types=("L4",)),
    request(0, mig_profile="3g.40gb", mig_count=1),
    request(0, mig_profile="1g.10gb", mig_count=2),
)


@st.composite
def waiting(draw: st.DrawFn, name: str) -> Demand:
    replicas = draw(st.integers(1, 3))
    found = asks(
        name,
        draw(st.sampled_from(_REQUESTS)),
        draw(st.integers(1, 4)),
        replicas,
        draw(st.sampled_from([1, replicas])),
        project=draw(st.sampled_from(["p", "q"])),
        owner=draw(st.sampled_from(["ada", "bob"])),
        kind=draw(st.sampled_from([Kind.TRAINING, Kind.WORKSPACE])),
        priority=draw(st.sampled_from([25, 50])),
        queued_at_ms=NOW_MS - draw(st.integers(0, 3)) * HOUR_MS,
    )
    if replicas > 1 and draw(st.integers(0, 3)) == 0:
        groups = [Asking(draw(st.sampled_from(_REQUESTS)), at, 1) for at in range(replicas)]
        parts = parts_from(groups, found.pending_ranks)
        if len(parts) > 1:
            found = replace(found, request=parts[0].request, parts=parts, minimum=replicas)
    return found


@st.composite
def clusters(draw: st.DrawFn) -> Snapshot:
    """With room for all: only limits hold anything back."""
    demands = [draw(waiting(f"w{at}")) for at in range(draw(st.integers(1, 6)))]
    holds = [
        runs(
            f"r{at}",
            draw(st.sampled_from([None, 1, 2, 5])),
            at,
            project=draw(st.sampled_from(["p", "q"])),
            owner=draw(st.sampled_from(["ada", "bob"])),
        )
        for at in range(draw(st.integers(0, 3)))
    ]
    return seen(demands, holds, *draw(trees()))


def simulated(at: Snapshot) -> dict[str, float]:
    """First starts in hours: decide, go to the next end, decide again."""
    now_ms, starts = NOW_MS, dict[str, float]()
    holds, demands = list(at.holds), {each.workload_id: each for each in at.demands}
    while True:
        left = queue_order(demands.values())
        plan = decide(replace(at, holds=tuple(holds), demands=left), now_ms, 0)
        for each in plan.placements:
            work = demands[each.workload_id]
            assert work.limit_ms is not None
            starts.setdefault(each.workload_id, (now_ms - NOW_MS) / HOUR_MS)
            holds.append(
                Hold(
                    allocation_id=f"{each.workload_id}/{each.rank}", workload_id=each.workload_id,
                    project=work.project, priority=work.priority, node=each.node,
                    cpu_milli=each.cpu_milli, memory_bytes=each.memory_bytes,
                    devices=each.devices, started_at_ms=now_ms, kind=work.kind,
                    ends_at_ms=now_ms + work.limit_ms, owner=work.owner, rank=each.rank,
                )
            )  # fmt: skip
            ranks = tuple(rank for rank in work.pending_ranks if rank != each.rank)
            if ranks:
                demands[each.workload_id] = replace(work, pending_ranks=ranks, minimum=1, parts=())
            else:
                del demands[each.workload_id]
        ends = [each.ends_at_ms for each in holds if each.ends_at_ms is not None]
        if not ends or not demands:
            return starts
        now_ms = min(ends)
        holds = [each for each in holds if each.ends_at_ms is None or each.ends_at_ms > now_ms]


@settings(max_examples=150, deadline=None)
@given(clusters())
def test_forecasts_are_what_happens(at: Snapshot) -> None:
    assert hours(forecast(at, NOW_MS)) == simulated(at)
