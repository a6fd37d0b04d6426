"""MIG layouts on a real server: pinned beside work that goes on, through a kill, and unpinned."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from journeys.serving import Server, until
from podium.domain.errors import ForbiddenError, UserError

SHOW = ["sh", "-c", "exec sleep 600"]
SMALL = {"cpus": 0.01, "memory": "16MiB"}


@pytest.fixture(scope="module")
def layout_server(make_server: Callable[..., Server]) -> Server:
    options = ("--virtual-gpus", "1xH100:mig,1xL4", "--node-name", "gpu-1")
    return make_server("layouts", options=options)


def test_a_layout_is_pinned_while_a_job_goes_on(layout_server: Server) -> None:
    server, client = layout_server, layout_server.client()
    job = server.submit("job", SHOW, resources={**SMALL, "mig": "2g.20gb"})
    server.reaches(job, "running")
    (inside,) = client.mig.show("gpu-1", 0).gpu.slices
    other = "3g.40gb@4,4x1g.10gb" if inside.start < 4 else "4g.40gb@0,1g.10gb@4"

    with pytest.raises(UserError, match="nearest that can be"):
        client.mig.plan("gpu-1", 0, "8x1g.10gb")
    plan = client.mig.plan("gpu-1", 0, other)
    waits = [each for each in plan.steps if each.act == "wait"]
    assert [each.holder.name for each in waits if each.holder] == ["job"]
    assert waits[0].stays == "it may not be stopped for others" or "saved" in waits[0].stays
    assert client.mig.show("gpu-1", 0).wanted is None, "a plan does nothing"

    ada = server.client(server.person("layouts-ada", leads="red"), project="red")
    with pytest.raises(ForbiddenError):
        ada.mig.pin("gpu-1", 0, other)
    assert ada.mig.plan("gpu-1", 0, other).steps[-1].act == "make"
    assert not any(each.holder for each in ada.mig.plan("gpu-1", 0, other).steps)

    client.mig.pin("gpu-1", 0, other)
    server.kill()  # in the middle of it, or soon after
    server.start()
    until(lambda: "Wait for the work in 2g.20gb" in _message(server), "what can be made is made")
    assert client.workloads.get(job).state == "running"
    assert client.workloads.get(job).attempt == 1
    seen = client.mig.show("gpu-1", 0)
    assert inside.uuid in {each.uuid for each in seen.gpu.slices}
    assert [each.act for each in seen.steps][:2] == ["wait", "end"]
    assert "becomes:" in server.command("mig", "show", "gpu-1").stdout

    client.workloads.cancel(job)
    server.ended(job)
    until(lambda: _wanted(server)["stands"], "the rest is made once it has ended")
    shown = client.mig.show("gpu-1", 0)
    assert shown.layout == plan.layout
    assert shown.gpu.pinned
    assert shown.steps == []

    # Somebody uses nvidia-smi: it is seen, and repaired.
    state = json.loads((server.home / "virtual-gpus" / "state.json").read_text())
    gone = state["gpus"][0]["cuts"].pop()
    server.kill()
    (server.home / "virtual-gpus" / "state.json").write_text(json.dumps(state))
    server.start()
    until(lambda: client.mig.show("gpu-1", 0).gpu.drift_at, "the drift is seen")
    until(lambda: client.mig.show("gpu-1", 0).layout == plan.layout, "it is repaired")
    assert f"at slice {gone['start']} vanished" in server.command("mig", "show").stdout
    assert "changed outside of Podium at" in server.command("mig", "show").stdout

    told = server.told("mig", "unpin", "gpu-1", "0")
    assert told["wanted"] is None
    refused = server.command("mig", "mode", "gpu-1", "1", "on", code=None)
    assert refused.returncode != 0
    assert "has no MIG" in refused.stderr
    assert "MIG is off" in server.command("mig", "mode", "gpu-1", "0", "off").stdout
    assert server.told("mig", "pack")["moves"] == []


def _wanted(server: Server) -> dict[str, object]:
    found = server.client_kept.mig.show("gpu-1", 0).wanted
    return {} if found is None else found.model_dump()


def _message(server: Server) -> str:
    return str(_wanted(server).get("message", ""))
