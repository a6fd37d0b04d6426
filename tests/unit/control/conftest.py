"""Servers over one store and one fake engine; what a server forgets when it dies is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from podium.store.database import Database
from turned_clock import TurnedClock
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import House, node
from unit.store.laws import Laws


@pytest.fixture
async def house(database: Database, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[House]:
    made = House(database, clock, tmp_path)
    await made.furnish(node("n1", gpus=4), node("n2", gpus=4))
    yield made
    await database.read(Laws().check)


@pytest.fixture
def engine(clock: TurnedClock) -> FakeEngine:
    return FakeEngine(clock, (node("n1", gpus=4), node("n2", gpus=4)))


@pytest.fixture
async def server(house: House, engine: FakeEngine) -> Server:
    return await Server.up(house, engine)
