"""What every engine promises. `control/` calls this; `tests/contract` holds each engine to it.

The engine is the only room that touches machines. It keeps its own durable record of what it
started, so that a server that was killed finds everything again:

- `ensure` is idempotent: called any number of times, before and after a crash, by one server or
  the next, it starts the allocation at most once.
- What was started goes on without the server. `observe` tells of it, adopted or not.
- An end stays observable until `settle` says that it has been recorded.
- A running allocation's devices may be counted free only after its end was observed: the engine
  reports an end when no process of the allocation is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from podium.domain.data import Classification, SourceKind
from podium.domain.errors import PermanentError, PodiumError, TemporaryError
from podium.domain.node import Node
from podium.domain.reason import Cause
from podium.domain.resources import Isolation
from podium.domain.workload import Program
from podium.engines.guests import Guest


class MisplacedError(PodiumError):
    """An allocation cannot start on the devices that it was placed on, but may do so on others:
    what stands on a GPU changed since, or the GPU refuses."""

    code = "misplaced"


class AdmissionError(PermanentError):
    """The machines' own rules do not let it in, for `cause`."""

    code = "not_admitted"

    def __init__(self, message: str, cause: Cause) -> None:
        super().__init__(message)
        self.cause = cause


class HeldUpError(TemporaryError):
    """It cannot be started yet, for `cause`, which people can do something about."""

    code = "held_up"

    def __init__(self, message: str, cause: Cause) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """A device handed to an allocation, with what the process must be told about it.

    With a `mig_profile` it is the instance of that profile at that start on the GPU `uuid`, which
    the engine makes where it does not stand; `board` and `pinned` are what the store knows of the
    GPU. Once the engine has it, `uuid` is the instance's and `gpu` the GPU's.
    """

    index: int
    uuid: str
    gpu_milli: int
    memory_bytes: int
    mig: bool
    virtual: bool
    board: str = ""
    pinned: bool = False
    mig_profile: str = ""
    mig_start: int = 0
    gpu: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFile:
    """A secret that work reads from a file called `name`; `variable` is told its path."""

    name: str
    variable: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMount:
    """A data source that the work sees at `path`, and whose path `variable` tells it. `secret` is
    what opens it, where it needs something."""

    source: str
    kind: SourceKind
    location: tuple[tuple[str, str], ...]
    path: str
    variable: str
    write: bool
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that an engine needs to start one allocation.

    `env` holds the final environment of the work (identity, rank, rendezvous and what the spec
    asked for); the engine adds only what depends on the machine, such as `CUDA_VISIBLE_DEVICES`.
    `secrets` are kept apart so that no engine writes them where others read. `secret_files` stand
    in a folder of the work's own, in memory where the machine has such a place, until the work has
    ended; `PODIUM_SECRETS_DIR` names the folder.
    """

    allocation_id: str
    workload_id: str
    name: str
    project: str
    rank: int
    replicas: int
    attempt: int
    node: str
    program: Program
    env: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...] = field(repr=False)
    cpu_milli: int
    memory_bytes: int
    devices: tuple[DeviceGrant, ...]
    grace_seconds: int
    secret_files: tuple[SecretFile, ...] = ()
    archive_path: str | None = None  # the uploaded source, when there is one
    isolation: Isolation = Isolation.NONE  # that its share of a GPU must have
    data: tuple[DataMount, ...] = ()
    classification: Classification = Classification.PUBLIC  # the highest of all that it uses
    guest: str = ""  # the uid of one that waits here already, to be started in place of a new one


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutOrder:
    """How a GPU is to be cut: profiles with their starts. `held` are those that work was placed
    on, whether or not it has begun; `busy`: work was placed on all of it."""

    gpu: str
    wanted: tuple[tuple[str, int], ...]
    held: frozenset[tuple[str, int]] = frozenset()
    busy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A project as its machines have to know it, beside its work.

    Limits are the project's own; None is none. `gpu_milli` is of all GPU types together. `viewers`
    and `log_readers` are groups of people, as their directory calls them, who may look at its work
    and read its logs. `registries` is the text of a Docker configuration with what opens the
    registries of its images, "" where there is none.
    """

    project: str
    gpu_milli: int | None = None
    cpu_milli: int | None = None
    memory_bytes: int | None = None
    viewers: tuple[str, ...] = ()
    log_readers: tuple[str, ...] = ()
    registries: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """`thing` of a project's room was not as it has to be, though nobody changed that in Podium.
    `words` are one plain sentence; not `mended`: Podium could not put it right, or may not."""

    project: str
    thing: str
    words: str
    mended: bool = True


class LayoutState(StrEnum):
    STANDS = "stands"
    CHANGED = "changed"  # one step was done
    WAITS = "waits"  # for work to end
    REFUSED = "refused"  # the driver did not do it


@dataclass(frozen=True, slots=True)
class LayoutAnswer:
    """`words` say what was done, what it waits for, or why it was refused. `blocked` are the
    instances that it waits for."""

    state: LayoutState
    words: str = ""
    blocked: tuple[tuple[str, int], ...] = ()


