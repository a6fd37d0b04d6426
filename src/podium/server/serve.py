"""Puts the parts of a server together and runs them: `podium up` calls `serve`. One process holds
the API, the console's files and every loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from podium import __version__
from podium.api.board import Board
from podium.api.context import Context
from podium.api.feed import Feed
from podium.api.log_tail import LogTails
from podium.api.node_news import NodeNews
from podium.api.streams import Streams
from podium.control import data_watch, deadlines, expect, fleet, heap, recorder, resealing, schedule
from podium.control.budgets import Budgets
from podium.control.data_watch import DataWatch
from podium.control.engine_loops import engine_loops, relay
from podium.control.fleet import Fleet
from podium.control.foresight import Foresight
from podium.control.forwarding import LEASE as FORWARDING_LEASE
from podium.control.forwarding import PERIOD_SECONDS as FORWARDING_SECONDS
from podium.control.forwarding import Forwarder
from podium.control.leadership import LEASE_SECONDS, Leadership
from podium.control.loop import Loop
from podium.control.machine import Machine, lease_name
from podium.control.node_watch import NodeWatch
from podium.control.notary import LEASE as NOTARY_LEASE
from podium.control.notary import PERIOD_SECONDS as NOTARY_SECONDS
from podium.control.notary import Notary
from podium.control.reap import Reaper
from podium.control.recorder import Recorder
from podium.control.replaying import Replaying
from podium.control.resealing import Resealer
from podium.control.stock import StockCount
from podium.domain.rights import LEAD
from podium.domain.tenancy import administrator_identity
from podium.engines.contract import Engine
from podium.engines.local.kernel import undumpable
from podium.engines.local.walls import Walls
from podium.intake.office import Office
from podium.intake.projects import member_set, project_create
from podium.intake.sign_in import SignIn
from podium.intake.users import first_user_create
from podium.server.engines import cluster_engines, local_engine, probe, walls_of
from podium.server.home import holder_of, home_held, sealer_of, shared_made
from podium.server.log import configure_log, say
from podium.server.settings import Settings, data_roots_of, outbound_of, settings_check
from podium.server.web import Server, listening, shown
from podium.store.database import Database
from podium.store.hints import Hints
from podium.store.ids import IdSource
from podium.store.installation import installation_id
from podium.store.retention import Retention
from podium.store.seal_file import SealFile
from podium.store.signing import SigningKey

FIRST_PROJECT = "default"


@dataclass(frozen=True, slots=True)
class _Own:
    """The engine of this machine, and what keeps projects apart on it."""

    engine: Engine
    walls: Walls


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises UserError or PermanentError when it cannot start."""
    configure_log()
    with contextlib.suppress(OSError):  # only Linux can
        undumpable()  # a crash must not write opened secrets to a disk
    heap.set_aside()
    heap.give_back()
    settings_check(settings)
    os.umask(0o077)  # what it writes is for no other user of this machine
    shared_made(settings)
    with home_held(settings.home), listening(settings) as listener:
        import uvloop

        uvloop.run(_serve(settings, listener))


async def _serve(settings: Settings, listener: socket.socket) -> None:
    url = settings.database or f"sqlite:///{settings.home / 'podium.db'}"
    database = Database(url)
    await database.open()
    try:
        office = Office(
            database=database,
            hints=Hints(),
            ids=IdSource(database.clock),
            sealer=sealer_of(settings),
            uploads_path=settings.common / "uploads",
            outbound=outbound_of(settings),
            data_roots=data_roots_of(settings),
        )
        if not settings.local:
            await _run(settings, listener, office, None)
            return
        walls = await asyncio.to_thread(walls_of, settings)
        engine = local_engine(settings, walls)
        await engine.open()
        try:
            await _run(settings, listener, office, _Own(engine, walls))
        finally:
            await engine.close()
    finally:
        await database.close()


