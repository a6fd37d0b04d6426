"""Fixtures of the contract suite: `harness` for every engine, `local` for what only one can, and
`walled` for one that keeps projects apart as well as it can be had here."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from contract.harness import ENGINES, WALLED, Harness, local_harness
from requirement import require


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Behind walls a job has a `/tmp` of its own: what it shares with its test is elsewhere then,
    and open to all."""
    engine = getattr(request.node, "callspec", None)
    walled = engine is not None and engine.params.get("harness") == WALLED
    if not walled and "walled" not in request.fixturenames:
        yield tmp_path
        return
    shared = Path(tempfile.mkdtemp(prefix="podium-test-", dir=tempfile_room()))
    shared.chmod(0o777)
    yield shared
    shutil.rmtree(shared)


def tempfile_room() -> Path:
    return next(each for each in (Path("/run"), Path.home()) if is_writable(each))


def is_writable(folder: Path) -> bool:
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


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


@pytest.fixture
async def walled(tmp_path: Path) -> AsyncIterator[Harness]:
    require("namespaces, which root or unprivileged users may make", WALLED in ENGINES)
    made = ENGINES[WALLED](tmp_path / "home")
    await made.open()
    yield made
    await made.close()
