"""Every engine: what runs does not need the server, and a new server finds all of it."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contract.harness import Harness
from podium.domain.reason import Cause
from podium.domain.resources import ISOLATION_LABEL
from podium.engines.contract import Phase

pytestmark = pytest.mark.anyio
DRIVER = Path(__file__).with_name("driver.py")


async def test_a_new_server_adopts_what_runs(harness: Harness, tmp_path: Path) -> None:
    go = tmp_path / "go"
    wait = f"echo before; until [ -e {go} ]; do sleep 0.02; done; echo after; exit 9"
    allocation_id = await harness.start("sh", "-c", wait)
    quick = await harness.start("sh", "-c", "exit 3")
    await harness.said(allocation_id, "before")
    await harness.ended([quick])
    await harness.restart()
    seen = {each.allocation_id: each for each in await harness.engine.observe()}
    assert seen[allocation_id].phase is Phase.RUNNING
    assert seen[quick].exit_code == 3
    go.touch()
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert (end.cause, end.exit_code) == (Cause.EXIT_CODE, 9)
    assert await harness.texts(allocation_id) == ["before", "after"]


async def test_an_adopted_allocation_can_be_stopped(harness: Harness) -> None:
    allocation_id = await harness.start("sleep", "60")
    await harness.restart()
    await harness.engine.stop(allocation_id, grace_seconds=5)
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert end.cause is Cause.CANCELLED


async def test_ends_while_no_server_was_there_are_kept(harness: Harness) -> None:
    allocation_id = await harness.start("sh", "-c", "sleep 0.3; echo late; exit 4")
    await harness.engine.close()
    await asyncio.sleep(0.6)
    await harness.open()
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert end.exit_code == 4
    assert end.runtime_ms < 60_000
    assert await harness.texts(allocation_id) == ["late"]


@pytest.mark.parametrize("seed", range(6))
async def test_killed_servers_start_each_allocation_once(
    harness: Harness, tmp_path: Path, seed: int
) -> None:
    """A server that starts 30 allocations is killed at random; the next one ensures all again."""
    if not harness.engine.name.startswith("local/"):
        pytest.skip("the driver hosts the local engine")
    (node,) = await harness.engine.inventory()
    isolation = dict(node.labels)[ISOLATION_LABEL]
    random_delay = random.Random(seed).uniform(0.0, 0.25)
    await harness.engine.close()
    marks = tmp_path / "marks"
    marks.mkdir()
    marks.chmod(0o777)
    names = [f"{harness.prefix}-k{n}" for n in range(30)]
    driver = subprocess.Popen(
        [sys.executable, str(DRIVER), str(harness.home), isolation, str(marks), *names],
        stdout=subprocess.PIPE,
    )
    assert driver.stdout is not None
    assert driver.stdout.readline() == b"open\n"
    await asyncio.sleep(random_delay)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    driver.stdout.close()

    await harness.open()
    await asyncio.gather(
        *(
            harness.engine.ensure(harness.launch("sh", "-c", job(marks / name), allocation_id=name))
            for name in names
        )
    )
    seen = await harness.ended(names)
    assert {name: (marks / name).read_text() for name in names} == dict.fromkeys(names, "x\n")
    assert {seen[name].exit_code for name in names} == {3}


def job(mark: Path) -> str:
    return f"echo x >> {mark}; sleep 0.1; exit 3"


async def test_two_servers_do_not_share_a_home(harness: Harness) -> None:
    other = harness.build(**harness.options)
    with pytest.raises(Exception, match="Another Podium server"):
        await other.open()
