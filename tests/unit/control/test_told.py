"""The plan is written for people when it says something new, and only then."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from podium.control.told import News, Told
from podium.scheduling.plan import Plan, Reservation, Turn
from podium.store import tables
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import House, document

HOUR_MS = 3_600_000
TURNS = (Turn("w-1", True),)


def kept(from_ms: int | None, *nodes: str) -> tuple[Reservation, ...]:
    return (Reservation("w-1", nodes or ("n1",), from_ms, (1,) * max(1, len(nodes))),)


def test_only_what_changed_is_news() -> None:
    told, first = Told(), Plan(turns=TURNS, reservations=kept(HOUR_MS))
    assert told.news(Plan(), 0) == News((), ()), "what stood there before is wiped"
    told.written(told.news(first, 0))
    assert told.news(first, 0) is None
    assert told.news(Plan(reservations=kept(HOUR_MS)), 0) == News((), None)
    assert told.news(Plan(turns=TURNS), 0) == News(None, ())
    moved = Plan(turns=TURNS, reservations=kept(HOUR_MS, "n2"))
    assert told.news(moved, 0) == News(None, moved.reservations)
    told.forget()
    assert told.news(first, 0) == News(TURNS, kept(HOUR_MS))


@pytest.mark.parametrize(
    ("before", "after", "now_ms", "same"),
    [
        (HOUR_MS, HOUR_MS + 10_000, HOUR_MS, True),
        (HOUR_MS, HOUR_MS + 10_001, HOUR_MS, False),
        (HOUR_MS, HOUR_MS + 60_000, 0, True),
        (HOUR_MS, 2 * HOUR_MS, 0, False),
        (HOUR_MS, None, 0, False),
        (None, HOUR_MS, 0, False),
        (None, None, 0, True),
    ],
)
def test_a_time_that_hardly_moved_is_no_news(
    before: int | None, after: int | None, now_ms: int, same: bool
) -> None:
    told = Told()
    told.written(told.news(Plan(reservations=kept(before)), now_ms))
    assert (told.news(Plan(reservations=kept(after)), now_ms) is None) == same


def test_many_small_steps_are_news_in_the_end() -> None:
    told = Told()
    told.written(told.news(Plan(reservations=kept(HOUR_MS)), HOUR_MS))
    steps = [told.news(Plan(reservations=kept(HOUR_MS + 4000 * n)), HOUR_MS) for n in (1, 2, 3)]
    assert [each is None for each in steps] == [True, True, False]


@pytest.mark.anyio
async def test_a_cycle_without_news_writes_nothing(
    house: House, engine: FakeEngine, server: Server
) -> None:
    await house.submit(document("first", resources={"gpus": 4}, max_runtime="1h"))
    for _ in range(2):
        await server.round()
    waits = await house.submit(document("gang", resources={"gpus": 4}, replicas=2))
    await server.scheduler.step()

    async def made() -> list[int]:
        return [row["made_at_ms"] for row in await house.rows(sa.select(tables.plans))]

    turns = [row["workload_id"] for row in await house.rows(sa.select(tables.plan_turns))]
    assert turns == [waits]
    (before_ms,) = await made()
    house.clock.advance(1000)
    await server.leadership.renew()
    await server.scheduler.step()
    assert await made() == [before_ms]
    again = await Server.up(house, engine)
    await again.scheduler.step()
    assert await made() == [before_ms + 1000], "another server does not know what was written"
    house.clock.advance(6 * 60_000)
    await again.leadership.renew()
    await again.scheduler.step()
    nodes = await house.rows(sa.select(tables.plan_nodes))
    assert sorted((row["node"], row["replicas"]) for row in nodes) == [("n1", 1), ("n2", 1)]
