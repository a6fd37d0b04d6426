"""The keys that seal secrets: which there are, and a new one. `control/resealing` does the rest."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from podium.domain.errors import ConflictError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, audited, authorise
from podium.store import secrets
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.keyring import KeyRing
from podium.store.sealing import Sealer, key_id_of
from podium.store.secrets import SealedRow, SealingKey

_OLD_MAX = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """A key that this server has or that a secret names, and how many secrets it seals."""

    id: str
    here: bool
    seals: bool
    secrets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysState:
    """`left` secrets have yet to be sealed with the key that seals now; `locked` ones do not open
    with any key of this server."""

    sealing: SealingKey | None
    keys: tuple[KeyState, ...]
    left: int
    locked: int
    place: str
    writable: bool


async def keys_state(office: Office, identity: Identity) -> KeysState:
    """Raises KeysError when the keys cannot be read."""
    authorise(identity, Action.SECRET_ROTATE)

    def read(tx: Transaction) -> tuple[SealingKey | None, dict[bytes, int], list[SealedRow]]:
        counts = secrets.sealed_counts(tx)
        old = any(key_id_of(each) is None for each in counts)
        rows = secrets.sealed_otherwise(tx, "00" * 8, limit=_OLD_MAX) if old else []
        return secrets.sealing_key(tx), counts, rows

    sealing, counts, rows = await office.database.read(read)
    return await asyncio.to_thread(_state, office.sealer, sealing, counts, rows)


async def keys_rotate(office: Office, identity: Identity) -> KeysState:
    """Let another key seal from now on: the one that stands in front of the one that does, else a
    new one. Raises ConflictError when there is none and none can be made here."""
    authorise(identity, Action.SECRET_ROTATE)
    ring, database = office.sealer.ring, office.database
    with ring.held():
        before = await database.read(secrets.sealing_key)
        chosen = await asyncio.to_thread(_next_key, ring, before)
        key = SealingKey(key_id=chosen, since_ms=database.now_ms(), set_by=identity.username)
        entry = AuditEntry(
            actor=identity.username,
            action=Action.SECRET_ROTATE,
            subject=chosen,
            detail={"before": None if before is None else before.key_id, "after": chosen},
        )
        await audited(office, entry, lambda tx: secrets.sealing_key_set(tx, key))
    office.hints.wake("secrets")
    return await keys_state(office, identity)


def _next_key(ring: KeyRing, before: SealingKey | None) -> str:
    keys = ring.all()
    if keys and (before is None or keys[0].id != before.key_id):
        return keys[0].id
    if not ring.writable:
        raise ConflictError(
            f"The keys are in {ring.place}, which Podium does not write. Put a new key in front "
            "of the others there, and rotate again."
        )
    return ring.add().id


def _state(
    sealer: Sealer,
    sealing: SealingKey | None,
    counts: dict[bytes, int],
    rows: list[SealedRow],
) -> KeysState:
    here = [key.id for key in sealer.ring.all()]
    active = None if sealing is None else sealing.key_id
    seals: dict[str, int] = {}
    old = 0
    for beginning, count in counts.items():
        key_id = key_id_of(beginning)
        if key_id is None:
            old += count
        else:
            seals[key_id] = seals.get(key_id, 0) + count
    shut = sum(1 for row in rows if key_id_of(row.sealed) is None and not _opens(sealer, row))
    locked = shut + sum(count for key_id, count in seals.items() if key_id not in here)
    total = old + sum(seals.values())
    ids = list(dict.fromkeys([*here, *seals, *([active] if active else [])]))
    return KeysState(
        sealing=sealing,
        keys=tuple(
            KeyState(id=each, here=each in here, seals=each == active, secrets=seals.get(each, 0))
            for each in ids
        ),
        left=total - locked - seals.get(active or "", 0) if active in here else 0,
        locked=locked,
        place=sealer.ring.place,
        writable=sealer.ring.writable,
    )


def _opens(sealer: Sealer, row: SealedRow) -> bool:
    try:
        sealer.unseal(row.sealed, project=row.project, name=row.name)
    except Exception:
        return False
    return True
