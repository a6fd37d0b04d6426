"""What a trace holds: jobs of whole GPUs with their times. `reading` makes one, policies run it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from podium.domain.errors import FieldFault, UserError


class Runtimes(StrEnum):
    """What a policy is told about how long a job will run."""

    EXACT = "exact"
    REQUESTED = "requested"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceJob:
    """A rigid gang: `gpus` whole GPUs at once, for `duration_ms` of running. `row` is its line in
    the file, from 1."""

    job_id: str
    submitted_ms: int
    duration_ms: int
    gpus: int
    group: str | None = None
    requested_ms: int | None = None
    row: int = 0


@dataclass(frozen=True, slots=True)
class Trace:
    """`jobs` by time of submission, then by row. `skipped` counts records of jobs that never ran.

    `name` is the file's, for messages.
    """

    name: str
    jobs: tuple[TraceJob, ...]
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.jobs)

    def estimates_ms(self, runtimes: Runtimes) -> list[int] | None:
        """What a policy may believe of each job's runtime, in the order of `jobs`; None = nothing.

        Raises UserError where `requested` is wanted and a job has none.
        """
        if runtimes is Runtimes.UNKNOWN:
            return None
        if runtimes is Runtimes.EXACT:
            return [job.duration_ms for job in self.jobs]
        estimates = []
        for job in self.jobs:
            if job.requested_ms is None:
                raise UserError(
                    FieldFault(
                        f"{self.name}, row {job.row}, requested_s",
                        "is missing, but --runtimes requested reads it.",
                        "Fill it in, or use --runtimes exact or unknown.",
                    )
                )
            estimates.append(job.requested_ms)
        return estimates


@dataclass(frozen=True, slots=True)
class Machines:
    """A cluster of equal nodes."""

    nodes: int
    gpus_per_node: int

    @property
    def gpus(self) -> int:
        return self.nodes * self.gpus_per_node

    def require_room(self, trace: Trace) -> None:
        """Raises UserError when a job is larger than the whole cluster."""
        for job in trace.jobs:
            if job.gpus > self.gpus:
                raise UserError(
                    FieldFault(
                        f"{trace.name}, row {job.row}, num_gpu",
                        f"{job.gpus:,} GPUs, but the cluster has {self.gpus:,} "
                        f"({self.nodes:,} × {self.gpus_per_node:,}).",
                        "Give more --nodes or --gpus-per-node, or leave the job out.",
                    )
                )


@dataclass(frozen=True, slots=True)
class Course:
    """What became of a trace: by job, in its order, first start and end. Milliseconds."""

    started_ms: list[int]
    ended_ms: list[int]
    preemptions: int = 0
