"""Alembic migrations, from the first table on. `Database.open` calls `migrate`.

Alembic is loaded only when there is something to do, which keeps a normal start quick.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from podium.domain.errors import PermanentError

HEAD = "0026"
"""The newest revision; `tests/unit/store` holds it equal to Alembic's own head."""

_LOCK = 0x706F6469756D  # "podium": two servers starting on one PostgreSQL take turns


def migrate(engine: sa.Engine, revision: str = HEAD) -> None:
    """Bring the database to `revision`. Raises PermanentError when it is newer than this version."""
    with engine.connect() as connection:
        if sa.inspect(connection).has_table("alembic_version"):
            found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            if found == revision:
                return
            if found is not None and found > HEAD:
                raise PermanentError(
                    f"The database is at revision {found}, made by a newer Podium; this one "
                    f"knows {HEAD}. Start the newer version."
                )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
