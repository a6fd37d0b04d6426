"""A PostgreSQL server of the tests' own, from the system's programs, on a socket in a folder."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from requirement import program

_START_SECONDS = 60
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "deadlock_timeout": "50ms",
    "autovacuum": "off",
    "lc_messages": "C",
}


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`: the newest of Debian's, else that on the PATH."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    found = max(debian, key=lambda path: int(path.parts[-3]), default=None) or program("postgres")
    return found.resolve().parent if found is not None else None


class PostgresqlServer:
    """Reached at `folder`; databases are copied from a template that `prepare` filled once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = (f"test{number}" for number in itertools.count())
        with psycopg.connect(self._dsn) as connection:
            self._version = connection.info.server_version

    @property
    def _dsn(self) -> str:
        return f"host={self.folder} user=podium dbname=postgres"

    def url(self, database: str) -> str:
        return f"postgresql:///{database}?host={self.folder}&user=podium"

    def execute(self, statement: str) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, template: str = "template0") -> str:
        """The name of a new database like `template`."""
        name = next(self._names)
        # Copying the files is quicker than telling the log of every page; 15 has the choice.
        strategy = "STRATEGY FILE_COPY" if self._version >= 150_000 else ""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} {strategy}")
        return name

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE {database} WITH (FORCE)")


@contextmanager
def serving(binaries: Path, *, address: str = "") -> Iterator[PostgresqlServer]:
    """A running server, stopped by its own process id afterwards. It is on its socket alone, or at
    `address` as well, where it lets everybody in.

    PostgreSQL refuses to run as root, so root lets `postgres` or `nobody` run it. Names sort as
    people sort them (ICU), which is what a server in production may do.
    """
    folder = Path(tempfile.mkdtemp(prefix="podium-pg-"))
    user = _unprivileged()
    try:
        if user is not None:
            shutil.chown(folder, user)
        initdb = [binaries / "initdb", "-D", folder / "data", "-U", "podium", "-A", "trust"]
        plain = ["--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        icu = ["--locale-provider=icu", "--icu-locale=en"]
        done = _run([*initdb, *plain, *icu], user, folder)
        if done.returncode:
            done = _run([*initdb, *plain], user, folder)
        done.check_returncode()
        if address:
            with (folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all 0.0.0.0/0 trust\n")
        chosen = {**_SETTINGS, "listen_addresses": address}
        settings = [f"-c{name}={value}" for name, value in chosen.items()]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", folder / "data", "-k", folder, *settings],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                user=user,
                start_new_session=True,
            )
        try:
            _await(binaries, folder, process)
            yield PostgresqlServer(folder)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(
    command: list[Path | str], user: str | None, folder: Path
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, user=user, cwd=folder, capture_output=True)


def _await(binaries: Path, folder: Path, process: subprocess.Popen[bytes]) -> None:
    """`pg_ctl` and `pg_isready` poll slowly; the server's own file says when it is ready."""
    ready = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + _START_SECONDS
    while not (ready.exists() and "ready" in ready.read_text(errors="replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.02)


def _unprivileged() -> str | None:
    if os.geteuid() != 0:
        return None
    import pwd

    known = {each.pw_name for each in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)
