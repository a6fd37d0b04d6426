"""Walks the audit trail in the database, slice by slice. The notary does so before it signs, and
the API when somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from podium.domain.audit import Place, Removal, Seal
from podium.domain.audit_verify import Verdict, Verifier
from podium.store import audit_seals, audit_trail
from podium.store.database import Database, Transaction

_SLICE = 5_000


async def check_all(
    database: Database, keys: Mapping[str, bytes], elsewhere: Callable[[], Sequence[Seal]]
) -> Verdict:
    """All entries, against the seals in the database and those `elsewhere`."""
    verdict = await _check(database, keys, elsewhere)
    # What retention took away meanwhile looks like a fault; it does not on a second look.
    return verdict if verdict.ok else await _check(database, keys, elsewhere)


async def check_since(database: Database, start: Place) -> tuple[Verdict, Place]:
    """The entries after a place that is trusted, and where they end."""
    return await _walk(database, Verifier(keys={}, seals=(), start=start, trusting=True))


async def _check(
    database: Database, keys: Mapping[str, bytes], elsewhere: Callable[[], Sequence[Seal]]
) -> Verdict:
    # First the file: whatever it has was in the database before.
    kept = await asyncio.to_thread(elsewhere)

    def begin(tx: Transaction) -> tuple[Removal | None, list[Seal]]:
        return audit_seals.removal_last(tx), audit_seals.seal_list(tx)

    removal, seals = await database.read(begin)
    verifier = await asyncio.to_thread(
        lambda: Verifier(keys=keys, seals=seals, elsewhere=kept, removal=removal)
    )
    verdict, _ = await _walk(database, verifier)
    return verdict


async def _walk(database: Database, verifier: Verifier) -> tuple[Verdict, Place]:
    seq = verifier.start.seq
    while True:

        def look(tx: Transaction, after: int = seq) -> tuple[int, Place | None]:
            links = audit_trail.entries_after(tx, after, _SLICE)
            verifier.take(links)
            last = links[-1][0] if links else after
            # Of one moment, so that what is appended meanwhile does not look put in.
            return last, audit_trail.head(tx) if len(links) < _SLICE else None

        seq, head = await database.read(look)
        if head is not None:
            return verifier.finish(head), head
