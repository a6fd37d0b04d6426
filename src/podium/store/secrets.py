"""Sealed secrets of projects, who uses them, and which key seals now.

Names and uses are for people; values only for the launch loop. Which key seals is one row of the
database, locked by whoever seals until the commit: so when another key has taken its place, nothing
more is sealed with the old one by anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.domain.lifecycle import WorkloadState
from podium.store import tables
from podium.store.database import Transaction
from podium.store.keyring import KeyRing
from podium.store.sealing import PREFIX_BYTES, Sealer, prefix_of

_RING = 1
_SHOWN_MAX = 20
_BEGINNING: sa.ColumnElement[bytes] = sa.func.substr(
    tables.secrets.c.sealed, 1, PREFIX_BYTES, type_=sa.LargeBinary
)
# Those of projects, and those of the organisation itself (`store/sealed_values`).
ID_TOKEN = "id-token"  # noqa: S105 - a name
"""What the ID tokens of sign-ins are bound to when they are sealed."""

_EVERY = sa.union_all(
    sa.select(
        tables.secrets.c.project,
        tables.secrets.c.name,
        sa.literal("").label("token_id"),
        tables.secrets.c.sealed,
    ),
    sa.select(
        sa.literal("").label("project"),
        tables.sealed_values.c.name,
        sa.literal("").label("token_id"),
        tables.sealed_values.c.sealed,
    ),
    sa.select(
        sa.literal("").label("project"),
        sa.literal(ID_TOKEN).label("name"),
        tables.tokens.c.id.label("token_id"),
        tables.tokens.c.sealed_id_token.label("sealed"),
    ).where(tables.tokens.c.sealed_id_token.is_not(None)),
).subquery("sealed")
_PLACE = (_EVERY.c.project, _EVERY.c.name, _EVERY.c.token_id)
_EVERY_BEGINNING: sa.ColumnElement[bytes] = sa.func.substr(
    _EVERY.c.sealed, 1, PREFIX_BYTES, type_=sa.LargeBinary
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRecord:
    """What may be told of a secret. `beginning` says which key opens it, see `store/sealing`."""

    project: str
    name: str
    updated_at_ms: int
    updated_by: str
    last_used_at_ms: int | None = None
    beginning: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUser:
    """A workload that has not ended and names a secret."""

    id: str
    name: str
    state: WorkloadState
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUsers:
    """The newest of those that use one secret, and how many there are."""

    count: int = 0
    first: tuple[SecretUser, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """The key that seals now, since when, and who put it in; empty for Podium itself."""

    key_id: str
    since_ms: int
    set_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    """`project` is empty for what belongs to the organisation itself, `token_id` for all but
    the ID token of a sign-in."""

    project: str
    name: str
    sealed: bytes
    token_id: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        return self.project, self.name, self.token_id


def secret_set(
    tx: Transaction, record: SecretRecord, value: str, sealer: Sealer
) -> SecretRecord | None:
    """What was there before under that name. Raises KeysError when it cannot be sealed."""
    key_id = sealing_key_held(tx, sealer.ring, record.updated_at_ms)
    sealed = sealer.seal(value, project=record.project, name=record.name, key_id=key_id)
    before = secret_remove(tx, record.project, record.name)
    tx.execute(
        sa.insert(tables.secrets).values(
            project=record.project,
            name=record.name,
            sealed=sealed,
            updated_at_ms=record.updated_at_ms,
            updated_by=record.updated_by,
        )
    )
    return before


def secret_remove(tx: Transaction, project: str, name: str) -> SecretRecord | None:
    """What was there."""
    table = tables.secrets
    before = next(iter(_records(tx, project, table.c.name == name)), None)
    tx.execute(sa.delete(table).where(table.c.project == project, table.c.name == name))
    return before


def secret_list(
    tx: Transaction, project: str, *, limit: int, after: str = ""
) -> list[SecretRecord]:
    return _records(tx, project, tables.secrets.c.name > after, limit=limit)


def _records(
    tx: Transaction, project: str, where: sa.ColumnElement[bool], *, limit: int = 1
) -> list[SecretRecord]:
    table = tables.secrets
    statement = (
        sa.select(
            table.c.project,
            table.c.name,
            table.c.updated_at_ms,
            table.c.updated_by,
            table.c.last_used_at_ms,
            _BEGINNING.label("beginning"),
        )
        .where(table.c.project == project, where)
        .order_by(table.c.name)
        .limit(limit)
    )
    return [SecretRecord(**row) for row in tx.execute(statement).mappings()]


def secret_names(tx: Transaction, project: str, names: Collection[str]) -> set[str]:
    """Those of `names` that the project has."""
    table = tables.secrets
    return set(
        tx.scalars(
            sa.select(table.c.name).where(
                table.c.project == project, table.c.name.in_(sorted(names))
            )
        )
    )


def secret_sealed(tx: Transaction, project: str, names: Collection[str]) -> dict[str, bytes]:
    """Sealed values by name, for the launch loop, which alone opens them."""
    table = tables.secrets
    rows = tx.execute(
        sa.select(table.c.name, table.c.sealed).where(
            table.c.project == project, table.c.name.in_(sorted(names))
        )
    )
    return {row.name: row.sealed for row in rows}


def secret_used(tx: Transaction, project: str, names: Collection[str], now_ms: int) -> None:
    table = tables.secrets
    tx.execute(
        sa.update(table)
        .where(table.c.project == project, table.c.name.in_(sorted(names)))
        .values(last_used_at_ms=now_ms)
    )


def uses_insert(tx: Transaction, uses: Mapping[str, tuple[str, Collection[str]]]) -> None:
    """By new workload: its project, and the names of the secrets that it asks for."""
    rows = [
        {"workload_id": key, "project": project, "name": name}
        for key, (project, names) in uses.items()
        for name in sorted(names)
    ]
    if rows:
        tx.execute(sa.insert(tables.workload_secrets), rows)


def secret_users(tx: Transaction, project: str, names: Collection[str]) -> dict[str, SecretUsers]:
    """Of each secret that is used: the workloads that have not ended, newest first."""
    use, workload = tables.workload_secrets, tables.workloads
    place = sa.func.row_number().over(partition_by=use.c.name, order_by=use.c.workload_id.desc())
    living = (
        sa.select(
            use.c.name.label("secret"),
            workload.c.id,
            workload.c.name,
            workload.c.state,
            workload.c.owner,
            sa.func.count().over(partition_by=use.c.name).label("users"),
            place.label("place"),
        )
        .join(workload, workload.c.id == use.c.workload_id)
        .where(
            use.c.project == project,
            use.c.name.in_(sorted(names)),
            workload.c.ended_at_ms.is_(None),
        )
        .subquery()
    )
    counts: dict[str, int] = {}
    first: dict[str, list[SecretUser]] = {}
    statement = (
        sa.select(living)
        .where(living.c.place <= _SHOWN_MAX)
        .order_by(living.c.secret, living.c.place)
    )
    for row in tx.execute(statement):
        counts[row.secret] = row.users
        first.setdefault(row.secret, []).append(
            SecretUser(id=row.id, name=row.name, state=WorkloadState(row.state), owner=row.owner)
        )
    return {
        name: SecretUsers(count=counts[name], first=tuple(users)) for name, users in first.items()
    }


def sealing_key(tx: Transaction) -> SealingKey | None:
    """None before the first secret."""
    row = tx.execute(sa.select(tables.sealing_key)).first()
    if row is None:
        return None
    return SealingKey(key_id=row.key_id, since_ms=row.since_ms, set_by=row.set_by)


def sealing_key_held(tx: Transaction, ring: KeyRing, now_ms: int) -> str:
    """The id of the key that seals, which stays so until the commit: the first of the ring, if
    nothing was sealed before. Raises KeysError."""
    table = tables.sealing_key
    known: str | None = tx.scalar(sa.select(table.c.key_id).with_for_update(read=True))
    if known is not None:
        return known
    sealed = tx.execute(sa.select(_EVERY.c.name).limit(1)).first() is not None
    key_id = ring.first_id(sealed=sealed)
    sealing_key_set(tx, SealingKey(key_id=key_id, since_ms=now_ms, set_by=""))
    return key_id


def sealing_key_set(tx: Transaction, key: SealingKey) -> None:
    """Waits for everyone who seals with the one before."""
    table = tables.sealing_key
    values = {"key_id": key.key_id, "since_ms": key.since_ms, "set_by": key.set_by}
    if tx.execute(sa.update(table).values(values)).rowcount == 0:
        tx.execute(sa.insert(table).values(id=_RING, **values))


def sealed_otherwise(
    tx: Transaction, key_id: str, *, limit: int, after: tuple[str, str, str] = ("", "", "")
) -> list[SealedRow]:
    """Secrets that another key sealed, by their `place`."""
    statement = (
        sa.select(_EVERY)
        .where(
            _EVERY_BEGINNING.is_distinct_from(prefix_of(key_id)),
            sa.tuple_(*_PLACE) > sa.tuple_(*map(sa.literal, after)),
        )
        .order_by(*_PLACE)
        .limit(limit)
    )
    return [SealedRow(**row) for row in tx.execute(statement).mappings()]


def secrets_reseal(tx: Transaction, key_id: str, pairs: Sequence[tuple[SealedRow, bytes]]) -> int:
    """Replace sealed values, but for those that somebody set in the meantime, and none when
    `key_id` is not the key that seals any more. How many it were."""
    held = sa.select(tables.sealing_key.c.key_id).with_for_update(read=True)
    if tx.scalar(held) != key_id:
        return 0
    done = 0
    for row, sealed in pairs:
        done += tx.execute(_resealed(row, sealed)).rowcount
    return done


def _resealed(row: SealedRow, sealed: bytes) -> sa.Update:
    if row.token_id:
        token = tables.tokens
        same = (token.c.id == row.token_id) & (token.c.sealed_id_token == row.sealed)
        return sa.update(token).where(same).values(sealed_id_token=sealed)
    table = tables.secrets if row.project else tables.sealed_values
    same = (table.c.name == row.name) & (table.c.sealed == row.sealed)
    if row.project:
        same &= tables.secrets.c.project == row.project
    return sa.update(table).where(same).values(sealed=sealed)


def sealed_counts(tx: Transaction) -> dict[bytes, int]:
    """How many secrets there are, by how their sealed values begin."""
    counted = tx.execute(sa.select(_EVERY_BEGINNING, sa.func.count()).group_by(_EVERY_BEGINNING))
    return {bytes(beginning): count for beginning, count in counted}
