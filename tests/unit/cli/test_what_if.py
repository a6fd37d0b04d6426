"""`podium what-if`: what its options ask for, and how the answer reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DIFFERENCE: dict[str, Any] = {
    "sentence": "1 running workload would stop and 2 workloads would start later.",
    "stopped": [
        {
            "workload": {"id": "w-1", "name": "train", "project": "vision", "owner": "ada"},
            "why": "node n1 is drained",
        }
    ],
    "spared": [],
    "earlier": [],
    "later": [
        {
            "workload": {"id": "w-2", "name": "sweep", "project": "vision", "owner": "ada"},
            "before": "2026-01-02T03:04:05Z",
            "after": None,
            "why": "",
        }
    ],
    "never": [],
    "possible": [],
    "fresh": [],
    "hidden": {"later": 1},
    "reasons": [],
    "waiting": 3,
    "looked_at_starts": 2,
    "looked_at": "2026-01-02T03:04:05Z",
}


def test_each_option_is_a_change(server: Any, podium: Any, make: Any, tmp_path: Path) -> None:
    server.on("POST", "/what-if", DIFFERENCE)
    spec = tmp_path / "train.yaml"
    spec.write_text("name: train\ncommand: 'true'\nsource: {path: .}\n")
    shown = podium(
        "what-if", "--quota", "project/vision:H100=8", "--limit", "organisation:all=none",
        "--per-user", "team/research:H100=none", "--ceiling", "project/vision:memory=512GiB",
        "--ceiling", "organisation:mig-slices=none",
        "--add", "2:n1", "--add", "1:n1:8xB200", "--drain", "n1", "--lose", "n2", "--cordon", "n3",
        "--book", "n1, n2=8h@vision", "--book", "n3=30m", "--cancel", make.ID,
        "--layout", "n1/0=3g.40gb@4, 1g.10gb", "--layout", "n2/10=none", "--move",
        "--priority", f"{make.ID}=80", "--submit", str(spec), "--project", "vision",
    )  # fmt: skip
    assert shown.code == 0, shown.err
    (asked,) = [each for each in server.asked if each.path == "/what-if"]
    assert asked.document["changes"] == [
        {"change": "quota", "level": "project", "name": "vision", "guarantees": {"H100": 8000}},
        {"change": "quota", "level": "organisation", "name": "", "limits": {"all": None}},
        {"change": "quota", "level": "team", "name": "research", "per_user": {"H100": None}},
        {
            "change": "quota",
            "level": "project",
            "name": "vision",
            "ceilings": {"memory_bytes": 512 * 2**30},
        },
        {"change": "quota", "level": "organisation", "name": "", "ceilings": {"mig_slices": None}},
        {"change": "add_nodes", "like": "n1", "count": 2},
        {"change": "add_nodes", "like": "n1", "count": 1, "gpus": 8, "gpu_type": "B200"},
        {"change": "drain", "node": "n1"},
        {"change": "lose", "node": "n2"},
        {"change": "cordon", "node": "n3"},
        {"change": "book", "nodes": ["n1", "n2"], "until_at": "8h", "project": "vision"},
        {"change": "book", "nodes": ["n3"], "until_at": "30m", "project": None},
        {
            "change": "layout",
            "node": "n1",
            "gpu": 0,
            "layout": "3g.40gb@4, 1g.10gb",
            "move": True,
        },
        {"change": "layout", "node": "n2", "gpu": 10, "layout": "none", "move": True},
        {"change": "cancel", "workload": make.ID},
        {"change": "priority", "workload": make.ID, "priority": 80},
        {
            "change": "submit",
            "workload": {
                "name": "train",
                "command": "true",
                "source": {"upload": "0" * 64},
                "project": "vision",
            },
        },
    ]
    lines = shown.out.splitlines()
    assert lines[0] == DIFFERENCE["sentence"]
    assert "train  vision   node n1 is drained" in lines
    assert any(line.startswith("sweep  vision   –       now") for line in lines)
    assert "1 workload of other projects." in lines


@pytest.mark.parametrize(
    "arguments",
    [
        ("--quota", "vision:H100=8"),
        ("--quota", "project/vision:H100=many"),
        ("--ceiling", "project/vision:gpus=4"),
        ("--ceiling", "project/vision:cpus=many"),
        ("--add", "n1"),
        ("--book", "n1"),
        ("--priority", "digits"),
        ("--layout", "n1=3g.40gb"),
        ("--drain", "n1", "--move"),
        (),
    ],
)
def test_what_cannot_be_read_is_not_sent(
    server: Any, podium: Any, arguments: tuple[str, ...]
) -> None:
    shown = podium("what-if", *arguments)
    assert shown.code in (1, 2)
    assert "error: " in shown.err
    assert not [each for each in server.asked if each.path == "/what-if"]
