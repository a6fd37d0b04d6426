"""A server that only starts allocations, for tests that kill it: HOME ISOLATION MARKS NAME…"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from podium.domain.workload import Program
from podium.engines.contract import Launch
from podium.engines.devices.boards import virtual_boards
from podium.engines.local.engine import LocalEngine
from podium.engines.local.walls import walls_found


async def main(home: str, isolation: str, marks: str, names: list[str]) -> None:
    engine = LocalEngine(
        Path(home),
        node_name="node-1",
        virtual_gpus=virtual_boards("2", "A100"),
        walls=walls_found(Path(home), isolation),
    )
    await engine.open()
    print("open", flush=True)
    for name in names:
        script = f"echo x >> {marks}/{name}; sleep 0.1; exit 3"
        await engine.ensure(
            Launch(
                allocation_id=name,
                workload_id="w-1",
                name="work",
                project="vision",
                rank=0,
                replicas=1,
                attempt=1,
                node="node-1",
                program=Program(command=("sh", "-c", script)),
                env=(),
                secrets=(),
                cpu_milli=1000,
                memory_bytes=0,
                devices=(),
                grace_seconds=5,
            )
        )
    await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], sys.argv[4:]))
