"""Keeps the rooms that projects have in one cluster: as Podium wants them, whoever changed them,
and gone when the project is. `engine_loops` runs one for each cluster; `launch` asks it first."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence

import structlog

from podium.control.machine import Machine
from podium.control.secret_grants import USED
from podium.domain.cluster import DRIFTED
from podium.domain.errors import PodiumError, TemporaryError, UserError
from podium.domain.event import SYSTEM_ACTOR
from podium.domain.secret import REGISTRIES
from podium.engines.contract import Drift, Tenant
from podium.spec.registries import read_registries
from podium.store import audit
from podium.store.audit import AuditEntry
from podium.store.database import Transaction
from podium.store.sealing import Sealer
from podium.store.secrets import secret_used
from podium.store.tenants import TenantRecord, project_placed, tenants_fetch

HINT = "tenancy"
PERIOD_SECONDS = 10.0
_LOOK_MS = 300_000  # how often the cluster is asked whether all is as it has to be
_AGAIN_MS = 3_600_000  # how often the same is told that is changed again and again
_STAYS_MS = 86_400_000  # how often what Podium leaves as it is
_log = structlog.get_logger(__name__)

Found = Callable[[int], None]
"""Hears how many more drifts were found."""


class Tenancy:
    """`cluster` is for people to read."""

    def __init__(
        self, machine: Machine, sealer: Sealer, cluster: str, found: Found | None = None
    ) -> None:
        self._machine = machine
        self._sealer = sealer
        self._cluster = cluster
        self._found = found
        self._kept: dict[str, TenantRecord] = {}
        self._rooms: frozenset[str] = frozenset()
        self._due: set[str] = set()
        self._look_at_ms = 0
        self._told_ms: dict[tuple[str, str], int] = {}
        self._asking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._failed: dict[str, PodiumError] = {}

    async def ready(self, project: str) -> None:
        """Before the first work of a project starts here: its limits and registries count from the
        first pod on. Raises as `Engine.keep_room`, and KeysError."""
        if project in self._kept:
            return
        before = self._failed.get(project)
        # Its whole first batch asks at once: one of them looks, and all have its answer.
        async with self._asking[project]:
            if project in self._kept:
                return
            failed = self._failed.get(project)
            if failed is not None and failed is not before:
                raise failed
            try:
                found = await self._machine.database.read(lambda tx: tenants_fetch(tx, [project]))
                if project in found:
                    await self._keep(found[project])
            except PodiumError as error:
                self._failed[project] = error
                raise
            self._failed.pop(project, None)

    async def step(self) -> bool:
        machine = self._machine
        if not machine.leads:
            self._kept.clear()
            self._look_at_ms = 0
            return False
        now_ms = machine.database.now_ms()
        if now_ms >= self._look_at_ms:
            self._rooms = frozenset(await machine.engine.rooms())
            self._due = {*self._rooms, *self._kept}
            self._look_at_ms = now_ms + _LOOK_MS
        names = sorted({*self._rooms, *self._kept})
        found = await machine.database.read(lambda tx: tenants_fetch(tx, names))
        late: TemporaryError | None = None
        for name in names:
            # One that the store does not know is left: the store may be an old one, put back.
            if name not in found:
                continue
            try:
                if found[name].archived:
                    await self._end(name)
                elif name in self._due or found[name] != self._kept.get(name):
                    await self._keep(found[name])
            except TemporaryError as error:
                late = error
            except PodiumError as error:
                self._due.discard(name)
                _log.warning(
                    "room_not_kept", cluster=self._cluster, project=name, reason=error.message
                )
        if late is not None:
            raise late
        return False

    async def _keep(self, record: TenantRecord) -> None:
        before = self._kept.get(record.project)
        drifts = await self._machine.engine.keep_room(self._tenant(record))
        handed = record.registries is not None and (
            before is None or before.registries != record.registries
        )
        await self._tell(record.project, drifts, handed=handed)
        self._kept[record.project] = record
        self._due.discard(record.project)

    async def _end(self, project: str) -> None:
        """Once its last work here is over and recorded. Nothing is started meanwhile: it may have
        been taken back."""
        machine = self._machine

        def gone(tx: Transaction) -> bool:
            record = tenants_fetch(tx, [project])[project]
            return record.archived and not project_placed(tx, project, machine.nodes)

        async with machine.hands:
            if not await machine.database.read(gone):
                return
            if not await machine.engine.remove_room(project):
                return
        self._kept.pop(project, None)
        self._rooms -= {project}
        _log.info("room_removed", cluster=self._cluster, project=project)

    def _tenant(self, record: TenantRecord) -> Tenant:
        """Raises KeysError."""
        registries = ""
        if record.registries is not None:
            text = self._sealer.unseal(record.registries, project=record.project, name=REGISTRIES)
            try:
                registries = read_registries(text)
            except UserError:  # a secret that had this name before it meant something
                _log.warning("registries_not_read", project=record.project)
        return Tenant(
            project=record.project,
            gpu_milli=record.gpu_milli,
            cpu_milli=record.cpu_milli,
            memory_bytes=record.memory_bytes,
            viewers=record.viewers,
            log_readers=record.log_readers,
            registries=registries,
        )

    async def _tell(self, project: str, drifts: Sequence[Drift], *, handed: bool) -> None:
        machine = self._machine
        now_ms = machine.database.now_ms()
        fresh = [each for each in drifts if self._is_news(each, now_ms)]
        for each in fresh:
            _log.warning(
                "room_drifted",
                cluster=self._cluster,
                project=project,
                thing=each.thing,
                words=each.words,
                mended=each.mended,
            )
        if drifts and self._found is not None:
            self._found(len(drifts))
        if not fresh and not handed:
            return

        def write(tx: Transaction) -> None:
            entries = [
                AuditEntry(
                    actor=SYSTEM_ACTOR,
                    action=DRIFTED,
                    subject=self._cluster,
                    project=project,
                    detail={"thing": each.thing, "words": each.words, "mended": each.mended},
                )
                for each in fresh
            ]
            if handed:
                detail: dict[str, object] = {"secrets": [REGISTRIES], "cluster": self._cluster}
                entries.append(
                    AuditEntry(
                        actor=SYSTEM_ACTOR,
                        action=USED,
                        subject=self._cluster,
                        project=project,
                        detail=detail,
                    )
                )
                secret_used(tx, project, [REGISTRIES], now_ms)
            audit.audit_append(tx, entries, now_ms)

        await machine.leadership.fenced(machine.lease, write)

    def _is_news(self, drift: Drift, now_ms: int) -> bool:
        """Not where another program changes the same again and again, or where it stays."""
        key = (drift.project, drift.thing)
        again_ms = _AGAIN_MS if drift.mended else _STAYS_MS
        last_ms = self._told_ms.get(key)
        if last_ms is not None and now_ms - last_ms < again_ms:
            return False
        self._told_ms[key] = now_ms
        return True
