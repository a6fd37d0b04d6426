"""What keeps work from beginning, and what helps after it failed, as the API and the command line
tell it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from podium.cli.explain import show_explanation
from podium.domain.holdup import HoldUp
from podium.domain.reason import Cause
from podium.domain.remedies import remedy_of
from podium.spec.views.explain import ExplanationView
from podium.store import holdups
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.api.foretelling import ADA, BOB, Asking
from unit.house import House, document, node

pytestmark = pytest.mark.anyio

MISSING = HoldUp(message="The image x:1 cannot be pulled: no sign-in.", cause=Cause.IMAGE_FAILED)


@pytest.fixture
async def asking(database: Database, clock: TurnedClock) -> AsyncIterator[Asking]:
    house = House(database, clock)
    await house.furnish(node("n1", gpus=4))
    async with Asking.over(house) as made:
        yield made


async def held_up(asking: Asking, count: int) -> tuple[str, list[str]]:
    house = asking.house
    workload: str = await house.submit(document("train", replicas=3, resources={"gpus": 1}))
    await asking.scheduler.step()
    ids = await house.held_ids(workload)
    await house.launch(ids)
    ranks = {row["id"]: row["rank"] for row in await house.held(workload)}
    last = sorted(ids, key=ranks.__getitem__)[-count:]
    await house.write(
        lambda tx, now_ms: holdups.holdups_record(tx, [(key, MISSING) for key in last], now_ms)
    )
    return workload, ids


async def test_it_says_what_keeps_it_for_how_many_and_what_helps(
    asking: Asking, capsys: pytest.CaptureFixture[str]
) -> None:
    workload, _ = await held_up(asking, 2)
    shown: Any = (await asking.ask("GET", f"/workloads/{workload}", who=ADA)).json()
    told = shown["hold_up"]
    assert (told["cause"], told["rank"], told["replicas"]) == ("image_failed", 1, 2)
    assert told["remedy"] == remedy_of(Cause.IMAGE_FAILED)
    assert shown["message"] == f"Replica 1: {MISSING.message}"
    assert shown["remedy"] == ""
    replicas = {each["rank"]: each["hold_up"] for each in shown["replica_list"]}
    assert replicas[0] is None
    assert replicas[2]["message"] == MISSING.message
    listed: Any = (await asking.ask("GET", f"/workloads/{workload}/replicas", who=ADA)).json()
    assert [each["hold_up"] for each in listed["items"]] == [replicas[n] for n in range(3)]
    explained = await asking.explained(workload, ADA)
    assert explained["hold_up"] == told
    assert explained["headline"] == shown["message"]
    show_explanation(ExplanationView.model_validate(explained), datetime.now(UTC))
    said = " ".join(capsys.readouterr().out.split())
    assert said.count(MISSING.message) == 2, "as the headline, and in the history"
    assert "private registry" in said
    assert "2 replicas" in said
    assert (await asking.ask("GET", f"/workloads/{workload}", who=BOB)).status_code == 404


async def test_what_runs_is_held_up_by_nothing(asking: Asking) -> None:
    workload, ids = await held_up(asking, 1)
    await asking.house.run(ids)
    shown: Any = (await asking.ask("GET", f"/workloads/{workload}", who=ADA)).json()
    assert (shown["state"], shown["hold_up"], shown["message"]) == ("running", None, "")
    assert all(each["hold_up"] is None for each in shown["replica_list"])


async def test_after_a_failure_it_says_what_helps(asking: Asking) -> None:
    workload, ids = await held_up(asking, 3)
    await asking.house.end(ids, Cause.IMAGE_FAILED)
    explained = await asking.explained(workload, ADA)
    assert (explained["state"], explained["hold_up"]) == ("failed", None)
    assert explained["remedy"] == remedy_of(Cause.IMAGE_FAILED)
