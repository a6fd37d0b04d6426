"""Live news: what is missed, told twice or told to the wrong person would show here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from podium.api import feed as feeds
from podium.api.feed import Feed, News, Place, Subscription
from podium.domain.tenancy import WHOLE, Scope
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import House, document, node, person

pytestmark = pytest.mark.anyio

VISION, SPEECH = Scope(frozenset({"vision"})), Scope(frozenset({"speech"}))
ADA = person("ada")


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=2))
    return made


@pytest.fixture
async def feed(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Feed]:
    monkeypatch.setattr(feeds, "_PERIOD_SECONDS", 0.01)
    made = Feed(house.database, house.office.hints)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def submit(house: House, name: str, project: str = "vision") -> str:
    made: str = await house.submit(
        document(name, project=project), who=person("ada", project=project)
    )
    return made


async def end_all(house: House) -> None:
    await house.cycle()
    ids = await house.held_ids()
    await house.launch(ids)
    await house.run(ids)
    await house.end(ids)


async def names(subscription: Subscription, count: int) -> list[str]:
    """Of the changes that come next, until there are so many."""
    found: list[str] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += [each.workload.name for each in (await subscription.next()).changes]
    return found


async def sentences(subscription: Subscription, count: int) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += [each.sentence for each in (await subscription.next()).notices]
    return found


async def test_changes_of_the_scope_only(house: House, feed: Feed) -> None:
    mine, theirs = await feed.subscribe(VISION), await feed.subscribe(SPEECH)
    await submit(house, "one")
    await submit(house, "two", "speech")
    await submit(house, "three")
    assert await names(mine, 2) == ["one", "three"]
    assert await names(theirs, 1) == ["two"]
    feed.unsubscribe(mine)
    feed.unsubscribe(theirs)
    assert feed.subscribers == 0


async def test_notices_reach_their_person_and_nobody_else(house: House, feed: Feed) -> None:
    ada = await feed.subscribe(VISION, username="ada")
    quiet = await feed.subscribe(VISION)
    root = await feed.subscribe(WHOLE, username="root")
    gone = await feed.subscribe(SPEECH, username="ada")  # left the project meanwhile
    await submit(house, "one")
    await end_all(house)
    assert (await sentences(ada, 1))[0].startswith("one succeeded.")
    await submit(house, "last", "speech")
    for other in (quiet, root, gone):
        told: list[News] = []
        async with asyncio.timeout(20):
            while not told or (
                other is not quiet and "last" not in [c.workload.name for c in told[-1].changes]
            ):
                told.append(await other.next())
        assert [notice for news in told for notice in news.notices] == []


async def test_it_goes_on_where_it_stopped_and_tells_nothing_twice(
    house: House, feed: Feed
) -> None:
    first = await feed.subscribe(VISION, username="ada")
    place = first.start
    feed.unsubscribe(first)
    await submit(house, "missed")
    await end_all(house)
    again = await feed.subscribe(VISION, place, username="ada")
    assert again.start == place
    await submit(house, "later")
    found, told, seqs = [], [], []
    async with asyncio.timeout(20):
        while "later" not in found:
            news = await again.next()
            found += [each.workload.name for each in news.changes]
            seqs += [each.seq for each in news.changes]
            told += [each.sentence for each in news.notices]
            assert not news.resync
    assert found[0] == "missed"
    assert seqs == sorted(set(seqs))
    assert len(told) == 1


async def test_a_reader_ahead_of_the_feed_hears_nothing_again(house: House, feed: Feed) -> None:
    """It read on from the store, and the feed is still at what it knows already."""
    first = await feed.subscribe(WHOLE)
    await submit(house, "one")
    await submit(house, "two")
    changes = []
    async with asyncio.timeout(20):
        while len(changes) < 2:
            changes += (await first.next()).changes
    ahead = Subscription(WHOLE)
    ahead.knows(Place(event=changes[0].seq))
    for change in changes:
        ahead.offer(change)
    assert [each.seq for each in (await ahead.next()).changes] == [changes[1].seq]
    feed.unsubscribe(first)


async def test_only_notices_may_be_resumed_too(house: House, feed: Feed) -> None:
    await submit(house, "missed")
    await end_all(house)
    subscription = await feed.subscribe(VISION, Place(notice=0), username="ada")
    assert len(await sentences(subscription, 1)) == 1
    assert subscription.start.event


async def test_who_missed_too_much_looks_again(
    house: House, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_BATCH", 3)
    for index in range(4):
        await submit(house, f"job-{index}")
    subscription = await feed.subscribe(VISION, Place(event=0))
    news = await asyncio.wait_for(subscription.next(), 20)
    assert (news.resync, list(news.changes)) == (True, [])


async def test_who_is_slow_looks_again_and_holds_little(
    house: House, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "_QUEUE_MAX", 3)
    slow, quick = await feed.subscribe(VISION), await feed.subscribe(VISION)
    for index in range(8):
        await submit(house, f"job-{index}")
        await names(quick, 1)
    news = await asyncio.wait_for(slow.next(), 20)
    assert news.resync
    assert len(news.changes) <= 3
    assert news.changes[-1].workload.name == "job-7"
    await submit(house, "after")
    assert await names(slow, 1) == ["after"]
