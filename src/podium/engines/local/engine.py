"""The local engine: keeps the promise of `engines/contract.py` with real processes on this machine.

`server.py` makes one; `control/` calls it. All it knows is in folders under `home/allocations`,
so an engine that is opened after a crash finds everything again. An allocation of which no shim
has been started yet is not observed: `ensure` raises or is called again, and then starts it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from podium.domain.errors import NotFoundError, PermanentError, TemporaryError
from podium.domain.node import Node
from podium.domain.reason import Cause
from podium.domain.resources import Isolation
from podium.engines.contract import (
    Drift,
    Launch,
    LayoutAnswer,
    LayoutOrder,
    LogChunk,
    Measures,
    MisplacedError,
    Observation,
    Phase,
    Tenant,
)
from podium.engines.devices.boards import VirtualBoard
from podium.engines.devices.cutting import Slot
from podium.engines.guests import Guest
from podium.engines.local import folder as names
from podium.engines.local import ledger, secret_files
from podium.engines.local.inventory import Inventory
from podium.engines.local.link import WardenLink
from podium.engines.local.meter import Meter
from podium.engines.local.mps import pipe_directory
from podium.engines.local.order import Limits, order_of
from podium.engines.local.page import page_read
from podium.engines.local.ports import Ports
from podium.engines.local.removal import folders_remove
from podium.engines.local.site import Site
from podium.engines.local.walls import Level, Walls
from podium.engines.logs.reader import LogReader

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_WATCH_SECONDS = 0.5
_READ_TRIES = 4


class LocalEngine:
    """One per home at a time. `path` is the PATH that jobs get, the server's own when None.

    `virtual_gpus` None takes real GPUs where there are any, else four virtual ones; boards ask for
    those and no real one.
    """

    def __init__(
        self,
        home: Path,
        *,
        node_name: str,
        virtual_gpus: Sequence[VirtualBoard] | None = None,
        address: str = "127.0.0.1",
        path: str | None = None,
        limits: Limits | None = None,
        site: Site | None = None,
        walls: Walls | None = None,
    ) -> None:
        self._home = home.resolve()
        self._active = self._home / "allocations" / "active"
        self._over = self._home / "allocations" / "ended"
        self._node_name = node_name
        self._address = address
        self._path = path if path is not None else os.environ.get("PATH", os.defpath)
        self._limits = limits or Limits()
        self._walls = walls or Walls(level=Level.NONE)
        self._changed = asyncio.Event()
        self._inventory = Inventory(
            node_name=node_name,
            engine=self.name,
            address=address,
            virtual_gpus=virtual_gpus,
            home=self._home,
            site=site or Site(),
            walls=self._walls,
        )
        self._link = WardenLink(self._home / "warden.log", heard=self._heard, lost=self._adopt_all)
        self._meter = Meter(self._active, self._inventory)
        self._measuring = asyncio.Lock()
        self._reader = LogReader()
        self._ports = Ports()
        self._observing = asyncio.Lock()
        self._ended: dict[str, Observation] = {}
        self._adopted: set[str] = set()
        self._watch: asyncio.Task[None] | None = None
        self._home_lock: int | None = None
        self._shelf: str | None = None  # of files with secrets

    @property
    def name(self) -> str:
        """`local/NODE`: servers that share a database each have a local engine of their own."""
        return f"local/{self._node_name}"

    @property
    def changed(self) -> asyncio.Event:
        return self._changed

    async def open(self) -> None:
        """Raises TemporaryError while another server uses the same home."""
        for folder in (self._active, self._over):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._home / "engine.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise TemporaryError(
                f"Another Podium server uses {self._home}. Stop it, or choose another home."
            ) from None
        self._home_lock = lock
        try:
            await self._link.open()
        except TemporaryError:
            self._unlock()
            raise
        self._adopt_all()
        self._shelf = secret_files.shelf_of(str(self._home))
        secret_files.sweep(self._shelf, self._adopted)
        secret_files.fold(self._shelf)
        self._watch = asyncio.create_task(self._watch_adopted())
        self._changed.set()

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        await self._link.close()
        secret_files.fold(self._shelf)
        self._inventory.close()
        self._unlock()

    async def inventory(self) -> Sequence[Node]:
        return (await asyncio.to_thread(self._inventory.node),)

    async def rendezvous_port(self, node: str) -> int:
        if node != self._node_name:
            raise NotFoundError(f"This engine has no node {node}.")
        return self._ports.free(self._address)

    async def ensure(self, launch: Launch) -> None:
        folder = self._folder(launch.allocation_id)
        if (self._over / launch.allocation_id).exists() or names.is_claimed(str(folder)):
            return
        try:
            launch = await asyncio.to_thread(self._on_devices, launch)
        except MisplacedError as error:
            if not await asyncio.to_thread(_give_up, folder, error.message):
                return  # an earlier call did start it
            raise
        try:
            order = await asyncio.to_thread(
                order_of,
                launch,
                folder=str(folder),
                path=self._path,
                limits=self._limits,
                walls=self._walls,
                shelf=self._shelf,
                home=str(self._home),
            )
            folder.mkdir(mode=0o700, exist_ok=True)
            names.write_whole(f"{folder}/{names.LAUNCH}", order)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise TemporaryError(
                    f"The disk that holds {self._home} is full.", retry_after_seconds=10
                ) from error
            raise TemporaryError(
                f"The folder {self._active} cannot be written: {error.strerror}."
            ) from error
        await self._link.spawn(launch.allocation_id, str(folder), secret_files.packed(launch))

    async def observe(self) -> Sequence[Observation]:
        async with self._observing:
            return await asyncio.to_thread(self._look_at_all)

    async def measure(self) -> Measures:
        async with self._measuring:
            return await asyncio.to_thread(self._meter.measure)

    async def stop(self, allocation_id: str, *, grace_seconds: int) -> None:
        if not self._folder(allocation_id).is_dir():
            return
        folder = str(self._folder(allocation_id))
        if not names.is_claimed(folder):
            ended = await asyncio.to_thread(ledger.end_unstarted, folder)
            if ended:
                self._changed.set()
                return
        if not ledger.is_unfinished(folder):
            return
        order = json.dumps({"grace_seconds": grace_seconds}).encode()
        with contextlib.suppress(OSError):  # on a full disk the launch's own grace counts
            names.write_whole(f"{folder}/{names.STOP}", order)
        _signal_shim(folder)

    async def settle(self, allocation_ids: Sequence[str]) -> None:
        async with self._observing:
            for allocation_id in allocation_ids:
                folder = self._folder(allocation_id)
                if not folder.is_dir() or ledger.is_unfinished(str(folder)):
                    continue
                secret_files.remove(secret_files.place_of(self._shelf, str(folder)))
                with contextlib.suppress(FileNotFoundError):
                    folder.rename(self._over / allocation_id)
                self._ended.pop(allocation_id, None)

    async def read_log(
        self, allocation_id: str, *, offset: int = 0, limit_bytes: int = 65536
    ) -> LogChunk:
        self._folder(allocation_id)
        limit_bytes = max(1, limit_bytes)
        known = self._reader.known(allocation_id, offset, limit_bytes)
        if known is not None:
            return known
        for _ in range(_READ_TRIES):  # settle and rotation may move files between two steps
            for room in (self._active, self._over):
                folder = str(room / allocation_id)
                with contextlib.suppress(FileNotFoundError):
                    return self._reader.read(
                        allocation_id,
                        folder,
                        offset=offset,
                        limit_bytes=limit_bytes,
                        end=ledger.log_end(folder),
                    )
        raise NotFoundError(f"There is no log of {allocation_id} on node {self._node_name}.")

    async def remove(self, allocation_ids: Sequence[str]) -> None:
        folders = [self._over / each for each in allocation_ids if self._folder(each)]
        await asyncio.to_thread(folders_remove, folders)
        for each in allocation_ids:
            self._reader.forget(each)

    async def layout_step(self, node: str, order: LayoutOrder) -> LayoutAnswer:
        self._mine(node)
        return await asyncio.to_thread(self._inventory.layouts.step, order)

    async def mig_mode(self, node: str, gpu: str, *, enabled: bool, busy: bool) -> None:
        self._mine(node)
        await asyncio.to_thread(self._inventory.layouts.mode, gpu, enabled=enabled, busy=busy)

    async def guests(self) -> Sequence[Guest]:
        """Nobody hands work to this machine but Podium."""
        return ()

    async def guest_tell(self, uid: str, workload_id: str, words: str) -> None:
        del uid, workload_id, words

    async def guest_discard(self, uid: str, words: str) -> None:
        del uid, words

    async def rooms(self) -> Sequence[str]:
        """Projects are kept apart by each start: there is no room that stands."""
        return ()

    async def keep_room(self, tenant: Tenant) -> Sequence[Drift]:
        del tenant
        return ()

    async def remove_room(self, project: str) -> bool:
        del project
        return True

    def _mine(self, node: str) -> None:
        if node != self._node_name:
            raise NotFoundError(f"This engine has no node {node}.")

    def _on_devices(self, launch: Launch) -> Launch:
        """The launch on devices that stand, its MIG instances made and named. Raises
        MisplacedError and TemporaryError."""
        if launch.isolation is Isolation.MPS and pipe_directory() is None:
            raise MisplacedError(f"MPS does not run on {self._node_name} any more.")
        grants = []
        for grant in launch.devices:
            if not grant.mig_profile:
                if grant.board:
                    raise MisplacedError(f"GPU {grant.index} is in MIG mode now.")
                grants.append(grant)
                continue
            slot = Slot(
                gpu=grant.uuid,
                index=grant.index,
                board=grant.board,
                profile=grant.mig_profile,
                start=grant.mig_start,
                pinned=grant.pinned,
            )
            uuid = self._inventory.cutter.realise(launch.allocation_id, slot)
            grants.append(replace(grant, uuid=uuid, gpu=grant.uuid))
        return replace(launch, devices=tuple(grants))

    def _folder(self, allocation_id: str) -> Path:
        if _ID.fullmatch(allocation_id) is None:
            raise PermanentError(f"{allocation_id!r} is not the id of an allocation.")
        return self._active / allocation_id

    def _look_at_all(self) -> list[Observation]:
        seen, vanished = [], []
        for allocation_id in sorted(each.name for each in self._active.iterdir()):
            sight = self._ended.get(allocation_id)
            if sight is None:
                looked = ledger.look(str(self._active / allocation_id))
                if isinstance(looked, ledger.Vanished):
                    vanished.append(looked)
                    continue
                sight = looked
            if sight is not None:
                seen.append(sight)
        seen += ledger.conclude(vanished)
        for sight in seen:
            if sight.phase is Phase.ENDED:
                self._ended[sight.allocation_id] = sight
        return seen

    def _heard(self, event: str, allocation_id: str) -> None:
        if event == "exited":
            self._adopted.discard(allocation_id)
        self._changed.set()

    def _adopt_all(self) -> None:
        """The shims of all unfinished allocations are nobody's children: watch them."""
        for folder in self._active.iterdir():
            if ledger.is_unfinished(str(folder)):
                self._adopted.add(folder.name)
        self._changed.set()

    async def _watch_adopted(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            gone = {
                each for each in self._adopted if not names.lock_is_held(str(self._active / each))
            }
            if gone:
                self._adopted -= gone
                self._changed.set()

    def _unlock(self) -> None:
        if self._home_lock is not None:
            os.close(self._home_lock)
            self._home_lock = None


def _give_up(folder: Path, message: str) -> bool:
    """Nothing is started in this folder any more. False when something was."""
    if not folder.is_dir():
        return True
    return ledger.end_unstarted(str(folder), Cause.MISPLACED, message)


def _signal_shim(folder: str) -> None:
    """SIGTERM to the shim that holds the folder's lock, and to no other process."""
    status = page_read(f"{folder}/{names.STATUS}")
    if status is None:
        return
    pid = int(status["shim_pid"])
    with contextlib.suppress(ProcessLookupError):
        if sys.platform != "linux":
            if names.lock_is_held(folder):
                os.kill(pid, signal.SIGTERM)
            return
        handle = os.pidfd_open(pid)
        try:
            # Held now, so its holder lived when the handle was made: the handle is the shim's.
            if names.lock_is_held(folder):
                signal.pidfd_send_signal(handle, signal.SIGTERM)
        finally:
            os.close(handle)
