"""What engines measure of the work that runs on them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import pytest

from contract.harness import PATIENCE_SECONDS, Harness
from podium.engines.contract import DeviceGrant, Measures

pytestmark = pytest.mark.anyio

BURN = "import time\nprint('up', flush=True)\nwhile True: pass"
HOLD = "data = bytearray(64 << 20)\nprint('up', flush=True)\nimport time\ntime.sleep(300)"
HALF = DeviceGrant(0, "GPU-virtual-node-1-0", 500, 1 << 30, mig=False, virtual=True)
WHOLE = DeviceGrant(1, "GPU-virtual-node-1-1", 1000, 1 << 30, mig=False, virtual=True)


async def measured(harness: Harness, enough: Callable[[Measures], bool]) -> Measures:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not enough(seen := await harness.engine.measure()):
            await asyncio.sleep(0.6)
    return seen


async def test_a_busy_core_shows_and_so_does_memory(harness: Harness) -> None:
    burning = await harness.start(sys.executable, "-c", BURN)
    holding = await harness.start(sys.executable, "-c", HOLD)
    await harness.said(burning, "up")
    await harness.said(holding, "up")
    (process,) = (
        each for each in harness.processes() if each.environ()["PODIUM_ALLOCATION_ID"] == burning
    )
    await measured(harness, lambda found: len(found.allocations) == 2)
    begun = sum(process.cpu_times()[:2])
    await asyncio.sleep(1)
    seen = await harness.engine.measure()
    by_id = {each.allocation_id: each for each in seen.allocations}
    # The machine may be busy with other work: compare with what the process got.
    got = (sum(process.cpu_times()[:2]) - begun) * 1e6 / by_id[burning].span_ms
    assert by_id[burning].cpu_milli == pytest.approx(got, rel=0.3, abs=50)
    assert by_id[burning].cpu_milli < 1200, "it has one thread"
    assert by_id[holding].cpu_milli < by_id[burning].cpu_milli
    assert 64 << 20 <= by_id[holding].memory_bytes < 256 << 20
    assert by_id[burning].memory_bytes < 64 << 20
    for each in by_id.values():
        assert each.span_ms > 0
        assert (each.gpu_busy_milli, each.gpu_memory_bytes) == (None, None)


async def test_an_ended_one_vanishes(harness: Harness) -> None:
    going = await harness.start("sleep", "300")
    await harness.running(going)
    await measured(harness, lambda found: len(found.allocations) == 1)
    await harness.engine.stop(going, grace_seconds=0)
    await harness.ended([going])
    assert (await harness.engine.measure()).allocations == ()


async def test_what_ended_inside_counts_too(local: Harness) -> None:
    """Many short processes, each gone at once, are as much work as one long one."""
    busy = await local.start("sh", "-c", "echo up; while :; do head -c 30000000 /dev/zero; done"
                             " >/dev/null")  # fmt: skip
    await local.running(busy)
    await measured(local, lambda found: any(each.cpu_milli > 50 for each in found.allocations))


async def test_virtual_gpus_are_as_busy_as_the_processors_that_stand_in(local: Harness) -> None:
    assert (await local.engine.inventory())[0].devices[0].virtual
    burning = await local.start(sys.executable, "-c", BURN, devices=(HALF,), cpu_milli=20)
    resting = await local.start("sleep", "300", devices=(WHOLE,), cpu_milli=1000)
    await local.said(burning, "up")
    await local.running(resting)
    await local.engine.measure()
    seen = await measured(local, lambda found: len(found.allocations) == 2)
    busy = {each.allocation_id: each.gpu_busy_milli for each in seen.allocations}
    assert busy[burning] == 500, (
        "it used all of the little CPU that it asked for, and holds half a GPU"
    )
    assert busy[resting] is not None
    assert busy[resting] < 50
    devices = {each.device_id: each for each in seen.devices}
    assert devices[HALF.uuid].busy_milli == 500
    assert devices[WHOLE.uuid].busy_milli == busy[resting]
    for each in devices.values():
        assert (each.memory_bytes, each.power_milliwatts, each.temperature_celsius) == (None,) * 3


async def test_a_new_server_measures_what_the_old_one_started(local: Harness) -> None:
    burning = await local.start(sys.executable, "-c", BURN, devices=(HALF,), cpu_milli=1000)
    await local.said(burning, "up")
    await local.restart()
    await local.engine.inventory()
    first = await local.engine.measure()
    assert first.allocations == (), "nothing to compare with yet"
    assert [each.busy_milli for each in first.devices] == [None, 0]
    await measured(local, lambda found: any(each.gpu_busy_milli for each in found.allocations))
