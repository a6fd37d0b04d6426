"""Every engine: the log holds every line once, at offsets that stay, and says what it lost."""

from __future__ import annotations

import asyncio
import sys

import pytest

from contract.harness import Harness
from podium.domain.errors import NotFoundError

pytestmark = pytest.mark.anyio


def numbers(count: int, pause: float = 0.0) -> tuple[str, ...]:
    code = (
        "import time\n"
        f"for n in range({count}):\n"
        f"    print(n, 'x' * 40)\n"
        f"    time.sleep({pause}) if {pause} and n % 50 == 0 else None\n"
    )
    return sys.executable, "-S", "-c", code


async def test_followers_lose_nothing_over_rotation(harness: Harness) -> None:
    await harness.restart(log_segment_bytes=4096, log_segments=1000)
    allocation_id = await harness.start(*numbers(2000, 0.005))

    async def follow(limit_bytes: int) -> list[int]:
        seen, offset = [], 0
        while True:
            chunk = await harness.engine.read_log(
                allocation_id, offset=offset, limit_bytes=limit_bytes
            )
            assert chunk.lost_bytes == 0
            assert chunk.offset == offset
            seen += [int(line.split()[2]) for line in chunk.lines]
            offset = chunk.next_offset
            if chunk.complete:
                return seen
            if not chunk.lines:
                await asyncio.sleep(0.005)

    async with asyncio.timeout(30):
        for seen in await asyncio.gather(*(follow(limit) for limit in (10, 700, 65536, 65536))):
            assert seen == list(range(2000))


async def test_what_rotation_dropped_is_counted(harness: Harness) -> None:
    await harness.restart(log_segment_bytes=4096, log_segments=3)
    end = await harness.finish(*numbers(8000))
    chunks = await harness.read(end.allocation_id)
    lines = [line for chunk in chunks for line in chunk.lines]
    kept = [int(line.split()[2]) for line in lines]
    assert kept == list(range(kept[0], 8000))
    assert kept[0] > 0
    assert chunks[0].lost_bytes == chunks[0].offset > 0
    assert chunks[-1].complete
    kept_bytes = sum(len(line) + 1 for line in lines)
    assert chunks[-1].next_offset == chunks[0].lost_bytes + kept_bytes


async def test_negative_offsets_count_from_the_end(harness: Harness) -> None:
    end = await harness.finish("sh", "-c", "echo one; echo two; echo three")
    whole = await harness.engine.read_log(end.allocation_id)
    size = whole.next_offset
    last = await harness.engine.read_log(end.allocation_id, offset=-len(whole.lines[-1]) - 1)
    assert last.lines == whole.lines[-1:]
    assert last.next_offset == size
    partial = await harness.engine.read_log(end.allocation_id, offset=-len(whole.lines[-1]) - 3)
    assert partial.lines == whole.lines[-1:]
    everything = await harness.engine.read_log(end.allocation_id, offset=-(10**9))
    assert (everything.lines, everything.lost_bytes) == (whole.lines, 0)


async def test_odd_bytes_long_lines_and_a_missing_newline(harness: Harness) -> None:
    code = (
        "import sys; w = sys.stdout.buffer.write\n"
        "w(b'bad \\xff\\n'); w(('é' * 20000).encode() + b'\\n'); w('a\\u2028b\\n'.encode())\n"
        "w(b'\\n'); w(b'end')"
    )
    end = await harness.finish(sys.executable, "-S", "-c", code)
    texts = await harness.texts(end.allocation_id)
    assert texts[0] == "bad \ufffd"
    assert "".join(texts[1:4]) == "é" * 20000
    assert texts[4:] == ["a\u2028b", "", "end"]


async def test_logs_stay_readable_while_and_after_they_settle(harness: Harness) -> None:
    end = await harness.finish("echo", "hello")
    before = await harness.engine.read_log(end.allocation_id)
    await harness.engine.settle([end.allocation_id])
    assert await harness.engine.read_log(end.allocation_id) == before
    await harness.restart()
    after = await harness.engine.read_log(end.allocation_id)
    assert (after.lines, after.complete) == (before.lines, True)
    await harness.engine.remove([end.allocation_id])
    with pytest.raises(NotFoundError):
        await harness.engine.read_log(end.allocation_id)
    with pytest.raises(NotFoundError):
        await harness.engine.read_log("a-unknown")
