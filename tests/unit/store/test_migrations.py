"""Migrations make what the tables say, refuse what is newer, and take turns."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from podium.domain.errors import PermanentError
from podium.domain.rights import LEAD, Action
from podium.store import migrations, roles, tables, tokens
from podium.store.database import Database
from postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'podium.db'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.url(server.create())


def test_head_is_alembics_own() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


async def test_upgrade_from_nothing_gives_the_tables(empty_url: str) -> None:
    database = Database(empty_url)
    await database.open()

    def differences(tx: sa.Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(tx, opts=options), tables.metadata)

    assert await database.read(differences) == []
    names = {index.name for table in tables.metadata.tables.values() for index in table.indexes}
    found = await database.read(
        lambda tx: {
            index["name"]
            for table in tables.metadata.tables
            for index in sa.inspect(tx).get_indexes(table)
        }
    )
    assert names <= found
    await database.close()
    again = Database(empty_url)
    await again.open()
    await again.close()


async def test_a_newer_database_is_refused(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    await database.write(
        lambda tx: tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    )
    await database.close()
    older = Database(database_url)
    try:
        with pytest.raises(PermanentError, match=r"9999.*newer Podium.*Start the newer version"):
            await older.open()
    finally:
        await older.close()


@pytest.mark.postgresql
async def test_two_openers_at_once_both_succeed(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.url(postgresql_server.create())
    servers = [Database(url) for _ in range(3)]
    await asyncio.gather(*(each.open() for each in servers))
    for each in servers:
        assert await each.read(lambda tx: tx.execute(sa.select(tables.nodes)).all()) == []
        await each.close()


async def test_who_administered_and_worked_where_still_does(empty_url: str) -> None:
    """What was a flag of a person and a row of a project became bindings in 0011."""
    engine = sa.create_engine(Database(empty_url).url)
    migrations.migrate(engine, "0009")
    with engine.begin() as tx:
        for statement in (
            "INSERT INTO teams (name, created_at_ms) VALUES ('research', 1)",
            "INSERT INTO projects (name, team, created_at_ms) VALUES ('vision', 'research', 1)",
            (
                "INSERT INTO users (username, password_hash, administrator, must_change_password, "
                "created_at_ms) VALUES ('root', 'h', true, false, 7), ('ada', 'h', false, false, 8)"
            ),
            "INSERT INTO memberships (project, username, role) VALUES ('vision', 'ada', 'lead')",
            (
                "INSERT INTO tokens (id, username, name, secret_hash, single_use, created_at_ms) "
                "VALUES ('t-1', 'ada', 'ci', 'hash', false, 9)"
            ),
        ):
            tx.execute(sa.text(statement))
    engine.dispose()
    database = Database(empty_url)
    await database.open()
    try:
        root = await database.read(lambda tx: roles.rights_fetch(tx, "root"))
        assert root.rights.everywhere == frozenset(Action)
        ada = await database.read(lambda tx: tokens.identity_fetch(tx, "hash", 10))
        assert ada is not None
        assert ada.roles == {"vision": LEAD}
        assert ada.scope.projects == {"vision"}
        assert not ada.administrator
        assert await database.read(roles.administrators) == {"root"}
    finally:
        await database.close()
