"""What an engine tells of work that people hand to its machines without Podium, e.g. pods that they
submit with kubectl, and that is held until Podium places it. `control/guests` makes work of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One held pod. `uid` is its own for ever; a pod made in its place is another guest.

    `group` names those of the project that start together or not at all, `group_size` of them;
    empty: it is alone. `nodes` are labels that its node must have. `fault` says why Podium cannot
    take it, `told` what Podium told it last. `unclaimed` says what its place lacks to be Podium's;
    another Podium may be meant. With an `allocation_id` it was started.
    """

    uid: str
    name: str
    project: str
    made_at_ms: int
    cpu_milli: int
    memory_bytes: int
    group: str = ""
    group_size: int = 1
    gpus: int = 0
    mig_profile: str = ""
    mig_count: int = 0
    nodes: tuple[tuple[str, str], ...] = ()
    image: str = ""
    command: tuple[str, ...] = ()
    priority: str = ""
    grace_seconds: int = 30
    expected_seconds: int | None = None
    fault: str = ""
    unclaimed: str = ""
    told: str = ""
    allocation_id: str = ""
