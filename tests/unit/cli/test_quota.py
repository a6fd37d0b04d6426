"""`podium quota`: the tree with its bars, and setting by name what shall change."""

from __future__ import annotations

from typing import Any

import pytest

from podium.cli.quota import bar
from podium.spec.views.quota import QuotaGpuView


def gpu(gpu_type: str, used: int = 0, **changes: Any) -> dict[str, Any]:
    guarantee = changes.get("guarantee_milli", 0)
    return {
        "gpu_type": gpu_type, "guarantee_milli": guarantee, "set_guarantee_milli": guarantee,
        "limit_milli": None, "used_milli": used, "borrowed_milli": max(0, used - guarantee),
        "waiting_milli": 0, "fair_milli": used, "recent_milli": 0,
        "per_user_milli": None, **changes,
    }  # fmt: skip


def item(level: str, name: str, *gpus: dict[str, Any], **changes: Any) -> dict[str, Any]:
    plain = {"level": level, "name": name, "team": None, "weight": 1, "share": 0.25}
    return {**plain, "gpus": list(gpus), "counted": [], **changes}


@pytest.fixture
def tree(server: Any) -> dict[str, Any]:
    view = {
        "items": [
            item("organisation", "organisation", gpu("all", 12000), gpu("H100", 12000)),
            item(
                "team", "research",
                gpu("all", 12000, guarantee_milli=8000, set_guarantee_milli=0),
                gpu("H100", 12000, guarantee_milli=8000, limit_milli=14000, waiting_milli=2500),
                weight=3,
            ),
            item("project", "vision", gpu("all", 12000), gpu("H100", 12000), team="research"),
            item("team", "product", gpu("all")),
        ],
        "capacity": [{"gpu_type": "H100", "gpu_milli": 16000}],
        "half_life_seconds": 604800,
    }  # fmt: skip
    server.on("GET", "/quotas", view)
    return view


def test_show(podium: Any, tree: dict[str, Any]) -> None:
    shown = podium("quota", "show")
    lines = shown.out.splitlines()
    assert lines[0].split() == [
        "NAME", "GPUS", "HELD", "GUARANTEED", "BORROWED", "LIMIT", "WAITING", "DUE", "WEIGHT",
        "SHARE",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines[1:]] == [
        "organisation", "research", "vision", "product",
    ]  # fmt: skip
    assert lines[2].startswith("  research")
    assert lines[2].split()[1:] == [
        "H100", "█" * 10 + "▒" * 5 + "·" * 5, "12", "8", "4", "14", "2.5", "12", "3", "25.0", "%",
    ]  # fmt: skip
    assert lines[3].startswith("    vision")
    assert "borrowed" in shown.err
    assert podium("quota", "show", "--json").document == tree


def test_show_some(podium: Any, tree: dict[str, Any]) -> None:
    shown = podium("quota", "show", "research", "--type", "h100").out
    assert [line.split()[0] for line in shown.splitlines()] == ["NAME", "research", "vision"]
    assert podium("quota", "show", "nobody").code == 1
    assert "no team or project nobody" in podium("quota", "show", "nobody").err
    assert "type B200" in podium("quota", "show", "--type", "B200").err


@pytest.mark.parametrize(
    ("used", "guarantee", "drawn"),
    [
        (0, 0, "·" * 20),
        (8000, 8000, "█" * 20),
        (100, 0, "▒" + "·" * 19),
        (2000, 4000, "█" * 5 + "░" * 5 + "·" * 10),
        (9000, 4000, "█" * 10 + "▒" * 10),
    ],
)
def test_bars(used: int, guarantee: int, drawn: str) -> None:
    view = QuotaGpuView.model_validate(gpu("H100", used, guarantee_milli=guarantee))
    assert bar(view, 8000) == drawn
    assert bar(view, 0) == ""


def test_set_keeps_what_is_not_named(server: Any, podium: Any, tree: dict[str, Any]) -> None:
    server.on("PUT", "/quotas/team/research", tree["items"][1])
    told = podium(
        "quota", "set", "team", "research", "--guarantee", "h100=4.5", "--limit", "all=20"
    )
    assert told.code == 0, told.err
    assert server.asked[-1].document == {
        "weight": 3,
        "gpus": {
            "H100": {"guarantee_milli": 4500, "limit_milli": 14000, "per_user_milli": None},
            "all": {"guarantee_milli": 0, "limit_milli": 20000, "per_user_milli": None},
        },
        "ceilings": {},
    }
    assert told.out == (
        "Team research is guaranteed 8 H100, may hold 14 H100 at most, has weight 3.\n"
    )
    podium("quota", "set", "team", "research", "--limit", "H100=none", "--weight", "0")
    assert server.asked[-1].document == {
        "weight": 0,
        "gpus": {"H100": {"guarantee_milli": 8000, "limit_milli": None, "per_user_milli": None}},
        "ceilings": {},
    }


def test_set_for_the_organisation(server: Any, podium: Any, tree: dict[str, Any]) -> None:
    server.on("PUT", "/quotas/organisation/organisation", tree["items"][0])
    told = podium("quota", "set", "organisation", "--limit", "H100=8", "--json")
    assert told.document["level"] == "organisation"
    assert server.asked[-1].document["gpus"]["H100"]["limit_milli"] == 8000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Name what to set"),
        (("--guarantee", "8"), "TYPE=GPUS"),
        (("--limit", "H100=many"), "'many'"),
        (("--limit", "H100=-1"), "'-1'"),
    ],
)
def test_set_says_what_is_wrong(
    server: Any, podium: Any, words: tuple[str, ...], said: str
) -> None:
    told = podium("quota", "set", "team", "research", *words)
    assert told.code == 2
    assert said in told.err
    assert not server.asked
    assert podium("quota", "set", "group", "research", "--weight", "1").code == 2


def test_remove(server: Any, podium: Any) -> None:
    server.on("DELETE", "/quotas/project/vision", (204, ""))
    assert podium("quota", "remove", "project", "vision").out == (
        "Project vision has no quota any more.\n"
    )
