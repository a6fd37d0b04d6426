"""The local engine starts work on MIG instances: it makes them, names them, and cuts anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract.harness import PATIENCE_SECONDS, Harness
from podium.domain.node import Device
from podium.domain.reason import Cause
from podium.domain.resources import Isolation
from podium.engines.contract import DeviceGrant, Engine, Launch, MisplacedError, Phase
from podium.engines.devices.boards import virtual_boards
from podium.engines.local import folder as names
from podium.engines.local.engine import LocalEngine

pytestmark = pytest.mark.anyio

GPU = "GPU-virtual-node-1-0"
SHOW = ("sh", "-c", "echo gpu=$CUDA_VISIBLE_DEVICES; exec sleep 60")


@pytest.fixture
async def cut(tmp_path: Path) -> AsyncIterator[Harness]:
    def build(**options: object) -> Engine:
        return LocalEngine(
            tmp_path / "home",
            node_name="node-1",
            virtual_gpus=virtual_boards("H100:mig,L4", "H100"),
        )

    made = Harness(build, "node-1", tmp_path / "home")
    await made.open()
    yield made
    await made.close()


def grant(profile: str, start: int, milli: int = 125, **facts: object) -> DeviceGrant:
    made = DeviceGrant(
        0, GPU, milli, 10 << 30, mig=True, virtual=True,
        board="H100-80GB", mig_profile=profile, mig_start=start,
    )  # fmt: skip
    return replace(made, **facts)  # type: ignore[arg-type]


async def gpu(harness: Harness) -> Device:
    (node,) = await harness.engine.inventory()
    return node.devices[0]


async def standing(harness: Harness) -> list[tuple[str, int]]:
    return [(each.profile, each.start) for each in (await gpu(harness)).instances]


async def visible(harness: Harness, allocation_id: str) -> str:
    await harness.said(allocation_id, "gpu=")
    (line,) = [text for text in await harness.texts(allocation_id) if text.startswith("gpu=")]
    return line.removeprefix("gpu=")


def trouble(harness: Harness, **facts: object) -> None:
    path = harness.home / "virtual-gpus" / "trouble.json"
    path.write_text(json.dumps({"gpus": {"0": facts}}))


async def test_each_sees_its_own_instance_while_the_rest_is_cut_anew(cut: Harness) -> None:
    one = await cut.start(*SHOW, devices=(grant("1g.10gb", 6),))
    two = await cut.start(*SHOW, devices=(grant("2g.20gb", 4), grant("1g.10gb", 0)))
    assert await standing(cut) == [("1g.10gb", 0), ("2g.20gb", 4), ("1g.10gb", 6)]
    by_start = {each.start: each.uuid for each in (await gpu(cut)).instances}
    assert await visible(cut, one) == by_start[6]
    assert await visible(cut, two) == f"{by_start[4]},{by_start[0]}"
    assert not any(each.busy for each in (await gpu(cut)).instances)
    await cut.engine.stop(two, grace_seconds=0)
    await cut.ended([two])
    three = await cut.start(*SHOW, devices=(grant("4g.40gb", 0, 500),))
    assert await visible(cut, three) not in by_start.values()
    assert await standing(cut) == [("4g.40gb", 0), ("2g.20gb", 4), ("1g.10gb", 6)]
    seen = {each.allocation_id: each.phase for each in await cut.engine.observe()}
    assert seen[one] is Phase.RUNNING


async def test_a_new_server_knows_whose_instances_they_are(cut: Harness) -> None:
    one = await cut.start(*SHOW, devices=(grant("1g.10gb", 6),))
    uuid = await visible(cut, one)
    await cut.restart()
    (instance,) = (await gpu(cut)).instances
    assert (instance.uuid, instance.busy) == (uuid, False)
    trouble(cut, processes={uuid: [1]})
    assert not (await gpu(cut)).instances[0].busy
    await cut.engine.stop(one, grace_seconds=0)
    await cut.ended([one])
    assert (await gpu(cut)).instances[0].busy, "somebody whom Podium does not know stayed"
    with pytest.raises(MisplacedError, match=r"1g\.10gb at slice 6 of GPU 0 is in use"):
        await cut.start("true", devices=(grant("1g.10gb", 6),))
    trouble(cut)


async def test_use_of_instances_counts_for_their_gpu(cut: Harness) -> None:
    spin = ("sh", "-c", "while :; do :; done")
    work = await cut.start(*spin, devices=(grant("3g.40gb", 0, 500),))
    await cut.running(work)
    assert await standing(cut) == [("3g.40gb", 0)]
    mine = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not mine:
            await asyncio.sleep(0.1)
            measured = await cut.engine.measure()
            mine = [each for each in measured.allocations if each.gpu_busy_milli]
    devices = {each.device_id: each.busy_milli for each in measured.devices}
    assert 0 < (mine[0].gpu_busy_milli or 0) <= 500
    assert devices[GPU] == mine[0].gpu_busy_milli


@pytest.mark.parametrize("step", ["_realised", "write_whole", "spawn"])
async def test_killed_between_any_two_steps(
    cut: Harness, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next server is asked again, and comes to the same."""
    old = await cut.start("true", devices=(grant("1g.10gb", 0),))
    await cut.ended([old])
    launch = cut.launch(*SHOW, devices=(grant("2g.20gb", 0, 250),))
    engine = cut.engine
    assert isinstance(engine, LocalEngine)
    with monkeypatch.context() as patch:
        if step == "_realised":
            trouble(cut, half_created=True)
        elif step == "write_whole":
            patch.setattr(names, "write_whole", _killed)
        else:
            patch.setattr(engine._link, "spawn", _killed)
        with pytest.raises(Exception, match=r"killed|made by half"):
            await engine.ensure(launch)
    trouble(cut)
    await cut.restart()
    await cut.engine.ensure(launch)
    await cut.engine.ensure(launch)
    (instance,) = (await gpu(cut)).instances
    assert await visible(cut, launch.allocation_id) == instance.uuid
    assert (instance.profile, instance.start) == ("2g.20gb", 0)


