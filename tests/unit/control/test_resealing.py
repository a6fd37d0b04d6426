"""A rotation: nothing is lost wherever the server dies, and old keys go when they seal nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.control import resealing
from podium.control.resealing import Resealer
from podium.domain.errors import ConflictError
from podium.domain.tenancy import TokenKind
from podium.intake.sealing_keys import keys_rotate, keys_state
from podium.intake.secrets import secret_remove, secret_set
from podium.intake.sessions import Lifetimes, Through, session_insert
from podium.store import sealed_values, secrets, tables, users
from podium.store.database import Database, Transaction
from podium.store.keyring import Key, KeyRing, KeysError
from podium.store.sealing import Sealer, key_id_of
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House

pytestmark = pytest.mark.anyio
Result = TypeVar("Result")


class CrashError(BaseException):
    """The server is gone in this moment."""


@dataclass
class Fate:
    """The server dies at the effect number `left`: before or after it, or in the middle."""

    left: int = -1

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise CrashError


class MortalDatabase(Database):
    fate: Fate

    async def write(self, function: Callable[[Transaction], Result]) -> Result:
        self.fate.tick()
        result = await super().write(function)
        self.fate.tick()
        return result


class MortalRing(KeyRing):
    fate: Fate

    def _write(self, keys: tuple[Key, ...]) -> None:
        beside = self.path.with_name(f"{self.path.name}.new")
        try:
            self.fate.tick()
        except CrashError:
            beside.write_text("half of a")
            raise
        super()._write(keys)
        self.fate.tick()


@dataclass
class Town:
    """A store whose server can die. `values` is what people believe to be in it."""

    database: MortalDatabase
    house: House
    fate: Fate = field(default_factory=Fate)
    values: dict[tuple[str, str], str] = field(default_factory=dict)

    def start(self) -> None:
        """A new process: it remembers nothing."""
        self.fate.left = -1
        self.database.fate = self.fate
        ring = MortalRing(self.house.office.sealer.ring.path)
        ring.fate = self.fate
        sealer = Sealer(ring.path)
        sealer.ring = ring
        object.__setattr__(self.house.office, "sealer", sealer)
        self.resealer = Resealer(self.database, sealer)

    async def put(self, project: str, name: str, value: str) -> None:
        await secret_set(self.house.office, ADMINISTRATOR, project=project, name=name, value=value)
        self.values[project, name] = value

    async def finish(self) -> None:
        while await self.resealer.step():
            pass

    async def opened(self) -> dict[tuple[str, str], str]:
        """What a server that starts now reads."""
        sealer = Sealer(self.house.office.sealer.ring.path)
        rows = await self.house.rows(sa.select(tables.secrets))
        return {
            (row["project"], row["name"]): sealer.unseal(
                row["sealed"], project=row["project"], name=row["name"]
            )
            for row in rows
        }


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "_CHUNK", 2)


async def town_at(url: str, clock: TurnedClock, home: Path) -> Town:
    database = MortalDatabase(url, clock=clock)
    database.fate = Fate()
    await database.open()
    town = Town(database, House(database, clock, home))
    town.start()
    await town.house.furnish()
    return town


NAMES = st.tuples(st.sampled_from(["vision", "speech"]), st.sampled_from("ABC"))
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("set"), NAMES),
        st.tuples(st.just("remove"), NAMES),
        st.tuples(st.just("rotate"), st.integers(-1, 7)),
        st.tuples(st.just("step"), st.integers(-1, 7)),
        st.tuples(st.just("restart"), st.none()),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(moves=MOVES)
def test_a_server_that_dies_anywhere_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, moves: list[tuple[str, object]]
) -> None:
    home = tmp_path_factory.mktemp("town")
    shutil.copy(sqlite_template, home / "podium.db")
    asyncio.run(_live(home, moves))
    shutil.rmtree(home)


async def _live(home: Path, moves: list[tuple[str, object]]) -> None:
    town = await town_at(f"sqlite:///{home / 'podium.db'}", TurnedClock(), home)
    office = town.house.office
    try:
        for number, (move, what) in enumerate(moves):
            town.fate.left = what if isinstance(what, int) else -1
            try:
                if move == "set":
                    await town.put(*what, f"value {number}")  # type: ignore[misc]
                elif move == "remove" and what in town.values:
                    project, name = what  # type: ignore[misc]
                    await secret_remove(office, ADMINISTRATOR, project=project, name=name)
                    del town.values[what]  # type: ignore[arg-type]
                elif move == "rotate":
                    await keys_rotate(office, ADMINISTRATOR)
                elif move == "step":
                    await town.resealer.step()
                elif move == "restart":
                    town.start()
            except CrashError:
                town.start()
            assert await town.opened() == town.values
        town.start()
        await keys_rotate(office, ADMINISTRATOR)
        await town.finish()
        assert await town.opened() == town.values
        state = await keys_state(office, ADMINISTRATOR)
        assert (state.left, state.locked) == (0, 0)
        assert len(state.keys) == 1, "keys that seal nothing are gone"
        assert state.keys[0].seals
        rows = await town.house.rows(sa.select(tables.secrets.c.sealed))
        assert {key_id_of(row["sealed"]) for row in rows} <= {state.keys[0].id}
    finally:
        await town.database.close()


@pytest.fixture
async def town(database_url: str, clock: TurnedClock, tmp_path: Path) -> AsyncIterator[Town]:
    home = tmp_path / "home"
    home.mkdir()
    made = await town_at(database_url, clock, home)
    yield made
    await made.database.close()


async def audit_of(town: Town, action: str) -> list[dict[str, object]]:
    table = tables.audit
    rows = await town.house.rows(
        sa.select(table).where(table.c.action == action).order_by(table.c.seq)
    )
    return [{**json.loads(row["detail"] or "{}"), "actor": row["actor"]} for row in rows]


async def test_a_rotation_seals_all_anew_and_is_on_record(town: Town) -> None:
    for name in "ABCDE":
        await town.put("vision", name, f"value of {name}")
    before = town.house.office.sealer.ring.all()[0].id
    state = await keys_rotate(town.house.office, ADMINISTRATOR)
    assert (state.left, state.locked, len(state.keys)) == (5, 0, 2)
    assert state.sealing is not None
    after = state.sealing.key_id
    assert await town.resealer.step()
    assert (await keys_state(town.house.office, ADMINISTRATOR)).left == 3
    await town.finish()
    assert await town.opened() == town.values
    told = await audit_of(town, "secret:rotate")
    assert told == [
        {"before": before, "after": after, "actor": "root"},
        {"resealed": 5, "locked": 0, "keys_removed": [before], "actor": "root"},
    ]
    assert not await town.resealer.step()


async def test_what_the_first_version_left_is_sealed_anew_by_itself(town: Town) -> None:
    key = Fernet.generate_key()
    town.house.office.sealer.ring.path.write_bytes(key)

    def insert(tx: Transaction) -> None:
        for name in "ABC":
            value = Fernet(key).encrypt(f"value of {name}".encode())
            row = {"project": "vision", "name": name, "sealed": value}
            tx.execute(sa.insert(tables.secrets).values(updated_at_ms=1, updated_by="a", **row))

    await town.database.write(insert)
    before = await town.opened()
    await town.finish()
    state = await keys_state(town.house.office, ADMINISTRATOR)
    assert (state.left, state.locked) == (0, 0)
    assert await town.opened() == before == {("vision", n): f"value of {n}" for n in "ABC"}
    assert town.house.office.sealer.ring.path.read_bytes() == key


async def test_a_lost_key_locks_its_secrets_and_no_others(town: Town) -> None:
    await town.put("vision", "LOST", "x")
    ring = town.house.office.sealer.ring
    lost = ring.path.read_bytes()
    ring.path.unlink()
    assert not await town.resealer.step(), "it is told of, and the server goes on"
    with pytest.raises(KeysError, match="which is not in"):
        await town.put("vision", "NEW", "y")
    await keys_rotate(town.house.office, ADMINISTRATOR)
    await town.put("vision", "NEW", "y")
    await town.finish()
    state = await keys_state(town.house.office, ADMINISTRATOR)
    assert (state.left, state.locked) == (0, 1)
    ring.path.write_bytes(ring.path.read_bytes() + lost)  # an operator found it after all
    await town.finish()
    state = await keys_state(town.house.office, ADMINISTRATOR)
    assert (state.left, state.locked, len(state.keys)) == (0, 0, 1)
    assert await town.opened() == {("vision", "LOST"): "x", ("vision", "NEW"): "y"}


async def test_a_key_put_in_front_by_hand_is_the_next(town: Town) -> None:
    await town.put("vision", "A", "x")
    ring = town.house.office.sealer.ring
    mine = ring.add()
    await town.finish()
    assert ring.find(mine.id) is not None, "kept although it seals nothing yet"
    state = await keys_rotate(town.house.office, ADMINISTRATOR)
    assert state.sealing is not None
    assert state.sealing.key_id == mine.id
    await town.finish()
    assert [key.id for key in ring.all()] == [mine.id]


async def test_keys_of_the_environment_are_rotated_by_hand(town: Town, tmp_path: Path) -> None:
    await town.put("vision", "A", "x")
    ring = town.house.office.sealer.ring
    old = ring.path.read_text().strip()
    given = Sealer(tmp_path / "home" / "none.key", keys=old)
    object.__setattr__(town.house.office, "sealer", given)
    with pytest.raises(ConflictError, match="Put a new key in front"):
        await keys_rotate(town.house.office, ADMINISTRATOR)
    new = Sealer(tmp_path / "other.key")
    new.ring.add()
    both = f"{(tmp_path / 'other.key').read_text().strip()},{old}"
    given = Sealer(tmp_path / "home" / "none.key", keys=both)
    object.__setattr__(town.house.office, "sealer", given)
    await keys_rotate(town.house.office, ADMINISTRATOR)
    resealer = Resealer(town.database, given)
    while await resealer.step():
        pass
    state = await keys_state(town.house.office, ADMINISTRATOR)
    assert [(key.secrets, key.seals) for key in state.keys] == [(1, True), (0, False)]


async def test_sets_and_rotations_at_once(town: Town) -> None:
    """Nobody seals with a key that is gone by then: eight people, and rotations all the while."""
    office = town.house.office

    async def write(person: int) -> None:
        for turn in range(12):
            await town.put("vision", f"K{person}", f"{person} {turn}")

    async def turn() -> None:
        for _ in range(4):
            await keys_rotate(office, ADMINISTRATOR)
            for _ in range(20):
                if not await town.resealer.step():
                    break

    await asyncio.gather(turn(), *(write(person) for person in range(8)))
    await town.finish()
    assert await town.opened() == town.values
    assert len(office.sealer.ring.all()) == 1


async def test_the_row_of_the_key_is_made_once(town: Town) -> None:
    await asyncio.gather(*(town.put("vision", f"K{number}", "x") for number in range(8)))
    assert len(await town.house.rows(sa.select(tables.sealing_key))) == 1
    assert await town.database.read(secrets.sealing_key) is not None


async def test_values_of_the_organisation_are_sealed_anew_too(town: Town) -> None:
    sealer = town.house.office.sealer
    await town.put("vision", "A", "x")
    for name in ("provider:a", "provider:b", "provider:c"):
        await town.database.write(partial(_value_put, name=name, sealer=sealer))
    await keys_rotate(town.house.office, ADMINISTRATOR)
    await town.finish()
    assert len(sealer.ring.all()) == 1
    sealed = await town.database.read(lambda tx: sealed_values.value_find(tx, "provider:b"))
    assert sealed is not None
    assert sealed_values.value_opened(sealed, "provider:b", sealer) == "of provider:b"
    assert await town.opened() == town.values


def _value_put(tx: Transaction, *, name: str, sealer: Sealer) -> None:
    sealed_values.value_set(tx, name, f"of {name}", sealer, 1)


async def test_id_tokens_of_sign_ins_are_sealed_anew_too(town: Town) -> None:
    office = town.house.office
    people = await town.database.read(lambda tx: users.user_fetch(tx, "ada"))
    came = Through(provider="corp", provider_session="s", id_token="head.claims.signature")

    def sign_in(tx: Transaction) -> None:
        for _ in range(3):
            session_insert(
                tx,
                office,
                Lifetimes(),
                people,
                origin=None,
                kind=TokenKind.SESSION,
                name="x",
                through=came,
            )

    await town.database.write(sign_in)
    await town.put("vision", "A", "x")
    before = office.sealer.ring.all()[0].id
    state = await keys_rotate(office, ADMINISTRATOR)
    assert state.left == 4
    await town.finish()
    assert [key.id for key in office.sealer.ring.all()] != [before]
    assert len(office.sealer.ring.all()) == 1
    rows = await town.house.rows(sa.select(tables.tokens.c.sealed_id_token))
    opened = [
        sealed_values.value_opened(row["sealed_id_token"], secrets.ID_TOKEN, office.sealer)
        for row in rows
    ]
    assert opened == ["head.claims.signature"] * 3
    assert await town.opened() == town.values
