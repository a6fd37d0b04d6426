"""What a capacity plan is made of, and what comes out: values that go to a child process and back.
`api/capacity` asks, `simulation/capacity` answers."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.node import Node
from podium.domain.past_work import PastWork
from podium.domain.policy import DEFAULT_SCHEDULING, SchedulingPolicy
from podium.scheduling.snapshot import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Nodes, shares and policy as they are now; work as it was. The mean wait is to become
    `target_milli` thousandths of what it was, with at most `most` more GPUs of a type. Empty
    `gpu_types` are all."""

    nodes: tuple[Node, ...]
    shares: tuple[Share, ...]
    work: tuple[PastWork, ...]
    since_ms: int
    until_ms: int
    policy: SchedulingPolicy = DEFAULT_SCHEDULING
    gpu_types: tuple[str, ...] = ()
    target_milli: int = 500
    most: int = 1024
    seconds_max: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamWait:
    team: str
    workloads: int
    before_ms: int
    after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeAnswer:
    """`more` is None where no number that was tried is enough. Waits are means over the workloads
    that a GPU of the type could serve."""

    gpu_type: str
    gpus: int
    workloads: int
    before_ms: int
    after_ms: int | None
    more: int | None
    tried_most: int
    teams: tuple[TeamWait, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The waits that were, and those of a replay on what is there; `near_milli` of a thousand came
    within five minutes or a quarter."""

    workloads: int
    recorded_mean_ms: int
    replayed_mean_ms: int
    recorded_median_ms: int
    replayed_median_ms: int
    near_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    types: tuple[TypeAnswer, ...]
    calibration: Calibration
    assumptions: tuple[str, ...]
    workloads: int
    replays: int
    finished: bool
