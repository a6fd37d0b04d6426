"""Hints wake loops, and never keep one from ending."""

from __future__ import annotations

import asyncio

import pytest

from podium.store.hints import Hints

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_who_is_cancelled_in_the_moment_of_a_signal_ends() -> None:
    hints = Hints()
    listener = hints.listener("clusters")
    waiter = asyncio.create_task(listener.wait(60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    hints.wake("clusters")
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    listener.close()