async def _run(
    settings: Settings, listener: socket.socket, office: Office, own: _Own | None
) -> None:
    database, hints = office.database, office.hints
    sign_in = SignIn(office, settings.lifetimes)
    names = [schedule.LEASE, deadlines.LEASE, NOTARY_LEASE, FORWARDING_LEASE]
    leadership = Leadership(database, holder_of(settings.home), names)
    records = Recorder(database, leadership, schedule.LEASE, Retention(), version=__version__)
    budgets = Budgets(database, hints, leadership)
    scheduler = schedule.Scheduler(
        database, hints, leadership, office.ids, records, before=budgets.foretell
    )
    notary = Notary(
        database,
        leadership,
        SigningKey(settings.common / "audit.key"),
        SealFile(settings.common / "audit-seals.jsonl"),
        Retention(audit_days=settings.audit_days),
    )
    forwarder = Forwarder(
        database, leadership, office.sealer, office.outbound, socket.gethostname()
    )
    clusters = Fleet(
        database,
        hints,
        leadership,
        office.sealer,
        office.uploads_path,
        cluster_engines(settings, owner=await database.read(installation_id)),
        probe=probe,
    )
    loops = _loops(office, leadership, clusters, scheduler, budgets, records, notary, forwarder)
    running = [relay(own.engine, hints)] if own is not None else []
    if own is not None:
        clusters.own(own.engine)
        leadership.add(lease_name(own.engine))
        machine = Machine(own.engine, database, hints, leadership)
        loops += engine_loops(machine, office.sealer, office.uploads_path, Retention())
    feed = Feed(database, hints)
    foresight = Foresight(database, lambda: scheduler.sight, scheduler.turn)
    context = Context(
        office=office,
        sign_in=sign_in,
        engines=clusters.engines,
        feed=feed,
        board=Board(database, hints),
        node_news=NodeNews(database, hints),
        log_tails=LogTails(),
        loops=loops,
        streams=Streams(),
        foresight=foresight,
        about=_about(settings, database, own),
        cycles=scheduler.counted,
        recording=records.recording,
        replaying=Replaying(),
        notary=notary,
        forwarder=forwarder,
        fleet=clusters,
        probe=probe,
        public_url=settings.public_url,
    )
    address = f"http://{shown(settings.host)}:{listener.getsockname()[1]}"
    await leadership.renew()
    await _welcome(office, sign_in, address)
    say(f"Isolation: {own.walls.level}. {own.walls.sentence}" if own else _NO_WORK_HERE)
    async with _tasks(
        [*(loop.run() for loop in loops), *running, feed.run(), context.streams.run()]
    ):
        server = Server(context, settings.trusted_proxies)
        await server.serve(sockets=[listener])
    await clusters.close()
    foresight.close()
    await office.refusals.flush(everything=True)
    await notary.step()
    await forwarder.close()
    await leadership.release()


_NO_WORK_HERE = "No work runs on this machine. Add a cluster:  podium cluster add --help"


def _about(settings: Settings, database: Database, own: _Own | None) -> dict[str, Any]:
    return {
        "version": __version__,
        "currency": settings.currency,
        "isolation": own.walls.level.value if own else "none",
        "isolation_words": own.walls.sentence if own else "No work runs on this machine.",
        "local": own is not None,
        "started_at_ms": database.now_ms(),
    }


def _loops(
    office: Office,
    leadership: Leadership,
    clusters: Fleet,
    scheduler: schedule.Scheduler,
    budgets: Budgets,
    records: Recorder,
    notary: Notary,
    forwarder: Forwarder,
) -> list[Loop]:
    """Those that a server needs once, however many engines it has."""
    database, hints = office.database, office.hints
    expecter = expect.Expecter(database, leadership, lambda: scheduler.seen)
    ends = deadlines.Deadlines(database, hints, leadership)
    stock = StockCount(database, leadership, lambda: scheduler.seen)
    watched = DataWatch(database, leadership, deadlines.LEASE)
    reaper = Reaper(database, leadership, Retention(), office.uploads_path)

    async def seal() -> bool:
        await office.refusals.flush()
        return await notary.step()

    async def renew() -> bool:
        if await leadership.renew():
            hints.wake("inventory", "schedule", "launch", "observe", "stop")
        return False

    return [
        Loop("lease", renew, hints, period_seconds=LEASE_SECONDS / 3),
        Loop(
            "fleet",
            clusters.step,
            hints,
            wake_on=("clusters",),
            period_seconds=fleet.PERIOD_SECONDS,
        ),
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
        Loop("deadlines", ends.step, hints, wake_on=("deadlines",), period_seconds=1),
        Loop("stock", stock.step, hints, period_seconds=1),
        Loop(
            "secrets",
            Resealer(database, office.sealer).step,
            hints,
            wake_on=("secrets",),
            period_seconds=resealing.PERIOD_SECONDS,
        ),
        Loop("data", watched.step, hints, period_seconds=data_watch.PERIOD_SECONDS),
        Loop("nodes", NodeWatch(database, hints, leadership).step, hints, period_seconds=5),
        Loop("reap", reaper.step, hints, period_seconds=600),
    ]


async def _welcome(office: Office, sign_in: SignIn, address: str) -> None:
    """At the first start make the administrator and a project, and say how to sign in."""
    given = os.environ.get("PODIUM_ADMIN_PASSWORD")
    made = await first_user_create(office, sign_in, given)
    if made is None:
        say(f"Podium {__version__} serves at {address}")
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
    say(f"Podium {__version__} serves at {address}")
    if one_time is None:
        say(f"Sign in as {user.username} with the password in PODIUM_ADMIN_PASSWORD.")
        return
    ticket = await sign_in.make_ticket(user.username)
    say("")
    say("First start. Sign in to the console with this link, within an hour:")
    say(f"  {address}/#ticket={ticket}")
    say(f"or as {user.username} with the one-time password:  {one_time}")
    say(f"For the command line:  podium login {address} --username {user.username}")
    say("")


@contextlib.asynccontextmanager
async def _tasks(coroutines: Sequence[object]) -> AsyncIterator[None]:
    running = [asyncio.ensure_future(each) for each in coroutines]  # type: ignore[call-overload]
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
