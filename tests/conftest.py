"""Fixtures for every room: databases of both kinds, clocks that tests turn, programs of the
system."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import postgresql
from podium.store.database import Database
from postgresql import PostgresqlServer
from requirement import program, require
from turned_clock import TurnedClock

__all__ = ["require"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def chromium() -> Path:
    found = program("chromium", "chromium-browser", "google-chrome")
    require("Chromium", found)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def git() -> Path:
    found = program("git")
    require("git", found)
    assert found is not None
    return found


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store of this version, to be copied: migrating takes longer than many a test."""
    path = tmp_path_factory.mktemp("template") / "podium.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """One server for each worker, with the empty store as its database `podium`."""
    binaries = postgresql.programs()
    require("PostgreSQL", binaries)
    assert binaries is not None
    with postgresql.serving(binaries) as server:
        server.execute("CREATE DATABASE podium TEMPLATE template0")
        asyncio.run(_migrate(server.url("podium")))
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty store of this version, on each kind of database in turn."""
    if request.param == "sqlite":
        path = request.getfixturevalue("tmp_path") / "podium.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.create("podium")
    yield server.url(name)
    server.drop(name)


@pytest.fixture
async def database(database_url: str, clock: TurnedClock) -> AsyncIterator[Database]:
    opened = Database(database_url, clock=clock)
    await opened.open()
    yield opened
    await opened.close()


async def _migrate(url: str) -> None:
    database = Database(url)
    try:
        await database.open()
    finally:
        await database.close()
