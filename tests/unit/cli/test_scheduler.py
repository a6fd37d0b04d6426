"""What `podium scheduler` prints, and what `podium replay` says of a file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import podium.main  # noqa: F401 - adds `replay` to the commands
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan
from podium.scheduling.replay.record import packed, recorded
from podium.spec.views.base import Page
from podium.spec.views.queue import PlannedWorkloadView
from podium.spec.views.scheduler import (
    CalibrationGroupView,
    CalibrationView,
    CyclesKeptView,
    CyclesView,
    CycleView,
    GaveWayView,
    OutsideView,
    RefusedForView,
)
from unit.scheduling.cases import NOW_MS, demand, node, snapshot


def before(**ago: int) -> datetime:
    """By the clock of the moment: a run of all tests takes longer than a few minutes."""
    return datetime.now(UTC) - timedelta(**ago)


def cycle(number: int, **changes: Any) -> CycleView:
    plain = CycleView(
        id=number, at=before(minutes=number), took_ms=1234.5, read_ms=4.25,
        decide_ms=900, seed=0, version="0.1.0", digest="ab" * 32, nodes=2, waiting=1200,
        running=3, placed=1, preempted=0, refused=1200, told=2, reserved=0, stale=0, bytes=900,
        reasons=[RefusedForView(reason="capacity", count=1100),
                 RefusedForView(reason="quota", count=100)],
    )  # fmt: skip
    return plain.model_copy(update=changes)


def kept(**changes: Any) -> CyclesKeptView:
    plain = CyclesKeptView(
        cycles=2, bytes=2048, since=before(hours=2), cycles_max=50_000,
        bytes_max=2**28, hours=24, note="",
    )  # fmt: skip
    return plain.model_copy(update=changes)


def test_cycles_are_listed_with_how_much_is_kept(server: Any, podium: Any) -> None:
    found = CyclesView(items=[cycle(2), cycle(1, placed=0)], next_cursor=None, kept=kept())
    server.on("GET", "/scheduler/cycles", found)
    shown = podium("scheduler")
    assert shown.code == 0
    first = shown.out.split("\n")[1].split()
    assert first == ["2", "2", "min", "ago", "1.2", "s", "1", "–", "1,200", "capacity", "1,100,",
                     "quota", "100", "abababababab"]  # fmt: skip
    assert shown.err == (
        "2 cycles kept in 2 KiB of 256 MiB, the oldest from 2 h ago; none is kept longer than "
        "24 h.\n"
    )
    assert [each["id"] for each in podium("scheduler", "--json").document["items"]] == [2, 1]


def test_why_nothing_is_recorded_is_said(server: Any, podium: Any) -> None:
    note = "Nothing is recorded now: 500,000 waiting and running replicas are too many."
    empty = CyclesView(items=[], next_cursor=None, kept=kept(cycles=0, note=note))
    server.on("GET", "/scheduler/cycles", empty)
    shown = podium("scheduler")
    assert shown.out == ""
    assert shown.err.startswith(note)


def test_who_gave_way(server: Any, podium: Any) -> None:
    def named(name: str) -> PlannedWorkloadView:
        return PlannedWorkloadView(
            id=f"w-{name}", name=name, project="vision", team="research", owner="ada",
            replicas=1, resources="1 × GPU", groups=0,
        )  # fmt: skip

    gave = GaveWayView(
        id=1, at=before(minutes=3), workload=named("sweep"), in_favour_of=named("train"),
        booking=None, replicas=2, whole=False, justification="it borrows", lost_gpu_seconds=7200,
    )  # fmt: skip
    server.on("GET", "/scheduler/preemptions", Page[GaveWayView](items=[gave], next_cursor=None))
    row = podium("scheduler", "preemptions").out.split("\n")[1]
    assert re.split("  +", row) == [
        "3 min ago", "sweep", "vision", "train", "2 replicas", "2.0 GPU-h", "it borrows"
    ]  # fmt: skip


def test_how_good_the_told_starts_were(server: Any, podium: Any) -> None:
    view = CalibrationView(
        since=before(), started=20, inside=17, inside_first=10, overdue=0, median_error_ms=90_000,
        sooner=OutsideView(count=0, median_ms=0, worst_ms=0),
        later=OutsideView(count=3, median_ms=60_000, worst_ms=300_000),
        groups=[CalibrationGroupView(waited="1h", started=20, inside=17)],
    )  # fmt: skip
    server.on("GET", "/scheduler/calibration", view)
    assert podium("scheduler", "calibration").out == (
        "Of 20 workloads that had to wait, 17 (85 %) started when they were told.\n"
        "Sooner          none\n"
        "Later           3 (15 %), by 1 min at the median and 5 min at most\n"
        "First forecast  10 (50 %) inside its range\n"
        "Median error    1 min 30 s\n"
        "\n"
        "WAITED     STARTED  AS TOLD\n"
        "up to 1 h       20     85 %\n"
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    at = snapshot([node("n1", 1)], [demand("w1"), demand("w2")])
    record = recorded(at, NOW_MS, 0, "0.0.9", decide(at, NOW_MS, 0), whole=True)
    path = tmp_path / "cycle.podium"
    path.write_bytes(packed(record))
    wrong = replace(record, plan=Plan(), digest=Plan().digest())
    (tmp_path / "other.podium").write_bytes(packed(wrong))
    (tmp_path / "none.podium").write_bytes(b"PK")
    return path


def test_a_file_is_decided_again_without_a_server(file: Path, podium: Any) -> None:
    shown = podium("replay", str(file))
    assert shown.code == 0
    assert "the same plan." in shown.out
    assert "By Podium    0.0.9" in shown.out
    hidden = file.with_name("hidden.podium")
    assert podium("replay", str(file), "--anonymise", "-o", str(hidden)).code == 0
    assert json.loads(podium("replay", str(hidden), "--json").out)["same"] is True


def test_the_first_difference_is_told(file: Path, podium: Any) -> None:
    shown = podium("replay", str(file.with_name("other.podium")))
    assert shown.code == 1
    assert "First difference: placement 1: now there is Placement(workload_id='w1'" in shown.out


def test_what_is_no_record_is_said(file: Path, podium: Any) -> None:
    shown = podium("replay", str(file.with_name("none.podium")))
    assert shown.code == 1
    assert "not a record of a cycle" in shown.err
    missing = podium("replay", "nowhere.podium")
    assert "nowhere.podium cannot be read: No such file or directory." in missing.err
