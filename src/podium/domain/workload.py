"""The workload: one wish of one person, from submission to its end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import Cause, Refusal
from podium.domain.resources import ANYWHERE, ReplicaCount, Request, Topology
from podium.domain.window import StartWindow


class Kind(StrEnum):
    """What sort of work it is; it chooses the defaults."""

    TRAINING = "training"
    BATCH = "batch"
    EVALUATION = "evaluation"
    SERVICE = "service"
    WORKSPACE = "workspace"


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
    secrets: tuple[str, ...] = ()
    volumes: tuple[Volume, ...] = ()

    def __post_init__(self) -> None:
        assert bool(self.command) != bool(self.script), "a program is a command or a script"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A checked spec, not yet stored: what `spec/` hands to `intake/`."""

    name: str
    project: str
    kind: Kind
    program: Program
    request: Request
    replicas: ReplicaCount
    topology: Topology = ANYWHERE
    priority: int
    preemptible: bool = True
    max_runtime_seconds: int | None = None
    expected_runtime_seconds: int | None = None
    not_before_ms: int | None = None
    start_window: StartWindow | None = None
    deadline_ms: int | None = None
    retries: int = 0
    grace_seconds: int = 30
    depends_on: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


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
