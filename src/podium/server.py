"""The composition root: the only place that knows concrete engines and settings.

`podium up` calls `serve`. One process holds the API, the console's files and every loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import re
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import structlog
import uvicorn
from structlog.typing import EventDict

from podium import __version__
from podium.api.app import make_app
from podium.api.board import Board
from podium.api.connections import ConnectionLimits, connections_allowed, protocol
from podium.api.context import Context
from podium.api.feed import Feed
from podium.api.log_tail import LogTails
from podium.api.node_news import NodeNews
from podium.api.streams import Streams
from podium.control import data_watch, deadlines, expect, heap, recorder, resealing, schedule
from podium.control.budgets import Budgets
from podium.control.data_watch import DataWatch
from podium.control.foresight import Foresight
from podium.control.forwarding import LEASE as FORWARDING_LEASE
from podium.control.forwarding import PERIOD_SECONDS as FORWARDING_SECONDS
from podium.control.forwarding import Forwarder
from podium.control.inventory import Inventory
from podium.control.launch import Launcher
from podium.control.layouts import Layouts
from podium.control.leadership import LEASE_SECONDS, Leadership
from podium.control.loop import Loop
from podium.control.machine import Machine, lease_name
from podium.control.measure import Measurer
from podium.control.node_watch import NodeWatch
from podium.control.notary import LEASE as NOTARY_LEASE
from podium.control.notary import PERIOD_SECONDS as NOTARY_SECONDS
from podium.control.notary import Notary
from podium.control.observe import Observer
from podium.control.reap import Reaper
from podium.control.recorder import Recorder
from podium.control.replaying import Replaying
from podium.control.resealing import Resealer
from podium.control.stop import Stopper
from podium.domain.errors import FieldFault, PermanentError, UserError
from podium.domain.identity import name_suggestion
from podium.domain.outbound import Outbound, outbound_read
from podium.domain.rights import LEAD
from podium.domain.tenancy import administrator_identity
from podium.engines.contract import Engine
from podium.engines.devices.boards import VirtualBoard, virtual_boards
from podium.engines.local.engine import LocalEngine
from podium.engines.local.kernel import undumpable
from podium.engines.local.order import Limits
from podium.engines.local.site import Site, read_site
from podium.engines.local.walls import Level, Walls, uids_read, walls_found
from podium.intake.office import Office
from podium.intake.prices import check_currency
from podium.intake.projects import member_set, project_create
from podium.intake.sessions import Lifetimes, check_public_url
from podium.intake.sign_in import SignIn
from podium.intake.users import first_user_create
from podium.store.database import Database
from podium.store.hints import Hints
from podium.store.ids import IdSource
from podium.store.retention import Retention
from podium.store.seal_file import SealFile
from podium.store.sealing import Sealer
from podium.store.signing import SigningKey

FIRST_PROJECT = "default"
_GRACEFUL_SECONDS = 3
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to serve; `podium up --help` tells what each one means."""

    home: Path
    host: str
    port: int
    database: str | None
    virtual_gpus: str | None
    virtual_gpu_type: str
    node_name: str | None
    currency: str = "EUR"
    labels: Sequence[str] = ()
    block: str = ""
    rack: str = ""
    nvlink: str = ""
    audit_days: int = 400
    isolation: str = "auto"
    isolation_uids: str = "200000-265535"
    secret_key_file: Path | None = None
    outbound: str = "private"
    allow_outbound: Sequence[str] = ()
    data_roots: Sequence[Path] = ()
    public_url: str = ""
    trusted_proxies: str = ""
    lifetimes: Lifetimes = field(default_factory=Lifetimes)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises UserError or PermanentError when it cannot start."""
    _configure_log()
    with contextlib.suppress(OSError):  # only Linux can
        undumpable()  # a crash must not write opened secrets to a disk
    heap.give_back()
    check_currency(settings.currency)
    check_public_url(settings.public_url)
    _virtual_gpus(settings)
    _site(settings)
    _outbound(settings)
    _data_roots(settings)
    os.umask(0o077)  # what it writes is for no other user of this machine
    with _home(settings.home), _listening(settings) as listener:
        import uvloop

        uvloop.run(_serve(settings, listener))


def _virtual_gpus(settings: Settings) -> Sequence[VirtualBoard] | None:
    """None takes the real ones. Raises UserError."""
    if settings.virtual_gpus is None:
        return None
    return virtual_boards(settings.virtual_gpus, settings.virtual_gpu_type)


def _site(settings: Settings) -> Site:
    return read_site(
        labels=settings.labels,
        block=settings.block,
        rack=settings.rack,
        nvlink=settings.nvlink,
    )


def _outbound(settings: Settings) -> Outbound:
    return outbound_read(settings.allow_outbound, settings.outbound)


def _data_roots(settings: Settings) -> tuple[Path, ...]:
    """Folders that data sources may be in; no job sees them but by a source. Raises UserError."""
    found = []
    for each in settings.data_roots:
        real = each.resolve()
        home = settings.home.resolve()
        if not real.is_dir() or real == Path("/"):
            words = "Name a folder that there is, other than /."
            raise UserError(FieldFault("data-root", f"{each} cannot be one.", words))
        if real == home or real in home.parents or home in real.parents:
            words = "Name a folder outside of it."
            raise UserError(FieldFault("data-root", f"{each} and Podium's home overlap.", words))
        found.append(real)
    return tuple(found)


def _walls(settings: Settings) -> Walls:
    """What keeps projects apart on this machine. Raises UserError."""
    walls = walls_found(
        settings.home,
        settings.isolation,
        uids=uids_read(settings.isolation_uids),
        hidden=[*_socket_folders(settings.database), *_data_roots(settings)],
    )
    if walls.level is Level.NONE:
        _log.warning("no_isolation", why=walls.why)
    return walls


def _socket_folders(database: str | None) -> Sequence[Path]:
    """Where PostgreSQL listens on this machine: it may trust whoever is the server's user."""
    url = urlsplit(database or "")
    if not url.scheme.startswith("postgres") or url.hostname:
        return ()
    usual = os.environ.get("PGHOST", "/var/run/postgresql")
    hosts = parse_qs(url.query).get("host", [usual])
    return [Path(each) for each in hosts if each.startswith("/") and Path(each).is_dir()]


