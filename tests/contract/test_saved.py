"""Work that says what it has saved, by touching a file."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from contract.harness import PATIENCE_SECONDS, Harness
from podium.engines.contract import Observation

pytestmark = pytest.mark.anyio


async def seen(harness: Harness, allocation_id: str) -> Observation:
    found = {each.allocation_id: each for each in await harness.engine.observe()}
    return found[allocation_id]


async def saved(harness: Harness, allocation_id: str) -> int:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (at_ms := (await seen(harness, allocation_id)).saved_at_ms) is None:
            await asyncio.sleep(0.02)
    return at_ms


async def test_touching_the_file_tells_when(harness: Harness, tmp_path: Path) -> None:
    go = tmp_path / "go"
    begun_ms = time.time_ns() // 1_000_000
    job = await harness.start(
        "sh", "-c",
        f'echo up; until [ -e {go} ]; do sleep 0.02; done; touch "$PODIUM_SAVED_FILE"; '
        "echo saved; sleep 300",
    )  # fmt: skip
    await harness.said(job, "up")
    assert (await seen(harness, job)).saved_at_ms is None, "it has said nothing yet"
    go.touch()
    at_ms = await saved(harness, job)
    # The file system's clock may be some milliseconds behind.
    assert begun_ms - 100 <= at_ms <= time.time_ns() // 1_000_000
    await harness.restart()
    assert await saved(harness, job) == at_ms, "a new server finds it, too"


async def test_an_end_tells_it_as_well(harness: Harness) -> None:
    end = await harness.finish("sh", "-c", 'touch "$PODIUM_SAVED_FILE"; exit 3')
    assert end.saved_at_ms is not None
    assert (await harness.finish("true")).saved_at_ms is None


@pytest.mark.parametrize("year", ["1990", "2090"])
async def test_no_clock_tricks(harness: Harness, year: str) -> None:
    begun_ms = time.time_ns() // 1_000_000
    end = await harness.finish("touch", "-d", f"{year}-01-01", "saved-file")
    assert end.exit_code == 0
    end = await harness.finish("sh", "-c", f'touch -d {year}-01-01 "$PODIUM_SAVED_FILE"')
    assert end.saved_at_ms is not None
    assert begun_ms - 100 <= end.saved_at_ms <= time.time_ns() // 1_000_000


async def test_only_a_plain_file_counts(harness: Harness) -> None:
    for trick in ('mkdir "$PODIUM_SAVED_FILE"', 'ln -s /etc/hostname "$PODIUM_SAVED_FILE"'):
        assert (await harness.finish("sh", "-c", trick)).saved_at_ms is None


async def test_the_file_is_outside_the_working_folder(harness: Harness) -> None:
    job = await harness.start("sh", "-c", 'echo "in $PWD and $PODIUM_SAVED_FILE"')
    await harness.ended([job])
    (line,) = await harness.texts(job)
    folder, file = line.removeprefix("in ").split(" and ")
    assert os.path.commonpath([folder, file]) != folder
    assert Path(file).parent == Path(folder).parent
