"""Makes the MIG instances that work was placed on, and tells which instances are in use.

Engines call it before they start work and when they look at their devices. What it is asked for it
may be asked again, at any time and by the next server: it goes on from what the driver says stands.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from podium.domain.errors import TemporaryError
from podium.domain.mig import BOARDS, Board, Placed, Profile, is_legal
from podium.engines.contract import MisplacedError
from podium.engines.devices.contract import Driver, Instance, ProfileKey, key_of
from podium.engines.devices.errors import (
    DriverError,
    InsufficientResourcesError,
    InUseError,
    NoPermissionError,
    OperatingSystemError,
)
from podium.engines.devices.known import Known

UNFIT_SECONDS = 60.0
"""So long no new work comes to a GPU that refused an instance."""

_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where an instance is to be: on the GPU of this UUID and index, by what its board calls the
    profile, at a memory slice. Where `pinned`, nothing is made or ended."""

    gpu: str
    index: int
    board: str
    profile: str
    start: int
    pinned: bool = False

    def __str__(self) -> str:
        return f"{self.profile} at slice {self.start} of GPU {self.index}"


class Cutter:
    """`granted` tells by UUID which allocations of this machine have a device, from before their
    process starts until their end is recorded. `clock` is in seconds and never goes back. `known`
    hears of each change."""

    def __init__(
        self,
        driver: Callable[[], Driver],
        granted: Callable[[], Mapping[str, Collection[str]]],
        clock: Callable[[], float] = time.monotonic,
        known: Known | None = None,
    ) -> None:
        self.known = known or Known()
        self._driver = driver
        self._granted = granted
        self._clock = clock
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._tries: dict[str, int] = {}
        self._unfit: dict[str, tuple[str, float]] = {}
        self._disputed: set[str] = set()

    def realise(self, owner: str, slot: Slot) -> str:
        """The UUID of the MIG device for this allocation, made where it does not stand yet.

        Idle instances that are in its way are ended, those in use never. Raises TemporaryError to
        be called again, and MisplacedError when it cannot be there now."""
        with self._locks[slot.gpu]:
            try:
                uuid = self._realised(owner, slot)
            except DriverError as error:
                raise self._refused(owner, slot, error) from error
            self._tries.pop(owner, None)
            self._unfit.pop(slot.gpu, None)
            return uuid

    def fault(self, gpu: str) -> str:
        """Why no instance can be made on it now, in words; "" when nothing is known against it."""
        words, until = self._unfit.get(gpu, ("", 0.0))
        return words if self._clock() < until else ""

    def busy(self, driver: Driver, gpu: str, instances: Sequence[Instance]) -> set[int]:
        """Ids of those that somebody uses who did not get them from Podium, as far as it knows."""
        granted = self._granted()
        working = {process.instance for process in driver.processes(gpu)}
        found = set()
        for each in instances:
            uuids = {compute.uuid for compute in each.compute}
            held = any(uuid in granted for uuid in uuids)
            if not held and each.id not in working:
                self._disputed -= uuids
            elif not held or uuids & self._disputed:
                found.add(each.id)
        return found

    def _realised(self, owner: str, slot: Slot) -> str:
        board = BOARDS.get(slot.board)
        profile = None if board is None else board.profile(slot.profile)
        driver = self._driver()
        if board is None or profile is None or not driver.mig_mode(slot.gpu).current:
            raise MisplacedError(f"GPU {slot.index} is not in MIG mode any more.")
        standing = driver.instances(slot.gpu)
        used = self._used(driver, owner, slot.gpu, standing)
        for each in standing:
            if (each.key, each.start) != (key_of(profile), slot.start):
                continue
            if each.id in used:
                self._dispute(each)
                raise MisplacedError(f"{slot} is in use by other work.")
            if is_whole(each):
                return each.compute[0].uuid
        if slot.pinned:
            raise MisplacedError(
                f"{slot} does not stand any more, and the layout of the GPU is pinned."
            )
        for each in self._in_the_way(board, profile, slot, standing, used):
            self.end(driver, board, each)
        made = self.make(driver, slot.gpu, profile, slot.start)
        if not made.compute:
            raise DriverError("The instance was made by half.")
        return made.compute[0].uuid

    def alone(self, gpu: str) -> threading.Lock:
        """Held by whoever changes what stands on this GPU."""
        return self._locks[gpu]

    def end(self, driver: Driver, board: Board, instance: Instance) -> None:
        """Raises DriverError."""
        with self.known.changing(instance.gpu, _at(board, instance)):
            driver.destroy(instance.gpu, instance.id)

    def make(self, driver: Driver, gpu: str, profile: Profile, start: int) -> Instance:
        """Raises DriverError."""
        with self.known.changing(gpu, (profile.name, start)):
            return driver.create(gpu, key_of(profile), start)

    def used(self, driver: Driver, gpu: str, standing: Sequence[Instance]) -> frozenset[int]:
        """Ids of instances that somebody uses, or is about to."""
        return self._used(driver, "", gpu, standing)

    def holds(self, gpu: str) -> bool:
        """Whether all of it was granted to work."""
        return bool(self._granted().get(gpu))

    def _used(
        self, driver: Driver, owner: str, gpu: str, standing: Sequence[Instance]
    ) -> frozenset[int]:
        """Ids of instances that others than this allocation use, or are about to."""
        granted = self._granted()
        working = {process.instance for process in driver.processes(gpu)}
        found = set()
        for each in standing:
            owners = {key for compute in each.compute for key in granted.get(compute.uuid, ())}
            if owners - {owner} or (each.id in working and owner not in owners):
                found.add(each.id)
        return frozenset(found)

    def _in_the_way(
        self,
        board: Board,
        profile: Profile,
        slot: Slot,
        standing: Sequence[Instance],
        used: frozenset[int],
    ) -> list[Instance]:
        """Idle instances that must end so that the slot can be made, no more than that."""
        kept: list[Placed] = [(profile, slot.start)]
        ending: list[Instance] = []
        for each in sorted(standing, key=lambda one: one.id not in used):
            placed = _placed(board, each)
            if placed is not None and is_legal(board, [*kept, placed]):
                kept.append(placed)
            elif placed is None and not _overlap(each, profile, slot.start):
                continue
            elif each.id in used:
                words = f"{slot} cannot be made: {each.name} there is in use."
                self._dispute(each)
                if placed is None:  # nobody who plans layouts knows what it takes
                    self._unfit[slot.gpu] = (words, self._clock() + UNFIT_SECONDS)
                raise MisplacedError(words)
            else:
                ending.append(each)
        return ending

    def _dispute(self, instance: Instance) -> None:
        """Whoever has it, the scheduler must not count on it: it is told as busy until it is
        idle."""
        self._disputed.update(compute.uuid for compute in instance.compute)

    def _refused(self, owner: str, slot: Slot, error: DriverError) -> Exception:
        words = f"{slot}: {error.message} ({error.name})"
        if isinstance(error, InUseError | InsufficientResourcesError):
            return MisplacedError(words)  # what stands there is seen at the next look
        again = error.temporary or type(error) in (DriverError, OperatingSystemError)
        tries = self._tries[owner] = self._tries.get(owner, 0) + 1
        if again and tries < _TRIES:
            return TemporaryError(words)
        self._tries.pop(owner, None)
        lasting = isinstance(error, NoPermissionError)
        until = float("inf") if lasting else self._clock() + UNFIT_SECONDS
        told = f"No MIG instance could be made on it: {error.message} ({error.name})"
        self._unfit[slot.gpu] = (told, until)
        return MisplacedError(words)


def is_whole(instance: Instance) -> bool:
    """Whether one compute instance has all of it."""
    slices = [compute.compute_slices for compute in instance.compute]
    return slices == [instance.key.compute_slices]


def _profile_of(board: Board, key: ProfileKey) -> Profile | None:
    return next((each for each in board.profiles if key_of(each) == key), None)


def _placed(board: Board, instance: Instance) -> Placed | None:
    profile = _profile_of(board, instance.key)
    return None if profile is None or instance.start is None else (profile, instance.start)


def _overlap(instance: Instance, profile: Profile, start: int) -> bool:
    """Whether it lies over the place; of one that does not tell where it lies nobody knows."""
    if instance.start is None:
        return True
    end = start + profile.memory_slices
    return instance.start < end and start < instance.start + instance.size


def profile_name(board: Board, instance: Instance) -> str:
    """What the board's table calls it; names change with drivers."""
    known = _profile_of(board, instance.key)
    return instance.name if known is None else known.name


def _at(board: Board, instance: Instance) -> tuple[str, int]:
    return profile_name(board, instance), instance.start or 0
