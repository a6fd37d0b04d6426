"""Fixtures of the contract suite: `harness` for every engine, `local` for what only one can."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.harness import Harness, local_harness

ENGINES = {"local": local_harness}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=sorted(ENGINES))
async def harness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Harness]:
    made = ENGINES[request.param](tmp_path / "home")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[Harness]:
    made = local_harness(tmp_path / "home")
    await made.open()
    yield made
    await made.close()
