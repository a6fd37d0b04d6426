"""The way to the database: groups that commit together, failures that stay alone, full disks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from podium.domain.errors import ConflictError, PodiumError, TemporaryError, UserError
from podium.domain.tenancy import Project
from podium.store import projects, tables
from podium.store.database import Database, Transaction

pytestmark = pytest.mark.anyio


def insert(tx: Transaction, name: str) -> str:
    projects.project_insert(tx, Project(name=name, team="team", created_at_ms=1))
    return name


async def names(database: Database) -> list[str]:
    return await database.read(
        lambda tx: list(tx.scalars(sa.select(tables.projects.c.name).order_by("name")))
    )


async def test_two_hundred_writes_at_once(database: Database, database_url: str) -> None:
    wanted = [f"p{number:03}" for number in range(200)]
    assert (
        await asyncio.gather(
            *(database.write(lambda tx, each=each: insert(tx, each)) for each in wanted)  # type: ignore[misc]
        )
        == wanted
    )
    assert await names(database) == wanted
    # Another connection sees them: they are committed, not only done.
    other = Database(database_url)
    await other.open()
    assert await names(other) == wanted
    await other.close()


async def test_one_that_fails_takes_nobody_with_it(database: Database) -> None:
    """All wait behind one that is held up, so that SQLite commits them as one group."""
    gate = threading.Event()

    def slow(tx: Transaction) -> str:
        gate.wait(10)
        return insert(tx, "slow")

    def half(tx: Transaction) -> str:
        insert(tx, "half")
        raise UserError(message="Halfway.")

    def broken(tx: Transaction) -> None:
        insert(tx, "broken")
        raise ZeroDivisionError

    def twice(tx: Transaction) -> None:
        for _ in range(2):
            tx.execute(sa.insert(tables.teams).values(name="double", created_at_ms=1))

    work = [
        lambda tx: insert(tx, "a"),
        half,
        broken,
        lambda tx: insert(tx, "a"),
        twice,
        lambda tx: insert(tx, "b"),
    ]
    first = asyncio.create_task(database.write(slow))
    await asyncio.sleep(0)
    rest = [asyncio.ensure_future(database.write(each)) for each in work]
    await asyncio.sleep(0)
    gate.set()
    found = await asyncio.gather(first, *rest, return_exceptions=True)
    kinds = [each if isinstance(each, str) else type(each) for each in found]
    assert kinds[0] == "slow"
    assert sorted(map(str, (kinds[1], kinds[4]))) == sorted(map(str, ("a", ConflictError)))
    assert kinds[2:4] == [UserError, ZeroDivisionError]
    assert kinds[5:] == [sa.exc.IntegrityError, "b"]
    assert await names(database) == ["a", "b", "slow"]
    assert await database.write(lambda tx: insert(tx, "after")) == "after"


async def test_a_statement_that_fails_takes_nobody_with_it(database: Database) -> None:
    """SQLite tells of it as it tells of a full disk, which spoils the group."""
    gate = threading.Event()
    first = asyncio.create_task(database.write(lambda _: gate.wait(10)))
    await asyncio.sleep(0)
    work = [
        lambda tx: insert(tx, "a"),
        lambda tx: tx.execute(sa.text("SELECT nothing FROM nowhere")),
        lambda tx: insert(tx, "b"),
    ]
    rest = [asyncio.ensure_future(database.write(each)) for each in work]
    await asyncio.sleep(0)
    gate.set()
    _, a, wrong, b = await asyncio.gather(first, *rest, return_exceptions=True)
    assert (a, b) == ("a", "b")
    assert isinstance(wrong, TemporaryError | sa.exc.ProgrammingError)
    assert await names(database) == ["a", "b"]


async def test_given_up_writes_leave_the_writer_alive(database: Database) -> None:
    gate = threading.Event()
    first = asyncio.create_task(database.write(lambda _: gate.wait(10)))
    await asyncio.sleep(0.01)
    given_up = [
        asyncio.create_task(database.write(lambda tx, n=n: insert(tx, f"x{n}")))  # type: ignore[misc]
        for n in range(20)
    ]
    await asyncio.sleep(0)
    for each in given_up:
        each.cancel()
    gate.set()
    await asyncio.gather(first, *given_up, return_exceptions=True)
    assert await database.write(lambda tx: insert(tx, "after")) == "after"


async def test_sqlite_reads_cannot_write(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'podium.db'}")
    await database.open()
    try:
        with pytest.raises(PodiumError, match="readonly"):
            await database.read(lambda tx: insert(tx, "p"))
        assert await names(database) == []
    finally:
        await database.close()


async def test_a_read_leaves_nothing_behind(database: Database) -> None:
    """PostgreSQL lets a read write; it is rolled back."""
    try:
        await database.read(lambda tx: insert(tx, "p"))
    except TemporaryError:
        assert database.dialect == "sqlite"
    assert await names(database) == []


async def test_a_read_sees_one_moment(database: Database) -> None:
    await database.write(lambda tx: insert(tx, "a"))
    started, go_on = threading.Event(), threading.Event()

    def twice(tx: Transaction) -> tuple[int, int]:
        count = sa.select(sa.func.count()).select_from(tables.projects)
        before = tx.scalar(count)
        started.set()
        go_on.wait(10)
        return before or 0, tx.scalar(count) or 0

    reading = asyncio.create_task(database.read(twice))
    await asyncio.to_thread(started.wait, 10)
    await database.write(lambda tx: insert(tx, "b"))
    go_on.set()
    assert await reading == (1, 1)


async def test_the_same_thing_made_twice_at_once_is_told_kindly(database: Database) -> None:
    found = await asyncio.gather(
        *(database.write(lambda tx: insert(tx, "same")) for _ in range(8)), return_exceptions=True
    )
    assert found.count("same") == 1
    assert sum(isinstance(each, ConflictError) for each in found) == 7


class TestFullDisk:
    """SQLite with a limit on its pages fails as it does on a full disk."""

    @pytest.fixture
    async def full(self, tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Database]:
        path = tmp_path / "podium.db"
        path.write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite:///{path}")
        await database.open()
        await database.write(lambda tx: insert(tx, "before"))
        await self.limit(database, 1)
        yield database
        await database.close()

    @staticmethod
    async def limit(database: Database, pages: int) -> None:
        await database.write(lambda tx: tx.exec_driver_sql(f"PRAGMA max_page_count={pages}").all())

    @staticmethod
    def large(tx: Transaction, name: str) -> None:
        insert(tx, name)
        for number in range(20):
            tx.execute(
                sa.insert(tables.teams).values(name=f"{name}{number}{'x' * 9000}", created_at_ms=1)
            )

    async def test_nothing_is_half_written(self, full: Database) -> None:
        for name in ("one", "two"):
            with pytest.raises(TemporaryError, match=r"disk .* is full\. Nothing was lost"):
                await full.write(lambda tx, name=name: self.large(tx, name))  # type: ignore[misc]
        assert await names(full) == ["before"]
        await self.limit(full, 100_000)
        await full.write(lambda tx: self.large(tx, "after"))
        assert await names(full) == ["after", "before"]

    async def test_a_group_hears_the_same(self, full: Database) -> None:
        gate = threading.Event()
        first = asyncio.create_task(full.write(lambda _: gate.wait(10)))
        await asyncio.sleep(0.01)
        rest = [
            asyncio.create_task(full.write(lambda tx, n=n: self.large(tx, f"p{n}")))  # type: ignore[misc]
            for n in range(5)
        ]
        await asyncio.sleep(0)
        gate.set()
        found = await asyncio.gather(first, *rest, return_exceptions=True)
        for each in found[1:]:
            assert isinstance(each, TemporaryError)
            assert "is full" in each.message
        assert await names(full) == ["before"]
        await self.limit(full, 100_000)
        await full.write(lambda tx: insert(tx, "after"))
        assert await names(full) == ["after", "before"]