async def _serve(settings: Settings, listener: socket.socket) -> None:
    url = settings.database or f"sqlite:///{settings.home / 'podium.db'}"
    database = Database(url)
    await database.open()
    try:
        office = Office(
            database=database,
            hints=Hints(),
            ids=IdSource(database.clock),
            sealer=_sealer(settings),
            uploads_path=settings.home / "uploads",
            outbound=_outbound(settings),
            data_roots=_data_roots(settings),
        )
        sign_in = SignIn(office, settings.lifetimes)
        walls = await asyncio.to_thread(_walls, settings)
        engine = LocalEngine(
            settings.home,
            node_name=_node_name(settings),
            virtual_gpus=_virtual_gpus(settings),
            site=_site(settings),
            walls=walls,
            limits=Limits(
                outbound=_outbound(settings),
                data_roots=tuple(map(str, _data_roots(settings))),
            ),
        )
        await engine.open()
        try:
            await _run(settings, listener, office, sign_in, engine, walls)
        finally:
            await engine.close()
    finally:
        await database.close()


def _sealer(settings: Settings) -> Sealer:
    keys = os.environ.pop("PODIUM_SECRET_KEYS", None)  # or children would have them too
    return Sealer(settings.secret_key_file or settings.home / "secret.key", keys=keys or None)


async def _run(
    settings: Settings,
    listener: socket.socket,
    office: Office,
    sign_in: SignIn,
    engine: Engine,
    walls: Walls,
) -> None:
    database, hints = office.database, office.hints
    names = [schedule.LEASE, deadlines.LEASE, NOTARY_LEASE, FORWARDING_LEASE, lease_name(engine)]
    leadership = Leadership(database, _holder(settings.home), names)
    records = Recorder(database, leadership, schedule.LEASE, Retention(), version=__version__)
    budgets = Budgets(database, hints, leadership)
    scheduler = schedule.Scheduler(
        database, hints, leadership, office.ids, records, before=budgets.foretell
    )
    notary = Notary(
        database,
        leadership,
        SigningKey(settings.home / "audit.key"),
        SealFile(settings.home / "audit-seals.jsonl"),
        Retention(audit_days=settings.audit_days),
    )
    forwarder = Forwarder(
        database, leadership, office.sealer, office.outbound, socket.gethostname()
    )
    loops = _loops(office, leadership, engine, scheduler, budgets, records, notary, forwarder)
    feed = Feed(database, hints)
    foresight = Foresight(database, lambda: scheduler.sight, scheduler.turn)
    context = Context(
        office=office,
        sign_in=sign_in,
        engines={engine.name: engine},
        feed=feed,
        board=Board(database, hints),
        node_news=NodeNews(database, hints),
        log_tails=LogTails(),
        loops=loops,
        streams=Streams(),
        foresight=foresight,
        about={
            "version": __version__,
            "currency": settings.currency,
            "isolation": walls.level.value,
            "isolation_words": walls.sentence,
            "started_at_ms": database.now_ms(),
        },
        cycles=scheduler.counted,
        recording=records.recording,
        replaying=Replaying(),
        notary=notary,
        forwarder=forwarder,
        public_url=settings.public_url,
    )
    address = f"http://{_shown(settings.host)}:{listener.getsockname()[1]}"
    await leadership.renew()
    await _welcome(office, sign_in, address)
    _say(f"Isolation: {walls.level}. {walls.sentence}")
    async with _tasks(
        [*(loop.run() for loop in loops), feed.run(), context.streams.run(), _relay(engine, hints)]
    ):
        server = _Server(context, settings.trusted_proxies)
        await server.serve(sockets=[listener])
    foresight.close()
    await office.refusals.flush(everything=True)
    await notary.step()
    await forwarder.close()
    await leadership.release()


