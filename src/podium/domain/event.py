"""History: what happened to a workload, in the past tense, with time, cause and actor."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.reason import Cause

SYSTEM_ACTOR = "podium"

NOTED = "WorkloadNoted"
"""The kind of an event that moves nothing: something to know, also after the workload's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a workload's history. `seq` grows over the whole store; `rank` is None when
    the event is about the workload as a whole."""

    seq: int
    at_ms: int
    project: str
    workload_id: str
    rank: int | None
    kind: str
    state: str
    cause: Cause
    message: str
    actor: str
