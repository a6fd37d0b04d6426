"""Seals every secret with the key that seals now, then takes away the keys that seal nothing.

What is left to do stands in the database and in the key file, so it goes on after a crash wherever
it was. No lease is asked for: two servers may do the same rows, and each keeps its own key file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from podium.domain.errors import ConflictError
from podium.domain.event import SYSTEM_ACTOR
from podium.domain.rights import Action
from podium.store import audit, secrets
from podium.store.audit import AuditEntry
from podium.store.database import Database
from podium.store.keyring import KeysError
from podium.store.sealing import Sealer, key_id_of
from podium.store.secrets import SealedRow, SealingKey

PERIOD_SECONDS = 60.0
_CHUNK = 200
_log = structlog.get_logger(__name__)


class Resealer:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._begin("")
        self._done: tuple[str, ...] | None = None
        self._warned = False

    def _begin(self, key_id: str) -> None:
        self._key_id = key_id
        self._after = ("", "", "")
        self._resealed = 0
        self._locked = 0

    async def step(self) -> bool:
        """One chunk of secrets. True when there is more to do."""
        try:
            return await self._step()
        except KeysError as error:
            # Nothing that trying more often would help, and no reason to count this server as ill.
            if not self._warned:
                self._warned = True
                _log.warning("secrets_locked", reason=error.message)
            return False
        except ConflictError:
            return False  # another one changes the keys now

    async def _step(self) -> bool:
        key = await self._database.read(secrets.sealing_key)
        if key is None:
            return await self._adopt()
        if (key.key_id, *self._ids()) == self._done:
            return False
        if self._sealer.ring.find(key.key_id) is None:
            raise self._sealer.missing(key.key_id)
        self._warned = False
        if key.key_id != self._key_id:
            self._begin(key.key_id)
        rows = await self._database.read(
            lambda tx: secrets.sealed_otherwise(tx, key.key_id, limit=_CHUNK, after=self._after)
        )
        if rows:
            await self._reseal(rows, key.key_id)
        if len(rows) == _CHUNK:
            self._after = rows[-1].place
            return True
        await self._finish(key)
        return False

    async def _adopt(self) -> bool:
        """A database from before there was a key ring: the first key is the one that seals."""
        now_ms = self._database.now_ms()
        if not await self._database.read(secrets.sealed_counts):
            return False
        await self._database.write(
            lambda tx: secrets.sealing_key_held(tx, self._sealer.ring, now_ms)
        )
        return True

    async def _reseal(self, rows: Sequence[SealedRow], key_id: str) -> None:
        pairs = await asyncio.to_thread(self._sealed_anew, rows, key_id)
        self._locked += len(rows) - len(pairs)
        if pairs:
            self._resealed += await self._database.write(
                lambda tx: secrets.secrets_reseal(tx, key_id, pairs)
            )

    def _sealed_anew(self, rows: Sequence[SealedRow], key_id: str) -> list[tuple[SealedRow, bytes]]:
        pairs = []
        for row in rows:
            place = {"project": row.project, "name": row.name}
            try:
                value = self._sealer.unseal(row.sealed, **place)
            except KeysError as error:
                _log.warning("secret_locked", **place, reason=error.message)
                continue
            pairs.append((row, self._sealer.seal(value, **place, key_id=key_id)))
        return pairs

    async def _finish(self, key: SealingKey) -> None:
        ring = self._sealer.ring
        with ring.held():
            now = await self._database.read(secrets.sealing_key)
            if now is None or now.key_id != key.key_id:
                return
            counts = await self._database.read(secrets.sealed_counts)
            idle = self._idle(key.key_id, {key_id_of(each) for each in counts})
            if self._resealed or idle:
                entry = AuditEntry(
                    actor=key.set_by or SYSTEM_ACTOR,
                    action=Action.SECRET_ROTATE,
                    subject=key.key_id,
                    detail={
                        "resealed": self._resealed,
                        "locked": self._locked,
                        "keys_removed": sorted(idle),
                    },
                )
                await self._database.write(
                    lambda tx: audit.audit_append(tx, [entry], self._database.now_ms())
                )
                _log.info("secrets_resealed", key=key.key_id, count=self._resealed)
            if idle:
                await asyncio.to_thread(ring.remove, idle)
        if ring.exposed:
            _log.warning("secret_key_readable_by_others", path=str(ring.path))
        self._begin(key.key_id)
        self._done = (key.key_id, *self._ids())

    def _idle(self, key_id: str, used: set[str | None]) -> set[str]:
        """Keys behind the one that seals, if they seal nothing. Those in front of it were put there
        to be next. While something is sealed in the old way, nobody knows by which."""
        if None in used or not self._sealer.ring.writable:
            return set()
        ids = self._ids()
        return {each for each in ids[ids.index(key_id) + 1 :] if each not in used}

    def _ids(self) -> tuple[str, ...]:
        return tuple(key.id for key in self._sealer.ring.all())