def _loops(
    office: Office,
    leadership: Leadership,
    engine: Engine,
    scheduler: schedule.Scheduler,
    budgets: Budgets,
    records: Recorder,
    notary: Notary,
    forwarder: Forwarder,
) -> list[Loop]:
    database, hints = office.database, office.hints
    machine = Machine(engine, database, hints, leadership)
    expecter = expect.Expecter(database, leadership, lambda: scheduler.seen)
    launcher = Launcher(machine, office.sealer, office.uploads_path)
    ends = deadlines.Deadlines(database, hints, leadership)

    async def seal() -> bool:
        await office.refusals.flush()
        return await notary.step()

    async def renew() -> bool:
        if await leadership.renew():
            hints.wake("inventory", "schedule", "launch", "observe", "stop")
        return False

    return [
        Loop("lease", renew, hints, period_seconds=LEASE_SECONDS / 3),
        Loop("inventory", Inventory(machine).step, hints, wake_on=("inventory",), period_seconds=5),
        Loop(
            "schedule",
            scheduler.step,
            hints,
            wake_on=("schedule",),
            period_seconds=2,
            due_seconds=scheduler.due_seconds,
        ),
        Loop("budgets", budgets.step, hints, wake_on=("budgets",), period_seconds=5),
        Loop("record", records.step, hints, period_seconds=recorder.PERIOD_SECONDS),
        Loop("notary", seal, hints, period_seconds=NOTARY_SECONDS),
        Loop("forward", forwarder.step, hints, period_seconds=FORWARDING_SECONDS),
        Loop("expect", expecter.step, hints, period_seconds=expect.PERIOD_SECONDS),
        Loop("launch", launcher.step, hints, wake_on=("launch",), period_seconds=1),
        Loop("layouts", Layouts(machine).step, hints, wake_on=("layouts",), period_seconds=2),
        Loop("observe", Observer(machine).step, hints, wake_on=("observe",), period_seconds=1),
        Loop("stop", Stopper(machine).step, hints, wake_on=("stop",), period_seconds=2),
        Loop("deadlines", ends.step, hints, wake_on=("deadlines",), period_seconds=1),
        Loop("measure", Measurer(machine, lambda: scheduler.seen).step, hints, period_seconds=1),
        Loop(
            "secrets",
            Resealer(database, office.sealer).step,
            hints,
            wake_on=("secrets",),
            period_seconds=resealing.PERIOD_SECONDS,
        ),
        Loop(
            "data",
            DataWatch(database, leadership, deadlines.LEASE).step,
            hints,
            period_seconds=data_watch.PERIOD_SECONDS,
        ),
        Loop("nodes", NodeWatch(database, hints, leadership).step, hints, period_seconds=5),
        Loop(
            "reap",
            Reaper(machine, Retention(), office.uploads_path).step,
            hints,
            period_seconds=600,
        ),
    ]


async def _relay(engine: Engine, hints: Hints) -> None:
    """Pass the engine's own signal on to the loop that looks at it."""
    while True:
        await engine.changed.wait()
        engine.changed.clear()
        hints.wake("observe")


