"""Words for what the cluster has, but not where a request wants it: on other nodes than those with
its labels or in its pools, or without the places that it names. `refusals` calls it."""

from __future__ import annotations

from collections.abc import Sequence

from podium.domain.pool import Pool
from podium.domain.reason import CLOSED_POOL, Evidence, Refusal, WaitReason
from podium.domain.resources import Request, TopologyLevel
from podium.scheduling.reasons.shortage import Case
from podium.scheduling.reasons.tally import Tallies
from podium.scheduling.reasons.wording import (
    label_words,
    named_pools,
    pool_words,
)
from podium.scheduling.snapshot import Demand
from podium.scheduling.space.layout import Layout, Where, where_of
from podium.scheduling.space.topology import is_named

_POOLS_MAX = 3


def not_there(case: Case, whole: Tallies, pools: Sequence[Pool]) -> Refusal:
    """The nodes that will do could not hold it even if empty; `whole` counts all of them, up and
    empty, and `pools` are those of the cluster."""
    request, layout = case.demand.request, whole.floor.layout
    if request.node_labels and (
        not request.pools or whole.room_for(case.shape, Where(request.node_labels)) < case.need
    ):
        return _labels(request, layout)
    if case.demand.data:
        return _bound(case.demand, layout)
    if named_pools(request):
        return _named(request, layout)
    return _closed(case, whole, pools)


def _labels(request: Request, layout: Layout) -> Refusal:
    words = label_words(request)
    if layout.chosen(Where(request.node_labels)).any():
        message = f"The nodes with the {words} could not hold it even if empty; others could."
    else:
        message = f"No node has the {words}."
    return Refusal(
        WaitReason.POLICY,
        message,
        "Ask for labels that a node has, or leave node_labels out.",
        tuple(Evidence("node_label", f"{key}={value}") for key, value in request.node_labels),
    )


def _named(request: Request, layout: Layout) -> Refusal:
    """It names pools, and they are too small."""
    words = pool_words(request.pools, "or")
    if layout.chosen(where_of(request)).any():
        message = f"The nodes of {words} could not hold it even if empty; others could."
    elif layout.chosen(Where(pools=request.pools)).any():
        message = f"No node of {words} has the {label_words(request)}."
    else:
        message = f"No node is in {words}."
    return Refusal(
        WaitReason.POLICY,
        message,
        "Name a pool that has what it asks for, or leave pool out.",
        tuple(Evidence("pool", name) for name in request.pools),
    )


def _bound(demand: Demand, layout: Layout) -> Refusal:
    """Its data may be in some pools alone, and these are too small."""
    pools = tuple(each for each in demand.request.pools if each)
    words = pool_words(pools, "or") if pools else "no pool"
    chosen = layout.chosen(where_of(demand.request)).any()
    message = f"It has {demand.data}; no node of {words} has what it asks for."
    if chosen:
        message = f"It has {demand.data}; the nodes of {words} could not hold it even if empty."
    return Refusal(
        WaitReason.POLICY,
        message,
        "Ask for what these nodes have, or ask an administrator to approve another pool.",
        tuple(Evidence("pool", name) for name in pools),
    )


def _closed(case: Case, whole: Tallies, pools: Sequence[Pool]) -> Refusal:
    """It may use every pool that is open to its project, and only others have what it needs."""
    request = case.demand.request
    closed = [pool for pool in pools if pool.name not in request.pools]
    able = [
        pool
        for pool in closed
        if whole.room_for(case.shape, Where(request.node_labels, (pool.name,))) >= case.need
    ]
    # Whose they are, and what they are called, is not for everyone who reads this.
    message = (
        "Other nodes could run it, but they are in pools that are not open to its project."
        if able
        else "The nodes open to its project could not hold it even if empty."
    )
    return Refusal(
        WaitReason.POLICY,
        message,
        "Ask for what the other nodes have, or ask an administrator to open a pool to its project.",
        tuple(Evidence(CLOSED_POOL, pool.name) for pool in able[:_POOLS_MAX]),
    )


def no_level(layout: Layout, within: TopologyLevel, at_most: str) -> str:
    """A sentence where no node names its place of that level, so that each is one of its own; else
    empty. `at_most` says how many replicas fit into one."""
    if any(is_named(node, within) for node in layout.nodes):
        return ""
    return f"{_UNNAMED[within]}, so each node counts as one; {at_most} into one, even an empty one."


_UNNAMED = {
    TopologyLevel.NVLINK: "No node shares an NVLink domain with others",
    TopologyLevel.RACK: "No node says in which rack it stands",
    TopologyLevel.BLOCK: "No node says in which block it stands",
}
