"""The reference policies against published figures, where PODIUM_TRACES names a folder with them:
`muri/trace1.csv`, `itp/clusters_2_3.csv`, and a `clean_physics_reference.json` beside each."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from podium.simulation.queueing.measures import measure
from podium.simulation.queueing.policies import Policy, run
from podium.simulation.queueing.reading import read_trace
from podium.simulation.queueing.trace import Machines, Runtimes, Trace

FOLDER = os.environ.get("PODIUM_TRACES", "")
NAMES = {
    Policy.FIFO: "fifo",
    Policy.FIFO_FIT: "fifo_fit",
    Policy.EASY_BACKFILL: "easy",
    Policy.SJF: "sjf",
    Policy.SRTF: "srtf",
    Policy.SRSF: "srsf",
}

pytestmark = pytest.mark.skipif(not FOLDER, reason="needs PODIUM_TRACES")


@pytest.mark.parametrize("policy", NAMES)
@pytest.mark.parametrize("name", ["trace1.csv", "c02.csv", "c03.csv"])
def test_published_figures_are_met(name: str, policy: Policy, tmp_path: Path) -> None:
    folder = Path(FOLDER) / ("muri" if name == "trace1.csv" else "itp")
    rows = json.loads((folder / "clean_physics_reference.json").read_text())["rows"]
    wanted = next(row for row in rows if row["trace"] == name and row["policy"] == NAMES[policy])
    machines = Machines(wanted["nodes8gpu"], 8)
    trace = _trace(folder, name, tmp_path)
    made = measure(
        trace, machines, run(policy, trace, machines, Runtimes.EXACT, 0, lambda done: None)
    )
    assert made.jobs == wanted["jobs"]
    assert made.preemptions == wanted["preempts"]
    assert made.completion_s.mean == pytest.approx(wanted["avg_jct"], rel=1e-4)
    assert made.completion_s.median == pytest.approx(wanted["p50_jct"], rel=1e-4)
    assert made.completion_s.p99 == pytest.approx(wanted["p99_jct"], rel=1e-4)
    assert made.makespan_s == pytest.approx(wanted["makespan"], rel=1e-4)
    assert made.wait_s.mean == pytest.approx(wanted["avg_first_wait"], rel=1e-4)
    assert made.bounded_slowdown == pytest.approx(wanted["avg_bsld"], abs=0.006)


def _trace(folder: Path, name: str, tmp_path: Path) -> Trace:
    if name == "trace1.csv":
        return read_trace(folder / name)
    with (folder / "clusters_2_3.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    at = head.index("cluster")
    with (tmp_path / name).open("w", newline="") as file:
        csv.writer(file).writerows([head, *(row for row in rows if f"c0{row[at]}.csv" == name)])
    return read_trace(tmp_path / name)
