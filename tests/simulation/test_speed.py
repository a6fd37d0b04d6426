"""The shapes on which the scheduler is timed: small ones of each give sound plans, the same ones
in every process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from podium.cli.app import execute
from podium.main import app
from podium.scheduling.decide import decide
from podium.scheduling.order.queue import queue_order
from podium.scheduling.plan import Placement
from podium.scheduling.snapshot import Snapshot
from podium.scheduling.verify import verify
from podium.simulation.speed import churn
from podium.simulation.speed.measurement import changed, measured, quantile
from podium.simulation.speed.mixture import NOW_MS, mixed
from podium.simulation.speed.shapes import GPUS, SHAPES

SMALL = 0.02

_DIGESTS = f"""
import json
from podium.simulation.speed.measurement import measured
from podium.simulation.speed.shapes import SHAPES
print(json.dumps([measured(name, repeat=2, scale={SMALL}).plan_digest for name in SHAPES]))
"""


@pytest.mark.parametrize("name", SHAPES)
def test_a_small_shape_is_measured(name: str) -> None:
    """`measured` itself says so in `lacks` when `verify` rejects anything of a plan."""
    found = measured(name, repeat=2, scale=SMALL)
    assert found.repeat == 2
    assert found.cycle_ms.median <= found.cycle_ms.p99 <= found.cycle_ms.total
    assert found.memory_mb >= 0
    assert found.met is None
    assert len(found.plan_digest) == 64
    if name == "fill-5000":  # too small for most of its gangs
        assert found.lacks.endswith("of the GPUs are given")
    else:
        assert found.lacks == ""


def test_any_process_makes_the_same_plans() -> None:
    told = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", _DIGESTS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(json.loads(done.stdout))
    assert told[0] == told[1]
    assert len(set(told[0])) == len(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_sound_snapshots(name: str) -> None:
    snapshot = SHAPES[name].build(SMALL)
    assert [node.name for node in snapshot.nodes] == sorted(node.name for node in snapshot.nodes)
    assert snapshot.demands == queue_order(snapshot.demands)
    taken = [share.device_id for hold in snapshot.holds for share in hold.devices]
    assert len(taken) == len(set(taken))
    assert verify(snapshot, decide(snapshot, NOW_MS, 0)).rejected == ()
    assert SHAPES[name].build(SMALL) == snapshot


def test_the_full_sizes_are_those_of_their_names() -> None:
    fill = SHAPES["fill-500"].build(1)
    assert (len(fill.nodes), len(fill.demands)) == (500, 4000)
    gang = SHAPES["gang-512"].build(1)
    (demand,) = gang.demands
    assert (len(gang.nodes), demand.minimum, demand.request.whole_gpus) == (512, 512, 2)
    assert len({node.block for node in gang.nodes}) == 32
    assert len({(node.block, node.rack) for node in gang.nodes}) == 256
    assert len({dict(node.labels)["zone"] for node in gang.nodes}) == 4
    refuse = SHAPES["refuse"].build(1)
    free = 500 * GPUS - sum(len(hold.devices) for hold in refuse.holds)
    (demand,) = refuse.demands
    assert free == demand.minimum * demand.request.whole_gpus - 1
    reclaim = SHAPES["reclaim-4000"].build(1)
    assert len(reclaim.holds) == len(reclaim.demands) == 4000


def test_mixed_work_asks_for_about_one_gpu_a_job() -> None:
    wanted = mixed(40_000, 7)
    assert len(wanted) == 40_000
    milli = sum(one.request.gpu_milli * one.replicas for one in wanted)
    assert 0.97 <= milli / 40_000_000 <= 1.0
    gangs = {one.request.whole_gpus * one.replicas for one in wanted if one.topology.prefer}
    assert gangs == {8, 16, 32, 64, 128, 256}
    assert {one.request.gpu_milli for one in wanted} >= {100, 500, 1000, 2000, 4000, 8000}


def test_a_change_is_one_end_and_the_starts_of_the_last_plan() -> None:
    before = SHAPES["fill-500"].build(SMALL)
    plan = decide(before, NOW_MS, 0)
    filled = changed(before, "", plan.placements)
    assert filled.demands == ()
    assert len(filled.holds) == len(before.demands)
    after = changed(filled, filled.holds[3].allocation_id, ())
    assert after.holds == (*filled.holds[:3], *filled.holds[4:])


def test_what_changed_makes_the_same_plan_as_all_anew() -> None:
    last = SHAPES["deep-queue"].build(SMALL)
    placements: tuple[Placement, ...] = decide(last, NOW_MS, 0).placements
    for number, hold in enumerate(last.holds[:40:8], start=1):
        last = changed(last, hold.allocation_id, placements)
        anew = Snapshot(
            nodes=last.nodes, holds=last.holds, demands=last.demands, shares=last.shares
        )
        plan = decide(last, NOW_MS + number, 0)
        assert plan.digest() == decide(anew, NOW_MS + number, 0).digest()
        placements = plan.placements
    assert len({hold.allocation_id for hold in last.holds}) == len(last.holds)


def test_a_gang_that_started_in_part_waits_for_the_rest() -> None:
    before = SHAPES["gang-512"].build(SMALL)
    plan = decide(before, NOW_MS, 0)
    after = changed(before, "", plan.placements[:3])
    (demand,) = after.demands
    started = {placement.rank for placement in plan.placements[:3]}
    assert set(demand.pending_ranks) == set(before.demands[0].pending_ranks) - started
    assert demand.minimum == before.demands[0].minimum - 3


def test_a_goal_is_for_the_full_size() -> None:
    assert measured("refuse", repeat=1).met is not None


def test_quantiles() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert quantile([1.0], 0.5) == 1.0


def test_the_command_prints_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "scheduler", "--shape", "refuse", "--repeat", "2", "--json"]
    assert execute(app, [*words, "--scale", str(SMALL)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) >= {"placements_per_second", "cycle_ms", "memory_mb", "plan_digest"}
    assert set(document["cycle_ms"]) == {"median", "p99", "total"}
    assert document["plan_digest"] == measured("refuse", repeat=1, scale=SMALL).plan_digest


def test_the_command_prints_a_table_of_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(app, ["bench", "scheduler", "--repeat", "1", "--scale", "0.005"]) == 0
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == [
        *("SHAPE", *SHAPES),
        *("SHAPE", churn.SHAPE),
    ]
    assert all(f"{name}…" in shown.err for name in (*SHAPES, churn.SHAPE))


def test_a_shape_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(app, ["bench", "scheduler", "--shape", "fill-50"]) == 1
    told = capsys.readouterr().err
    assert "--shape: there is no shape 'fill-50'." in told
    assert "reclaim-4000" in told
