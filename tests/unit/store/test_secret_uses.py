"""Which work names which secret: told to people while the work lives, and filled in by the
migration for work of before."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from podium.intake.secrets import secret_set
from podium.intake.workloads import workload_cancel
from podium.store import migrations, secrets, tables
from podium.store.database import Database, Transaction
from turned_clock import TurnedClock
from unit.house import ADMINISTRATOR, House, document, node

pytestmark = pytest.mark.anyio
NAMES = ["A", "B", "C"]


@pytest.fixture
async def house(database: Database, clock: TurnedClock, tmp_path: Path) -> House:
    made = House(database, clock, tmp_path)
    await made.furnish(node())
    for name in NAMES:
        await secret_set(made.office, ADMINISTRATOR, project="vision", name=name, value="s3")
    return made


async def users(house: House) -> dict[str, list[str]]:
    found = await house.database.read(lambda tx: secrets.secret_users(tx, "vision", NAMES))
    assert all(each.count >= len(each.first) for each in found.values())
    return {name: [user.id for user in each.first] for name, each in found.items()}


async def test_users_are_those_that_live_newest_first(house: House) -> None:
    first = await house.submit(document("first", secrets=["A", "B"]))
    second = await house.submit(document("second", secrets=["A", {"name": "A", "as": "file"}]))
    assert await users(house) == {"A": [second, first], "B": [first]}
    await workload_cancel(house.office, ADMINISTRATOR, first)
    assert await users(house) == {"A": [second]}


async def test_many_users_are_counted_and_the_first_shown(house: House) -> None:
    ids = await house.submit(*(document(f"w-{n}", secrets=["C"]) for n in range(25)))
    found = await house.database.read(lambda tx: secrets.secret_users(tx, "vision", NAMES))
    assert found["C"].count == 25
    assert [each.id for each in found["C"].first] == sorted(ids, reverse=True)[:20]


async def test_the_migration_fills_in_what_lives(house: House) -> None:
    first = await house.submit(document("first", secrets=["A", "B"]))
    await house.submit(document("plain"))
    gone = await house.submit(document("gone", secrets=["A"]))
    await workload_cancel(house.office, ADMINISTRATOR, gone)
    path = Path(migrations.__file__).parent / "versions" / "0013_secrets.py"
    loaded = importlib.util.spec_from_file_location("secrets_migration", path)
    assert loaded is not None
    assert loaded.loader is not None
    migration = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(migration)

    def fill(tx: Transaction) -> None:
        tx.execute(sa.delete(tables.workload_secrets))
        with Operations.context(MigrationContext.configure(tx)):
            migration._fill(tables.workload_secrets)

    await house.database.write(fill)
    rows = await house.rows(sa.select(tables.workload_secrets))
    assert sorted((row["workload_id"], row["name"]) for row in rows) == [(first, "A"), (first, "B")]
