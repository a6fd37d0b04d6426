"""Every entry is bound to the one before it, whoever writes at the same time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.audit import GENESIS, Origin, chained
from podium.store import audit, audit_trail, tables
from podium.store.audit import ORIGIN, AuditEntry, UnauditedError, audit_append
from podium.store.database import Database, Transaction
from unit.audit_desk import Desk

pytestmark = pytest.mark.anyio

ENTRY = AuditEntry(actor="ada", action="quota:set", subject="vision", detail={"weight": 2})


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Desk:
    return Desk(database, tmp_path)


async def test_an_entry_is_stored_as_given_with_its_origin(desk: Desk) -> None:
    origin = Origin(source="10.0.0.7", token_id="t-1", user_agent="curl/8", request_id="abc")
    token = ORIGIN.set(origin)
    try:
        await desk.database.write(lambda tx: audit_append(tx, [ENTRY], 42))
    finally:
        ORIGIN.reset(token)
    ((*fields, digest),) = await desk.links()
    assert fields == [
        1, 42, "ada", "quota:set", "vision", None, "allowed", '{"weight": 2}',
        "10.0.0.7", "t-1", "curl/8", "abc",
    ]  # fmt: skip
    assert digest == chained(GENESIS, *fields)


async def test_many_writers_make_one_chain(desk: Desk) -> None:
    """Some of them fail; on SQLite they share transactions, on PostgreSQL they run at once."""

    def write(tx: Transaction, number: int) -> None:
        audit_append(tx, [ENTRY] * (number % 3 + 1), number)
        if number % 7 == 0:
            raise ValueError(number)

    answers = await asyncio.gather(
        *(
            desk.database.write(lambda tx, number=number: write(tx, number))  # type: ignore[misc]
            for number in range(200)
        ),
        return_exceptions=True,
    )
    assert [each.args[0] for each in answers if isinstance(each, ValueError)] == [*range(0, 200, 7)]
    links = await desk.links()
    assert len(links) == sum(number % 3 + 1 for number in range(200) if number % 7)
    assert [link[0] for link in links] == list(range(1, len(links) + 1))
    assert not {link[1] for link in links} & set(range(0, 200, 7))
    verdict = await desk.verify()
    assert verdict.ok
    assert (verdict.entries, verdict.unsealed) == (len(links), len(links))


async def test_who_goes_on_from_a_place_misses_nothing(desk: Desk) -> None:
    """Entries are seen in the order of their seq, never a later one first."""
    seen: list[int] = []

    async def read() -> None:
        while len(seen) < 120:
            after = seen[-1] if seen else 0
            found = await desk.database.read(
                lambda tx, after=after: audit_trail.entries_after(tx, after, 7)  # type: ignore[misc]
            )
            seen.extend(link[0] for link in found)

    await asyncio.gather(read(), *(desk.append(2) for _ in range(60)))
    assert seen == list(range(1, 121))


async def test_the_database_refuses_to_change_entries(desk: Desk) -> None:
    await desk.sealed(3)
    for statement in (
        sa.update(tables.audit).values(actor="eve"),
        sa.delete(tables.audit).where(tables.audit.c.seq == 2),
        sa.update(tables.audit_seals).values(seq=1),
    ):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            await desk.database.write(lambda tx, done=statement: tx.execute(done))  # type: ignore[misc]
    assert (await desk.verify()).ok


async def test_a_request_cannot_change_anything_without_an_entry(database: Database) -> None:
    row = sa.insert(tables.teams).values(name="red", created_at_ms=1)
    token = ORIGIN.set(Origin())
    try:
        with pytest.raises(UnauditedError, match="teams"):
            await database.write(lambda tx: tx.execute(row))
        assert await database.read(lambda tx: tx.execute(sa.select(tables.teams)).all()) == []

        def both(tx: Transaction) -> None:
            tx.execute(row)
            audit_append(tx, [ENTRY], 1)

        await database.write(both)
        await database.write(lambda tx: tx.execute(sa.delete(tables.teams)), quiet=True)
        await database.write(lambda tx: tx.execute(sa.select(tables.teams)))
    finally:
        ORIGIN.reset(token)
    await database.write(lambda tx: tx.execute(row))  # a loop's


async def test_what_a_failed_function_appended_is_forgotten(desk: Desk) -> None:
    def fail(tx: Transaction) -> None:
        audit_append(tx, [ENTRY], 1)
        raise KeyError

    with pytest.raises(KeyError):
        await desk.database.write(fail)
    await desk.database.write(lambda tx: tx.execute(sa.select(1)))
    assert await desk.links() == []
    assert audit.ORIGIN.get() is None


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
fields = st.tuples(
    st.integers(0, 2**62), st.integers(0, 2**62), texts, texts, texts, st.none() | texts,
    texts, texts, texts, texts, texts, texts,
)  # fmt: skip


@given(fields, fields, st.binary(min_size=32, max_size=32))
def test_different_entries_have_different_hashes(
    one: tuple[int, int, str, str, str, str | None, str, str, str, str, str, str],
    other: tuple[int, int, str, str, str, str | None, str, str, str, str, str, str],
    before: bytes,
) -> None:
    assert (chained(before, *one) == chained(before, *other)) == (one == other)
    moved = (*one[:2], one[2] + one[3], "", *one[4:])
    if moved != one:
        assert chained(before, *moved) != chained(before, *one)
