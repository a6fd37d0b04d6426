"""A budget from its setting until it has stopped work, and until it lets it go on."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from journeys.serving import Server, until
from podium.domain.errors import ForbiddenError, NotFoundError


def test_a_budget_acts(make_server: Callable[..., Server]) -> None:
    server = make_server("budgeted", options=("--virtual-gpus", "2"))
    said = server.command(
        "budget", "set", "tiny", "--project", "default", "--gpu-hours", "0.001", "--then", "stop"
    ).stdout
    assert said.startswith("Budget tiny gives project default 0.001 GPU-hours a month; 0 % is")
    client = server.client_kept
    spec = {
        "name": "burn",
        "command": ["sleep", "300"],
        "preemptible": True,
        "resources": {"gpus": 1, "cpus": 0.1},
    }
    (foretold,) = client.workloads.dry_run_many([spec])
    (outlook,) = foretold.budgets
    assert (outlook.name, outlook.percent, outlook.blocks) == ("tiny", 0, False)
    assert outlook.runs_out_at is not None
    made = client.workloads.submit(spec)
    until(lambda: client.budgets.get("tiny").state == "spent", "four seconds of a GPU")

    def held_back() -> str | None:
        waiting = client.workloads.get(made.id).waiting
        return waiting.message if waiting is not None and waiting.reason == "budget" else None

    message = until(held_back, "it was stopped, and waits for the budget")
    assert message.startswith("The budget tiny of project default is spent until ")
    shown = json.loads(server.command("budget", "show", "tiny", "--json").stdout)
    assert shown["percent"] >= 100
    assert shown["runs_out_at"] < shown["until"]
    assert "spent" in server.command("budget", "ls").stdout
    (foretold,) = client.workloads.dry_run_many([spec])
    assert (foretold.verdict, foretold.budgets[0].blocks) == ("waits", True)
    assert "budget tiny" in server.command("explain", made.id).stdout
    notices = server.told("notices")["items"]
    assert {each["budget"] for each in notices} == {None, "tiny"}

    # Who is limited by it sees it and does not raise it; strangers hear nothing of it.
    lead = server.client(server.person("budget-lead", leads="own"), project="own")
    with pytest.raises(NotFoundError):
        lead.budgets.get("tiny")
    with pytest.raises(ForbiddenError):
        lead.budgets.set("mine", "project", "own", gpu_hours=5)
    assert not list(lead.budgets.list())

    wrong = server.command("budget", "set", "x", "--gpu-hours", "1", "--team", "no", code=None)
    assert wrong.returncode
    assert "target: There is no team no." in wrong.stderr
    server.command("budget", "delete", "tiny")
    until(lambda: client.workloads.get(made.id).state == "running", "it goes on")
    client.workloads.cancel(made.id)
