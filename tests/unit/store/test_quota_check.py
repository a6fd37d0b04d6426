"""What no limit will ever let start is told when it is submitted."""

from __future__ import annotations

import pytest

from podium.domain.quota import Counted, Quota, QuotaLevel
from podium.domain.reason import WaitReason
from podium.store import quotas
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.house import House, document, node

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(database: Database, clock: TurnedClock) -> House:
    made = House(database, clock)
    await made.furnish(node(gpus=4))
    return made


async def limit(house: House, **changes: object) -> None:
    quota = Quota(level=QuotaLevel.TEAM, name="research", **changes)  # type: ignore[arg-type]
    await house.write(lambda tx, now_ms: quotas.quota_set(tx, quota, now_ms, "root"))


@pytest.mark.parametrize(
    ("changes", "asks", "words"),
    [
        ({"limits": (("", 1000),)}, {"resources": {"gpus": 2}}, "may use 1 GPUs, and this alone"),
        (
            {"per_user": (("A100", 1000),)},
            {"resources": {"gpus": 1, "gpu_type": "A100"}, "replicas": 2},
            "may hold 1 A100 GPU at once in research, and this alone is 2",
        ),
        ({"ceilings": ((Counted.CPU, 2000),)}, {"resources": {"cpus": 3}}, "may use 2 CPUs"),
        ({"ceilings": ((Counted.WORKSPACES, 0),)}, {"kind": "workspace"}, "0 workspaces"),
    ],
)
async def test_it_is_told_at_once(
    house: House, changes: dict[str, object], asks: dict[str, object], words: str
) -> None:
    await limit(house, **changes)
    over, inside = await house.submit(document("over", **asks), document("inside"))
    refusal = (await house.workload(over)).refusal
    assert refusal is not None
    assert (refusal.reason, words in refusal.message) == (WaitReason.QUOTA, True), refusal.message
    assert (await house.workload(inside)).refusal is None
    await house.cycle()  # the scheduler says the same
    again = (await house.workload(over)).refusal
    assert again is not None
    assert again.message == refusal.message
