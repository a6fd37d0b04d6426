"""Nodes and the devices in them, as the engines report them and the scheduler sees them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NodeState(StrEnum):
    """Whether a node takes work."""

    READY = "ready"
    CORDONED = "cordoned"  # keeps what runs, takes nothing new
    LOST = "lost"  # its engine has not reported it for too long


@dataclass(frozen=True, slots=True)
class MigInstance:
    """An instance that stands on a GPU now: its profile, and its first memory slice. `busy`:
    somebody uses it who did not get it from Podium."""

    profile: str
    start: int
    uuid: str = ""
    busy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One GPU, or one MIG instance of it that stands for itself. `index` is its place in the node,
    from 0; `fault` is why it is not healthy, in words, where the engine knows.

    `board` names the row of `domain.mig.BOARDS` while the GPU is in MIG mode and Podium cuts it:
    `instances` are then those that stand on it. Where its layout is `pinned`, only these are used.
    `drift` says what changed last on it that nobody of Podium did.

    `share_milli` is what each share of it takes, where whoever hands it out knows one size alone:
    then it is never given whole, or with 1000 only so. 0: any share, and whole.
    """

    id: str
    node: str
    index: int
    uuid: str
    type: str  # the word people ask for: H100, A100, L4
    model: str  # the maker's full name
    memory_bytes: int
    mig_profile: str | None = None
    board: str = ""
    pinned: bool = False
    share_milli: int = 0
    instances: tuple[MigInstance, ...] = ()
    virtual: bool = False
    healthy: bool = True
    fault: str = ""
    drift: str = ""
    drift_at_ms: int | None = None

    @property
    def priced(self) -> str:
        """The name that its time has a price under."""
        return self.type if self.mig_profile is None else f"{self.type} {self.mig_profile}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One machine. `name` is unique; `block` and `rack` are where it stands, from the outside in.

    `nvlink` names the NVLink domain that it shares with other nodes, "" where its own GPUs are all
    there is of it. `pool` is the pool that it belongs to, "" for none. `lost_at_ms` is when it was
    marked lost; None while it reports.
    """

    name: str
    engine: str
    state: NodeState
    address: str
    cpu_milli: int
    memory_bytes: int
    labels: tuple[tuple[str, str], ...] = ()
    block: str = ""
    rack: str = ""
    nvlink: str = ""
    pool: str = ""
    seen_at_ms: int = 0
    lost_at_ms: int | None = None
    devices: tuple[Device, ...] = ()
