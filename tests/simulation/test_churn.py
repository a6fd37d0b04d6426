"""The shape `mig-churn`: sound in every policy, the same in every process, and worth its price."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from podium.cli.app import execute
from podium.main import app
from podium.simulation.speed.churn import (
    GOAL_OF_BEST_FIT,
    GOAL_OF_FIRST_FIT,
    POLICIES,
    churned,
    churned_often,
    drawn,
    made_gpus,
)

SMALL = 0.1
CROWDED = 900

_DIGESTS = f"""
import json
from podium.simulation.speed.churn import POLICIES, churned
print(json.dumps([churned(name, scale={SMALL}, at_once={CROWDED}).digest for name in POLICIES]))
"""


def test_any_process_places_alike() -> None:
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
    assert len(set(told[0])) == len(POLICIES)


def test_podium_refuses_less_than_half_of_first_fit() -> None:
    """On the fixed seed of the shape, at its full size; `churned` checks each placement."""
    refused = {policy: churned(policy).refusals for policy in POLICIES}
    assert refused["podium"] <= refused["first-fit"] * GOAL_OF_FIRST_FIT
    assert refused["podium"] <= refused["best-fit"] * GOAL_OF_BEST_FIT


@pytest.mark.parametrize("policy", POLICIES)
def test_a_crowded_cluster_refuses_some(policy: str) -> None:
    found = churned_often(policy, repeat=2, scale=SMALL)
    assert found.policy == policy
    assert found.decisions_per_second > 0
    crowded = churned(policy, scale=SMALL, at_once=CROWDED * 2)
    assert 0 < crowded.refusals < crowded.requests
    assert crowded.slices_used_at_first_refusal is not None
    assert 0.5 < crowded.slices_used_at_first_refusal <= 1


def test_the_shape_is_what_it_says() -> None:
    gpus = made_gpus(1)
    assert len(gpus) == 200
    assert len({gpu.board.name for gpu in gpus}) == 5
    asked = drawn(1, 620, 2000)
    moments = [one.at_hours for one in asked]
    assert moments == sorted(moments)
    assert sum(at == 0 for at in moments) == 620
    assert drawn(1, 620, 2000) == asked


def test_the_command_prints_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["bench", "scheduler", "--shape", "mig-churn", "--scale", str(SMALL), "--repeat", "1"]
    assert execute(app, [*line, "--policy", "best-fit", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["policy"] == "best-fit"
    assert {"decisions_per_second", "refusals", "slices_used_at_first_refusal"} <= told.keys()
    assert execute(app, line) == 0
    assert "mig-churn" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--shape", "mig-churn", "--policy", "worst"], "there is no policy 'worst'"),
        (["--shape", "refuse", "--policy", "best-fit"], "only mig-churn has other policies"),
    ],
)
def test_a_policy_that_is_not_there_is_refused(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(app, ["bench", "scheduler", *words]) == 1
    assert says in capsys.readouterr().err
