"""What work uses and costs, on a real server: curves, prices, and who may ask for what."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from journeys.serving import API, PODIUM, Server, plain_environ, until

BURN = [sys.executable, "-c", "while True: pass"]
DAY = "2026-01-02T00:00:00Z"


def test_a_day_in_short(make_server: Callable[..., Server]) -> None:
    """Set a price, run something, see what it uses and costs, and that strangers see nothing."""
    server = make_server("measures", options=("--virtual-gpus", "2", "--currency", "USD"))
    price = server.told("price", "set", "a100", "3600")
    assert (price["gpu_type"], price["currency"]) == ("A100", "USD")
    (listed,) = server.told("price", "ls")["items"]
    assert Decimal(listed["per_gpu_hour"]) == 3600
    made = server.client_kept.workloads.submit(
        {
            "name": "burn",
            "command": BURN,
            "replicas": 2,
            "resources": {"gpus": 0.5, "cpus": 0.2, "memory": "100MiB"},
        }
    )

    def measured() -> Any:
        found = server.client_kept.workloads.curves(made.id)
        return found if found.series else None

    curves = until(measured, "two rounds of measuring")
    by_quantity = {each.quantity: each for each in curves.series}
    assert set(by_quantity) == {"cpu", "memory", "gpu_busy"}
    assert by_quantity["cpu"].limit == pytest.approx(0.4)
    assert by_quantity["gpu_busy"].limit == 1
    (busy,) = by_quantity["gpu_busy"].lines
    assert 0 < busy.points[-1].mean <= 1, "virtual GPUs are never busier than the share held"
    each = server.client_kept.workloads.curves(made.id, each=True)
    assert {line.rank for line in each.series[0].lines} == {0, 1}
    (node,) = server.client_kept.nodes.list()
    devices = server.client_kept.nodes.curves(node.name)
    assert [series.quantity for series in devices.series] == ["gpu_busy"]
    assert {line.device for line in devices.series[0].lines} == {f"{node.name}/0", f"{node.name}/1"}
    assert "burn" in server.command("top", "--once").stdout
    usage = server.client_kept.workloads.usage(made.id)
    assert usage.cost is not None
    # A dollar for each second of a GPU.
    assert abs(usage.cost.amount - Decimal(usage.gpu_seconds)) <= Decimal("0.02")
    (project,) = server.client_kept.usage.list("default")
    assert project.usage.cost is not None
    assert project.usage.cost.amount >= usage.cost.amount
    stranger = server.person("stranger", leads="elsewhere")
    http = server.http(stranger)
    assert http.get(f"{API}/workloads/{made.id}/curves").status_code == 404
    assert http.get(f"{API}/nodes/{node.name}/curves").status_code == 200
    assert http.get(f"{API}/prices").status_code == 200
    assert http.put(f"{API}/prices/A100", json={"per_gpu_hour": "0"}).status_code == 403
    server.client_kept.workloads.cancel(made.id)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (f"since={DAY}&until=2026-01-01T00:00:00Z", "since"),
        (f"since={DAY}&until={DAY}", "since"),
        ("until=1970-01-02T00:00:00Z", "until"),
        ("since=2024-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", "since"),
        ("since=0001-01-01T00:00:00%2B23:59", "since"),
        ("until=9999-12-31T23:59:59-23:59", "until"),
        ("since=yesterday", "since"),
        ("points=1", "points"),
        ("points=1001", "points"),
        ("each=perhaps", "each"),
    ],
)
def test_wrong_spans_name_the_field(server: Server, query: str, field: str) -> None:
    made = server.client_kept.workloads.submit({"name": "short", "command": "true"})
    paths = [f"workloads/{made.id}"]
    if field != "each" and not query.startswith("until=1970"):  # which have no wrong there
        paths.append(f"nodes/{next(server.client_kept.nodes.list()).name}")
    for path in paths:
        answer = server.http().get(f"{API}/{path}/curves?{query}")
        assert answer.status_code == 422, answer.text
        assert [fault["field"] for fault in answer.json()["faults"]] == [field]


@pytest.mark.parametrize(
    ("gpu_type", "body", "field"),
    [
        ("H100", {"per_gpu_hour": "-1"}, "per_gpu_hour"),
        ("H100", {"per_gpu_hour": "1.2345678"}, "per_gpu_hour"),
        ("H100", {"per_gpu_hour": "NaN"}, "per_gpu_hour"),
        ("H100", {}, "per_gpu_hour"),
        ("%00", {"per_gpu_hour": "1"}, "gpu_type"),
        ("x" * 64, {"per_gpu_hour": "1"}, "gpu_type"),
    ],
)
def test_wrong_prices_name_the_field(
    server: Server, gpu_type: str, body: dict[str, str], field: str
) -> None:
    answer = server.http().put(f"{API}/prices/{gpu_type}", json=body)
    assert answer.status_code == 422, answer.text
    assert [fault["field"] for fault in answer.json()["faults"]] == [field]


def test_a_wrong_currency_starts_no_server(tmp_path: Path) -> None:
    words = [PODIUM, "up", "--home", str(tmp_path), "--currency", "euro"]
    told = subprocess.run(
        words, capture_output=True, text=True, env=plain_environ(), timeout=60, check=False
    )
    assert told.returncode != 0
    assert "three capital letters" in told.stderr
    assert not list(tmp_path.iterdir()), "nothing was begun"
