"""The bills of before count for fairness from the first start of the version that has it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from podium.store import migrations, tables
from podium.store.database import Database, _engine
from postgresql import PostgresqlServer

DAY_MS = 86_400_000
DAYS = 20_000


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'podium.db'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.url(server.create())


def bill(index: int, gpu_type: str, gpu_ms: int, days_ago: int) -> dict[str, object]:
    return {
        "id": f"a-{index}", "type": gpu_type, "gpu_ms": gpu_ms,
        "at": (DAYS - days_ago) * DAY_MS + 1000,
    }  # fmt: skip


BILLS = [
    bill(1, "H100", 4000, 0),
    bill(2, "H100", 4000, 7),
    bill(3, "H100 1g.10gb", 1000, 0),
    bill(4, "A100 + H100", 500, 0),
    bill(5, "", 0, 0),
]


@pytest.mark.anyio
async def test_bills_are_carried_over(empty_url: str) -> None:
    url = Database(empty_url).url
    engine = _engine(url, writes=True)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0002")
        tx.execute(sa.text("INSERT INTO teams (name, created_at_ms) VALUES ('t', 0)"))
        tx.execute(
            sa.text("INSERT INTO projects (name, team, created_at_ms) VALUES ('vision', 't', 0)")
        )
        tx.execute(
            sa.text(
                "INSERT INTO nodes (name, engine, state, cordoned, address, cpu_milli, "
                "memory_bytes, labels, rack, block, seen_at_ms) "
                "VALUES ('n1', 'e', 'ready', false, '', 1, 1, '', '', '', 0)"
            )
        )
        tx.execute(
            sa.text(
                'INSERT INTO devices (id, node, "index", uuid, type, model, memory_bytes, '
                "virtual, healthy) VALUES ('d', 'n1', 0, '', 'H100', '', 1, false, true)"
            )
        )
        for project in ("vision", "gone"):
            tx.execute(
                sa.text(
                    "INSERT INTO usage (allocation_id, workload_id, project, team, gpu_ms, "
                    "cpu_allocated_ms, cpu_used_ms, memory_peak_bytes, gpu_type, ended_at_ms) "
                    f"VALUES ('{project}' || :id, 'w', '{project}', 't', :gpu_ms, 0, 0, 0, "
                    ":type, :at)"
                ),
                BILLS,
            )
        command.upgrade(config, "0003")
        rows = tx.execute(sa.select(tables.past_use).order_by(tables.past_use.c.gpu_type)).all()
    engine.dispose()
    at_ms = (DAYS + 1) * DAY_MS
    assert [tuple(row) for row in rows] == [
        ("vision", "A100", at_ms, 500_000),
        ("vision", "H100", at_ms, 4_000_000 + 2_000_000 + 1_000_000),
    ]
