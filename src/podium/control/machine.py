"""What the loops of one engine share: its nodes, its lease, and the lock between start and stop."""

from __future__ import annotations

import asyncio

from podium.control.leadership import Leadership
from podium.engines.contract import Engine
from podium.store.database import Database
from podium.store.hints import Hints


class Machine:
    """`hands` is held while allocations are started or declared gone, so that nothing is started
    after it was given up."""

    def __init__(
        self, engine: Engine, database: Database, hints: Hints, leadership: Leadership
    ) -> None:
        self.engine = engine
        self.database = database
        self.hints = hints
        self.leadership = leadership
        self.lease = lease_name(engine)
        self.hands = asyncio.Lock()
        self.nodes: tuple[str, ...] = ()

    @property
    def leads(self) -> bool:
        return bool(self.nodes) and self.leadership.leads(self.lease)


def lease_name(engine: Engine) -> str:
    return lease_of(engine.name)


def lease_of(engine_name: str) -> str:
    return f"engine {engine_name}"
