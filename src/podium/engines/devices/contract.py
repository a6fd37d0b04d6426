"""What a driver of GPUs promises. Engines call it; `tests/contract/test_devices_*` hold both to it.

A driver reads and changes the GPUs of the machine that it runs on. Its calls block, so engines make
them from threads; a driver may be called from several at once. Whatever it refuses is a
`DriverError` with the name that NVIDIA's library gives it. What it does not tell is None.

MIG instances are the driver's own record: they outlive the process that made them, and end with
the machine's restart. So whoever plans layouts asks `instances`, and never relies on memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from podium.domain.mig import Profile
from podium.engines.contract import DeviceMeasure


class ProfileKey(NamedTuple):
    """What a MIG profile is, whatever its name: names change with drivers."""

    compute_slices: int
    memory_slices: int
    media: bool = False

    def __str__(self) -> str:
        words = f"{self.compute_slices} compute and {self.memory_slices} memory slices"
        return f"{words} with media engines" if self.media else words


def key_of(profile: Profile) -> ProfileKey:
    return ProfileKey(profile.compute_slices, profile.memory_slices, profile.media)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigMode:
    """Whether the GPU is cut into instances now, and once it has been reset."""

    current: bool
    pending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One whole GPU. `mig` None is a model without MIG; `numa_node` None where nothing tells."""

    uuid: str
    index: int
    type: str  # the word people ask for: H100
    name: str  # the maker's full name
    memory_bytes: int
    pci_bus_id: str
    numa_node: int | None
    mig: MigMode | None
    driver_version: str
    virtual: bool = False


class Distance(StrEnum):
    """What lies between two GPUs of a machine, from near to far."""

    BOARD = "board"
    SWITCH = "switch"  # one PCIe switch
    SWITCHES = "switches"
    BRIDGE = "bridge"  # the same host bridge of a processor
    NUMA = "numa"  # the same processor
    SYSTEM = "system"  # from one processor to another


@dataclass(frozen=True, slots=True, kw_only=True)
class NvLink:
    """Active NVLinks of a GPU to one peer: another GPU by its UUID, "" for a switch that all share,
    or the bus id of a GPU that is not on this machine's list."""

    gpu: str
    peer: str
    links: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """`distances` holds each pair once, by the UUIDs in the order of the GPUs' indexes."""

    links: tuple[NvLink, ...] = ()
    distances: Mapping[tuple[str, str], Distance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Xid:
    """One error that the driver logged; `instance` is the GPU instance it was on, if on one."""

    number: int
    at_ms: int
    instance: int | None = None


class Recovery(StrEnum):
    """What the driver says must be done to a GPU that failed."""

    NONE = "none"
    RESET = "reset"
    DRAIN = "drain"  # as RESET, once the work on it has ended
    REBOOT = "reboot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a GPU is. Counts are since the driver was loaded, `xids` since this driver was opened,
    oldest first. `health.fault_of` says what it means."""

    lost: bool = False
    xids: tuple[Xid, ...] = ()
    ecc_corrected: int | None = None
    ecc_uncorrected: int | None = None
    rows_pending: bool = False
    rows_failed: bool = False
    recovery: Recovery = Recovery.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that computes on a GPU; `instance` is the GPU instance it is on, if on one."""

    pid: int
    memory_bytes: int | None = None
    instance: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One device now, and what each process (by its id) does on it, as far as it is told."""

    measure: DeviceMeasure
    busy_milli_by_pid: Mapping[int, int] | None = None
    memory_bytes_by_pid: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeInstance:
    """What work runs on: `uuid` is the MIG device's."""

    id: int
    uuid: str
    compute_slices: int
    name: str  # as the maker writes it: 1g.10gb, or 1c.3g.40gb for a part of an instance
    memory_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A GPU instance, on memory slices `start` to `start + size - 1`.

    `start` is None where the driver keeps it from those without the privilege. Without compute
    instances it is one that somebody began to make: nothing can run on it.
    """

    gpu: str
    id: int
    key: ProfileKey
    name: str
    start: int | None
    size: int
    compute: tuple[ComputeInstance, ...]


class Driver(Protocol):
    """See the module's text for the promise. GPUs are named by their UUID; one that this machine
    never had raises InvalidArgumentError, and one that it lost GpuLostError."""

    @property
    def virtual(self) -> bool:
        """Whether its GPUs are pretended."""
        ...

    def open(self) -> None:
        """Raises DriverError, in plain words, where there is no library, driver or GPU."""
        ...

    def close(self) -> None: ...

    def gpus(self) -> tuple[Gpu, ...]:
        """All GPUs by index, those that were lost with what was last known of them."""
        ...

    def topology(self) -> Topology: ...

    def health(self, gpu: str) -> Health:
        """Also of a lost GPU."""
        ...

    def read(self, uuid: str, span_ms: int) -> Reading:
        """What a GPU or MIG device did in the `span_ms` before now. Never raises."""
        ...

    def processes(self, gpu: str) -> tuple[Process, ...]: ...

    def mig_mode(self, gpu: str) -> MigMode:
        """Raises NotSupportedError for a model without MIG."""
        ...

    def mig_mode_set(self, gpu: str, *, enabled: bool) -> MigMode:
        """Turn MIG on or off. Raises InUseError while anything is on the GPU, ResetRequiredError
        when the mode waits for a reset, and NoPermissionError."""
        ...

    def profiles(self, gpu: str) -> tuple[Profile, ...]:
        """What it can be cut into and where, whether or not MIG is on; empty without MIG."""
        ...

    def instances(self, gpu: str) -> tuple[Instance, ...]:
        """In the order of their starts; empty while MIG is off."""
        ...

    def create(self, gpu: str, key: ProfileKey, start: int) -> Instance:
        """Make an instance there, with one compute instance over all of it.

        Raises NotSupportedError while MIG is off or without such a profile, InvalidArgumentError
        for a start that the profile cannot have, InsufficientResourcesError where others lie or
        too many of the kind stand, and NoPermissionError. A failure leaves nothing behind, except
        when the process dies: then an instance without compute instance may stand."""
        ...

    def destroy(self, gpu: str, instance: int) -> None:
        """End an instance with its compute instances. Raises InUseError while a process is on it,
        MissingError when it is gone, and NoPermissionError."""
        ...
