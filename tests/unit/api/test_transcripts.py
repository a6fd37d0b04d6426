"""What `podium explain` prints in a dozen situations, word by word as people read it."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from podium.cli.explain import show_explanation
from podium.domain.booking import Reserved
from podium.domain.node import Device, NodeState
from podium.domain.quota import Quota, QuotaLevel
from podium.domain.tenancy import Identity
from podium.intake.quotas import quota_set
from podium.spec.views.explain import ExplanationView
from podium.store import bookings
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.api.foretelling import ADA, Asking
from unit.house import ADMINISTRATOR, GIB, House, document, node

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parent / "transcripts"
HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
async def asking(database: Database, clock: TurnedClock) -> AsyncIterator[Asking]:
    async with Asking.over(House(database, clock)) as made:
        yield made


def l4s(name: str, count: int, **changes: Any) -> Any:
    plain = node(name, gpus=count, **changes)
    devices: tuple[Device, ...] = tuple(
        replace(each, type="L4", memory_bytes=24 * GIB) for each in plain.devices
    )
    return replace(plain, devices=devices)


async def runs(asking: Asking, name: str, gpus: float, **fields: Any) -> str:
    """Something of vision that runs for 30 minutes already."""
    made: str = await asking.house.submit(
        document(name, **{"resources": {"gpus": gpus, "cpus": 1}, "max_runtime": "4h", **fields})
    )
    await asking.cycle()
    assert await asking.house.states(made) == ["running"]
    return made


async def waits(asking: Asking, name: str = "mine", **fields: Any) -> str:
    made: str = await asking.house.submit(document(name, **fields))
    await asking.cycle()
    return made


async def fewer_gpus(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4), node("n2", gpus=4))
    await runs(asking, "train-a", 3)
    await runs(asking, "train-b", 2, max_runtime="2h")
    return await waits(asking, resources={"gpus": 4})


async def nothing_free(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=2))
    await runs(asking, "all-of-it", 2)
    return await waits(asking, resources={"gpus": 1})


async def too_large(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4), node("n2", gpus=4))
    return await waits(asking, resources={"gpus": 6})


async def unknown_type(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4))
    return await waits(asking, resources={"gpus": 1, "gpu_type": "B200"})


async def other_type(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=2), l4s("n2", 4))
    await runs(asking, "train-a", 2, resources={"gpus": 2, "gpu_type": "A100", "cpus": 1})
    return await waits(asking, resources={"gpus": 2, "gpu_type": "A100"})


async def dependency(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4))
    await runs(asking, "prepare", 1)
    return await waits(asking, resources={"gpus": 1}, depends_on=["prepare"])


async def not_before(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4))
    return await waits(asking, resources={"gpus": 1}, start={"not_before": "2026-01-02T20:00:00Z"})


async def quota_limit(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=8))
    quota = Quota(level=QuotaLevel.PROJECT, name="vision", limits=(("A100", 4000),))
    await quota_set(asking.house.office, ADMINISTRATOR, quota)
    await runs(asking, "train-a", 3)
    return await waits(asking, resources={"gpus": 2})


async def kept_for_others(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4))
    await runs(asking, "train-a", 2, max_runtime="2h")
    await waits(asking, "large", resources={"gpus": 4}, priority=75)
    asking.house.clock.advance(20 * 60_000)
    await asking.cycle()
    return await waits(asking, resources={"gpus": 2}, max_runtime="8h")


async def only_cordoned(asking: Asking) -> str:
    await asking.house.furnish(replace(node("n1", gpus=4), state=NodeState.CORDONED))
    await asking.house.write(lambda tx, _: _cordon(tx))
    return await waits(asking, resources={"gpus": 1})


def _cordon(tx: Any) -> None:
    from podium.store import nodes

    nodes.node_cordon(tx, "n1", cordoned=True)


async def fragmented(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4), node("n2", gpus=4))
    await runs(asking, "train-a", 2)
    await runs(asking, "train-b", 3)
    return await waits(asking, resources={"gpus": 3})


async def one_rack(asking: Asking) -> str:
    await asking.house.furnish(
        *(node(f"n{at}", gpus=2, rack=f"r{at % 2}", block="b") for at in range(4))
    )
    await runs(asking, "train-a", 2)
    await runs(asking, "train-b", 2)
    return await waits(
        asking, resources={"gpus": 2, "cpus": 1}, replicas=2, topology={"within": "rack"}
    )


async def other_label(asking: Asking) -> str:
    await asking.house.furnish(
        node("n1", gpus=2, labels=(("zone", "north"),)),
        node("n2", gpus=2, labels=(("zone", "south"),)),
    )
    nodes = {"nodes": {"zone": "north"}}
    await runs(asking, "train-a", 2, resources={"gpus": 2, "cpus": 1, **nodes})
    return await waits(asking, resources={"gpus": 1, **nodes})


async def booked(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4))
    now_ms = asking.house.now_ms
    booking = Reserved(
        name="firmware",
        nodes=("n1",),
        project=None,
        from_ms=now_ms + 2 * HOUR_MS,
        until_ms=now_ms + 6 * HOUR_MS,
        note="",
        created_at_ms=now_ms,
        created_by="root",
    )
    await asking.house.write(lambda tx, _: bookings.booking_insert(tx, booking))
    return await waits(asking, resources={"gpus": 1}, max_runtime="8h")


async def short_of_cpus(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4, cpus=8))
    await runs(asking, "etl", 0, resources={"cpus": 6})
    return await waits(asking, resources={"gpus": 1, "cpus": 4})


async def work_of_others(asking: Asking) -> str:
    await asking.house.furnish(node("n1", gpus=4))
    await runs(asking, "secret-plan", 3, project="speech")
    return await waits(asking, resources={"gpus": 2})


SITUATIONS: dict[str, tuple[Callable[[Asking], Awaitable[str]], Identity]] = {
    each.__name__: (each, ADMINISTRATOR)
    for each in (
        fewer_gpus, nothing_free, too_large, unknown_type, other_type, dependency, not_before,
        quota_limit, kept_for_others, only_cordoned, fragmented, one_rack, other_label, booked,
        short_of_cpus,
    )
}  # fmt: skip
SITUATIONS["work_of_others"] = (work_of_others, ADA)


@pytest.mark.parametrize("name", sorted(SITUATIONS))
async def test_it_reads_so(asking: Asking, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    situation, who = SITUATIONS[name]
    workload_id = await situation(asking)
    document = await asking.explained(workload_id, who)
    view = ExplanationView.model_validate(document)
    capsys.readouterr()
    asking.house.clock.advance(90_000)
    show_explanation(view, datetime.fromtimestamp(asking.house.now_ms / 1000, tz=UTC))
    shown = capsys.readouterr().out.replace(workload_id, "W")
    path = FOLDER / f"{name}.txt"
    if os.environ.get("PODIUM_RECORD"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown)
    assert shown == path.read_text()


@pytest.mark.parametrize("name", sorted(SITUATIONS))
async def test_what_is_offered_starts_it(asking: Asking, name: str) -> None:
    """Each offered change, done as the command does it."""
    situation, who = SITUATIONS[name]
    workload_id = await situation(asking)
    explained = ExplanationView.model_validate(await asking.explained(workload_id, who))
    spec = (await asking.house.database.read(lambda tx: _spec(tx, workload_id))) | {
        "project": "vision"
    }
    for change in explained.changes:
        if change.how != "resubmit":
            continue
        from podium.cli.explain import setting_of
        from podium.cli.specs import apply_settings

        changed: dict[str, Any] = dict(spec)
        apply_settings(changed, [setting_of(each) for each in change.fields])
        # In place of the one that waits.
        request = {
            "changes": [
                {"change": "cancel", "workload": workload_id},
                {"change": "submit", "workload": changed},
            ]
        }
        answer = await asking.ask("POST", "/what-if", request)
        assert answer.status_code == 200, answer.text
        assert "mine starts now" in answer.json()["sentence"], change.sentence


def _spec(tx: Any, workload_id: str) -> dict[str, Any]:
    from podium.domain.tenancy import WHOLE
    from podium.store.workloads import documents_fetch

    return dict(documents_fetch(tx, WHOLE, workload_id).submitted)
