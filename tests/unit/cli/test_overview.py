"""The commands that show how things stand: overview, queue, search, notices, and one node."""

from __future__ import annotations

from typing import Any

import pytest

from podium.cli.overview import own_time_zone

HOUR = {"start": "2026-01-02T03:00:00Z", "gpu_seconds": 3600.0}


@pytest.fixture
def overview(make: Any) -> dict[str, Any]:
    failed = make.workload(
        name="broken", state="failed", ended_at=make.at(9), message="It ended with exit code 1."
    )
    return {
        "at": make.at(),
        "gpus": [
            {"type": "H100", "virtual": False, "devices": 8, "unhealthy": 1, "held_milli": 6000,
             "busy_milli": 3200, "idle_devices": 2},
            {"type": "A100", "virtual": True, "devices": 4, "unhealthy": 0, "held_milli": 500,
             "busy_milli": None, "idle_devices": 0},
        ],
        "workloads": {"queued": 3, "running": 2},
        "queue": {
            "waiting": 3, "wait_seconds_median": 60.0, "wait_seconds_max": 3700.0,
            "gpu_milli_wanted": 9500,
            "reasons": [{"reason": "capacity", "count": 2, "example": "Needs 8 H100 GPUs."}],
        },
        "nodes": {"ready": 2, "cordoned": 1, "lost": 0, "unhealthy_devices": 1},
        "failed_last_day": 7,
        "failed": [failed],
        "finishing": [{"workload": make.workload(name="soon"), "by": make.at(50)}],
        "gpu_hours": {
            "today_gpu_seconds": 7200.0, "yesterday_gpu_seconds": 36_000.0,
            "yesterday_so_far_gpu_seconds": 18_000.0, "hours": [HOUR] * 48,
        },
    }  # fmt: skip


def test_overview(server: Any, podium: Any, overview: dict[str, Any]) -> None:
    server.on("GET", "/overview", overview)
    shown = podium("overview", "-p", "vision", "--time-zone", "Europe/Berlin").out
    asked = server.asked[0].query
    assert asked == {"project": ["vision"], "time_zone": ["Europe/Berlin"]}
    for words in (
        "6 (75 %)", "3.2 (40 %)", "A100 virtual", "3 workloads wait", "median 1 min",
        "longest 1 h 1 min", "9.5 GPUs wanted", "2 nodes ready · 1 cordoned · 1 unhealthy GPUs",
        "7 in the last 24 h", "5.0 by this time, 10.0 in all", "Needs 8 H100 GPUs.", "broken",
        "It ended with exit code 1.", "soon", "█" * 48,
    ):  # fmt: skip
        assert words in shown, words
    assert podium("overview", "--json").document["failed_last_day"] == 7


def test_an_overview_of_nothing(server: Any, podium: Any, overview: dict[str, Any]) -> None:
    empty = {
        **overview,
        "gpus": [], "workloads": {}, "failed": [], "finishing": [], "failed_last_day": 0,
        "queue": {"waiting": 0, "reasons": []},
        "gpu_hours": {**overview["gpu_hours"], "hours": [{**HOUR, "gpu_seconds": 0}] * 48},
    }  # fmt: skip
    server.on("GET", "/overview", empty)
    shown = podium("overview")
    assert shown.code == 0
    assert "No GPU has been reported yet." in shown.out
    assert "none yet" in shown.out
    assert "empty" in shown.out


def test_the_time_zone_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for named, told in (
        ("Europe/Berlin", "Europe/Berlin"),
        (":Asia/Tokyo", "Asia/Tokyo"),
        ("/usr/share/zoneinfo/America/New_York", "America/New_York"),
        ("/nowhere/at/all", "UTC"),
    ):
        monkeypatch.setenv("TZ", named)
        assert own_time_zone() == told


