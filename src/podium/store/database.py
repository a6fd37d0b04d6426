"""The way to the database: short synchronous functions, run in threads, each in one transaction.

Because a transaction's function is synchronous, it cannot wait for the network: law 4 holds by
construction. `main` opens one `Database`; every room calls `read` and `write`.

SQLite has one writer at a time. `write` therefore hands its function to a single writer thread
that commits whatever has gathered in one go, each function in its own savepoint: sixteen clients
cost one flush to disk instead of sixteen, and a function that fails takes nobody with it.

What functions append to the audit trail is chained last, once for the group.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, OperationalError

from podium.domain.errors import FieldFault, TemporaryError, UserError
from podium.store import audit, tables
from podium.store.audit import Gathered
from podium.store.clock import SteadyClock

Transaction = sa.Connection
Result = TypeVar("Result")

_BATCH_MAX = 64
_READERS = 4
_POSTGRESQL_WRITERS = 8
_RETRIES = 5
_STATEMENTS_MAX = 1024  # kept prepared by each connection: more than Podium has
_DISK_FULL = "53100"
# Serialisation failure, deadlock, and unique violation: functions look before they insert, so when
# another transaction was quicker, the next look finds its row.
_RETRY_HELPS = frozenset({"40001", "40P01", "23505"})


class Database:
    """A store at a URL: `sqlite:///…/podium.db` or `postgresql://…`."""

    def __init__(self, url: str, *, clock: SteadyClock | None = None) -> None:
        self.url = _with_driver(url)
        self.dialect = self.url.get_backend_name()
        self.clock = clock or SteadyClock()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="podium-read")
        self._read_engine = _engine(self.url, writes=False)
        self._write_engine = _engine(self.url, writes=True)
        audit.watch_writes(self._write_engine)
        self._writer: _SqliteWriter | None = None
        self._writers: ThreadPoolExecutor | None = None

    def now_ms(self) -> int:
        return self.clock.now_ms()

    async def open(self) -> None:
        """Bring the tables to this version and start the threads."""
        from podium.store.migrations import migrate

        await asyncio.get_running_loop().run_in_executor(self._readers, migrate, self._write_engine)
        self.clock.not_before(await self.read(_last_written_ms))
        if self.dialect == "sqlite":
            self._writer = _SqliteWriter(self._write_engine)
        else:
            self._writers = ThreadPoolExecutor(
                _POSTGRESQL_WRITERS, thread_name_prefix="podium-write"
            )

    async def close(self) -> None:
        if self._writer is not None:
            await asyncio.to_thread(self._writer.close)
        if self._writers is not None:
            self._writers.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        self._read_engine.dispose()
        self._write_engine.dispose()

    async def read(self, function: Callable[[Transaction], Result]) -> Result:
        """Run `function` on one consistent view of the data; it must not write."""
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, _read, self._read_engine, function
        )

    async def write(
        self, function: Callable[[Transaction], Result], *, quiet: bool = False
    ) -> Result:
        """Run `function` in a transaction that is durable when this returns.

        It may be run again when the database asks for a retry, so it must have no effect outside
        the transaction. Raises TemporaryError when the database cannot be written now.

        A request that changes something appends to the audit trail in the same transaction, or
        nothing is written. `quiet` is for what concerns only the one who asks, such as how far
        they have read.
        """
        recorded = _recorded(function, quiet=quiet)
        if self._writer is not None:
            return await asyncio.wrap_future(self._writer.submit(recorded))
        assert self._writers is not None, "the database is open"
        return await asyncio.get_running_loop().run_in_executor(
            self._writers, _write, self._write_engine, recorded
        )


_Recorded = Callable[[Transaction], tuple[Result, Gathered]]
_Wish = tuple[_Recorded[Any], Future[Any]]


def _recorded(function: Callable[[Transaction], Result], *, quiet: bool) -> _Recorded[Result]:
    """`function`, with what it appended to the audit trail. Threads do not know whose request
    they work for, so that is kept here."""
    origin = audit.ORIGIN.get()

    def run(tx: Transaction) -> tuple[Result, Gathered]:
        audit.audit_begin(tx)
        result = function(tx)
        return result, audit.audit_gathered(tx, origin, quiet=quiet)

    return run


class _SqliteWriter:
    """The one thread that writes to SQLite, in groups."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="podium-write", daemon=True)
        self._thread.start()

    def submit(self, function: _Recorded[Result]) -> Future[Result]:
        future: Future[Result] = Future()
        self._queue.put((function, future))
        return future

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            last = False
            with contextlib.suppress(queue.Empty):
                while len(group) < _BATCH_MAX:
                    item = self._queue.get_nowait()
                    if item is None:
                        last = True
                        break
                    group.append(item)
            # From here on nobody can cancel them, so that each is answered exactly once.
            self._commit([each for each in group if each[1].set_running_or_notify_cancel()])
            if last:
                return

    def _commit(self, group: list[_Wish]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        gathered: Gathered = []
        try:
            with self._engine.begin() as connection:
                if len(group) == 1:
                    function, future = group[0]
                    result, gathered = function(connection)
                    done.append((future, result))
                else:
                    for function, future in group:
                        gathered += _run_in_savepoint(connection, function, future, done)
                audit.audit_chain(connection, gathered)
        except BaseException as error:
            left = [each for each in group if not each[1].done()]
            if isinstance(error, OperationalError) and len(group) > 1:
                # One of them met it; the others, alone, need not.
                for each in left:
                    self._commit([each])
                return
            for _, future in left:
                future.set_exception(_translated(error))
        else:
            for future, result in done:
                future.set_result(result)


def _run_in_savepoint(
    connection: Transaction,
    function: _Recorded[Any],
    future: Future[Any],
    done: list[tuple[Future[Any], Any]],
) -> Gathered:
    """Add the result to `done`, or tell the future its own failure; returns what is to be audited.
    Raises what spoils the whole transaction: after an OperationalError SQLite may have rolled back
    more than the savepoint."""
    savepoint = connection.begin_nested()
    try:
        result, gathered = function(connection)
        savepoint.commit()
    except OperationalError:
        raise
    except Exception as error:
        savepoint.rollback()
        future.set_exception(error)
        return []
    done.append((future, result))
    return gathered


def _last_written_ms(tx: Transaction) -> int:
    return tx.scalar(sa.select(sa.func.max(tables.events.c.at_ms))) or 0


def _read(engine: sa.Engine, function: Callable[[Transaction], Result]) -> Result:
    try:
        with engine.connect() as connection:
            return function(connection)
    except DBAPIError as error:
        if _translated(error) is error:
            raise
        raise _translated(error) from error


def _write(engine: sa.Engine, function: _Recorded[Result]) -> Result:
    for attempt in range(_RETRIES):
        try:
            with engine.begin() as connection:
                result, gathered = function(connection)
                audit.audit_chain(connection, gathered)
                return result
        except DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if state in _RETRY_HELPS and attempt < _RETRIES - 1:
                continue
            if _translated(error) is error:
                raise
            raise _translated(error) from error
    raise AssertionError("the last attempt returns or raises")


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, DataError) and "NUL" in str(error.orig):
        return UserError(FieldFault("", "A text holds a NUL character.", "Leave it out."))
    if not isinstance(error, OperationalError):
        return error
    words = str(error.orig)
    if "disk is full" in words or getattr(error.orig, "sqlstate", None) == _DISK_FULL:
        return TemporaryError(
            "The disk that holds Podium's database is full. Nothing was lost; free some space "
            "and try again.",
            retry_after_seconds=10,
        )
    return TemporaryError(f"The database cannot be used now: {words}", retry_after_seconds=2)


def _with_driver(url: str) -> sa.URL:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _engine(url: sa.URL, *, writes: bool) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(
            url,
            connect_args={
                "check_same_thread": False,
                "timeout": 10,
                "cached_statements": _STATEMENTS_MAX,
            },
            query_cache_size=_STATEMENTS_MAX,
            pool_size=1 if writes else _READERS,
            max_overflow=0,
        )
        sa.event.listen(engine, "connect", _sqlite_pragmas(query_only=not writes))
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine
    return sa.create_engine(
        url,
        pool_size=_POSTGRESQL_WRITERS if writes else _READERS,
        max_overflow=0,
        pool_pre_ping=True,
        query_cache_size=_STATEMENTS_MAX,
        isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
    )


def _sqlite_pragmas(*, query_only: bool) -> Callable[[Any, Any], None]:
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, see the listener above
        for pragma in (
            "journal_mode=WAL",
            # A submission that was answered survives a power cut, not only a crash.
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-8192",
            f"query_only={'ON' if query_only else 'OFF'}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return on_connect
