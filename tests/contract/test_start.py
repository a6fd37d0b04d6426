"""Every engine: starts once, gives the work what it was promised, tells truly how it ended."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from contract.harness import Harness
from podium.domain.errors import NotFoundError
from podium.domain.node import NodeState
from podium.domain.reason import Cause
from podium.domain.workload import Program
from podium.engines.contract import DeviceGrant, Phase

pytestmark = pytest.mark.anyio


async def test_repeated_and_concurrent_ensure_starts_once(harness: Harness, tmp_path: Path) -> None:
    tally = tmp_path / "tally"
    launch = harness.launch("sh", "-c", f"echo x >> {tally}; sleep 0.3")
    await asyncio.gather(*(harness.engine.ensure(launch) for _ in range(20)))
    await harness.engine.ensure(launch)
    await harness.ended([launch.allocation_id])
    await harness.engine.ensure(launch)
    await harness.engine.settle([launch.allocation_id])
    await harness.engine.ensure(launch)
    assert await harness.engine.observe() == []
    assert tally.read_text() == "x\n"


async def test_two_hundred_quick_allocations_all_end(harness: Harness) -> None:
    ids = await asyncio.gather(*(harness.start("sh", "-c", f"exit {n % 3}") for n in range(200)))
    seen = await harness.ended(ids)
    assert [seen[each].exit_code for each in ids] == [n % 3 for n in range(200)]
    await harness.engine.settle(ids)
    await harness.engine.settle(ids)
    assert await harness.engine.observe() == []
    await harness.engine.remove(ids)
    await harness.engine.remove(ids)
    with pytest.raises(NotFoundError):
        await harness.engine.read_log(ids[0])


async def test_exit_code_and_output_are_kept(harness: Harness) -> None:
    end = await harness.finish("sh", "-c", "echo out; echo err >&2; exit 7")
    assert (end.phase, end.cause, end.exit_code, end.signal) == (
        Phase.ENDED,
        Cause.EXIT_CODE,
        7,
        None,
    )
    assert "7" in end.message
    (chunk,) = await harness.read(end.allocation_id)
    assert chunk.complete
    assert {line.split(" ", 1)[1] for line in chunk.lines} == {"o out", "e err"}


async def test_success_is_completed_with_runtime_and_use(harness: Harness) -> None:
    end = await harness.finish(sys.executable, "-S", "-c", "sum(range(3_000_000))")
    assert (end.cause, end.exit_code) == (Cause.COMPLETED, 0)
    assert end.cpu_time_ms > 0
    assert end.runtime_ms > 0
    assert end.memory_peak_bytes > 1 << 20


async def test_a_signal_from_elsewhere_is_told(harness: Harness) -> None:
    end = await harness.finish("sh", "-c", "kill -SEGV $$")
    assert (end.cause, end.exit_code, end.signal) == (Cause.SIGNAL, None, signal.SIGSEGV)
    assert "SIGSEGV" in end.message


async def test_a_command_that_does_not_exist(harness: Harness) -> None:
    end = await harness.finish("no-such-program", "--fast")
    assert (end.cause, end.exit_code) == (Cause.COMMAND_NOT_FOUND, None)
    assert "The command no-such-program was not found." in end.message


async def test_a_command_that_may_not_be_executed(harness: Harness, tmp_path: Path) -> None:
    file = tmp_path / "train.sh"
    file.write_text("echo hello\n")
    assert (await harness.finish(str(file))).cause is Cause.COMMAND_NOT_EXECUTABLE
    file.chmod(0o755)
    end = await harness.finish(str(file))
    assert (end.cause, "#!" in end.message) == (Cause.COMMAND_NOT_EXECUTABLE, True)
    file.write_text("#!/no/such/shell\n")
    end = await harness.finish(str(file))
    assert (end.cause, "first line" in end.message) == (Cause.COMMAND_NOT_FOUND, True)
    assert (await harness.finish(str(tmp_path))).cause is Cause.COMMAND_NOT_EXECUTABLE


async def test_words_that_no_system_takes_end_with_a_reason(harness: Harness) -> None:
    assert (await harness.finish("echo", "a\0b")).cause is Cause.START_FAILED
    end = await harness.finish("echo", *["x" * 100_000] * 50)
    assert (end.cause, "larger" in end.message) == (Cause.START_FAILED, True)


async def test_scripts_run_with_or_without_a_first_line(harness: Harness) -> None:
    for script, said in (
        ("X=4\necho $((X + 1))\n", "5"),
        (f"#!{sys.executable}\nprint(6)\n", "6"),
    ):
        end = await harness.finish(program=Program(script=script))
        assert end.cause is Cause.COMPLETED
        assert await harness.texts(end.allocation_id) == [said]


async def test_environment_is_what_was_asked_and_nothing_of_the_server(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_DATABASE_PASSWORD", "hidden")
    await harness.restart()
    end = await harness.finish(
        "env", env=(("RANK", "3"), ("OMP_NUM_THREADS", "2")), secrets=(("TOKEN", "s3cret"),)
    )
    env = dict(line.split("=", 1) for line in await harness.texts(end.allocation_id))
    assert env["RANK"] == "3"
    assert env["TOKEN"] == "s3cret"
    assert env["OMP_NUM_THREADS"] == "2"
    assert env["CUDA_VISIBLE_DEVICES"] == ""
    assert env["PODIUM_ALLOCATION_ID"] == end.allocation_id
    assert "PODIUM_DATABASE_PASSWORD" not in env
    assert Path(env["HOME"]) != Path.home()


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        (
            (DeviceGrant(0, "GPU-a", 1000, 80, False, False),),
            {"CUDA_VISIBLE_DEVICES": "GPU-a", "NVIDIA_VISIBLE_DEVICES": "GPU-a"},
        ),
        ((DeviceGrant(3, "MIG-b", 142, 10, True, False),), {"CUDA_VISIBLE_DEVICES": "MIG-b"}),
        (
            (
                DeviceGrant(1, "GPU-virtual-n-1", 1000, 80, False, True),
                DeviceGrant(2, "GPU-virtual-n-2", 1000, 80, False, True),
            ),
            {"CUDA_VISIBLE_DEVICES": "1,2", "PODIUM_GPU_VIRTUAL": "1"},
        ),
        (
            (DeviceGrant(0, "GPU-a", 250, 20, False, False),),
            {"PODIUM_GPU_MILLI": "250", "PODIUM_GPU_MEMORY_BYTES": "20"},
        ),
    ],
)
async def test_devices_are_named_to_the_work(
    harness: Harness, devices: tuple[DeviceGrant, ...], expected: dict[str, str]
) -> None:
    end = await harness.finish("env", devices=devices)
    env = dict(line.split("=", 1) for line in await harness.texts(end.allocation_id))
    assert {name: env.get(name) for name in expected} == expected
    assert ("PODIUM_GPU_MILLI" in env) == ("PODIUM_GPU_MILLI" in expected)


async def test_a_job_above_its_memory_is_ended_with_the_reason(harness: Harness) -> None:
    hungry = "import time; x = bytearray(200 << 20); time.sleep(60)"
    end = await harness.finish(sys.executable, "-S", "-c", hungry, memory_bytes=64 << 20)
    assert end.cause is Cause.OUT_OF_MEMORY
    assert "64 MiB" in end.message
    modest = "import time; x = bytearray(20 << 20); time.sleep(0.3)"
    end = await harness.finish(sys.executable, "-S", "-c", modest, memory_bytes=64 << 20)
    assert end.cause is Cause.COMPLETED


async def test_inventory_names_the_node_and_its_devices(harness: Harness) -> None:
    nodes = await harness.engine.inventory()
    node = next(each for each in nodes if each.name == harness.node)
    assert node.state is NodeState.READY
    assert node.engine == harness.engine.name
    assert node.cpu_milli >= 1000
    assert node.memory_bytes > 0
    assert [device.index for device in node.devices] == list(range(len(node.devices)))
    assert len({device.id for device in node.devices}) == len(node.devices)


async def test_rendezvous_ports_do_not_repeat(harness: Harness) -> None:
    ports = [await harness.engine.rendezvous_port(harness.node) for _ in range(50)]
    assert len(set(ports)) == 50
    with pytest.raises(NotFoundError):
        await harness.engine.rendezvous_port("no-such-node")
