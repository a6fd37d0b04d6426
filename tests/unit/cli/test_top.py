"""`podium top` and `podium price`: figures, bars, gaps, and what the server is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podium.cli.top import spark
from podium.spec.views.series import CurvesView

NOW = datetime.now(UTC)


def curve(quantity: str, limit: float | None, *means: float, rank: int | None = None) -> Any:
    points = [
        {
            "at": (NOW - timedelta(seconds=30 * (len(means) - 1 - place))).isoformat(),
            "mean": mean,
            "low": mean,
            "high": mean,
        }
        for place, mean in enumerate(means)
    ]
    return {
        "quantity": quantity,
        "limit": limit,
        "lines": [{"rank": rank, "points": points}],
    }


def curves(*series: Any) -> dict[str, Any]:
    return {
        "since": (NOW - timedelta(minutes=10)).isoformat(),
        "until": NOW.isoformat(),
        "step_seconds": 30,
        "series": list(series),
    }


def test_one_look_at_everything(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", "/workloads", {**make.page(make.workload()), "total": 1})
    server.on(
        "GET",
        f"/workloads/{make.ID}/curves",
        curves(curve("cpu", 8, 1.25), curve("memory", 2**35, 2**33), curve("gpu_busy", 4, 2, 4)),
    )
    shown = podium("top")
    assert shown.code == 0
    head, row, words = shown.out.rstrip("\n").split("\n")
    assert head.split()[:3] == ["NAME", "PROJECT", "OWNER"]
    for part in ("digits", "1.25 of 8", "8 GiB of 32 GiB", "4 of 4"):
        assert part in row
    assert row.endswith("▅█")
    assert words == "1 running workload"
    assert server.asked[0].query["state"] == ["running"]
    assert "since" in server.asked[1].query


def test_nothing_runs_and_nothing_is_measured(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", "/workloads", {**make.page(), "total": 0})
    assert "Nothing runs." in podium("top", "--once").out
    server.on("GET", f"/workloads/{make.ID}", make.detail())
    server.on("GET", f"/workloads/{make.ID}/curves", curves())
    assert "Nothing has been measured yet" in podium("top", make.ID).out


def test_one_workload_by_quantity_and_rank(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", f"/workloads/{make.ID}", make.detail())

    def answer(asked: Any) -> dict[str, Any]:
        if asked.query["each"] == ["true"]:
            both = curve("cpu", 4, 1, rank=0)
            both["lines"] += curve("cpu", 4, 3, rank=1)["lines"]
            return curves(both)
        return curves(curve("cpu", 8, 2, 4))

    server.on("GET", f"/workloads/{make.ID}/curves", answer)
    shown = podium("top", make.ID)
    assert shown.code == 0
    rows = [line.split() for line in shown.out.splitlines()]
    assert next(row for row in rows if row[:1] == ["CPU"])[1:5] == ["4", "3", "4", "8"]
    assert next(row for row in rows if row[:1] == ["1"])[1:4] == ["3", "of", "4"]


def test_of_what_has_ended_all_of_its_time(server: Any, podium: Any, make: Any) -> None:
    server.on(
        "GET",
        f"/workloads/{make.ID}",
        make.detail(state="succeeded", ended_at=make.at(9)),
    )
    server.on("GET", f"/workloads/{make.ID}/curves", curves(curve("cpu", 8, 2, 4)))
    shown = podium("top", make.ID)
    assert "FROM START TO END" in shown.out
    assert "NOW" not in shown.out
    assert "since" not in server.asked[-1].query


def test_top_answers_documents(server: Any, podium: Any, make: Any) -> None:
    server.on("GET", "/workloads", {**make.page(make.workload()), "total": 1})
    server.on("GET", f"/workloads/{make.ID}/curves", curves(curve("cpu", 8, 2)))
    (item,) = podium("top", "--json").document["items"]
    assert item["workload"]["id"] == make.ID
    assert item["curves"]["series"][0]["quantity"] == "cpu"
    assert podium("top", make.ID, "--json").document["series"][0]["limit"] == 8


@pytest.mark.parametrize(
    ("means", "limit", "bars"),
    [
        ([0, 4, 8], 8, "▁▅█"),
        ([3, 6], None, "▅█"),
        ([0, 0], 0, "▁▁"),
        ([20], 8, "█"),
    ],
)
def test_bars(means: list[float], limit: float | None, bars: str) -> None:
    found = CurvesView.model_validate(curves(curve("cpu", limit, *means)))
    drawn = spark(found.series[0].lines[0], limit, found, 20)
    assert len(drawn) == 20
    assert drawn.strip() == bars


def test_a_gap_stays_empty() -> None:
    document = curves(curve("cpu", 8, *[8] * 20))
    del document["series"][0]["lines"][0]["points"][8:12]
    found = CurvesView.model_validate(document)
    drawn = spark(found.series[0].lines[0], 8, found, 20)
    assert " " in drawn.strip()


def test_prices(server: Any, podium: Any, make: Any) -> None:
    price = {
        "gpu_type": "H100",
        "per_gpu_hour": "2.500000",
        "borrowed_per_gpu_hour": "2.500000",
        "idle_per_gpu_hour": "0.000000",
        "currency": "EUR",
        "since": make.at(),
    }
    server.on("GET", "/prices", {"items": [price]})
    assert "H100          2.50 EUR" in podium("price", "ls").out
    assert podium("price", "ls", "--json").document["items"][0]["per_gpu_hour"] == "2.500000"
    server.on("PUT", "/prices/H100%201g.10gb", {**price, "per_gpu_hour": "0.125"})
    said = podium("price", "set", "H100 1g.10gb", "0.125")
    assert said.out == "An hour of H100 costs 0.125 EUR.\n"
    assert server.asked[-1].document == {"per_gpu_hour": "0.125"}
    server.on("GET", "/prices", {"items": []})
    assert "No price is set." in podium("price", "ls").err


def test_costs_show(server: Any, podium: Any, make: Any) -> None:
    cost = {"amount": "1234.50", "currency": "EUR"}
    usage = {**make.usage(), "cost": cost}
    server.on("GET", f"/workloads/{make.ID}", make.detail(usage=usage))
    server.on("GET", f"/workloads/{make.ID}/events", make.page())
    assert "Cost so far  1,234.50 EUR" in podium("show", make.ID).out
    project = {"project": "vision", "team": "research", "workloads": 3}
    server.on("GET", "/usage", make.page({**project, "usage": usage}))
    assert "1,234.50 EUR" in podium("usage").out
    server.on("GET", "/usage", make.page({**project, "usage": make.usage()}))
    assert podium("usage").out.rstrip().endswith("–")
