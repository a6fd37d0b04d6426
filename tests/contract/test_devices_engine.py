"""The local engine and its GPUs: which boards it reports, their faults, and who holds them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contract.harness import Harness
from podium.domain.node import MigInstance
from podium.engines.contract import DeviceGrant
from podium.engines.devices.boards import virtual_boards
from podium.engines.devices.contract import ProfileKey
from podium.engines.devices.errors import InUseError
from podium.engines.devices.virtual import VirtualDriver
from podium.engines.local.engine import LocalEngine
from podium.engines.local.holders import holders

pytestmark = pytest.mark.anyio


async def test_boards_faults_and_instances_are_reported(tmp_path: Path) -> None:
    boards = virtual_boards("1xH100-94GB,1xA100-40GB:mig,T4", "A100")
    # What stood before the server came, as its own home remembers it.
    state = tmp_path / "virtual-gpus" / "state.json"
    before = VirtualDriver(boards, node="n1", path=state)
    before.open()
    made = before.create("GPU-virtual-n1-1", ProfileKey(3, 4), 4)
    engine = LocalEngine(tmp_path, node_name="n1", virtual_gpus=boards)
    await engine.open()
    try:
        (node,) = await engine.inventory()
        assert [each.type for each in node.devices] == ["H100", "A100", "T4"]
        assert [each.board for each in node.devices] == ["", "A100-40GB", ""]
        assert [each.memory_bytes >> 30 for each in node.devices] == [94, 40, 16]
        (instance,) = node.devices[1].instances
        assert instance == MigInstance("3g.20gb", 4, made.compute[0].uuid)
        assert all(each.virtual and each.healthy for each in node.devices)
        trouble = {"gpus": {"0": {"lost": True}, "2": {"temperature_celsius": 88}}}
        (state.parent / "trouble.json").write_text(json.dumps(trouble))
        (node,) = await engine.inventory()
        assert [each.healthy for each in node.devices] == [False, True, True]
        assert node.devices[0].fault == "It has fallen off the bus. Restart the machine."
        measured = {each.device_id: each for each in (await engine.measure()).devices}
        assert measured["GPU-virtual-n1-2"].temperature_celsius == 88
    finally:
        await engine.close()


async def test_work_holds_the_virtual_gpu_that_it_was_granted(local: Harness) -> None:
    active = local.home / "allocations" / "active"
    grant = DeviceGrant(1, "GPU-virtual-node-1-1", 1000, 1 << 30, mig=False, virtual=True)
    work = await local.start("sleep", "60", devices=(grant,))
    await local.running(work)
    held = holders(active)
    assert list(held) == [grant.uuid]
    assert all(pid > 1 for pid in held[grant.uuid])
    driver = VirtualDriver(
        virtual_boards("2xA100-80GB", "A100"), node="node-1", users=lambda: holders(active)
    )
    with pytest.raises(InUseError):
        driver.mig_mode_set(grant.uuid, enabled=True)
    await local.engine.stop(work, grace_seconds=0)
    await local.ended([work])
    assert holders(active) == {}
    assert driver.mig_mode_set(grant.uuid, enabled=True).current


def test_a_home_without_work_has_no_holders(tmp_path: Path) -> None:
    assert holders(tmp_path / "nowhere") == {}
