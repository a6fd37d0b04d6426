"""How often expected starts hold, on small traces; and `podium simulate --eta`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podium.cli.app import execute
from podium.main import app
from podium.scheduling.forecast.eta import Eta
from podium.simulation.queueing.forecasts import Foretold, calibration, foretell
from podium.simulation.queueing.trace import Machines, Runtimes, Trace, TraceJob

MACHINES = Machines(2, 4)


def mixture(count: int) -> Trace:
    """Jobs of a few sizes whose runtimes differ twentyfold, somewhat faster than they are done."""
    jobs, number = [], 1
    for at in range(count):
        number = number * 48271 % (2**31 - 1)
        duration_ms = 60_000 * 2 ** (number % 9) // 2
        jobs.append(
            TraceJob(
                job_id=f"j{at}",
                submitted_ms=at * 900_000,
                duration_ms=duration_ms + number % 60_000,
                gpus=(1, 2, 2, 4, 8)[number // 9 % 5],
                row=at + 2,
            )
        )
    return Trace("mixture.csv", tuple(jobs))


@pytest.mark.parametrize("runtimes", [Runtimes.UNKNOWN, Runtimes.EXACT])
def test_most_starts_fall_into_the_range(runtimes: Runtimes) -> None:
    trace = mixture(250)
    found = foretell(trace, MACHINES, trace.estimates_ms(runtimes), 0, lambda _: None)
    measured = calibration(found)
    assert measured.waited > 50
    assert measured.forecast == measured.waited, "everything here ends"
    assert measured.inside is not None
    assert measured.inside > 0.7
    assert measured.width is not None
    assert measured.width < 12


def test_shares_are_of_those_with_a_forecast() -> None:
    eta = Eta(10_000, 20_000, 30_000)
    found = calibration(
        [
            Foretold(0, eta, 9_999),
            Foretold(0, eta, 10_000),
            Foretold(0, eta, 30_000),
            Foretold(0, eta, 30_001),
            Foretold(0, None, 5),
        ]
    )
    assert (found.waited, found.forecast) == (5, 4)
    assert (found.inside, found.before, found.after) == (0.5, 0.25, 0.25)
    assert found.median_width_s == 20
    assert calibration([]).inside is None


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "jobs.csv"
    rows = "".join(f"{at},{100 + at},4\n" for at in range(6))
    path.write_text("submit_s,duration_s,num_gpu\n" + rows)
    words = ["simulate", "--jobs", str(path), "--nodes", "1", "--gpus-per-node", "4", "--eta"]
    assert execute(app, [*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["eta"]["waited"] == 5
    assert document["eta"]["inside"] is not None
    assert execute(app, words) == 0
    assert "5 jobs had to wait" in capsys.readouterr().out
    assert execute(app, [*words, "--policy", "fifo"]) == 1
    assert "--eta" in capsys.readouterr().err