class Phase(StrEnum):
    STARTING = "starting"  # accepted; fetching code, not yet running
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One allocation as the engine sees it now. Durations are on a clock that does not jump.

    `cause` is set when ENDED: COMPLETED for exit code 0, else what the engine knows. `stop_seen`
    says that it had been asked to stop before it ended. `message` is one plain sentence for the
    person. While STARTING the two say what keeps it from running, as `domain/holdup` has it.
    `saved_at_ms` is when the work last said that what it did so far is saved, by touching the file
    that `PODIUM_SAVED_FILE` names: by the machine's clock, never before its start and never in the
    future.
    """

    allocation_id: str
    phase: Phase
    runtime_ms: int = 0
    exit_code: int | None = None
    signal: int | None = None
    cause: Cause | None = None
    stop_seen: bool = False
    message: str = ""
    cpu_time_ms: int = 0
    memory_peak_bytes: int = 0
    saved_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationMeasure:
    """What the processes of one running allocation used in the `span_ms` before now.

    `cpu_milli` is in thousandths of a core, `gpu_busy_milli` in thousandths of a GPU, over all its
    GPUs. What cannot be measured is None. On virtual GPUs, where nothing computes, busy means the
    part of its CPU allotment that it used, times the share of GPUs that it holds.
    """

    allocation_id: str
    span_ms: int
    cpu_milli: int
    memory_bytes: int
    gpu_busy_milli: int | None = None
    gpu_memory_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMeasure:
    """What one device did in the `span_ms` before now; None where the device does not tell."""

    device_id: str
    span_ms: int
    busy_milli: int | None = None
    memory_bytes: int | None = None
    power_milliwatts: int | None = None
    temperature_celsius: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """All that an engine could measure at one time."""

    allocations: tuple[AllocationMeasure, ...] = ()
    devices: tuple[DeviceMeasure, ...] = ()


@dataclass(frozen=True, slots=True)
class LogChunk:
    """Whole lines of one allocation's log from byte `offset`.

    `next_offset` continues without loss or repeat; `lost_bytes` counts what rotation or a full
    disk dropped before this chunk; `complete` means the allocation ended and all was read. Each
    line is `<milliseconds since 1970> <o|e> <text>`, `o` for standard output, `e` for error.
    """

    offset: int
    next_offset: int
    lines: tuple[str, ...]
    lost_bytes: int
    complete: bool


class Engine(Protocol):
    """See the module's text for the promise."""

    @property
    def name(self) -> str: ...

    @property
    def changed(self) -> asyncio.Event:
        """Set by the engine when something ended or started; a hint, cleared by the observer."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None:
        """Let go of the machine without touching what runs on it."""
        ...

    async def inventory(self) -> Sequence[Node]:
        """The machines of this engine now, with their devices."""
        ...

    async def rendezvous_port(self, node: str) -> int:
        """A port on `node` that is free now, for a gang's master."""
        ...

    async def ensure(self, launch: Launch) -> None:
        """Start the allocation unless that has been done. Raises TemporaryError to be called
        again later (HeldUpError for what people can mend), MisplacedError when it may start on
        other devices, and PermanentError when it can never start (AdmissionError where it is told
        why; the messages are for the person)."""
        ...

    async def observe(self) -> Sequence[Observation]:
        """Every allocation that was ensured and not yet settled."""
        ...

    async def measure(self) -> Measures:
        """What running allocations and devices used since the call before. An allocation shows
        from its second call on, or from the first when it started between two."""
        ...

    async def stop(self, allocation_id: str, *, grace_seconds: int) -> None:
        """Ask it to end: SIGTERM now, SIGKILL to all of it after the grace. Idempotent; unknown
        and ended allocations are left alone. A shorter grace in a later call shortens the wait."""
        ...

    async def settle(self, allocation_ids: Sequence[str]) -> None:
        """The ends of these are recorded; `observe` need not tell of them again. Idempotent."""
        ...

    async def read_log(
        self, allocation_id: str, *, offset: int = 0, limit_bytes: int = 65536
    ) -> LogChunk:
        """Lines from `offset`; negative offsets count from the end. Raises NotFoundError."""
        ...

    async def remove(self, allocation_ids: Sequence[str]) -> None:
        """Delete logs and working folders of settled allocations. Idempotent."""
        ...

    async def layout_step(self, node: str, order: LayoutOrder) -> LayoutAnswer:
        """Do the next step towards the layout, and no more. What is in use is not touched."""
        ...

    async def mig_mode(self, node: str, gpu: str, *, enabled: bool, busy: bool) -> None:
        """Turn MIG on or off; idle instances end with it. `busy`: work was placed on it. Raises
        ConflictError with what the driver says, and NotFoundError."""
        ...

    async def guests(self) -> Sequence[Guest]:
        """Work that people handed to these machines without Podium and that waits for it, or was
        started by `ensure` and has not ended, oldest first. Raises TemporaryError while that is
        not known: who is not among them is gone."""
        ...

    async def guest_tell(self, uid: str, workload_id: str, words: str) -> None:
        """Tell its people, with the means of these machines, why it waits. `workload_id` is empty
        while it has none."""
        ...

    async def guest_discard(self, uid: str, words: str) -> None:
        """Remove one that was not started, and tell its people why. Idempotent."""
        ...

    async def rooms(self) -> Sequence[str]:
        """The projects that have a room of their own here, in any order; none of an engine that
        keeps no rooms."""
        ...

    async def keep_room(self, tenant: Tenant) -> Sequence[Drift]:
        """Make the project's room, or make it as it has to be, and tell what somebody else had
        changed. Raises TemporaryError, and PermanentError for a room that cannot be."""
        ...

    async def remove_room(self, project: str) -> bool:
        """Remove a project's room with all that is in it, once nothing in it runs or is unsettled.
        Call it until it answers True: there is none. Another Podium's is left as it is."""
        ...
