"""Work whose GPU changed before it started: the scheduler hears of it first, then moves it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from podium.domain.node import MigInstance, Node
from podium.domain.resources import Isolation
from podium.engines.contract import MisplacedError
from unit.control.fake_engine import FakeEngine
from unit.control.servers import Server
from unit.house import House, document, node

pytestmark = pytest.mark.anyio


BUSY = MigInstance("7g.80gb", 0, "MIG-strange", busy=True)


def machines(taken: str = "") -> tuple[Node, ...]:
    """Two nodes with one GPU in MIG mode each; that of `taken` is in use by somebody else."""
    made = []
    for name in ("n1", "n2"):
        plain = node(name, gpus=1)
        standing = (BUSY,) if name == taken else ()
        gpu = replace(plain.devices[0], type="H100", board="H100-80GB", instances=standing)
        made.append(replace(plain, devices=(gpu,)))
    return tuple(made)


async def test_it_is_placed_elsewhere_and_loses_no_retry(
    house: House, engine: FakeEngine, server: Server
) -> None:
    engine.nodes = machines()
    await server.inventory.step()
    workload = await house.submit(document(resources={"gpus": 0.4, "isolation": "mig"}))
    await server.scheduler.step()
    (first,) = await house.held(workload)
    engine.nodes = machines(first["node"])  # somebody used nvidia-smi there
    engine.refuse = MisplacedError("4g.40gb at slice 0 of GPU 0 is in use.")
    await server.launcher.step()
    engine.refuse = None
    found = await house.workload(workload)
    assert (found.state, found.attempt, found.message) == (
        "queued", 2,
        "Queued again for attempt 2. 4g.40gb at slice 0 of GPU 0 is in use.",
    )  # fmt: skip
    await server.scheduler.step()
    (second,) = await house.held(workload)
    assert second["node"] != first["node"], "the scheduler knew at once"
    await server.round()
    assert (await house.workload(workload)).state == "running"


async def test_a_launch_names_the_instance_and_the_isolation(
    house: House, engine: FakeEngine, server: Server
) -> None:
    engine.nodes = machines()
    await server.inventory.step()
    await house.submit(document(resources={"gpu_memory": "9GiB", "isolation": "mig"}))
    await server.round()
    (launch,) = (each.launch for each in engine.processes.values())
    assert launch.isolation is Isolation.MIG
    (grant,) = launch.devices
    assert (grant.board, grant.mig_profile, grant.mig, grant.gpu_milli, grant.pinned) == (
        "H100-80GB", "1g.10gb", True, 125, False,
    )  # fmt: skip
