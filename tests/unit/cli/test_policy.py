"""`podium policy` and `podium booking`: what they send and what they show."""

from __future__ import annotations

from typing import Any

KINDS = {"priority": 50, "preemptible": True, "minimum_runtime": "none"}


def view(**changes: Any) -> dict[str, Any]:
    items = [
        {
            "part": "scheduling",
            "values": {"order": "attained", "half_life": "7d"},
            "set_by": {"order": "cluster"},
        },
        {"part": "training", "values": KINDS, "set_by": {}},
        {"part": "batch", "values": {**KINDS, "priority": 20}, "set_by": {"priority": "team"}},
    ]
    return {"level": "cluster", "name": "cluster", "items": items, **changes}


def booking(**changes: Any) -> dict[str, Any]:
    return {
        "name": "firmware", "nodes": ["n1", "n2"], "from_at": "2031-07-01T08:00:00Z",
        "until_at": "2031-07-01T16:00:00Z", "project": None, "maintenance": True, "note": "BIOS",
        "created_at": "2031-06-01T08:00:00Z", "created_by": "root", **changes,
    }  # fmt: skip


def test_policy_show(podium: Any, server: Any) -> None:
    server.on("GET", "/policies/cluster/cluster", view())
    shown = podium("policy", "show").out
    assert "attained (cluster)" in shown
    table = [line.split() for line in shown.splitlines()]
    assert ["FIELD", "TRAINING", "BATCH"] in table
    assert ["priority", "50", "20", "(team)"] in table
    assert ["preemptible", "yes", "yes"] in table
    assert podium("policy", "show", "--json").document == view()
    assert "TRAINING" not in podium("policy", "show", "batch").out
    assert podium("policy", "show", "baking").code == 1


def test_policy_set_sends_what_was_given(podium: Any, server: Any) -> None:
    server.on("PUT", "/policies/cluster/cluster/scheduling", view())
    podium("policy", "set", "scheduling", "--order", "attained", "--moves-max", "4")
    assert server.asked[-1].document == {"values": {"order": "attained", "moves_max": 4}}
    podium("policy", "set", "scheduling", "--lost-node-after", "10m")
    assert server.asked[-1].document == {"values": {"lost_node_after": "10m"}}
    server.on("PUT", "/policies/project/vision/training", view(level="project", name="vision"))
    podium(
        "policy", "set", "training", "-p", "vision", "--not-preemptible", "--priority-max", "60",
        "--minimum-runtime", "30m",
    )  # fmt: skip
    assert server.asked[-1].document == {
        "values": {"preemptible": False, "priority_max": 60, "minimum_runtime": "30m"}
    }
    both = podium("policy", "set", "training", "-p", "a", "--team", "b", "--priority", "1")
    assert "--team" in both.err


def test_policy_reset(podium: Any, server: Any) -> None:
    server.on("DELETE", "/policies/team/research/batch", view())
    podium("policy", "reset", "batch", "priority", "--team", "research")
    assert server.asked[-1].query == {"field": ["priority"]}


def test_booking_ls(podium: Any, server: Any) -> None:
    hidden = booking(name="", project="", maintenance=False, note="")
    server.on("GET", "/bookings", {"items": [booking(), hidden]})
    shown = podium("booking", "ls").out
    assert "maintenance" in shown
    assert "another project" in shown
    server.on("GET", "/bookings", {"items": []})
    assert "booking create" in podium("booking", "ls").err


def test_booking_create_and_delete(podium: Any, server: Any) -> None:
    server.on("POST", "/bookings", (201, booking()))
    made = podium(
        "booking", "create", "--nodes", "n1, n2", "--from", "2031-07-01T08:00:00Z", "--until", "8h",
        "--maintenance",
    )  # fmt: skip
    assert made.out.startswith("2 nodes booked as firmware for maintenance")
    sent = server.asked[-1].document
    assert (sent["nodes"], sent["until_at"], sent["project"]) == (["n1", "n2"], "8h", None)
    server.on("DELETE", "/bookings/firmware", (204, b""))
    assert "is deleted" in podium("booking", "delete", "firmware").out
