"""Which loops this server may run: leases in the database, renewed while the server lives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from podium.domain.errors import LeaseLostError
from podium.store import leases
from podium.store.database import Database, Transaction
from podium.store.leases import Lease

Result = TypeVar("Result")

LEASE_SECONDS = 15.0


class Leadership:
    """Holds the leases that could be had; `fenced` writes only while one is really held.

    `holder` stays the same over restarts of one server, so that a server which was killed goes on
    at once instead of waiting for its own lease to run out.
    """

    def __init__(self, database: Database, holder: str, names: Sequence[str]) -> None:
        self._database = database
        self._holder = holder
        self._names = tuple(names)
        self._held: dict[str, Lease] = {}
        self._turn = asyncio.Lock()

    def add(self, name: str) -> None:
        """One more that is to be held, from the next renewal on."""
        if name not in self._names:
            self._names = (*self._names, name)

    async def drop(self, name: str) -> None:
        """Hold it no longer, so that another server need not wait for its expiry."""
        async with self._turn:
            self._names = tuple(each for each in self._names if each != name)
            if self._held.pop(name, None) is not None:
                await self._database.write(lambda tx: leases.lease_release(tx, name, self._holder))

    def leads(self, name: str) -> bool:
        lease = self._held.get(name)
        return lease is not None and lease.expires_at_ms > self._database.now_ms()

    async def renew(self) -> bool:
        """Take or keep every lease that is free. Returns whether a new one was won."""
        async with self._turn:
            names = self._names
            before = {name for name in names if self.leads(name)}

            def acquire(tx: Transaction) -> dict[str, Lease]:
                now_ms = self._database.now_ms()
                taken = {
                    name: leases.lease_acquire(
                        tx, name, self._holder, now_ms, lease_ms=int(LEASE_SECONDS * 1000)
                    )
                    for name in names
                }
                return {name: lease for name, lease in taken.items() if lease is not None}

            self._held = await self._database.write(acquire)
            return not before.issuperset(self._held)

    async def fenced(self, name: str, function: Callable[[Transaction], Result]) -> Result:
        """Run `function` in a transaction that the lease guards. Raises LeaseLostError."""
        lease = self._held.get(name)
        if lease is None:
            raise LeaseLostError(f"This server does not hold '{name}'.")

        def guarded(tx: Transaction) -> Result:
            leases.lease_check(tx, lease, self._database.now_ms())
            return function(tx)

        return await self._database.write(guarded)

    async def release(self) -> None:
        """Let another server take over at once."""

        def give_back(tx: Transaction) -> None:
            for name in self._held:
                leases.lease_release(tx, name, self._holder)

        await self._database.write(give_back)
        self._held = {}
