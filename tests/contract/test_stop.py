"""Every engine: a stop ends all of the work, in the grace it was given, and leaves nothing."""

from __future__ import annotations

import asyncio
import signal

import pytest

from contract.harness import Harness
from podium.domain.reason import Cause
from podium.engines.contract import Phase

pytestmark = pytest.mark.anyio

STUBBORN = "trap '' TERM; echo up; while :; do sleep 0.05; done"


async def test_stop_sends_a_term_signal_and_tells_cancelled(harness: Harness) -> None:
    allocation_id = await harness.start("sleep", "60")
    await harness.running(allocation_id)
    await harness.engine.stop(allocation_id, grace_seconds=20)
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert (end.cause, end.signal) == (Cause.CANCELLED, signal.SIGTERM)


async def test_work_may_use_its_grace_to_finish(harness: Harness) -> None:
    allocation_id = await harness.start(
        "sh",
        "-c",
        "trap 'sleep 0.2; echo saved; exit 0' TERM; echo up; while :; do sleep 0.02; done",
    )
    await harness.said(allocation_id, "up")
    await harness.engine.stop(allocation_id, grace_seconds=20)
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert (end.cause, end.exit_code, end.stop_seen) == (Cause.COMPLETED, 0, True)
    assert (await harness.texts(allocation_id))[-1] == "saved"


async def test_what_was_done_before_the_stop_says_so(harness: Harness) -> None:
    allocation_id = await harness.start("true")
    end = (await harness.ended([allocation_id]))[allocation_id]
    await harness.engine.stop(allocation_id, grace_seconds=20)
    assert (end.cause, end.stop_seen) == (Cause.COMPLETED, False)


async def test_a_shorter_grace_in_a_later_stop_counts(harness: Harness) -> None:
    allocation_id = await harness.start("sh", "-c", STUBBORN)
    await harness.said(allocation_id, "up")
    await harness.engine.stop(allocation_id, grace_seconds=600)
    await harness.engine.stop(allocation_id, grace_seconds=900)
    await asyncio.sleep(0.1)
    (seen,) = await harness.engine.observe()
    assert seen.phase is Phase.RUNNING
    await harness.engine.stop(allocation_id, grace_seconds=0)
    end = (await harness.ended([allocation_id]))[allocation_id]
    assert (end.cause, end.signal) == (Cause.CANCELLED, signal.SIGKILL)


async def test_nothing_outlives_a_stop(harness: Harness) -> None:
    daemon = f'setsid sh -c "{STUBBORN}" & (setsid setsid sleep 300 &) ; {STUBBORN}'
    allocation_id = await harness.start("sh", "-c", daemon)
    await harness.said(allocation_id, "up")
    assert len(harness.processes()) >= 3
    await harness.engine.stop(allocation_id, grace_seconds=0)
    await harness.ended([allocation_id])
    assert harness.processes() == []


async def test_what_a_job_leaves_behind_ends_after_it(harness: Harness) -> None:
    end = await harness.finish("sh", "-c", "(setsid sleep 300 &) ; echo done; exit 5")
    assert (end.cause, end.exit_code) == (Cause.EXIT_CODE, 5)
    assert harness.processes() == []
    assert await harness.texts(end.allocation_id) == ["done"]


async def test_stop_of_unknown_and_ended_work_does_nothing(harness: Harness) -> None:
    await harness.engine.stop("a-unknown", grace_seconds=1)
    end = await harness.finish("true")
    await harness.engine.stop(end.allocation_id, grace_seconds=1)
    assert await harness.engine.observe() == [end]


async def test_stop_in_the_middle_of_starts_leaves_nothing(harness: Harness) -> None:
    launches = [harness.launch("sleep", "60") for _ in range(20)]
    starts = [asyncio.create_task(harness.engine.ensure(launch)) for launch in launches]
    await asyncio.sleep(0.02)
    for launch in launches:
        await harness.engine.stop(launch.allocation_id, grace_seconds=0)
    await asyncio.gather(*starts)
    for launch in launches:  # those that had not begun when the first stop came
        await harness.engine.stop(launch.allocation_id, grace_seconds=0)
    seen = await harness.ended([launch.allocation_id for launch in launches])
    assert {end.cause for end in seen.values()} == {Cause.CANCELLED}
