"""A server of the API over a house: tests ask it what the scheduler would do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from podium.api.app import make_app
from podium.api.board import Board
from podium.api.context import Context
from podium.api.feed import Feed
from podium.api.log_tail import LogTails
from podium.api.node_news import NodeNews
from podium.api.streams import Streams
from podium.control import schedule
from podium.control.foresight import Foresight
from podium.control.leadership import Leadership
from podium.control.schedule import Scheduler
from podium.domain.tenancy import Identity
from podium.intake.sign_in import SignIn
from unit.house import ADMINISTRATOR, House, person


class Asking:
    """Asks as somebody. `cycle` lets the scheduler look, and what it places run."""

    def __init__(
        self, house: House, leadership: Leadership, scheduler: Scheduler, context: Context
    ) -> None:
        self.house = house
        self.leadership = leadership
        self.scheduler = scheduler
        self.context = context
        self._app = make_app(context)
        self._secrets: dict[str, str] = {}

    @classmethod
    @asynccontextmanager
    async def over(cls, house: House) -> AsyncIterator[Asking]:
        office, database = house.office, house.database
        leadership = await house.lead(schedule.LEASE)
        scheduler = Scheduler(database, office.hints, leadership, office.ids)
        foresight = Foresight(database, lambda: scheduler.sight, scheduler.turn)
        context = Context(
            office=office,
            sign_in=SignIn(office),
            engines={},
            feed=Feed(database, office.hints),
            board=Board(database, office.hints),
            node_news=NodeNews(database, office.hints),
            log_tails=LogTails(),
            loops=(),
            streams=Streams(),
            foresight=foresight,
            about={"currency": "EUR"},
        )
        try:
            yield cls(house, leadership, scheduler, context)
        finally:
            foresight.close()

    async def cycle(self) -> None:
        await self.leadership.renew()
        await self.scheduler.step()
        ids = await self.house.held_ids()
        await self.house.launch(ids)
        await self.house.run(ids)
        await self.scheduler.step()

    async def ask(
        self, method: str, path: str, body: Any = None, *, who: Identity = ADMINISTRATOR
    ) -> httpx.Response:
        if who.username not in self._secrets:
            _, secret = await self.context.sign_in.make_token(who, "test", 1)
            self._secrets[who.username] = secret
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self._app),
            base_url="http://test/api/v1",
            headers={"Authorization": f"Bearer {self._secrets[who.username]}"},
        ) as client:
            return await client.request(method, path, json=body)

    async def explained(self, workload_id: str, who: Identity = ADMINISTRATOR) -> Any:
        answer = await self.ask("GET", f"/workloads/{workload_id}/explain", who=who)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tried(self, *documents: dict[str, object], who: Identity = ADMINISTRATOR) -> Any:
        body: Any = documents[0] if len(documents) == 1 else {"workloads": list(documents)}
        answer = await self.ask("POST", "/workloads/dry-run", body, who=who)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


BOB = person("bob", project="speech")
ADA = person("ada")
