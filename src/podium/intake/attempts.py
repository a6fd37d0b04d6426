"""Counts what is tried, and lets nobody try too often. What it counts is in the store, as hashes:
people type passwords where their names belong."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from podium.domain.errors import BusyError
from podium.domain.throttle import Throttle
from podium.intake.office import Office
from podium.store import attempts
from podium.store.audit import ORIGIN
from podium.store.database import Transaction

Counted = tuple[str, Throttle]


class TooOftenError(BusyError):
    """Somebody tried too often; `retry_after_seconds` says for how long nothing helps."""


def counted(rule: Throttle, *what: str) -> Counted:
    """What is counted together: the same texts, in the same order."""
    text = "\0".join((str(rule), *what))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest(), rule


def source_now() -> str:
    """The address that the request comes from; empty where there is none."""
    origin = ORIGIN.get()
    return origin.source if origin is not None else ""


async def try_begun(office: Office, what: Sequence[Counted], words: str) -> None:
    """Count one more try, before it is known how it ends: many at once are counted, too.
    Raises TooOftenError, and then counts nothing."""
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> int:
        known = [(key, rule, attempts.tries_fetch(tx, key)) for key, rule in sorted(what, key=_key)]
        until_ms = max(tries.until_ms for _, _, tries in known)
        if until_ms <= now_ms:
            for key, rule, tries in known:
                attempts.tries_store(tx, key, rule, tries.again(rule, now_ms))
        return until_ms - now_ms

    wait_ms = await office.database.write(write, quiet=True)
    if wait_ms > 0:
        seconds = -(-wait_ms // 1000)
        raise TooOftenError(f"{words} Try again in {seconds} s.", retry_after_seconds=seconds)


async def try_ended_well(
    office: Office, *, clear: Sequence[Counted], lessen: Sequence[Counted] = ()
) -> None:
    """It was no failure: nothing counts any more of `clear`, and one less of `lessen`, so that an
    address cannot wash itself clean by a sign-in of its own."""
    now_ms = office.database.now_ms()

    def write(tx: Transaction) -> None:
        for key, rule in sorted([*clear, *lessen], key=_key):
            if (key, rule) in clear:
                attempts.tries_forget(tx, key)
            else:
                tries = attempts.tries_fetch(tx, key)
                attempts.tries_store(tx, key, rule, tries.one_less(rule, now_ms))

    await office.database.write(write, quiet=True)


def _key(counted: Counted) -> str:
    """One order for all, so that two who count the same keys cannot block each other."""
    return counted[0]
