"""Labels of before know their project from the first start of the version that has it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from podium.store import migrations
from podium.store.database import Database, _engine
from postgresql import PostgresqlServer

pytestmark = pytest.mark.anyio

AMOUNTS = (
    "priority", "cpu_milli", "memory_bytes", "gpu_milli", "gpu_share_bytes", "mig_count",
    "replicas_min", "replicas_max", "submitted_at_ms", "queued_at_ms", "grace_seconds",
    "retries", "attempt", "failures", "dependencies_open", "version",
)  # fmt: skip
TEXTS = ("team", "owner", "kind", "state", "message", "gpu_types", "node_labels", "labels")
EMPTY = "''"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'podium.db'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.url(server.create())


async def test_labels_get_the_project_of_their_workload(empty_url: str) -> None:
    engine = _engine(Database(empty_url).url, writes=True)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0015")
        tx.execute(sa.text("INSERT INTO teams (name, created_at_ms) VALUES ('t', 0)"))
        for project in ("vision", "speech"):
            values = {"project": project, "id": f"w-{project}"}
            tx.execute(
                sa.text(
                    "INSERT INTO projects (name, team, created_at_ms) VALUES (:project, 't', 0)"
                ),
                values,
            )
            tx.execute(
                sa.text(
                    f"INSERT INTO workloads (id, name, project, is_array, {', '.join(AMOUNTS)}, "
                    f"{', '.join(TEXTS)}) VALUES (:id, 'job', :project, false, "
                    f"{', '.join('1' * len(AMOUNTS))}, {', '.join([EMPTY] * len(TEXTS))})"
                ),
                values,
            )
            tx.execute(sa.text("INSERT INTO workload_labels VALUES (:id, 'colour', 'red')"), values)
        command.upgrade(config, "0016")
        rows = tx.execute(sa.text("SELECT workload_id, project FROM workload_labels ORDER BY 1"))
        assert [tuple(row) for row in rows] == [("w-speech", "speech"), ("w-vision", "vision")]
    engine.dispose()
