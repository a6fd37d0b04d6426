"""Starts what was scheduled. The engine starts each allocation once, however often it is asked,
so a crash between starting and writing it down is repaired by asking again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import structlog

from podium.control import data_grants, secret_grants
from podium.control.environment import environment
from podium.control.holdups import HoldUpNews
from podium.control.machine import Machine
from podium.control.tenancy import Tenancy
from podium.domain.allocation import Allocation
from podium.domain.cluster import is_kubectl_owner
from podium.domain.data import Classification
from podium.domain.errors import PermanentError, TemporaryError
from podium.domain.lifecycle import ReplicaState
from podium.domain.node import Node
from podium.domain.reason import Cause
from podium.domain.resources import DeviceShare
from podium.domain.tenancy import WHOLE
from podium.domain.workload import (
    Program,
    Recovery,
    UploadSource,
    Workload,
    member_of,
    program_of,
)
from podium.engines.contract import AdmissionError, DeviceGrant, Launch, MisplacedError
from podium.store import allocations, guests, holdups, nodes, replicas, workloads
from podium.store.database import Transaction
from podium.store.keyring import KeysError
from podium.store.replicas import End
from podium.store.sealing import Sealer
from podium.store.submissions import upload_path

_BATCH = 128
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """A batch of allocations to start, with all that their launches need."""

    due: Sequence[Allocation]
    workloads: dict[str, Workload]
    programs: Mapping[str, Program]
    secrets: Mapping[str, Mapping[str, bytes]]  # sealed, by workload
    placed: Mapping[str, int]  # replicas of this attempt that have a place
    masters: Mapping[str, str]  # node of rank 0
    nodes: Mapping[str, Node]
    classes: Mapping[str, str]  # that work gives itself
    guests: Mapping[tuple[str, int], str]  # by workload and rank, what is started in place of new

    def grant(self, node: str, share: DeviceShare) -> DeviceGrant:
        """Raises TemporaryError while the device is not reported, e.g. in the middle of a
        change of its layout."""
        for device in self.nodes[node].devices:
            if device.id == share.device_id:
                return DeviceGrant(
                    index=device.index,
                    uuid=device.uuid,
                    gpu_milli=share.gpu_milli,
                    memory_bytes=share.memory_bytes,
                    mig=device.mig_profile is not None or bool(share.mig_profile),
                    virtual=device.virtual,
                    board=device.board,
                    pinned=device.pinned,
                    mig_profile=share.mig_profile,
                    mig_start=share.mig_start,
                )
        raise TemporaryError(f"Node {node} does not report device {share.device_id} now.")


def _meets(workload: Workload) -> bool:
    """Whether it is a gang that does not know yet where its replicas meet."""
    is_gang = workload.replicas.maximum > 1 and not workload.replicas.array
    return is_gang and workload.rendezvous_port is None


def _assign(tx: Transaction, *, workload_id: str, port: int) -> int:
    return replicas.rendezvous_assign(tx, workload_id, port)


class Launcher:
    """`rooms` is where a project has a room that must stand before its work starts."""

    def __init__(
        self, machine: Machine, sealer: Sealer, uploads_path: Path, rooms: Tenancy | None = None
    ) -> None:
        self._machine = machine
        self._rooms = rooms
        self._sealer = sealer
        self._uploads_path = uploads_path
        self._news = HoldUpNews()

    async def step(self) -> bool:
        """Start a batch. True when there may be more."""
        machine = self._machine
        if not machine.leads:
            return False
        async with machine.hands:
            work = await machine.database.read(self._gather)
            if not work.due:
                return False
            await self._fix_rendezvous(work)
            data = await self._data_allowed(work)
            work = replace(work, due=[each for each in work.due if each.id not in data.refused])
            answers = await asyncio.gather(*(self._start(work, data, each) for each in work.due))
            begun = [each for each, end in zip(work.due, answers, strict=True) if end is None]
            started = [each.id for each in begun]
            refused = [end for end in answers if isinstance(end, End)]
            refused += data.refused.values()
            later = [each for each in answers if isinstance(each, TemporaryError)]
            kept = [
                (allocation, each)
                for allocation, each in zip(work.due, answers, strict=True)
                if isinstance(each, TemporaryError)
            ]
            news = self._news.refused(kept, machine.database.now_ms())
            moved = any(each.cause is Cause.MISPLACED for each in refused)
            # What the scheduler knows of the machine was not true any more: it has to know better
            # before it looks for another place.
            seen = await machine.engine.inventory() if moved else ()

            def write(tx: Transaction) -> None:
                now_ms = machine.database.now_ms()
                if seen:
                    nodes.node_report(tx, machine.engine.name, seen, now_ms)
                replicas.replicas_launched(tx, started, now_ms)
                secret_grants.use_record(tx, begun, work.workloads, work.programs, now_ms)
                replicas.replicas_ended(tx, refused, now_ms)
                holdups.holdups_record(tx, news, now_ms)

            await machine.leadership.fenced(machine.lease, write)
        machine.hints.wake("observe", "events")
        if any(share.mig_profile for each in work.due for share in each.devices):
            machine.hints.wake("inventory")  # other instances stand there now
        if refused:
            machine.hints.wake("schedule", "stop")
        if later:
            raise later[0]
        return len(work.due) == _BATCH

    def _gather(self, tx: Transaction) -> Work:
        due = allocations.allocation_list_open(
            tx, nodes=self._machine.nodes, states=[ReplicaState.SCHEDULED], limit=_BATCH
        )
        ids = {each.workload_id for each in due}
        found = workloads.workload_fetch_many(tx, WHOLE, ids)
        programs = workloads.program_fetch_many(tx, ids) if ids else {}
        secrets = secret_grants.sealed_fetch(tx, found, programs)
        counts = workloads.replica_counts_many(tx, ids)
        placed = {
            key: sum(count.values()) - count.get(ReplicaState.WAITING, 0)
            for key, count in counts.items()
        }
        masters = allocations.master_nodes(tx, ids)
        known = nodes.node_fetch_many(tx, {*masters.values(), *(each.node for each in due)})
        # The engine of its first rank chooses where a gang meets; until then its others wait.
        elsewhere = {
            key
            for key, workload in found.items()
            if _meets(workload) and masters[key] not in self._machine.nodes
        }
        due = [each for each in due if each.workload_id not in elsewhere]
        workloads_due = {key: each for key, each in found.items() if key not in elsewhere}
        classes = data_grants.declared(tx, ids)
        submitted = {key for key, each in workloads_due.items() if is_kubectl_owner(each.owner)}
        waiting = guests.guest_uids(tx, submitted)
        return Work(due, workloads_due, programs, secrets, placed, masters, known, classes, waiting)

    async def _fix_rendezvous(self, work: Work) -> None:
        """Every gang gets a port before its first replica starts, and keeps it for the attempt."""
        machine = self._machine
        for key, workload in list(work.workloads.items()):
            if not _meets(workload):
                continue
            free = await machine.engine.rendezvous_port(work.masters[key])
            port = await machine.leadership.fenced(
                machine.lease, partial(_assign, workload_id=key, port=free)
            )
            work.workloads[key] = replace(workload, rendezvous_port=port)

    async def _data_allowed(self, work: Work) -> data_grants.Decided:
        """Which of them may have their data; those who may are in the audit trail before they can
        read it."""
        asking = [each for each in work.due if data_grants.asks(work.programs, work.classes, each)]
        if not asking:
            return data_grants.Decided()
        machine = self._machine
        now_ms = machine.database.now_ms()
        return await machine.leadership.fenced(
            machine.lease,
            lambda tx: data_grants.decide(tx, asking, work.workloads, work.programs, now_ms),
        )

    async def _start(
        self, work: Work, data: data_grants.Decided, allocation: Allocation
    ) -> End | TemporaryError | None:
        try:
            launch = self._launch(work, data, allocation)
            if self._rooms is not None:
                await self._rooms.ready(launch.project)
            await self._machine.engine.ensure(launch)
        except TemporaryError as error:
            return error
        except MisplacedError as error:
            return End(allocation_id=allocation.id, cause=Cause.MISPLACED, message=error.message)
        except secret_grants.SecretMissingError as error:
            cause = Cause.SECRET_MISSING
            return End(allocation_id=allocation.id, cause=cause, message=error.message)
        except KeysError as error:
            cause = Cause.SECRET_LOCKED
            return End(allocation_id=allocation.id, cause=cause, message=error.message)
        except PermanentError as error:
            cause = error.cause if isinstance(error, AdmissionError) else Cause.START_FAILED
            return End(allocation_id=allocation.id, cause=cause, message=error.message)
        except Exception:
            _log.exception("launch_failed", allocation=allocation.id)
            return TemporaryError(f"Allocation {allocation.id} could not be started yet.")
        return None

    def _launch(self, work: Work, data: data_grants.Decided, allocation: Allocation) -> Launch:
        workload = work.workloads[allocation.workload_id]
        guest = work.guests.get((workload.id, allocation.rank), "")
        if is_kubectl_owner(workload.owner) and not guest:
            raise PermanentError("Its pod is not in the cluster any more.")
        member = member_of(workload.groups, allocation.rank)
        program = program_of(work.programs[workload.id], member)
        master = work.masters.get(workload.id, allocation.node)
        count = 1 if workload.replicas.array else work.placed[workload.id]
        if workload.recovery is Recovery.REPLACE and not workload.replicas.resize:
            count = workload.replicas.maximum  # another one may be on its way
        granted = secret_grants.opened(
            self._sealer, workload.project, program.secrets, work.secrets.get(workload.id, {})
        )
        archive = None
        if isinstance(program.source, UploadSource):
            archive = str(upload_path(self._uploads_path, workload.project, program.source.sha256))
        return Launch(
            allocation_id=allocation.id,
            workload_id=workload.id,
            name=workload.name,
            project=workload.project,
            rank=allocation.rank,
            replicas=count,
            attempt=allocation.attempt,
            node=allocation.node,
            program=program,
            env=environment(
                workload,
                program,
                allocation,
                replicas=count,
                master_address=work.nodes[master].address,
            ),
            secrets=granted.variables,
            secret_files=granted.files,
            cpu_milli=allocation.cpu_milli,
            memory_bytes=allocation.memory_bytes,
            devices=tuple(work.grant(allocation.node, share) for share in allocation.devices),
            grace_seconds=workload.grace_seconds,
            archive_path=archive,
            data=data_grants.mounts(self._sealer, data, workload.id, program.data),
            classification=data.classes.get(workload.id, Classification.PUBLIC),
            isolation=(member.group.request if member else workload.request).isolation,
            guest=guest,
        )
