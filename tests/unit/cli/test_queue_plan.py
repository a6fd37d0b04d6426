"""`podium queue --plan`: shares, whose turn it is, and nodes over time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from podium.cli.node_lines import Lane, lanes
from podium.spec.views.queue import NodeTimelineView, TimelineView

NOW = datetime(2031, 7, 1, 12, tzinfo=UTC)


def hour(number: float) -> str:
    return (NOW + timedelta(hours=number)).isoformat()


def work(name: str) -> dict[str, Any]:
    return {
        "id": f"w-{name}", "name": name, "project": "vision", "team": "research", "owner": "ada",
        "replicas": 1, "resources": "8 × H100 · 4 CPU · 16 GiB",
    }  # fmt: skip


def run(name: str | None, milli: int, until: float | None, *, certain: bool = True) -> Any:
    return {
        "workload": name and work(name), "project": name and "vision", "gpu_milli": milli,
        "from": hour(-1), "until": None if until is None else hour(until), "certain": certain,
    }  # fmt: skip


def planned(name: str | None, begin: float | None) -> dict[str, Any]:
    at = None if begin is None else hour(begin)
    return {"workload": name and work(name), "gpu_milli": 8000, "from": at, "until": None}


def booked(begin: float, end: float, **changes: Any) -> dict[str, Any]:
    plain = {"name": "firmware", "project": None, "maintenance": True}
    return {**plain, "from": hour(begin), "until": hour(end), **changes}


def node(name: str = "n1", **changes: Any) -> dict[str, Any]:
    return {
        "name": name, "block": "b", "rack": "r", "state": "ready", "gpus": 8,
        "gpu_types": ["H100"], "running": [], "planned": [], "booked": [], "free_milli": 0,
        **changes,
    }  # fmt: skip


def timeline(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"from": hour(0), "until": hour(24), "nodes": list(nodes), "nodes_left_out": 3}


def turn(position: int, **changes: Any) -> dict[str, Any]:
    return {
        "position": position, "workload": work(f"job-{position}"), "project": "vision",
        "inside_guarantee": True, "priority": 50, "waits_for_ms": 90_000, "share_ppm": 125_000,
        "refusal": None, "starts_at": None, "eta": None, **changes,
    }  # fmt: skip


@pytest.fixture
def plan(make: Any) -> dict[str, Any]:
    hidden = {"workload": None, "project": None, "share_ppm": None, "inside_guarantee": False}
    return {
        "made_at": hour(0), "order": "fair", "preempt": "priority",
        "turns": [
            turn(1, refusal=make.waiting(), starts_at="2031-07-02T08:00:00Z"),
            turn(2, **hidden),
            *(turn(number) for number in range(3, 15)),
        ],
        "reservations": [],
        "timeline": timeline(
            node("n1", running=[run("llama", 8000, 6)], planned=[planned("job-1", 12)]),
            node("n2", running=[run("llama", 8000, 6)], planned=[planned("job-1", 12)]),
            node("n3", running=[run(None, 5000, None)], free_milli=3000),
        ),
        "preemptions": [
            {"at": hour(-1), "workload": work("victim"), "in_favour_of": None, "replicas": 2,
             "justification": "priority 90 goes before priority 50", "lost_gpu_seconds": 5400.0}
        ],
    }  # fmt: skip


def quotas(**changes: int) -> dict[str, Any]:
    amounts = {
        "guarantee_milli": 8000, "set_guarantee_milli": 8000, "limit_milli": None,
        "used_milli": 12_000, "borrowed_milli": 4000, "waiting_milli": 24_000, "fair_milli": 0,
        "recent_milli": 0, **changes,
    }  # fmt: skip
    gpus = [{"gpu_type": "all", **amounts, "set_guarantee_milli": 0}]
    gpus.append({"gpu_type": "H100", **amounts})
    team = {"level": "team", "name": "research", "team": None, "weight": 1, "share": 0.1}
    return {
        "items": [{**team, "gpus": gpus}],
        "capacity": [{"gpu_type": "H100", "gpu_milli": 20_000}],
        "half_life_seconds": 1,
    }


def test_the_whole_plan(server: Any, podium: Any, plan: dict[str, Any]) -> None:
    server.on("GET", "/queue/plan", plan)
    server.on("GET", "/quotas", quotas())
    shown = podium("queue", "--plan", "--hours", "12", "--nodes", "3")
    assert shown.code == 0, shown.err
    assert server.asked[0].query == {"hours": ["12"], "nodes": ["3"]}
    for words in (
        "████████▒▒▒▒········", "Higher priority goes first, then whose project",
        "job-1", "waits 1 min 30 s", "Priority 50, inside its guarantee, share 12.5 %.",
        "Needs 8 H100 GPUs; 2 are free.", "another project", "n1, n2", "8 × H100 each · b / r",
        "llama (vision)", "→ job-1 (vision)", "work of others", "for anybody", "victim",
        "work of others", "1.5 GPU-h", "priority 90 goes before priority 50",
    ):  # fmt: skip
        assert words in shown.out, words
    assert "Priority 50, beyond its guarantee.\n" in shown.out
    assert shown.out.count("llama") == 1, "nodes with the same picture share it"
    assert "job-10" in shown.out
    assert "job-11" not in shown.out
    assert "4 more; --limit" in shown.err
    assert "3 more nodes; --nodes" in shown.err
    assert "job-14" in podium("queue", "--plan", "--limit", "20").out
    document = podium("queue", "--plan", "--json").document
    assert document["timeline"]["from"] == "2031-07-01T12:00:00Z"
    assert "from_at" not in str(document)


def test_a_plan_of_nothing(server: Any, podium: Any, plan: dict[str, Any]) -> None:
    nothing = {**plan, "turns": [], "timeline": timeline(), "preemptions": []}
    server.on("GET", "/queue/plan", nothing)
    server.on("GET", "/quotas", quotas(used_milli=0, guarantee_milli=0, waiting_milli=0))
    shown = podium("queue", "--plan")
    assert "Nobody waits for a place." in shown.out
    assert "Shares" not in shown.out
    assert "Nodes over time" not in shown.out
    server.on("GET", "/queue/plan", {**nothing, "made_at": None})
    assert "Nothing is planned yet." in podium("queue", "--plan").out


def test_the_plan_is_everyones(podium: Any, server: Any) -> None:
    told = podium("queue", "--plan", "-p", "vision")
    assert told.code == 2
    assert "leave --project out" in told.err
    assert podium("queue", "--plan", "--hours", "0").code == 2


def drawn(**changes: Any) -> Iterator[Lane]:
    view = TimelineView.model_validate(timeline())
    return lanes(NodeTimelineView.model_validate(node(**changes)), view, NOW)


@pytest.mark.parametrize(
    ("changes", "free"),
    [
        ({"free_milli": 3000}, [(3000, None, None, "for anybody")]),
        ({"free_milli": 3000, "planned": [planned("x", None)]}, [(3000, None, None, "partly")]),
        ({"free_milli": 3000, "planned": [planned("x", 4)]}, [(3000, None, 4, "backfill")]),
        (
            {"free_milli": 3000, "planned": [planned("x", 4)], "booked": [booked(2, 9)]},
            [(3000, None, 2, "backfill")],
        ),
        # What ends before then leaves a gap that others can have.
        (
            {"running": [run("a", 5000, 1), run("b", 3000, 4)], "planned": [planned("x", 4)]},
            [(5000, 1, 4, "backfill")],
        ),
        ({"running": [run("a", 5000, 4)], "planned": [planned("x", 4)]}, []),
        ({"running": [run("a", 5000, None)], "planned": [planned("x", 4)]}, []),
        ({"running": [run("a", 5000, 1)]}, []),
        # Of a booking that has begun, the end does not matter for what is free now.
        ({"free_milli": 1000, "booked": [booked(-1, 2)]}, [(1000, None, None, "for anybody")]),
    ],
)
def test_where_backfill_goes(changes: dict[str, Any], free: list[Any]) -> None:
    found = [each for each in drawn(**changes) if each.sign == "·"]

    def at(number: float | None) -> datetime | None:
        return None if number is None else NOW + timedelta(hours=number)

    assert [(each.gpu_milli, each.begin, each.end) for each in found] == [
        (milli, at(begin), at(end)) for milli, begin, end, _ in free
    ]
    for each, (_, _, _, words) in zip(found, free, strict=True):
        assert words in each.note


def test_what_a_lane_says() -> None:
    shown = {
        each.label: (each.sign, each.note)
        for each in drawn(
            running=[
                run("sure", 1000, 2), run("usual", 1000, 2, certain=False), run("open", 1, None),
                run(None, 2000, None),
            ],
            planned=[planned("next", None), planned(None, 30)],
            booked=[booked(1, 2, name=None, maintenance=False)],
        )
    }  # fmt: skip
    assert {label: sign for label, (sign, _) in shown.items()} == {
        "sure (vision)": "█", "usual (vision)": "▓", "open (vision)": "▒", "work of others": "▒",
        "→ next (vision)": "▞", "→ work of others": "▞", "another project": "╳",
    }  # fmt: skip
    assert shown["usual (vision)"][1].startswith("likely until ")
    assert shown["open (vision)"][1] == "no known end"
    assert shown["work of others"][1] == "end not shown"
    assert shown["→ next (vision)"][1] == "once that is free"
