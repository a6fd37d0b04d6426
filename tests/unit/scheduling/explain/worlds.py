"""Small clusters on which something waits: the explain tests play with them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from podium.domain.policy import DEFAULT_SCHEDULING, Order, Preempt
from podium.domain.resources import ANYWHERE
from podium.scheduling.order.queue import queue_order
from podium.scheduling.snapshot import Booking, Demand, Expected, Hold, Share, Snapshot
from unit.scheduling.cases import (
    GIB,
    NOW_MS,
    demand,
    gpus,
    holding,
    node,
    request,
    topologies,
)

MINUTE_MS = 60_000
PROJECTS = ("a", "b", "c")


@st.composite
def worlds(draw: st.DrawFn, most_demands: int = 12) -> Snapshot:
    """A few nodes in use, more demands than room, shares with guarantees and limits, bookings, and
    work that ends at known times: so that nodes are kept and reservations are full."""
    nodes = [
        node(
            f"n{at}",
            draw(
                st.integers(1, 4)
                | st.integers(1, 4).map(lambda n, at=at: gpus(f"n{at}", n, "L4", 24 * GIB))
            ),
            rack=draw(st.sampled_from(["r1", "r2"])),
            block="b1",
            cpu_milli=draw(st.sampled_from([4000, 64_000])),
            labels=draw(st.sampled_from([(), (("zone", "eu"),), (("zone", "us"),)])),
        )
        for at in range(draw(st.integers(1, 4)))
    ]
    holds: list[Hold] = []
    for each in nodes:
        for index in range(len(each.devices)):
            if draw(st.integers(0, 3)):
                holds.append(  # noqa: PERF401 - drawn one after another
                    replace(
                        holding(each, [index], f"h-{each.name}-{index}"),
                        project=draw(st.sampled_from(PROJECTS)),
                        priority=draw(st.sampled_from([25, 50])),
                        started_at_ms=NOW_MS - 3600_000,
                        ends_at_ms=draw(
                            st.sampled_from(
                                [None, NOW_MS + 30 * MINUTE_MS, NOW_MS + 90 * MINUTE_MS]
                            )
                        ),
                        expected=draw(st.sampled_from([None, Expected(7200_000, 9000_000)])),
                        preemptible=draw(st.integers(0, 4)) == 0,
                        ending=draw(st.integers(0, 9)) == 0,
                    )
                )
    asks = draw(
        st.lists(
            st.builds(
                lambda wanted, cpus, label, types: replace(
                    request(wanted, cpus),
                    node_labels=((("zone", "eu"),) if label else ()),
                    gpu_types=types if wanted else (),
                ),
                wanted=st.integers(0, 4),
                types=st.sampled_from([(), (), ("A100",), ("L4",)]),
                cpus=st.sampled_from([1, 2, 6]),
                label=st.integers(0, 3).map(lambda n: n == 0),
            ),
            min_size=1,
            max_size=5,
        )
    )
    demands: list[Demand] = []
    for at in range(draw(st.integers(1, most_demands))):
        replicas = draw(st.sampled_from([1, 1, 2, 3, 4]))
        demands.append(
            demand(
                f"w{at}",
                draw(st.sampled_from(asks)),
                replicas,
                draw(st.sampled_from([replicas, replicas, 1])),
                project=draw(st.sampled_from(PROJECTS)),
                priority=draw(st.sampled_from([25, 50, 50, 75])),
                queued_at_ms=NOW_MS - draw(st.sampled_from([0, 1000, 10**7])),
                topology=draw(st.one_of(st.just(ANYWHERE), topologies)),
                limit_ms=draw(st.sampled_from([None, None, 20 * MINUTE_MS, 200 * MINUTE_MS])),
            )
        )
    shares: tuple[Share, ...] = ()
    if draw(st.booleans()):
        shares = tuple(
            Share(
                name=f"s-{name}",
                project=name,
                weight=draw(st.sampled_from([1, 2])),
                guarantees=draw(st.sampled_from([(), (("", 2000),), (("A100", 1000),)])),
                limits=draw(st.sampled_from([(), (), (("", 2000),), (("", 3000),)])),
            )
            for name in PROJECTS
        )
    bookings = ()
    if draw(st.integers(0, 3)) == 0:
        bookings = (
            Booking(
                name="bk",
                nodes=("n0",),
                from_ms=NOW_MS + draw(st.sampled_from([-1, 45])) * MINUTE_MS,
                until_ms=NOW_MS + 120 * MINUTE_MS,
            ),
        )
    policy = replace(
        DEFAULT_SCHEDULING,
        order=draw(st.sampled_from([Order.FAIR, Order.FAIR, Order.FIFO, Order.ATTAINED])),
        preempt=draw(st.sampled_from(list(Preempt))),
        reservations_max=draw(st.sampled_from([1, 1, 2, 8])),
    )
    return Snapshot(
        nodes=tuple(nodes),
        holds=tuple(holds),
        demands=queue_order(demands),
        shares=shares,
        bookings=bookings,
        policy=policy,
    )
