"""Works on the clusters of the store: an engine with loops and a lease of its own for each, begun
and ended as clusters are added, changed and removed. One that does not answer holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import structlog

from podium.control.engine_loops import engine_loops, relay
from podium.control.leadership import Leadership
from podium.control.machine import Machine, lease_of
from podium.domain.cluster import Cluster, ClusterFindings, ClusterSight, ClusterState
from podium.domain.errors import PodiumError
from podium.engines.contract import Engine
from podium.store import clusters
from podium.store.clusters import SealedCluster
from podium.store.database import Database
from podium.store.hints import Hints
from podium.store.keyring import KeysError
from podium.store.retention import Retention
from podium.store.sealing import Sealer

PERIOD_SECONDS = 5.0
_OPEN_SECONDS = 60.0
_CLOSE_SECONDS = 10.0
_PROBE_SECONDS = 600.0
_PAUSE_SECONDS = (1.0, 30.0)
_log = structlog.get_logger(__name__)

MakeEngine = Callable[[Cluster, str | None], Awaitable[Engine]]
"""Makes the engine of a cluster, with the text of its kubeconfig. May raise as `Engine.open`."""

Probe = Callable[[str | None, str], Awaitable[ClusterFindings]]


@dataclass(eq=False)
class _Member:
    """A cluster that is worked on. `updated_at_ms` tells whether it is still the same one."""

    cluster: Cluster
    sealed: bytes | None = field(repr=False)
    sight: ClusterSight
    task: asyncio.Task[None] | None = None


class Fleet:
    """`engines` holds, by name, every engine that is open now: those of clusters, and the server's
    own one, which `own` puts there."""

    def __init__(
        self,
        database: Database,
        hints: Hints,
        leadership: Leadership,
        sealer: Sealer,
        uploads_path: Path,
        make: MakeEngine,
        *,
        probe: Probe | None = None,
        keep: Retention | None = None,
    ) -> None:
        self._database = database
        self._hints = hints
        self._leadership = leadership
        self._sealer = sealer
        self._uploads_path = uploads_path
        self._make = make
        self._probe = probe
        self._keep = keep or Retention()
        self._members: dict[str, _Member] = {}
        self._engines: dict[str, Engine] = {}
        self.engines: Mapping[str, Engine] = MappingProxyType(self._engines)

    def own(self, engine: Engine) -> None:
        """The engine of the server's own machine, which the server opens, runs and closes."""
        self._engines[engine.name] = engine

    def sight(self, name: str) -> ClusterSight | None:
        """How this server finds a cluster; None until it has looked at it for the first time."""
        member = self._members.get(name)
        return None if member is None else member.sight

    @property
    def sights(self) -> Mapping[str, ClusterSight]:
        """By cluster, in name order."""
        return {name: self._members[name].sight for name in sorted(self._members)}

    async def step(self) -> bool:
        """Begin with what was added, and end with what was removed; a change is both."""
        wanted = {
            each.cluster.name: each
            for each in await self._database.read(clusters.cluster_list_sealed)
        }
        over = [
            name
            for name, member in self._members.items()
            if name not in wanted or wanted[name].cluster != member.cluster
        ]
        await asyncio.gather(*(self._end(name, removed=name not in wanted) for name in over))
        for name, each in wanted.items():
            if name in self._members:
                self._members[name].sealed = each.kubeconfig  # perhaps with another key
            else:
                self._begin(each)
        return False

    async def close(self) -> None:
        """Let go of all clusters; what runs there goes on. The caller releases the leases."""
        await asyncio.gather(*(self._end(name, removed=False) for name in list(self._members)))

    def _begin(self, found: SealedCluster) -> None:
        sight = ClusterSight(state=ClusterState.CONNECTING, since_ms=self._database.now_ms())
        member = _Member(found.cluster, found.kubeconfig, sight)
        self._members[found.cluster.name] = member
        self._leadership.add(lease_of(found.cluster.engine))
        member.task = asyncio.create_task(self._work_on(member))
        _log.info("cluster_begun", cluster=found.cluster.name)

    async def _end(self, name: str, *, removed: bool) -> None:
        member = self._members[name]
        if member.task is not None:
            # Who ends this may be ended, too: a second cancellation would leave the engine open.
            if not member.task.cancelling():
                member.task.cancel()
            await asyncio.wait([member.task])
        self._members.pop(name, None)
        if removed:
            await self._leadership.drop(lease_of(member.cluster.engine))
        _log.info("cluster_ended", cluster=name, removed=removed)

    async def _work_on(self, member: _Member) -> None:
        """Until cancelled: open the engine, again where that fails, then run its loops."""
        shortest, longest = _PAUSE_SECONDS
        pause_seconds = shortest
        while True:
            try:
                engine = await self._opened(member)
            except Exception as error:
                self._tell(member, _why(error))
                await asyncio.sleep(pause_seconds)
                pause_seconds = min(longest, 2 * pause_seconds)
                continue
            try:
                self._engines[engine.name] = engine
                await self._run(member, engine)
            except Exception as error:
                _log.exception("cluster_failed", cluster=member.cluster.name)
                self._tell(member, _why(error))
            finally:
                self._engines.pop(engine.name, None)
                await self._closed(engine)
            await asyncio.sleep(longest)

    async def _opened(self, member: _Member) -> Engine:
        async with asyncio.timeout(_OPEN_SECONDS):
            engine = await self._make(member.cluster, self._kubeconfig(member))
            try:
                await engine.open()
            except BaseException:
                await self._closed(engine)
                raise
        return engine

    def _kubeconfig(self, member: _Member) -> str | None:
        """Raises KeysError."""
        if member.cluster.in_cluster:
            return None
        if member.sealed is None:
            raise KeysError("Its kubeconfig is gone. Give it again with `podium cluster set`.")
        return clusters.kubeconfig_opened(member.sealed, member.cluster.name, self._sealer)

    async def _closed(self, engine: Engine) -> None:
        """Never longer than a while, and whatever comes: the next one must be opened."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await engine.close()
        except Exception:
            _log.exception("engine_not_closed", engine=engine.name)

    async def _run(self, member: _Member, engine: Engine) -> None:
        machine = Machine(engine, self._database, self._hints, self._leadership)
        loops = engine_loops(
            machine,
            self._sealer,
            self._uploads_path,
            self._keep,
            cluster=member.cluster.name,
            told=lambda error: self._tell(member, "" if error is None else _why(error)),
            drifted=lambda more: self._drifted(member, more),
        )
        await self._leadership.renew()
        async with asyncio.TaskGroup() as tasks:
            for loop in loops:
                tasks.create_task(loop.run())
            tasks.create_task(relay(engine, self._hints))
            if self._probe is not None:
                tasks.create_task(self._ask(member, self._probe))

    async def _ask(self, member: _Member, probe: Probe) -> None:
        """What the cluster is, now and then; that it does not answer is told by others."""
        cluster = member.cluster
        while True:
            try:
                async with asyncio.timeout(_OPEN_SECONDS):
                    found = await probe(self._kubeconfig(member), cluster.context)
                told = {"version": found.version, "missing": found.missing}
                member.sight = replace(member.sight, **told)  # type: ignore[arg-type]
            except Exception as error:
                _log.warning("cluster_not_asked", cluster=cluster.name, why=_why(error))
            await asyncio.sleep(_PROBE_SECONDS)

    def _tell(self, member: _Member, words: str) -> None:
        """`words` say why it is not reachable; empty: it is."""
        state = ClusterState.UNREACHABLE if words else ClusterState.READY
        before = member.sight
        changed = before.state is not state
        since_ms = self._database.now_ms() if changed else before.since_ms
        member.sight = replace(before, state=state, since_ms=since_ms, words=words)
        if changed:
            tell = _log.warning if words else _log.info
            tell("cluster_state", cluster=member.cluster.name, state=state.value, why=words)

    def _drifted(self, member: _Member, more: int) -> None:
        member.sight = replace(member.sight, drifts=member.sight.drifts + more)


def _why(error: Exception) -> str:
    if isinstance(error, PodiumError):
        return error.message
    if isinstance(error, TimeoutError):
        return "It does not answer in time."
    _log.exception("cluster_error", exc_info=error)
    return f"Podium failed at it ({type(error).__name__}); the server's log says more."
