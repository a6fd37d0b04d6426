"""The workload: one wish of one person, from submission to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from podium.domain.data import Classification, DataUse
from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import Cause, Refusal
from podium.domain.resources import (
    ANYWHERE,
    ReplicaCount,
    Request,
    Topology,
    most_gpus,
    request_text,
)
from podium.domain.secret import SecretUse
from podium.domain.window import StartWindow


class Kind(StrEnum):
    """What sort of work it is; it chooses the defaults."""

    TRAINING = "training"
    BATCH = "batch"
    EVALUATION = "evaluation"
    SERVICE = "service"
    WORKSPACE = "workspace"


class Recovery(StrEnum):
    """What happens to a gang of a fixed size that loses a replica through no fault of its own."""

    RESTART = "restart"  # all of it stops, and is queued again
    REPLACE = "replace"  # the others run on, and wait for a new one in its place


@dataclass(frozen=True, slots=True)
class GitSource:
    """Code from a Git host, at a branch, tag or commit."""

    url: str
    ref: str = "HEAD"


@dataclass(frozen=True, slots=True)
class UploadSource:
    """A local folder that was packed and uploaded; `sha256` names the stored archive."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A folder of the node that the work sees as `volumes/NAME` under its working folder."""

    name: str
    path: str
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What runs: either `command` or `script`, with its code, environment and data."""

    command: tuple[str, ...] = ()
    script: str = ""
    image: str | None = None
    source: GitSource | UploadSource | None = None
    env: tuple[tuple[str, str], ...] = ()
    secrets: tuple[SecretUse, ...] = ()
    volumes: tuple[Volume, ...] = ()
    data: tuple[DataUse, ...] = ()

    def __post_init__(self) -> None:
        assert bool(self.command) != bool(self.script), "a program is a command or a script"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaGroup:
    """Replicas of one gang that run and need the same. `command` or `script` is what they run,
    and `env` is added to that of the workload."""

    name: str
    count: int
    request: Request
    command: tuple[str, ...] = ()
    script: str = ""
    env: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        assert self.count >= 1
        assert bool(self.command) != bool(self.script), "a group runs a command or a script"


@dataclass(frozen=True, slots=True)
class Member:
    """Which replica of its group a rank is."""

    group: ReplicaGroup
    rank: int


def member_of(groups: Sequence[ReplicaGroup], rank: int) -> Member | None:
    """The group that a rank of the whole gang belongs to, None where there are none: ranks run
    through the groups in their order."""
    for group in groups:
        if rank < group.count:
            return Member(group, rank)
        rank -= group.count
    return None


def program_of(program: Program, member: Member | None) -> Program:
    """What a member of a group runs, and a replica that is in none."""
    if member is None:
        return program
    group = member.group
    env = tuple({**dict(program.env), **dict(group.env)}.items())
    return replace(program, command=group.command, script=group.script, env=env)


def leading_request(groups: Sequence[ReplicaGroup]) -> Request:
    """That of the group with the most GPUs for each replica, the first of equals: what stands for
    the whole where one request has to."""
    return max((group.request for group in groups), key=most_gpus)


def asked_text(request: Request, groups: Sequence[ReplicaGroup]) -> str:
    """What a workload asks for, for people: one request, or how many replicas of which."""
    if not groups:
        return request_text(request)
    return " + ".join(f"{group.count} × ({request_text(group.request)})" for group in groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A checked spec, not yet stored: what `spec/` hands to `intake/`."""

    name: str
    project: str
    kind: Kind
    program: Program
    request: Request
    replicas: ReplicaCount
    groups: tuple[ReplicaGroup, ...] = ()
    topology: Topology = ANYWHERE
    priority: int
    preemptible: bool = True
    max_runtime_seconds: int | None = None
    expected_runtime_seconds: int | None = None
    not_before_ms: int | None = None
    start_window: StartWindow | None = None
    deadline_ms: int | None = None
    retries: int = 0
    recovery: Recovery = Recovery.RESTART
    grace_seconds: int = 30
    depends_on: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    classification: Classification | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A stored workload. Times are milliseconds since 1970 UTC; `attempt` counts from 1."""

    id: str
    name: str
    project: str
    team: str
    owner: str
    kind: Kind
    state: WorkloadState
    priority: int
    request: Request
    replicas: ReplicaCount
    topology: Topology
    submitted_at_ms: int
    queued_at_ms: int
    started_at_ms: int | None
    ended_at_ms: int | None
    deadline_ms: int | None
    max_runtime_seconds: int | None
    grace_seconds: int
    retries: int
    attempt: int
    cause: Cause | None
    message: str
    refusal: Refusal | None
    refused_since_ms: int | None
    rendezvous_port: int | None
    labels: tuple[tuple[str, str], ...]
    version: int
    recovery: Recovery = Recovery.RESTART
    groups: tuple[ReplicaGroup, ...] = ()

    @property
    def gpu_milli(self) -> int:
        """Thousandths of a GPU that all replicas ask for together, apart from shares by memory
        and MIG instances."""
        if self.groups:
            return sum(group.count * group.request.gpu_milli for group in self.groups)
        return self.replicas.maximum * self.request.gpu_milli
