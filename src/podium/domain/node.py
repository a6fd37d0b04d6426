"""Nodes and the devices in them, as the engines report them and the scheduler sees them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NodeState(StrEnum):
    """Whether a node takes work."""

    READY = "ready"
    CORDONED = "cordoned"  # keeps what runs, takes nothing new
    LOST = "lost"  # its engine has not reported it for too long


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One GPU, or one MIG instance of it. `index` is its place in the node, from 0."""

    id: str
    node: str
    index: int
    uuid: str
    type: str  # the word people ask for: H100, A100, L4
    model: str  # the maker's full name
    memory_bytes: int
    mig_profile: str | None = None
    virtual: bool = False
    healthy: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One machine. `name` is unique; `topology` is its path from the outside in."""

    name: str
    engine: str
    state: NodeState
    address: str
    cpu_milli: int
    memory_bytes: int
    labels: tuple[tuple[str, str], ...] = ()
    block: str = ""
    rack: str = ""
    seen_at_ms: int = 0
    devices: tuple[Device, ...] = ()
