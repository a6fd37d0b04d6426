"""Why something waits and why something ended, as types that people can act on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WaitReason(StrEnum):
    """The one dominant reason why a queued workload does not start now."""

    NEW = "new"  # not yet looked at
    DEPENDENCY = "dependency"  # something it depends on has not succeeded yet
    START_TIME = "start_time"  # it asked not to start at this time
    CAPACITY = "capacity"  # would fit the cluster, but what it needs is in use
    PRIORITY = "priority"  # what it needs is kept for work ahead of it
    FRAGMENTATION = "fragmentation"  # enough is free in sum, but not together
    IMPOSSIBLE_TYPE = "impossible_type"  # no node has such a GPU
    IMPOSSIBLE_SIZE = "impossible_size"  # more than the whole cluster, or than any one node, has
    NO_NODES = "no_nodes"  # no healthy node at all
    UNHEALTHY_NODES = "unhealthy_nodes"  # would fit if nodes that are down were up
    TOPOLOGY = "topology"  # no place satisfies the topology asked for
    POLICY = "policy"  # the nodes that would fit are not allowed to it
    QUOTA = "quota"
    BUDGET = "budget"
    RESERVATION = "reservation"


class Cause(StrEnum):
    """Why a workload or a replica changed state."""

    SUBMITTED = "submitted"
    PLACED = "placed"
    STARTED = "started"
    COMPLETED = "completed"
    EXIT_CODE = "exit_code"  # ended by itself with a code other than zero
    SIGNAL = "signal"  # ended by a signal that Podium did not send
    COMMAND_NOT_FOUND = "command_not_found"
    COMMAND_NOT_EXECUTABLE = "command_not_executable"
    SOURCE_FAILED = "source_failed"
    IMAGE_FAILED = "image_failed"  # the node could not get its container image
    VOLUME_MISSING = "volume_missing"
    DATA_DENIED = "data_denied"  # its grant was withdrawn, or its place may not have the data
    DATA_FAILED = "data_failed"  # a source could not be mounted, fetched or written back
    SECRET_MISSING = "secret_missing"  # noqa: S105 - a cause, not a secret
    SECRET_LOCKED = "secret_locked"  # noqa: S105 - the key that opens it is not here
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_DISK = "out_of_disk"
    CANCELLED = "cancelled"
    MAX_RUNTIME = "max_runtime"
    DEADLINE = "deadline"
    DEPENDENCY_FAILED = "dependency_failed"
    GANG_MEMBER_ENDED = "gang_member_ended"
    PREEMPTED = "preempted"
    NODE_LOST = "node_lost"
    EVICTED = "evicted"  # its node, or its cluster's own scheduler, took its place away
    CLUSTER_QUOTA = "cluster_quota"  # a quota of the cluster itself leaves no room for it
    CLUSTER_REFUSED = "cluster_refused"  # a rule of the cluster itself forbids it
    LOST = "lost"  # the engine has no trace of it
    START_FAILED = "start_failed"
    MISPLACED = "misplaced"  # its GPU is not any more as it was when this was placed on it
    RETRY = "retry"
    CHANGED = "changed"  # someone gave it new values; its state stayed


CLOSED_POOL = "closed_pool"
"""The fact that a pool which is not open to the project could run it; told to who sees all."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact behind a reason, e.g. `Evidence("gpus_free", "2")`. `subject` may name a node."""

    fact: str
    value: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a workload was not placed: one type, one plain sentence, what would help, the facts."""

    reason: WaitReason
    message: str
    remedy: str = ""
    evidence: tuple[Evidence, ...] = ()
