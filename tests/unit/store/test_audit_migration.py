"""Entries from before there was a chain are part of it from the first start of the version that has
one."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from podium.store import migrations
from podium.store.audit import AuditEntry, audit_append
from podium.store.database import Database, _engine
from postgresql import PostgresqlServer
from unit.audit_desk import Desk


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'podium.db'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.url(server.create())


@pytest.mark.anyio
async def test_old_entries_are_chained(empty_url: str, tmp_path: Path) -> None:
    """Gaps that retention and failed transactions left are no fault."""
    engine = _engine(Database(empty_url).url, writes=True)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    insert = sa.text(
        "INSERT INTO audit (seq, at_ms, actor, action, subject, project, outcome, detail) "
        "VALUES (:seq, :at_ms, 'ada', 'quota:set', 'vision', :project, 'allowed', '')"
    )
    now_ms = Database(empty_url).now_ms()
    rows = [
        {"seq": seq, "at_ms": now_ms, "project": "vision" if seq % 2 else None}
        for seq in range(500, 3000)
        if seq not in (700, 701)
    ]
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0009")
        tx.execute(insert, rows)
    engine.dispose()
    database = Database(empty_url)
    await database.open()
    try:
        desk = Desk(database, tmp_path)
        entry = AuditEntry(actor="bob", action="quota:set", subject="speech")
        await database.write(lambda tx: audit_append(tx, [entry], now_ms))
        await desk.seal()
        verdict = await desk.verify()
        assert verdict.ok, verdict.faults
        assert (verdict.entries, verdict.first_seq, verdict.last_seq) == (len(rows) + 1, 500, 3000)
        assert verdict.sealed_seq == 3000
    finally:
        await database.close()