def test_queue(server: Any, podium: Any, make: Any) -> None:
    waiting = make.workload(state="queued", started_at=None, waiting=make.waiting())
    project = {"project": "vision", "team": "research", "waiting": 1, "running": 4,
               "gpu_milli_wanted": 2000, "gpu_milli_held": 4500,
               "oldest_queued_at": make.at()}  # fmt: skip
    view = {
        "items": [{"position": 1041, "workload": waiting}],
        "next_cursor": "x", "length": 2000, "hidden": 1500, "projects": [project],
    }  # fmt: skip
    server.on("GET", "/queue", view)
    shown = podium("queue", "--limit", "1")
    for words in ("1,041", "digits", "Needs 8 H100 GPUs; 2 are free.", "4.5", "research"):
        assert words in shown.out, words
    assert "499 more" in shown.err
    assert "1,500 workloads of other projects wait" in shown.err
    assert podium("queue", "--json").document["hidden"] == 1500
    server.on("GET", "/queue", {**view, "items": [], "next_cursor": None, "projects": []})
    assert "Nothing that you can see waits." in podium("queue").err


def test_search(server: Any, podium: Any, make: Any) -> None:
    found = [
        {"kind": "workload", "id": make.ID, "title": "digits", "detail": "training of ada",
         "state": "running"},
        {"kind": "project", "id": "vision", "title": "vision", "detail": "team research",
         "state": None},
    ]  # fmt: skip
    server.on("GET", "/search", {"items": found})
    shown = podium("search", "dig its", "--limit", "5")
    assert server.asked[0].query == {"q": ["dig its"], "limit": ["5"]}
    assert "● running" in shown.out
    assert make.ID in shown.out
    assert "team research" in shown.out
    assert len(podium("search", "x", "--json").document["items"]) == 2
    server.on("GET", "/search", {"items": []})
    assert "called so" in podium("search", "x").err
    assert podium("search", "  ").code == 1


def test_notices(server: Any, podium: Any, make: Any) -> None:
    notice = {"seq": 9, "at": make.at(), "level": "bad", "sentence": "train failed.",
              "workload_id": make.ID, "workload_name": "train", "project": "vision",
              "budget": None, "read": False}  # fmt: skip
    view = {"items": [notice], "next_cursor": None, "unread": 3}
    server.on("GET", "/notices", view)
    server.on("POST", "/notices/read", {**view, "unread": 0})
    shown = podium("notices")
    assert "✗" in shown.out
    assert "train failed." in shown.out
    assert "3 notices not read" in shown.err
    assert [each.method for each in server.asked] == ["GET"]
    assert podium("notices", "--read").err == ""
    assert server.asked[-1].document == {"through": 9}
    assert podium("notices", "--json").document["unread"] == 3
    server.on("GET", "/notices", {**view, "items": [], "unread": 0})
    assert "Nothing has happened" in podium("notices", "--read").err


def test_one_node_shows_who_is_on_it(server: Any, podium: Any, make: Any) -> None:
    holder = {"workload_id": make.ID, "name": "digits", "project": "vision", "owner": "ada",
              "kind": "training", "rank": 0, "gpu_milli": 500, "since": make.at()}  # fmt: skip
    device = {
        "id": "d", "index": 0, "uuid": "GPU-1", "type": "H100", "model": "NVIDIA H100",
        "memory_bytes": 2**36, "virtual": False, "healthy": True, "gpu_milli_used": 1000,
        "memory_bytes_used": 2**30, "holders": [holder, {**holder, "rank": 1}],
        "busy_milli": 930, "power_watts": 612.4, "temperature_celsius": 61,
    }  # fmt: skip
    node = {
        "name": "gpu-1", "engine": "local", "state": "ready", "address": "127.0.0.1",
        "cpu_milli": 8000, "cpu_milli_used": 2500, "memory_bytes": 2**35,
        "memory_bytes_used": 2**33, "devices": [device], "replicas": 3, "seen_at": make.at(),
    }  # fmt: skip
    replica = {"allocation_id": "a-1", "workload_id": make.ID, "name": "digits",
               "project": "vision", "owner": "ada", "kind": "training", "rank": 7,
               "state": "running", "cpu_milli": 1000, "memory_bytes": 1, "devices": [0, 3],
               "since": make.at()}  # fmt: skip
    server.on("GET", "/nodes/gpu-1", node)
    server.on("GET", "/nodes/gpu-1/replicas", make.page(replica))
    shown = podium("nodes", "gpu-1").out
    for words in ("93 %", "612 W", "61 °C", "digits", "#0, #3", "● running"):
        assert words in shown, words
    row = next(line for line in shown.splitlines() if "GPU-1" in line)
    assert row.count("digits") == 1