def _killed(*_: object, **__: object) -> None:
    raise RuntimeError("killed")


async def test_work_that_cannot_be_where_it_was_placed_ends_as_misplaced(cut: Harness) -> None:
    await cut.start(*SHOW, devices=(grant("3g.40gb", 4, 500),))
    for launch, words in (
        (cut.launch("true", devices=(grant("7g.80gb", 0, 1000),)), "7g.80gb at slice 0 of GPU 0"),
        (cut.launch("true", devices=(grant("1g.10gb", 0, pinned=True),)), "pinned"),
        (cut.launch("true", devices=(grant("", 0, mig=False),)), "GPU 0 is in MIG mode now"),
        (cut.launch("true", isolation=Isolation.MPS), "MPS does not run on node-1"),
    ):
        with pytest.raises(MisplacedError, match=words):
            await cut.engine.ensure(launch)
        assert launch.allocation_id not in {
            each.allocation_id for each in await cut.engine.observe()
        }


async def test_what_was_ordered_and_cannot_start_any_more_is_told(cut: Harness) -> None:
    """An order that an earlier call wrote must not hold its instance for ever."""
    launch = cut.launch("true", devices=(grant("1g.10gb", 0),))
    engine = cut.engine
    assert isinstance(engine, LocalEngine)
    await _ordered(engine, launch)
    trouble(cut, fails={"create": "NVML_ERROR_NO_PERMISSION"})
    assert await standing(cut) == [("1g.10gb", 0)]
    driver = engine._inventory.driver
    driver._users = dict  # type: ignore[attr-defined]
    driver.destroy(GPU, 1)
    with pytest.raises(MisplacedError, match="NVML_ERROR_NO_PERMISSION"):
        await engine.ensure(launch)
    seen = (await cut.ended())[launch.allocation_id]
    assert (seen.cause, "NO_PERMISSION" in seen.message) == (Cause.MISPLACED, True)
    await engine.ensure(launch)
    assert not (await gpu(cut)).healthy


async def _ordered(engine: LocalEngine, launch: Launch) -> None:
    """As far as an `ensure` that dies before it starts anything."""
    link, engine._link = engine._link, _Deaf()  # type: ignore[assignment]
    await engine.ensure(launch)
    engine._link = link


class _Deaf:
    async def spawn(self, *_: object) -> None:
        """Starts nothing."""
