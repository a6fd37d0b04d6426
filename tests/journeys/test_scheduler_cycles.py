"""Cycles of a real server's scheduler: recorded, looked at, decided again, and taken away."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from journeys.serving import Server, until
from podium.client.client import Client
from podium.domain.errors import ForbiddenError, NotFoundError
from podium.scheduling.replay.record import replayed, unpacked
from podium.spec.views.quota import QuotaAmounts
from podium.spec.views.scheduler import CycleView


@pytest.fixture(scope="module")
def recording(make_server: Callable[..., Server]) -> Server:
    return make_server("cycles", options=("--virtual-gpus", "2", "--node-name", "box-7"))


@pytest.fixture
def root(recording: Server) -> Iterator[Client]:
    with recording.client() as client:
        yield client


def work(name: str, gpus: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "command": ["sleep", "300"], "resources": {"gpus": gpus, "cpus": 0.1}, **more
    }  # fmt: skip


def cycles_of(client: Client, enough: Callable[[list[CycleView]], bool]) -> list[CycleView]:
    def look() -> list[CycleView] | None:
        found = list(client.scheduler.cycles())
        return found if enough(found) else None

    found = until(look, "cycles are recorded")
    assert found is not None
    return found


def test_a_cycle_is_kept_shown_and_decided_again(
    recording: Server, root: Client, tmp_path: Path
) -> None:
    ada = recording.client(recording.person("cycle-ada", leads="red"), project="red")
    first = ada.workloads.submit(work("sarahs-model")).id
    until(lambda: ada.workloads.get(first).state == "running", "the first runs")
    second = ada.workloads.submit(work("sarahs-other")).id
    found = cycles_of(
        root, lambda all_: any(c.placed for c in all_) and any(c.refused for c in all_)
    )
    placing = next(each for each in found if each.placed)
    refusing = next(each for each in found if each.refused)
    assert [each.reason for each in refusing.reasons] == ["capacity"]
    detail = root.scheduler.cycle(placing.id)
    assert [(each.workload, each.node) for each in detail.placements] == [(first, "box-7")]

    # On the server, here, and from a file without any server.
    for each in found:
        again = root.scheduler.replay(each.id)
        assert again.same, again.difference
        assert again.digest == each.digest
    record = unpacked(root.scheduler.record(refusing.id))
    assert [demand.workload_id for demand in record.snapshot.demands] == [second]
    assert replayed(record).digest == refusing.digest
    file = tmp_path / "cycle.podium"
    told = recording.command("replay", str(refusing.id), "--output", str(file))
    assert "the same plan" in told.stdout
    assert "with all names" in told.stderr
    offline = recording.command("replay", str(file), "--json")
    assert json.loads(offline.stdout)["same"] is True

    # Without names.
    recording.command("replay", str(placing.id), "--anonymise", "--output", str(file))
    hidden = unpacked(file.read_bytes())
    for name in ("sarah", "cycle-ada", "red", "box-7", first):
        assert f"'{name}" not in repr(hidden)
    assert replayed(hidden).same

    # Who looks on hears nothing.
    for ask in (
        lambda: list(ada.scheduler.cycles()), lambda: ada.scheduler.cycle(placing.id),
        lambda: ada.scheduler.record(placing.id), lambda: ada.scheduler.replay(placing.id),
        ada.scheduler.minutes, lambda: list(ada.scheduler.preemptions()), ada.scheduler.calibration,
    ):  # fmt: skip
        with pytest.raises(ForbiddenError):
            ask()
    with pytest.raises(NotFoundError):
        root.scheduler.replay(10**9)
    with sqlite3.connect(recording.home / "podium.db") as store:
        rows = store.execute(
            "SELECT actor, subject, detail, outcome FROM audit"
            " WHERE action = 'cycle:export' ORDER BY seq"
        ).fetchall()
    assert rows[0] == ("admin", str(refusing.id), '{"anonymise": false}', "allowed")
    assert '{"anonymise": true}' in [row[2] for row in rows]
    assert [(row[0], row[3]) for row in rows if row[0] != "admin"] == [("cycle-ada", "refused")]

    # As people read it.
    shown = recording.command("scheduler", "show", str(placing.id)).stdout
    assert f"{first}     0  box-7" in shown
    assert "capacity 1" in recording.command("scheduler").stdout
    until(lambda: ada.workloads.get(second).eta, "it is told when it starts")
    ada.workloads.cancel(first)
    until(lambda: ada.workloads.get(second).state == "running", "the second has its place")
    calibrated = until(lambda: root.scheduler.calibration().started, "it was told when")
    assert calibrated == 1
    assert "1 workload that had to wait" in recording.command("scheduler", "calibration").stdout


def test_a_killed_server_loses_the_last_cycles_at_most(recording: Server, root: Client) -> None:
    before = cycles_of(root, lambda all_: len(all_) > 3)
    for number in range(6):
        root.workloads.submit(work(f"late-{number}", project="red"))
    recording.kill()
    recording.start()
    with recording.client() as client:
        found = cycles_of(client, lambda all_: all_[0].id > before[0].id)
        assert {each.id for each in before} <= {each.id for each in found}
        for each in found:
            assert client.scheduler.replay(each.id).same
        assert "kept in" in recording.command("scheduler", "--limit", "2").stderr


def test_minutes_and_who_gave_way(recording: Server) -> None:
    with recording.client() as client:
        client.projects.create("blue", team="blue")
        client.quotas.set("team", "blue", gpus={"all": QuotaAmounts(guarantee_milli=2000)})
        recording.command("policy", "set", "scheduling", "--minimum-runtime", "0s")
        client.workloads.submit(work("right", project="blue"))
        (gave,) = until(lambda: list(client.scheduler.preemptions()), "who runs gives way")
        assert gave.in_favour_of is not None
        assert (gave.in_favour_of.name, gave.whole) == ("right", True)
        assert "right" in recording.command("scheduler", "preemptions").stdout
        minutes = until(
            lambda: client.scheduler.minutes().items, "a minute is over", limit_seconds=90
        )
        assert sum(each.cycles for each in minutes) > 0
        assert minutes[0].p99_ms >= minutes[0].median_ms > 0
