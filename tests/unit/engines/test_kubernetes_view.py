"""Which pods a cluster's view takes for Podium's own, and which for guests."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.objects import Metadata, Pod, PodSpec, PodStatus
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.view import ClusterView

OWN = {names.OWNER: "us", names.ALLOCATION: "a-1"}


@pytest.fixture
def view() -> ClusterView:
    site = ClusterSite(cluster="lab", owner="us")
    nowhere = cast(Connection, None)  # what it tells comes from the test
    return ClusterView(nowhere, site, "kubernetes/lab", asyncio.Event())


def pod(uid: str, version: int, labels: dict[str, str], phase: str = "", **facts: Any) -> Pod:
    metadata = Metadata(
        name=uid, namespace=f"of-{uid}", uid=uid, resource_version=str(version), labels=labels
    )
    return Pod(metadata=metadata, spec=PodSpec(**facts), status=PodStatus(phase=phase))


def test_who_copies_labels_takes_no_allocation_over(view: ClusterView) -> None:
    mine = pod("true", 1, OWN)
    view.take(mine)
    view.take(pod("forged", 2, OWN, "Failed"))
    assert view.mine == {"a-1": mine}
    view.take(pod("forged", 3, {}, "Failed"))
    assert view.mine == {"a-1": mine}
    newer = pod("true", 4, OWN, "Running")
    view.take(newer)
    assert view.mine == {"a-1": newer}


def test_a_guest_asks_until_it_has_ended_and_is_podiums_own_once_it_is_placed(
    view: ClusterView,
) -> None:
    queue = {names.QUEUE: "true"}
    view.take(pod("guest", 1, queue, "Pending"))
    assert (list(view.asking), list(view.mine)) == (["guest"], [])
    view.take(pod("guest", 2, queue | OWN, "Running", node_name="n1"))
    assert (list(view.asking), list(view.mine)) == (["guest"], ["a-1"])
    view.take(pod("guest", 1, queue, "Pending"))
    assert list(view.mine) == ["a-1"], "what is old tells nothing"
    view.take(pod("guest", 3, queue | OWN, "Succeeded", node_name="n1"))
    assert (list(view.asking), list(view.mine)) == ([], ["a-1"])
    view.take(pod("guest", 4, queue, "Succeeded", node_name="n1"))
    assert (list(view.asking), list(view.mine)) == ([], [])
