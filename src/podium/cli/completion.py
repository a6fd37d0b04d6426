"""What the shell offers after Tab: names from the server, quickly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podium.domain.lifecycle import WorkloadState
from podium.domain.reason import WaitReason
from podium.domain.resources import Isolation
from podium.domain.rights import SENTENCES, Action
from podium.domain.workload import Kind

if TYPE_CHECKING:
    from podium.client.client import Client

TIMEOUT_SECONDS = 1.0
OFFERED_MAX = 200
SORTS = (
    "submitted",
    "name",
    "project",
    "owner",
    "kind",
    "state",
    "priority",
    "started",
    "ended",
    "gpus",
)
"""As WorkloadSort, which is not loaded for a Tab."""

Offer = list[tuple[str, str]]


def workloads(incomplete: str) -> Offer:
    """Names and ids of the newest workloads. Silent when the server is not."""
    try:
        with _client() as client:
            newest = client.workloads.page(limit=OFFERED_MAX).items
    except Exception:
        return []
    offered: dict[str, str] = {}
    for view in newest:
        about = f"{view.state} · {view.project}"
        offered.setdefault(view.name, about)
        if incomplete.startswith("w-"):
            offered[view.id] = f"{view.name} · {about}"
    return [(word, words) for word, words in offered.items() if word.startswith(incomplete)]


def projects(incomplete: str) -> Offer:
    try:
        with _client() as client:
            found = [(view.name, f"team {view.team}") for view in client.projects.list()]
    except Exception:
        return []
    return [offer for offer in found if offer[0].startswith(incomplete)]


def people(incomplete: str) -> Offer:
    """Whom one may give a role to, once two letters are typed."""
    if len(incomplete) < 2:
        return []
    try:
        with _client() as client:
            found = [
                (each.username, each.display_name) for each in client.access.people(incomplete)
            ]
    except Exception:
        return []
    return [offer for offer in found if offer[0].startswith(incomplete)]


def actions(incomplete: str) -> Offer:
    """What roles and tokens are made of."""
    return [(each, SENTENCES[each]) for each in Action if each.startswith(incomplete)]


def nodes(incomplete: str) -> Offer:
    try:
        with _client() as client:
            found = [(view.name, view.state.value) for view in client.nodes.list()]
    except Exception:
        return []
    return [offer for offer in found if offer[0].startswith(incomplete)]


def clusters(incomplete: str) -> Offer:
    try:
        with _client() as client:
            found = [(view.name, view.state.value) for view in client.clusters.list()]
    except Exception:
        return []
    return [offer for offer in found if offer[0].startswith(incomplete)]


def pools(incomplete: str) -> Offer:
    try:
        with _client() as client:
            found = [(view.name, f"{view.nodes} nodes") for view in client.pools.list()]
    except Exception:
        return []
    return [offer for offer in found if offer[0].startswith(incomplete)]


def states(incomplete: str) -> list[str]:
    return [state.value for state in WorkloadState if state.value.startswith(incomplete)]


def reasons(incomplete: str) -> list[str]:
    return [reason.value for reason in WaitReason if reason.value.startswith(incomplete)]


def sorts(incomplete: str) -> list[str]:
    return [sort for sort in SORTS if sort.startswith(incomplete)]


def kinds(incomplete: str) -> list[str]:
    return [kind.value for kind in Kind if kind.value.startswith(incomplete)]


def isolations(incomplete: str) -> list[str]:
    return [each.value for each in Isolation if each.value.startswith(incomplete)]


def _client() -> Client:
    from podium.client.client import Client

    return Client(timeout_seconds=TIMEOUT_SECONDS, attempts=1)
