"""Whatever fails around a pod: it runs once, its end is told, and its devices are not counted free
while it may still hold them. On nodes that these tests break and mend."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubernetes.harness import KubernetesHarness, kubernetes_harness
from lab.kubernetes.cluster import Cluster
from podium.domain.errors import TemporaryError
from podium.domain.reason import Cause
from podium.engines.contract import Phase

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
BROKEN, WHOLE = "node-b", "node-a"


@pytest.fixture
async def breakable(
    cluster: Cluster, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[KubernetesHarness]:
    """A Podium on the node that its test breaks."""
    home = tmp_path_factory.mktemp("podium")
    made = kubernetes_harness(home, tmp_path, cluster.kubeconfig.read_text(), BROKEN)
    await made.open()
    yield made
    await made.close()


class Counted:
    """Work that leaves a mark when it begins, and ends when it is told to."""

    def __init__(self, harness: KubernetesHarness) -> None:
        self._harness = harness
        self._tally = harness.shared / "tally"
        self._go = harness.shared / "go"
        self.allocation_id = ""

    async def begin(self) -> None:
        wait = (
            f"echo x >> {self._tally}; echo up; until [ -e {self._go} ]; do sleep 0.1; done; exit 4"
        )
        self.allocation_id = await self._harness.start("sh", "-c", wait)
        await self._harness.running(self.allocation_id)
        async with asyncio.timeout(60):
            while not self._tally.exists():
                await asyncio.sleep(0.1)

    async def phase(self) -> Phase:
        (seen,) = await self._harness.engine.observe()
        return seen.phase

    async def end_well(self) -> None:
        """It ends as it was told, and had begun once."""
        self._go.touch()
        end = (await self._harness.ended([self.allocation_id]))[self.allocation_id]
        assert (end.cause, end.exit_code) == (Cause.EXIT_CODE, 4), end
        assert self._tally.read_text() == "x\n"
        assert await self._harness.texts(self.allocation_id) == ["up"]


async def node_is_there(harness: KubernetesHarness) -> bool:
    try:
        seen = await harness.engine.inventory()
    except TemporaryError:
        return False
    return any(each.name == harness.node for each in seen)


async def until_node(harness: KubernetesHarness, *, there: bool) -> None:
    async with asyncio.timeout(90):
        while await node_is_there(harness) is not there:
            await asyncio.sleep(0.3)


@pytest.mark.parametrize("part", ["api_server", "etcd"])
async def test_the_control_plane_goes_and_comes_back(
    breakable: KubernetesHarness, cluster: Cluster, part: str
) -> None:
    work = Counted(breakable)
    await work.begin()
    daemon = getattr(cluster, part)
    await asyncio.to_thread(daemon.stop)
    try:
        assert await work.phase() is Phase.RUNNING
        with pytest.raises(TemporaryError):
            async with asyncio.timeout(40):
                await breakable.start("true")
    finally:
        await asyncio.to_thread(daemon.start)
    await until_node(breakable, there=True)
    assert await work.phase() is Phase.RUNNING
    await work.end_well()


async def test_a_killed_kubelet_takes_its_node_away_and_ends_nothing(
    breakable: KubernetesHarness, cluster: Cluster
) -> None:
    work = Counted(breakable)
    await work.begin()
    await asyncio.to_thread(cluster.node(BROKEN).kill_kubelet)
    try:
        await until_node(breakable, there=False)
        assert await work.phase() is Phase.RUNNING, "nobody knows that it ended"
    finally:
        await asyncio.to_thread(cluster.node(BROKEN).start_kubelet)
    await until_node(breakable, there=True)
    await work.end_well()


async def test_a_node_that_is_cut_off_and_joins_again(
    breakable: KubernetesHarness, cluster: Cluster
) -> None:
    work = Counted(breakable)
    await work.begin()
    await asyncio.to_thread(cluster.node(BROKEN).cut)
    try:
        await until_node(breakable, there=False)
        await breakable.engine.stop(work.allocation_id, grace_seconds=1)
        await asyncio.sleep(3)
        assert await work.phase() is Phase.RUNNING, "its node has not heard of the stop"
    finally:
        await asyncio.to_thread(cluster.node(BROKEN).join)
    end = (await breakable.ended([work.allocation_id]))[work.allocation_id]
    assert end.cause is Cause.CANCELLED, end
    await until_node(breakable, there=True)


async def test_a_watch_without_history_begins_anew(
    breakable: KubernetesHarness, cluster: Cluster
) -> None:
    work = Counted(breakable)
    await work.begin()
    pods = breakable.engine._view._pods  # type: ignore[attr-defined]
    lists = pods.lists
    pods._version = "1"  # long compacted
    await asyncio.to_thread(cluster.api_server.stop)
    await asyncio.to_thread(cluster.api_server.start)
    async with asyncio.timeout(60):
        while pods.lists == lists:
            await asyncio.sleep(0.1)
    await work.end_well()


async def test_work_on_a_node_that_is_deleted_is_lost_with_it(
    breakable: KubernetesHarness, cluster: Cluster
) -> None:
    work = Counted(breakable)
    await work.begin()
    node = json.loads(cluster.kubectl("get", "node", BROKEN, "-o", "json"))
    await asyncio.to_thread(cluster.node(BROKEN).kill)
    cluster.kubectl("delete", "node", BROKEN, "--wait=false")
    try:
        end = (await breakable.ended([work.allocation_id]))[work.allocation_id]
        assert end.cause is Cause.NODE_LOST
        chunk = await breakable.engine.read_log(work.allocation_id)
        assert chunk.complete
        begun = time.monotonic()
        await breakable.engine.settle([work.allocation_id])
        assert await breakable.engine.observe() == []
        assert time.monotonic() - begun < 60
    finally:
        await asyncio.to_thread(cluster.node(BROKEN).start_again)
    await until_node(breakable, there=True)
    cluster.kubectl("label", "node", BROKEN, "--overwrite", *_labels(node))
    cluster.set_gpus(BROKEN, 8)


def _labels(node: dict[str, dict[str, dict[str, str]]]) -> list[str]:
    return [f"{key}={value}" for key, value in node["metadata"]["labels"].items()]
