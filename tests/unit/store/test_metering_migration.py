"""The bills of before are cut at days and prices, and nothing of them is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from podium.store import migrations
from podium.store.database import Database, _engine
from postgresql import PostgresqlServer

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'podium.db'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.url(server.create())


def test_bills_are_carried_over(empty_url: str) -> None:
    engine = _engine(Database(empty_url).url, writes=True)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    bill = (
        "INSERT INTO usage (allocation_id, workload_id, project, team, gpu_ms, cpu_allocated_ms, "
        "cpu_used_ms, memory_peak_bytes, gpu_type, runtime_ms, ended_at_ms) VALUES "
        "(:id, 'w', 'gone', 't', :gpu_ms, 7, 5, 9, :type, :runtime_ms, :ended_ms)"
    )
    price = "INSERT INTO prices VALUES ('H100', :since_ms, 1000000, 'EUR', 'root')"
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0017")
        for since_ms in (0, 5 * DAY_MS - HOUR_MS):
            tx.execute(sa.text(price), {"since_ms": since_ms})
        for key, gpu_type, gpu_ms, runtime_ms in (
            ("a-1", "H100", 3 * HOUR_MS + 1, 3 * HOUR_MS),
            ("a-2", "", 0, 0),
        ):
            values = {"id": key, "gpu_ms": gpu_ms, "type": gpu_type, "runtime_ms": runtime_ms}
            tx.execute(sa.text(bill), values | {"ended_ms": 5 * DAY_MS + HOUR_MS})
        command.upgrade(config, "0018")
        lines = tx.execute(
            sa.text(
                "SELECT allocation_id, day_ms, rate_ms, until_ms, runtime_ms, gpu_milli_ms, "
                "cpu_milli_ms FROM bill_lines ORDER BY allocation_id, until_ms"
            )
        ).all()
        days = tx.execute(
            sa.text("SELECT SUM(gpu_milli_ms), SUM(cpu_used_ms), SUM(replicas) FROM usage_days")
        ).one()
        left = sa.inspect(tx).has_table("usage")
    engine.dispose()
    rate_ms = 5 * DAY_MS - HOUR_MS
    assert [tuple(row)[:5] for row in lines] == [
        ("a-1", 4 * DAY_MS, 0, rate_ms, HOUR_MS),
        ("a-1", 4 * DAY_MS, rate_ms, 5 * DAY_MS, HOUR_MS),
        ("a-1", 5 * DAY_MS, rate_ms, 5 * DAY_MS + HOUR_MS, HOUR_MS),
        ("a-2", 5 * DAY_MS, 0, 5 * DAY_MS + HOUR_MS, 0),
    ]
    assert sum(row.gpu_milli_ms for row in lines) == (3 * HOUR_MS + 1) * 1000
    assert sum(row.cpu_milli_ms for row in lines) == 2 * 7000
    assert tuple(map(int, days)) == ((3 * HOUR_MS + 1) * 1000, 10, 2)
    assert not left
