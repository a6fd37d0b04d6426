"""What the contract suite needs to know of an engine under test, and how it waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from podium.domain.outbound import outbound_read
from podium.domain.workload import Program
from podium.engines.contract import Engine, Launch, LogChunk, Observation, Phase
from podium.engines.devices.boards import virtual_boards
from podium.engines.local.engine import LocalEngine
from podium.engines.local.order import Limits
from podium.engines.local.walls import Level, walls_found

PATIENCE_SECONDS = 30.0


@dataclass
class Harness:
    """One engine at a time over one lasting home. `restart` is what a new server would do."""

    build: Callable[..., Engine]
    node: str
    home: Path
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")
    engine: Engine = field(init=False)
    options: dict[str, Any] = field(default_factory=dict)
    patience_seconds: float = PATIENCE_SECONDS

    def __post_init__(self) -> None:
        self._numbers = itertools.count()

    async def open(self) -> None:
        self.engine = self.build(**self.options)
        await self.engine.open()

    async def restart(self, **options: Any) -> None:
        await self.engine.close()
        self.options.update(options)
        await self.open()

    async def close(self) -> None:
        """Ends all and checks that nothing of this test is left on the machine."""
        for each in await self.engine.observe():
            if each.phase is not Phase.ENDED:
                await self.engine.stop(each.allocation_id, grace_seconds=0)
        await self.ended()
        await self.engine.close()
        assert self.processes() == []

    def launch(self, *command: str, **facts: Any) -> Launch:
        program = facts.pop("program", None) or Program(command=command)
        return Launch(
            **{
                "allocation_id": f"{self.prefix}-{next(self._numbers)}",
                "workload_id": "w-1",
                "name": "work",
                "project": "vision",
                "rank": 0,
                "replicas": 1,
                "attempt": 1,
                "node": self.node,
                "program": program,
                "env": (),
                "secrets": (),
                "cpu_milli": 1000,
                "memory_bytes": 0,
                "devices": (),
                "grace_seconds": 5,
                **facts,
            }
        )

    async def start(self, *command: str, **facts: Any) -> str:
        launch = self.launch(*command, **facts)
        await self.engine.ensure(launch)
        return launch.allocation_id

    async def finish(self, *command: str, **facts: Any) -> Observation:
        """Starts it and waits for its end."""
        allocation_id = await self.start(*command, **facts)
        return (await self.ended([allocation_id]))[allocation_id]

    async def running(self, allocation_id: str) -> None:
        await self._until(
            lambda seen: allocation_id in seen and seen[allocation_id].phase is not Phase.STARTING
        )

    async def ended(self, ids: Iterable[str] | None = None) -> dict[str, Observation]:
        """All observations, once those of `ids` (or all) are ended."""
        wanted = None if ids is None else set(ids)
        return await self._until(
            lambda seen: all(
                each in seen and seen[each].phase is Phase.ENDED
                for each in (seen if wanted is None else wanted)
            )
        )

    async def said(self, allocation_id: str, word: str) -> None:
        """Waits until the log holds `word`."""
        async with asyncio.timeout(self.patience_seconds):
            while not any(word in text for text in await self.texts(allocation_id)):
                await asyncio.sleep(0.01)

    async def read(self, allocation_id: str, *, limit_bytes: int = 65536) -> list[LogChunk]:
        """The log from its start as far as it goes now."""
        chunks, offset = [], 0
        while True:
            chunk = await self.engine.read_log(
                allocation_id, offset=offset, limit_bytes=limit_bytes
            )
            chunks.append(chunk)
            if chunk.complete or not chunk.lines:
                return chunks
            offset = chunk.next_offset

    async def texts(self, allocation_id: str) -> list[str]:
        """What the work said, without stamps."""
        lines = [line for chunk in await self.read(allocation_id) for line in chunk.lines]
        return [line.split(" ", 2)[2] for line in lines]

    def processes(self) -> list[psutil.Process]:
        """Whatever on this machine carries the id of an allocation of this test."""
        found = []
        for process in psutil.process_iter():
            try:
                marker = process.environ().get("PODIUM_ALLOCATION_ID", "")
            except (psutil.Error, OSError):
                continue
            if marker.startswith(self.prefix):
                found.append(process)
        return found

    async def _until(
        self, happened: Callable[[dict[str, Observation]], bool]
    ) -> dict[str, Observation]:
        async with asyncio.timeout(self.patience_seconds):
            while True:
                self.engine.changed.clear()
                seen = {each.allocation_id: each for each in await self.engine.observe()}
                if happened(seen):
                    return seen
                with contextlib.suppress(TimeoutError):  # control looks once a second, too
                    await asyncio.wait_for(self.engine.changed.wait(), 1)


LOOPBACK = outbound_read(["127.0.0.0/8", "::1"])
"""Where the Git servers of tests are."""


def local_harness(home: Path, *, isolation: str = "none", **limits: int) -> Harness:
    walls = walls_found(home, isolation)

    def build(**options: Any) -> Engine:
        return LocalEngine(
            home,
            node_name="node-1",
            virtual_gpus=virtual_boards("2", "A100"),
            limits=Limits(outbound=LOOPBACK, **{**limits, **options}),
            walls=walls,
        )

    return Harness(build, "node-1", home)


def _strongest() -> Level:
    """What can be had here, by whoever runs these tests."""
    with tempfile.TemporaryDirectory() as home:
        return walls_found(Path(home), "auto").level


LEVEL = _strongest()
WALLED = "local, walled"
ENGINES: dict[str, Callable[..., Harness]] = {"local": local_harness}
if LEVEL is not Level.NONE:
    ENGINES[WALLED] = partial(local_harness, isolation=LEVEL)