async def _welcome(office: Office, sign_in: SignIn, address: str) -> None:
    """At the first start make the administrator and a project, and say how to sign in."""
    given = os.environ.get("PODIUM_ADMIN_PASSWORD")
    made = await first_user_create(office, sign_in, given)
    if made is None:
        _say(f"Podium {__version__} serves at {address}")
        return
    user, one_time = made
    identity = administrator_identity(user.username)
    await project_create(office, sign_in, identity, name=FIRST_PROJECT, team=FIRST_PROJECT)
    await member_set(
        office,
        sign_in,
        identity,
        project=FIRST_PROJECT,
        username=user.username,
        role=LEAD,
    )
    _say(f"Podium {__version__} serves at {address}")
    if one_time is None:
        _say(f"Sign in as {user.username} with the password in PODIUM_ADMIN_PASSWORD.")
        return
    ticket = await sign_in.make_ticket(user.username)
    _say("")
    _say("First start. Sign in to the console with this link, within an hour:")
    _say(f"  {address}/#ticket={ticket}")
    _say(f"or as {user.username} with the one-time password:  {one_time}")
    _say(f"For the command line:  podium login {address} --username {user.username}")
    _say("")


class _Server(uvicorn.Server):
    """Uvicorn, told about our streams: they end first, so that stopping takes no time."""

    def __init__(self, context: Context, trusted_proxies: str) -> None:
        super().__init__(
            uvicorn.Config(
                make_app(context),
                log_config=None,
                access_log=False,
                loop="none",
                http=protocol(ConnectionLimits(connections_max=connections_allowed())),
                ws="none",
                lifespan="off",
                server_header=False,
                # Without a proxy nobody is believed: a job on this machine connects from it, too.
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=trusted_proxies,
                backlog=2048,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=_GRACEFUL_SECONDS,
            )
        )
        self._context = context

    def handle_exit(self, sig: int, frame: object) -> None:
        self._context.streams.close()
        super().handle_exit(sig, frame)  # type: ignore[arg-type]
        # Uvicorn raises the signal again when it is done, which would end the process before the
        # leases are given back and the database is closed.
        self._captured_signals.clear()


@contextlib.asynccontextmanager
async def _tasks(coroutines: Sequence[object]) -> AsyncIterator[None]:
    running = [asyncio.ensure_future(each) for each in coroutines]  # type: ignore[call-overload]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@contextlib.contextmanager
def _home(path: Path) -> Iterator[None]:
    """Make the folder and keep it for this process: two servers must not share it."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UserError(
            FieldFault("home", f"{path} cannot be used: {error.strerror}.", "Choose another.")
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise PermanentError(
            f"Another server already uses {path}. Stop it first, or choose another --home."
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise UserError(
            FieldFault(
                "port",
                f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.",
                "Choose another with --port.",
            )
        ) from error
    with listener:
        yield listener


def _holder(home: Path) -> str:
    """The server's own name in leases; the same after a restart on the same home."""
    path = home / "server.id"
    if not path.exists():
        path.write_text(secrets.token_hex(8))
    return f"{socket.gethostname()}/{path.read_text().strip()}"


def _node_name(settings: Settings) -> str:
    """The name that this home's work is recorded under. It is fixed at the first start, because a
    machine that gets another host name still runs what it ran before."""
    path = settings.home / "node.name"
    if not path.exists():
        path.write_text(settings.node_name or name_suggestion(socket.gethostname()))
    known = path.read_text().strip()
    if settings.node_name not in (None, known):
        raise UserError(
            FieldFault(
                "node-name",
                f"is {settings.node_name}, but the work in {settings.home} belongs to node "
                f"{known}.",
                f"Leave it out, write {known}, or choose another --home.",
            )
        )
    return known


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - shown, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _configure_log() -> None:
    """One line for each event on standard error; JSON when it goes to a file or a collector."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *((printable, structlog.dev.ConsoleRenderer()) if terminal else (_JSON,)),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Passed()], level=logging.WARNING, force=True)
    # It warns of each request that is none, and anybody can send those.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)


_JSON = structlog.processors.JSONRenderer()
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """What others wrote must not steer the operator's terminal, nor look like lines of the log."""
    for name, value in event.items():
        text = value if isinstance(value, str) else repr(value)
        clean = _CONTROL.sub("\ufffd", text)
        if name != "exception":
            clean = clean.replace("\n", "\u23ce").replace("\t", " ")
        if clean != text or not isinstance(value, str | int | float):
            event[name] = clean
    return event


class _Passed(logging.Handler):
    """What libraries log in Python's own way, as lines of the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.log(record.levelno, record.getMessage(), source=record.name, exc_info=record.exc_info)
