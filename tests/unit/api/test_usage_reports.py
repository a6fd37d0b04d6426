"""Reports of usage and statements, as people ask for them: whose they see, as CSV, and what is
wrong with a question or with a price list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from podium.api.csv_answers import csv_answer
from podium.domain.tenancy import Identity
from turned_clock import TurnedClock
from unit.api.foretelling import ADA, Asking
from unit.house import ADMINISTRATOR, House, document, node

pytestmark = pytest.mark.anyio
HOUR_MS = 3_600_000
GPU: dict[str, Any] = {"resources": {"gpus": 1}}


@pytest.fixture
async def asking(database: Any, clock: TurnedClock) -> AsyncIterator[Asking]:
    house = House(database, clock)
    await house.furnish(node())
    async with Asking.over(house) as made:
        yield made


async def put(
    asking: Asking, path: str, body: Any, who: Identity = ADMINISTRATOR
) -> httpx.Response:
    return await asking.ask("PUT", path, body, who=who)


async def get(asking: Asking, path: str, who: Identity = ADMINISTRATOR) -> httpx.Response:
    return await asking.ask("GET", path, who=who)


async def work(asking: Asking, project: str, hours: int, **fields: Any) -> None:
    house = asking.house
    made = await house.start(document("job", project=project, **GPU, **fields))
    house.clock.advance(hours * HOUR_MS)
    await house.end(await house.held_ids(made), runtime_ms=hours * HOUR_MS)


async def test_a_report_and_a_statement(asking: Asking) -> None:
    await put(asking, "/prices/A100", {"per_gpu_hour": "2", "idle_per_gpu_hour": "1"})
    await work(asking, "vision", 3, labels={"run": "=7"})
    await work(asking, "speech", 1)
    # 18 hours of work over midnight, still running.
    await asking.house.start(document("long", project="vision", **GPU))
    asking.house.clock.advance(18 * HOUR_MS)
    path = "/usage/report?since=2026-01-01&until=2026-02-01"
    told = (await get(asking, path)).json()
    assert [(each["name"], each["gpu_hours"]) for each in told["items"]] == [
        ("speech", 1.0),
        ("vision", 21.0),
    ]
    assert told["total"]["cost"] == {"amount": "44.00", "currency": "EUR"}
    assert told["total"]["gpu_milli_ms"] == 22 * HOUR_MS * 1000
    days = (await get(asking, f"{path}&by=organisation&per=day")).json()
    assert [each["since"][:10] for each in days["items"]] == ["2026-01-02", "2026-01-03"]
    page = (await get(asking, f"{path}&limit=1")).json()
    more = (await get(asking, f"{path}&limit=1&cursor={page['next_cursor']}")).json()
    assert [page["items"], more["items"]] == [told["items"][:1], told["items"][1:]]
    mine = (await get(asking, path, ADA)).json()
    assert [each["name"] for each in mine["items"]] == ["vision"]
    assert mine["total"]["gpu_hours"] == 21.0
    assert "speech" not in str((await get(asking, "/cost?month=2026-01&by=project", ADA)).json())
    assert (await get(asking, "/usage/devices", ADA)).status_code == 403
    text = (await get(asking, f"{path}&by=label&by_label=run&format=csv")).text
    assert text.splitlines()[0].startswith("since,run,gpu_hours,")
    assert "2026-01-01,'=7,3.000000," in text
    same = await get(asking, "/cost?month=2026-01&format=csv")
    assert same.headers["content-type"].startswith("text/csv")
    statement = (await get(asking, "/cost?month=2026-01&by=team")).json()
    assert [(each["name"], each["total"]) for each in statement["items"]] == [
        ("product", "2.00"),
        ("research", "42.00"),
    ]
    assert (statement["total"], statement["final"]) == ("44.00", False)
    devices = (await get(asking, "/usage/devices?month=2026-01")).json()["items"]
    assert sum(each["billed_milli_ms"] for each in devices) == 22 * HOUR_MS * 1000
    assert sum(each["there_milli_ms"] for each in devices) == 4 * 22 * HOUR_MS * 1000


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("since=2026-02-01&until=2026-02-01", "until"),
        ("month=2026-13", "month"),
        ("month=2026-10&since=2026-01-01", "month"),
        ("by=label", "by_label"),
        ("by=team&by_label=run", "by_label"),
        ("label=run", "label"),
        ("since=1999-01-01", "since"),
        ("since=2026-01-01&until=2036-01-01", "until"),
    ],
)
async def test_questions_that_make_no_sense(asking: Asking, query: str, named: str) -> None:
    answer = await get(asking, f"/usage/report?{query}")
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["field"] == named


A100 = {"gpu_type": "A100", "per_gpu_hour": "2"}
NOV, DEC, JAN = "2026-11-01", "2026-12-01", "2027-01-01"


@pytest.mark.parametrize(
    ("prices", "named"),
    [
        ([{**A100, "from": NOV, "until": DEC}, {**A100, "from": JAN}], "prices.0.until"),
        ([{**A100, "from": NOV, "until": JAN}, {**A100, "from": DEC}], "prices.0.until"),
        ([{**A100, "from": NOV}, {**A100, "from": NOV}], "prices.1.from"),
        ([{**A100, "from": NOV, "until": DEC}], "prices.0.until"),
        ([{**A100, "from": "2025-11-01"}, {**A100, "from": "2025-12-01"}], "prices.1.from"),
        ([{**A100, "gpu_type": "?"}], "prices.0.gpu_type"),
        ([{**A100, "per_gpu_hour": "-1"}], "prices.0.per_gpu_hour"),
    ],
)
async def test_a_price_list_with_a_fault_changes_nothing(
    asking: Asking, prices: list[dict[str, str]], named: str
) -> None:
    fine = {"gpu_type": "L4", "per_gpu_hour": "1"}
    answer = await put(asking, "/prices", {"prices": [*prices, fine]})
    assert answer.status_code == 422
    assert named in [each["field"] for each in answer.json()["faults"]]
    assert (await get(asking, "/prices?all=true")).json()["items"] == []


async def test_a_price_list_again_and_another(asking: Asking) -> None:
    answer = await put(asking, "/prices", {"currency": "USD", "prices": [A100]})
    assert answer.json()["faults"][0]["field"] == "currency"
    first = {
        "currency": "EUR",
        "prices": [A100 | {"from": NOV, "until": DEC}, A100 | {"from": DEC, "per_gpu_hour": "3"}],
    }
    told = (await put(asking, "/prices", first)).json()
    assert (await put(asking, "/prices", first)).json() == told
    assert [(each["since"][:10], each["per_gpu_hour"]) for each in told["items"]] == [
        (NOV, "2"),
        (DEC, "3"),
    ]
    now = {"prices": [A100 | {"per_gpu_hour": "5", "borrowed_per_gpu_hour": "4"}]}
    told = (await put(asking, "/prices", now)).json()
    (only,) = told["items"]
    assert (only["per_gpu_hour"], only["borrowed_per_gpu_hour"], only["until"]) == ("5", "4", None)
    for amount in ("6", "7"):  # set for the same time again
        later = {"per_gpu_hour": amount, "from": JAN}
        assert (await put(asking, "/prices/A100", later)).json()["per_gpu_hour"] == amount
    told = (await get(asking, "/prices?all=true")).json()["items"]
    assert [each["per_gpu_hour"] for each in told] == ["5", "7"]
    asking.house.clock.advance(HOUR_MS)
    past = {"prices": [A100 | {"from": "2026-01-01"}]}
    answer = await put(asking, "/prices", past)
    assert answer.json()["faults"][0]["field"] == "prices.0.from"
    assert (await put(asking, "/prices", now, ADA)).status_code == 403


def test_cells_that_begin_like_a_formula() -> None:
    cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "fine", "", -5, None]
    (line,) = csv_answer("x.csv", ["a"], [cells]).body.decode().splitlines()[1:]
    assert line == "'=1+1,'+1,'-1,'@SUM(A1),'\tx,fine,,-5,"
