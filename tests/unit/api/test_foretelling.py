"""Explanations, dry runs and what-if over the API: what they say, and what strangers hear."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from podium.cli.explain import command_of
from podium.control.foresight import ASKED_MAX, Foresight
from podium.domain.errors import BusyError
from podium.domain.quota import Counted, Quota, QuotaLevel
from podium.intake.prices import price_set
from podium.intake.quotas import quota_set
from podium.spec.views.explain import OfferedChangeView
from podium.spec.views.price import PriceRequest
from podium.store import tables
from podium.store.database import Database
from turned_clock import TurnedClock
from unit.api.foretelling import ADA, BOB, Asking
from unit.house import ADMINISTRATOR, House, document, node, person

pytestmark = pytest.mark.anyio


@pytest.fixture
async def asking(database: Database, clock: TurnedClock) -> AsyncIterator[Asking]:
    house = House(database, clock)
    await house.furnish(node("n1", gpus=4), node("n2", gpus=4))
    async with Asking.over(house) as made:
        yield made


async def fill(asking: Asking) -> None:
    """Each node has one GPU free."""
    for number, project in enumerate(("vision", "speech")):
        resources = {"gpus": 3, "cpus": 1}
        await asking.house.submit(
            document(f"plan-{number}", project=project, resources=resources, max_runtime="2h")
        )
    await asking.cycle()


async def stored(asking: Asking) -> dict[str, int]:
    names = ("workloads", "documents", "events", "replicas", "idempotency")
    counts = {name: sa.select(sa.func.count()).select_from(getattr(tables, name)) for name in names}
    return await asking.house.database.read(
        lambda tx: {name: int(tx.scalar(each) or 0) for name, each in counts.items()}
    )


async def test_a_stranger_learns_nothing(asking: Asking) -> None:
    await fill(asking)
    mine = await asking.house.submit(document("mine", resources={"gpus": 2}))
    theirs = await asking.house.submit(document("hush", project="speech", resources={"gpus": 2}))
    await asking.cycle()
    assert (await asking.ask("GET", f"/workloads/{theirs}/explain", who=ADA)).status_code == 404
    assert (await asking.ask("GET", f"/workloads/{mine}/explain", who=BOB)).status_code == 404
    explained = await asking.explained(mine, ADA)
    assert {each["workload"] and each["workload"]["name"] for each in explained["holders"]} == {
        "plan-0",
        None,
    }
    tried = await asking.tried(document("more", resources={"gpus": 2}), who=ADA)
    change = {"change": "submit", "workload": document("most", resources={"gpus": 4}, priority=75)}
    played = await asking.ask("POST", "/what-if", {"changes": [change]}, who=ADA)
    assert played.status_code == 200, played.text
    for told in (explained, tried, played.json()):
        text = json.dumps(told)
        for secret in ("hush", "plan-1", "speech", "bob", "product", theirs):
            assert secret not in text
    for changes, status in (
        ({"change": "cancel", "workload": theirs}, 404),
        ({"change": "submit", "workload": document("x", project="speech")}, 404),
        ({"change": "drain", "node": "n1"}, 403),
        ({"change": "lose", "node": "n1"}, 403),
        ({"change": "add_nodes", "like": "n1"}, 403),
        ({"change": "quota", "level": "project", "name": "vision", "weight": 2}, 403),
        ({"change": "book", "nodes": ["n1"], "until_at": "2h"}, 403),
        ({"change": "layout", "node": "n1", "gpu": 0, "layout": "none"}, 403),
    ):
        answer = await asking.ask("POST", "/what-if", {"changes": [changes]}, who=ADA)
        assert answer.status_code == status, answer.text
    elsewhere = await asking.ask("POST", "/workloads/dry-run", document(project="speech"), who=ADA)
    assert elsewhere.status_code == 404


async def test_quota_of_others_is_not_told_when_it_could_be_given(asking: Asking) -> None:
    office = asking.house.office
    for name, milli in (("vision", 2000), ("speech", 6000)):
        quota = Quota(level=QuotaLevel.PROJECT, name=name, guarantees=(("", milli),))
        await quota_set(office, ADMINISTRATOR, quota)
    await fill(asking)
    await asking.house.submit(document("large", resources={"gpus": 4}, priority=75))
    await asking.cycle()
    asking.house.clock.advance(20 * 60_000)
    await asking.cycle()
    mine = await asking.house.submit(document("mine", resources={"gpus": 1}, max_runtime="9h"))
    await asking.cycle()
    told = json.dumps(await asking.explained(mine, ADA))
    assert "speech" not in told
    assert "product" not in told


async def test_a_dry_run_says_what_it_takes_and_stores_nothing(asking: Asking) -> None:
    await price_set(
        asking.house.office,
        ADMINISTRATOR,
        "A100",
        PriceRequest(per_gpu_hour=Decimal("2.50")),
        currency="EUR",
    )
    quota = Quota(level=QuotaLevel.PROJECT, name="vision", limits=(("A100", 4000),))
    await quota_set(asking.house.office, ADMINISTRATOR, quota)
    await fill(asking)
    before = await stored(asking)
    starts, waits, never = await asking.tried(
        document("one", resources={"gpus": 1}, max_runtime="3h"),
        document("two", resources={"gpus": 2}, max_runtime="3h"),
        document("three", project="speech", resources={"gpus": 6}),
    )
    assert await stored(asking) == before
    assert (starts["verdict"], starts["headline"]) == ("starts", "It starts now on n1.")
    assert starts["cost"]["per_hour"] == {"amount": "2.50", "currency": "EUR"}
    assert starts["cost"]["most"]["amount"] == "7.50"
    (quota_after,) = starts["quotas"]
    assert (quota_after["used_milli"], quota_after["after_milli"]) == (3000, 4000)
    assert waits["verdict"] == "waits"
    assert waits["position"]["overall"] == 2, "as if the first was submitted"
    assert never["verdict"] == "impossible"
    assert never["headline"] == "Asks for 6 GPUs on one node; the largest node has 4."
    assert never["remedy"].startswith("Ask for gpus: 4 or fewer.")


async def test_a_dry_run_finds_every_fault_of_a_submission(asking: Asking) -> None:
    spec = document("x", secrets=["TOKEN"], depends_on=["nobody"], source={"upload": "0" * 64})
    answer = await asking.ask("POST", "/workloads/dry-run", spec)
    assert answer.status_code == 422
    fields = [each["field"] for each in answer.json()["faults"]]
    assert fields == ["depends_on.0", "secrets.0"], "code need not be uploaded yet"
    many = {"workloads": [document(f"x-{at}") for at in range(51)]}
    assert (await asking.ask("POST", "/workloads/dry-run", many)).status_code == 422
    odd = await asking.ask("POST", "/workloads/dry-run", {"workloads": 3})
    assert odd.status_code == 422


async def test_groups_arrays_and_elastic_gangs_are_tried_as_they_would_be_read(
    asking: Asking,
) -> None:
    """The demand of a wish is the one that its rows give later."""
    documents: list[dict[str, object]] = [
        document("array", array=5, resources={"gpus": 1}),
        document(
            "unlike",
            command=None,
            groups=[
                {"name": "a", "replicas": 1, "command": "true", "resources": {"gpus": 2}},
                {"name": "b", "replicas": 2, "command": "true", "resources": {"cpus": 1}},
            ],
        ),
        document("elastic", replicas={"min": 1, "max": 3}, resources={"gpus": 1}),
        document("late", start={"not_before": "2026-01-03T00:00:00Z"}, priority=7),
    ]
    documents = [{k: v for k, v in each.items() if v is not None} for each in documents]
    tried = await asking.tried(*documents)
    assert [each["verdict"] for each in tried] == ["starts", "starts", "starts", "waits"]
    ids = await asking.house.submit(*documents)
    await asking.scheduler.step()
    sight = asking.scheduler.sight
    assert sight is not None
    for each, workload_id in zip(tried, ids, strict=True):
        placed = Counter(
            one.node for one in sight.plan.placements if one.workload_id == workload_id
        )
        assert {one["node"]: one["replicas"] for one in each["places"]} == placed


async def test_what_if_tells_who_stops_and_who_starts_later(asking: Asking) -> None:
    await fill(asking)
    waits = await asking.house.submit(document("mine", resources={"gpus": 2}))
    await asking.cycle()
    before = await stored(asking)
    told = await asking.ask("POST", "/what-if", {"changes": [{"change": "drain", "node": "n1"}]})
    view = told.json()
    (held,) = [each for each in await asking.house.held() if each["node"] == "n1"]
    assert [each["workload"]["id"] for each in view["stopped"]] == [held["workload_id"]]
    assert view["stopped"][0]["why"] == "node n1 is drained"
    assert view["sentence"].startswith("1 running workload would stop")
    more = {"change": "add_nodes", "like": "n1", "count": 1, "gpus": 8, "gpu_type": "H200"}
    view = (await asking.ask("POST", "/what-if", {"changes": [more]})).json()
    assert [each["workload"]["id"] for each in view["earlier"]] == [waits]
    assert view["sentence"] == "1 workload would start earlier."
    quota = {"change": "quota", "level": "project", "name": "vision", "limits": {"a100": 3000}}
    view = (await asking.ask("POST", "/what-if", {"changes": [quota]})).json()
    assert {"reason": "quota", "before": 0, "after": 1} in view["reasons"]
    assert await stored(asking) == before


async def test_what_caps_and_ceilings_would_do(asking: Asking) -> None:
    """Owners are known where a cap is only tried."""
    small = document("small", resources={"gpus": 1, "cpus": 1})
    await asking.house.submit(small, who=person())
    await asking.house.cycle()
    await asking.house.submit({**small, "name": "next"}, who=person())
    for amounts in (
        {"per_user": {"a100": 1000}},
        {"ceilings": {"cpu_milli": 1000}},
        {"ceilings": {"memory_bytes": 0}},
    ):
        change = {"change": "quota", "level": "project", "name": "vision", **amounts}
        more = {"change": "submit", "workload": {**small, "name": "third"}}
        view = (await asking.ask("POST", "/what-if", {"changes": [change, more]})).json()
        assert [each["workload"]["name"] for each in view["later"]] == ["next"], view
        (third,) = view["fresh"]  # it would be the asker's own, who holds nothing yet
        assert (third["after"] == view["looked_at"]) == ("per_user" in amounts), third


async def test_a_higher_cap_is_offered_with_the_name_of_the_person(asking: Asking) -> None:
    quota = Quota(
        level=QuotaLevel.PROJECT,
        name="vision",
        per_user=(("A100", 1000),),
        ceilings=((Counted.CPU, 1000),),
    )
    await quota_set(asking.house.office, ADMINISTRATOR, quota)
    two = document("two", resources={"gpus": 2, "cpus": 2})
    waits = await asking.house.submit(two, who=person())
    await asking.cycle()
    (change,) = [each for each in (await asking.explained(waits))["changes"]
                 if each["how"] == "quota"]  # fmt: skip
    assert change["sentence"] == (
        "If ada may hold 2 A100 GPUs at once in project vision instead of 1 and project vision may "
        "use 2 CPUs instead of 1, it starts now; the cap is the same for each person there."
    )
    assert [(each["kind"], each["counted"], each["gpu_type"], each["owner"], each["to_amount"])
            for each in change["quota"]] == [
        ("per_user", None, "A100", "ada", 2000), ("ceiling", "cpu_milli", None, None, 2000),
    ]  # fmt: skip
    offered = OfferedChangeView.model_validate(change)
    assert command_of(waits, offered) == (
        "podium quota set project vision --per-user A100=2 && "
        "podium quota set project vision --cpus 2"
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"change": "drain", "node": "n9"}, "changes.0.node"),
        ({"change": "add_nodes", "like": "n9"}, "changes.0.like"),
        ({"change": "book", "nodes": ["n9"], "until_at": "2h"}, "changes.0.nodes"),
        ({"change": "book", "nodes": ["n1"], "until_at": "soon"}, "changes.0.until_at"),
        ({"change": "layout", "node": "n9", "gpu": 0, "layout": "none"}, "changes.0.node"),
        ({"change": "layout", "node": "n1", "gpu": 9, "layout": "none"}, "changes.0.gpu"),
        ({"change": "layout", "node": "n1", "gpu": 0, "layout": "8x9g.1gb"}, "changes.0.layout"),
        ({"change": "quota", "level": "project", "name": "vision"}, "changes.0"),
        ({"change": "quota", "level": "team", "weight": 1}, "changes.0.name"),
        (
            {"change": "quota", "level": "organisation", "ceilings": {"storage_bytes": 1}},
            "changes.0.ceilings.storage_bytes",
        ),
        (
            {"change": "quota", "level": "project", "name": "vision", "per_user": {"B200": 1}},
            "changes.0.per_user.B200",
        ),
        (
            {"change": "quota", "level": "project", "name": "vision", "guarantees": {"B200": 1}},
            "changes.0.guarantees.B200",
        ),
        ({"change": "submit", "workload": {"name": "x"}}, "changes.0.workload.command"),
        ({"change": "cancel", "workload": "ended"}, "changes.0.workload"),
    ],
)
async def test_what_if_names_the_field_that_is_wrong(
    asking: Asking, change: dict[str, Any], field: str
) -> None:
    if change.get("workload") == "ended":
        ended = await asking.house.start(document("over"))
        await asking.house.end(await asking.house.held_ids())
        change = {**change, "workload": ended}
    if "submit" in change.values():
        change = {**change, "workload": {**change["workload"], "project": "vision"}}
    answer = await asking.ask("POST", "/what-if", {"changes": [change]})
    assert answer.status_code == 422, answer.text
    assert field in [each["field"] for each in answer.json()["faults"]]


async def test_another_server_answers_from_a_picture_of_its_own(asking: Asking) -> None:
    await fill(asking)
    mine = await asking.house.submit(document("mine", resources={"gpus": 2}))
    await asking.cycle()
    leads = await asking.explained(mine)
    asking.context.foresight.close()
    other = Foresight(asking.house.database, lambda: None, threading.Lock())
    object.__setattr__(asking.context, "foresight", other)
    try:
        follows = await asking.explained(mine)
    finally:
        other.close()
    assert {**leads, "looked_at": 0, "waiting": 0} == {**follows, "looked_at": 0, "waiting": 0}


async def test_too_many_at_once_are_told_to_come_back(asking: Asking) -> None:
    await asking.cycle()
    foresight = asking.context.foresight
    go_on = threading.Event()
    busy = [
        asyncio.ensure_future(foresight.ask(lambda _: go_on.wait(20))) for _ in range(ASKED_MAX)
    ]
    try:
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await foresight.ask(lambda sight: sight)
        answer = await asking.ask("POST", "/workloads/dry-run", document())
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1
    finally:
        go_on.set()
        await asyncio.gather(*busy)
    assert await foresight.ask(lambda sight: sight) is asking.scheduler.sight
