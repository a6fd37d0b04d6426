"""What a pod waits for is told while it waits, and it is taken back for what does not pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from kubernetes.harness import KubernetesHarness
from podium.domain.data import SourceKind
from podium.domain.reason import Cause
from podium.domain.workload import Program
from podium.engines.contract import DataMount, Observation, Phase

pytestmark = pytest.mark.anyio

_SOON_SECONDS = 20.0


@pytest.fixture
async def short(harness: KubernetesHarness) -> KubernetesHarness:
    """Its engine takes back soon what does not begin."""
    await harness.restart(grace_seconds=12)
    return harness


async def told(
    harness: KubernetesHarness, allocation_id: str, good: Callable[[Observation], bool]
) -> Observation:
    """What is seen of it once it is so; each look is one of the observer's."""
    async with asyncio.timeout(_SOON_SECONDS):
        while True:
            for each in await harness.engine.observe():
                if each.allocation_id == allocation_id and good(each):
                    return each
            await asyncio.sleep(0.2)


async def test_an_image_that_is_not_there(short: KubernetesHarness) -> None:
    program = Program(command=("true",), image="localhost/missing:1")
    allocation_id = await short.start(program=program)
    seen = await told(short, allocation_id, lambda each: each.cause is Cause.IMAGE_FAILED)
    assert seen.phase is Phase.STARTING
    assert seen.message.startswith("The image localhost/missing:1 cannot be pulled: ")
    end = (await short.ended([allocation_id]))[allocation_id]
    assert end.cause is Cause.IMAGE_FAILED
    assert end.message == seen.message, "between two tries it says the same"


async def test_a_claim_that_is_missing(short: KubernetesHarness) -> None:
    claim = DataMount(
        source="vision/claimed",
        kind=SourceKind.PVC,
        location=(("claim", "nowhere"),),
        path="/claimed",
        variable="CLAIMED",
        write=False,
    )
    allocation_id = await short.start("true", data=(claim,))
    seen = await told(short, allocation_id, lambda each: bool(each.message))
    assert (seen.phase, seen.cause) == (Phase.STARTING, Cause.VOLUME_MISSING)
    assert "nowhere" in seen.message
    end = (await short.ended([allocation_id]))[allocation_id]
    assert end.cause is Cause.VOLUME_MISSING
    assert "nowhere" in end.message


async def test_a_folder_that_its_node_does_not_have(
    short: KubernetesHarness, tmp_path: Path
) -> None:
    """Only its events tell of it, and they are read while it waits."""
    gone = tmp_path / "gone"
    folder = DataMount(
        source="vision/gone",
        kind=SourceKind.NFS,
        location=(("server", "127.0.0.1"), ("export", str(gone))),
        path="/gone",
        variable="GONE",
        write=False,
    )
    allocation_id = await short.start("true", data=(folder,))
    seen = await told(short, allocation_id, lambda each: bool(each.message))
    assert seen.cause is Cause.VOLUME_MISSING
    assert "cannot be mounted" in seen.message
    end = (await short.ended([allocation_id]))[allocation_id]
    assert end.cause is Cause.VOLUME_MISSING


async def test_what_two_servers_have_together_each_of_them_can_show(
    harness: KubernetesHarness, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Logs are on a folder that both have: one settles the end, and the other shows it after."""
    shared = tmp_path_factory.mktemp("logs")
    await harness.restart(logs=shared)
    second = harness.build(folder=tmp_path_factory.mktemp("second"), logs=shared)
    await second.open()
    try:
        allocation_id = await harness.start("sh", "-c", "echo well; sleep 5; echo met")
        await harness.said(allocation_id, "well")
        while not (await second.read_log(allocation_id)).lines:
            await asyncio.sleep(0.1)  # both follow it
        await harness.ended([allocation_id])
        async with asyncio.timeout(60):
            while allocation_id in {each.allocation_id for each in await harness.engine.observe()}:
                await harness.engine.settle([allocation_id])
                await asyncio.sleep(0.2)
        for server in (harness.engine, second):
            said, offset, whole = [], 0, False
            while not whole:
                chunk = await server.read_log(allocation_id, offset=offset)
                said += [line.split(" ", 2)[2] for line in chunk.lines]
                offset, whole = chunk.next_offset, chunk.complete
            assert said == ["well", "met"]
    finally:
        await second.close()
