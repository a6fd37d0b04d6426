"""Leases: one holder at a time, and no write of a holder that lost it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from podium.control.leadership import LEASE_SECONDS, Leadership
from podium.domain.errors import LeaseLostError
from podium.store import tables
from podium.store.database import Database, Transaction
from turned_clock import TurnedClock

pytestmark = pytest.mark.anyio

LEASE_MS = int(LEASE_SECONDS * 1000)


def mark(tx: Transaction) -> None:
    tx.execute(sa.insert(tables.teams).values(name="written", created_at_ms=1))


async def written(database: Database) -> bool:
    return bool(await database.read(lambda tx: tx.execute(sa.select(tables.teams)).all()))


async def test_one_leads_until_it_stops_renewing(database: Database, clock: TurnedClock) -> None:
    first, second = (Leadership(database, name, ["a", "b"]) for name in ("one", "two"))
    assert await first.renew()
    assert not await second.renew()
    assert (first.leads("a"), second.leads("a")) == (True, False)
    for _ in range(5):
        clock.advance(LEASE_MS - 1)
        assert not await first.renew(), "kept, not won"
        assert not await second.renew()
    clock.advance(LEASE_MS + 1)
    assert not first.leads("a"), "it knows by itself that its time is over"
    assert await second.renew()
    assert not await first.renew()
    assert (first.leads("a"), second.leads("a")) == (False, True)


async def test_a_lost_lease_cannot_write(database: Database, clock: TurnedClock) -> None:
    first, second = (Leadership(database, name, ["a"]) for name in ("one", "two"))
    await first.renew()
    clock.advance(LEASE_MS + 1)
    with pytest.raises(LeaseLostError):
        await first.fenced("a", mark)
    await second.renew()
    with pytest.raises(LeaseLostError):
        await first.fenced("a", mark)
    clock.advance(LEASE_MS + 1)
    await first.renew()  # a new token: what was begun before must not be written with it
    with pytest.raises(LeaseLostError):
        await second.fenced("a", mark)
    assert not await written(database)
    await first.fenced("a", mark)
    assert await written(database)


async def test_what_was_never_held_cannot_write(database: Database) -> None:
    with pytest.raises(LeaseLostError):
        await Leadership(database, "one", ["a"]).fenced("a", mark)
    assert not await written(database)


async def test_release_lets_the_next_one_in_at_once(database: Database, clock: TurnedClock) -> None:
    first, second = (Leadership(database, name, ["a"]) for name in ("one", "two"))
    await first.renew()
    await first.release()
    assert not first.leads("a")
    assert await second.renew()
    await first.release()  # not its own any more: nothing happens
    assert second.leads("a")
    await second.fenced("a", mark)


async def test_a_restarted_server_goes_on_at_once(database: Database) -> None:
    before = Leadership(database, "one", ["a"])
    await before.renew()
    after = Leadership(database, "one", ["a"])
    assert await after.renew()
    await after.fenced("a", mark)


async def test_a_wall_clock_that_jumps_expires_nothing(
    database: Database, clock: TurnedClock
) -> None:
    leader = Leadership(database, "one", ["a"])
    await leader.renew()
    for jump in (10 * LEASE_MS, -20 * LEASE_MS):
        clock.jump_wall(jump)
        assert leader.leads("a")
    await leader.fenced("a", mark)
