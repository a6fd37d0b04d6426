"""What an engine keeps around the work of a project: made, made again, and gone. One that keeps
projects apart at each start alone has nothing that stands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from contract.harness import Harness
from podium.domain.reason import Cause
from podium.engines.contract import Tenant

pytestmark = pytest.mark.anyio


async def test_a_room_is_kept_and_told_of_only_where_others_changed_it(harness: Harness) -> None:
    tenant = Tenant(project=harness.prefix, cpu_milli=64_000, viewers=("ml",))
    for wanted in (tenant, tenant, replace(tenant, cpu_milli=None, viewers=())):
        assert list(await harness.engine.keep_room(wanted)) == []
    end = await harness.finish("true", project=harness.prefix)
    assert end.cause is Cause.COMPLETED
    assert set(await harness.engine.rooms()) <= {harness.prefix}
    await harness.engine.settle([end.allocation_id])
    async with asyncio.timeout(harness.patience_seconds):
        while not await harness.engine.remove_room(harness.prefix):
            await asyncio.sleep(0.1)
    assert list(await harness.engine.rooms()) == []


async def test_what_never_was_there_is_gone(harness: Harness) -> None:
    assert await harness.engine.remove_room(f"{harness.prefix}-never")
