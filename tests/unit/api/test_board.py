"""The shared overview, news of nodes, and streams that end with the rights of their reader."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI, Request

from podium.api import board as boards
from podium.api import feed as feeds
from podium.api import node_news, streams
from podium.api.board import Board, Topic, overview_read, zone_of
from podium.api.context import Context, _still, identity_of
from podium.api.feed import Feed
from podium.api.log_tail import LogTails
from podium.api.node_news import NodeNews
from podium.api.streams import Stream, Streams
from podium.control.foresight import Foresight
from podium.domain.errors import UserError
from podium.domain.reason import Cause
from podium.domain.rights import DEVELOPER, VIEWER
from podium.domain.tenancy import WHOLE, Identity, Membership, Scope
from podium.intake.sign_in import SignIn
from podium.spec.views.overview import OverviewView
from podium.store import nodes, projects
from podium.store.database import Database, Transaction
from turned_clock import TurnedClock
from unit.house import House, document, node, person

pytestmark = pytest.mark.anyio

VISION = Scope(frozenset({"vision"}))


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=4))
    return made


@pytest.fixture
async def feed(house: House, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Feed]:
    for module in (boards, node_news):
        monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(feeds, "_PERIOD_SECONDS", 0.01)
    made = Feed(house.database, house.office.hints)
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def test_the_whole_document(house: House) -> None:
    await house.start(document("broken", resources={"gpus": 2}))
    house.clock.advance(3_600_000)
    await house.end(await house.held_ids(), Cause.EXIT_CODE)
    await house.start(
        document("mine", resources={"gpus": 1}, max_runtime="2h"),
        document("theirs", resources={"gpus": 2}, project="speech"),
    )
    house.clock.advance(1_800_000)
    await house.submit(document("next", resources={"gpus": 8}))
    house.clock.advance(60_000)

    async def read(scope: Scope, project: str | None = None) -> OverviewView:
        return await house.database.read(
            lambda tx: overview_read(tx, scope, project, ZoneInfo("Europe/Berlin"), house.now_ms)
        )

    whole, mine = await read(WHOLE), await read(VISION)
    assert mine.gpus == whole.gpus, "the cluster is everyone's"
    assert whole.gpus[0].held_milli == 3000
    assert (whole.workloads["running"], mine.workloads["running"]) == (2, 1)
    assert mine.queue.waiting == 1
    assert mine.queue.wait_seconds_median == 60.0
    assert mine.queue.gpu_milli_wanted == 8000
    assert [each.example for each in mine.queue.reasons] == [
        "Just submitted; the scheduler looks at it next."
    ]
    assert [each.name for each in mine.failed] == ["broken"]
    assert [each.workload.name for each in whole.finishing] == ["mine"]
    seconds = 2 * 3600 + 1 * 1860
    assert mine.gpu_hours.today_gpu_seconds == seconds
    assert whole.gpu_hours.today_gpu_seconds == seconds + 2 * 1860
    assert sum(each.gpu_seconds for each in mine.gpu_hours.hours) == seconds
    assert len(mine.gpu_hours.hours) == 48
    assert "theirs" not in mine.model_dump_json()
    assert (await read(VISION, "speech")).workloads == {}
    assert (await read(WHOLE, "speech")).gpu_hours.today_gpu_seconds == 2 * 1860


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "../UTC", "europe/berlin", "\x00", "zone.tab"]
)
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(UserError) as raised:
        zone_of(name)
    assert raised.value.faults[0].field == "time_zone"
    assert zone_of("UTC") is UTC


async def test_many_readers_share_one_overview(
    house: House, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    monkeypatch.setattr(
        boards, "overview_read", lambda *given: reads.append(given[1]) or overview_read(*given)
    )
    board = Board(house.database, house.office.hints)
    subscription = await feed.subscribe(WHOLE)  # so that the feed reads
    heard: list[list[OverviewView]] = [[], [], []]
    hearers = [each.append for each in heard]
    topic, other = Topic(WHOLE, None, "UTC"), Topic(VISION, None, "UTC")
    board.watch(topic, hearers[0])
    board.watch(other, hearers[2])
    await until(lambda: bool(heard[0] and heard[2]))
    board.watch(topic, hearers[1])
    assert heard[1] == heard[0], "whoever comes later is told at once"
    assert reads.count(WHOLE) == 1
    assert board.watched == 2
    await house.submit(document("news"))
    house.office.hints.wake("events")
    await until(lambda: all(each[-1].workloads.get("queued") == 1 for each in heard))
    for each in heard:
        told = [view.model_copy(update={"at": each[0].at}) for view in each]
        assert all(one != two for one, two in pairwise(told))
    board.leave(topic, hearers[0])
    board.leave(topic, hearers[1])
    board.leave(other, hearers[2])
    assert board.watched == 0
    feed.unsubscribe(subscription)


async def test_an_overview_that_is_the_same_is_not_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    monkeypatch.setattr(
        boards, "overview_read", lambda *given: reads.append(given[4]) or overview_read(*given)
    )
    monkeypatch.setattr(boards, "_PAUSE_SECONDS", 0.01)
    board = Board(house.database, house.office.hints)
    heard: list[OverviewView] = []
    hear = heard.append
    board.watch(Topic(WHOLE, None, "UTC"), hear)
    for _ in range(3):
        before = len(reads)
        house.clock.advance(1000)
        house.office.hints.wake(boards.NEWS)
        await until(lambda: len(reads) > before)  # noqa: B023 - awaited here
    assert len(heard) == 1
    board.leave(Topic(WHOLE, None, "UTC"), hear)


async def test_news_of_nodes_and_of_what_they_hold(house: House, feed: Feed) -> None:
    news = NodeNews(house.database, house.office.hints)
    subscription = await feed.subscribe(WHOLE)
    heard: list[int] = []

    def hear() -> None:
        heard.append(1)

    await news.watch(hear)
    await asyncio.sleep(0.2)
    assert heard == [], "nothing has changed"

    def cordon(tx: Transaction) -> None:
        nodes.node_cordon(tx, "n1", cordoned=True)

    await house.database.write(cordon)
    await until(lambda: len(heard) == 1)
    await house.submit(document("waits"))
    house.office.hints.wake("events")
    await asyncio.sleep(0.2)
    assert len(heard) == 1, "what waits holds nothing"
    await house.database.write(lambda tx: nodes.node_cordon(tx, "n1", cordoned=False))
    await until(lambda: len(heard) == 2)
    await house.cycle()
    house.office.hints.wake("events")
    await until(lambda: len(heard) >= 3)
    news.leave(hear)
    feed.unsubscribe(subscription)


async def test_a_stream_ends_when_its_reader_may_not_hear_it_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "CHECK_SECONDS", 0.01)
    opened = Streams()
    running = asyncio.create_task(opened.run())
    allowed = {"kept": True, "ended": True}

    def still(name: str) -> Callable[[], Awaitable[bool]]:
        async def holds() -> bool:
            return allowed[name]

        return holds

    async def produce(stream: Stream) -> None:
        await stream.send(b"hello")
        await asyncio.Event().wait()

    async def read(name: str) -> None:
        async for _ in opened.answer(produce, still(name)).body_iterator:
            pass

    kept, ended = asyncio.create_task(read("kept")), asyncio.create_task(read("ended"))
    await asyncio.sleep(0.1)
    assert not ended.done()
    allowed["ended"] = False
    await asyncio.wait_for(ended, 20)
    assert not kept.done()
    for task in (kept, running):
        task.cancel()
    await asyncio.gather(kept, running, return_exceptions=True)


async def test_what_counts_as_the_same_rights(house: House, feed: Feed) -> None:
    sign_in = SignIn(house.office)
    context = Context(
        office=house.office,
        sign_in=sign_in,
        engines={},
        feed=feed,
        board=Board(house.database, house.office.hints),
        node_news=NodeNews(house.database, house.office.hints),
        log_tails=LogTails(),
        loops=(),
        streams=Streams(),
        foresight=Foresight(house.database, lambda: None, threading.Lock()),
        about={},
    )
    app = FastAPI()
    app.state.context = context
    ada = person("ada")

    async def opened() -> tuple[Identity, Callable[[], Awaitable[bool]]]:
        _, secret = await sign_in.make_token(ada, "stream", 1)
        headers = [(b"authorization", f"Bearer {secret}".encode())]
        request = Request({"type": "http", "method": "GET", "headers": headers, "app": app})
        who = await identity_of(request)
        return who, await _still(request, who)

    def member(project: str, role: str) -> Callable[[Transaction], None]:
        joined = Membership(project=project, username="ada", role=role)
        return lambda tx: projects.member_set(tx, joined, f"b-{project}", "root", 0)

    who, revoked = await opened()
    _, kept = await opened()
    assert await revoked()
    await sign_in.revoke_token(who, who.token_id)
    assert not await revoked()
    assert await kept()
    _, expiring = await opened()
    house.clock.advance(2 * 86_400_000)
    sign_in.forget()
    assert not await expiring()
    for change in (member("speech", VIEWER), member("vision", DEVELOPER)):
        _, still = await opened()
        assert await still()
        await house.database.write(change)
        sign_in.forget()
        assert not await still()
