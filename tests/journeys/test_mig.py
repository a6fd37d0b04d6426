"""MIG on a real server: work gets instances of its own, and GPUs are cut anew beside what runs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from journeys.serving import Server, until
from podium.client.client import Client
from podium.domain.errors import UserError
from podium.spec.views.node import DeviceView

SHOW = ["sh", "-c", "echo gpu=$CUDA_VISIBLE_DEVICES; exec sleep 600"]
SMALL = {"cpus": 0.01, "memory": "16MiB"}


@pytest.fixture(scope="module")
def mig_server(make_server: Callable[..., Server]) -> Server:
    return make_server("mig", options=("--virtual-gpus", "2xH100:mig,1xL4", "--node-name", "gpu-1"))


@pytest.fixture
def root(mig_server: Server) -> Client:
    return mig_server.client_kept


def devices(client: Client) -> list[DeviceView]:
    return client.nodes.get("gpu-1").devices


def visible(client: Client, key: str) -> str:
    def look() -> str:
        lines = "".join(client.workloads.logs(key)).splitlines()
        return next((line[4:] for line in lines if line.startswith("gpu=")), "")

    return until(look, "it says which GPU it sees")


def held(client: Client) -> dict[str, str]:
    """MIG device by the name of the work on it, as the node tells it."""
    return {
        each.holder.name: each.uuid
        for device in devices(client)
        for each in device.slices
        if each.holder is not None
    }


def test_instances_are_made_as_work_asks(mig_server: Server, root: Client) -> None:
    asked = {
        "one": {"mig": "1g.10gb"},
        "two": {"mig": "2g.20gb"},
        "three": {"mig": "3g.40gb"},
        "share": {"gpus": 0.1, "isolation": "mig"},
    }
    keys = {
        name: mig_server.submit(name, SHOW, resources={**SMALL, **wanted})
        for name, wanted in asked.items()
    }
    for key in keys.values():
        mig_server.reaches(key, "running")
    seen = {name: visible(root, key) for name, key in keys.items()}
    assert all(uuid.startswith("MIG-") for uuid in seen.values())
    assert len(set(seen.values())) == 4
    until(lambda: held(root) == seen, "the node tells who is in which instance")

    assert root.workloads.get(keys["share"]).resources.isolation == "mig"
    assert root.workloads.get(keys["share"]).resources.text.startswith("0.1 GPU by MIG")
    (replica,) = root.workloads.replicas(keys["two"])
    assert (replica.devices[0].mig_profile, replica.devices[0].gpu_milli) == ("2g.20gb", 250)

    # Others see that slices are held, and not by whom.
    ada = mig_server.client(mig_server.person("mig-ada", leads="red"), project="red")
    strange = [each for device in devices(ada) for each in device.slices]
    assert {(each.state, each.holder, each.allocation_id) for each in strange} == {
        ("held", None, None)
    }
    drawn = mig_server.command("nodes", "gpu-1").stdout
    assert "[2g.20gb admin/two]" in drawn
    assert "GPU 1 H100 MIG " in drawn

    # What is left is cut anew for many small ones, while the others go on.
    for name in ("one", "two", "share"):
        root.workloads.cancel(keys[name])
        mig_server.ended(keys[name])
    room = sum(
        each.count for device in devices(root) for each in device.room if each.profile == "1g.10gb"
    )
    assert room >= 10
    many = mig_server.submit(
        "many", SHOW, array=room, resources={**SMALL, "gpu_memory": "9GiB", "isolation": "mig"}
    )
    until(lambda: root.workloads.get(many).replicas.running == room, "all have an instance")
    assert root.workloads.get(keys["three"]).state == "running"
    assert root.workloads.get(keys["three"]).attempt == 1
    cut = [each for device in devices(root) for each in device.slices]
    assert [each.uuid for each in cut if each.profile == "3g.40gb"] == [seen["three"]]
    assert sum(each.profile == "1g.10gb" for each in cut) == room
    assert all(each.count == 0 for device in devices(root) for each in device.room)


def test_drift_and_failures_are_seen_and_work_goes_elsewhere(
    mig_server: Server, root: Client
) -> None:
    mig_server.end_work()
    trouble = mig_server.home / "virtual-gpus" / "trouble.json"

    def is_busy() -> bool:
        return "busy" in {each.state for each in devices(root)[0].slices}

    def is_taken() -> bool:
        """Somebody works on whatever stands idle, who did not get it from Podium."""
        pids = {each.uuid: [1] for each in devices(root)[0].slices if each.state == "idle"}
        if pids:
            trouble.write_text(json.dumps({"gpus": {"0": {"processes": pids}}}))
        return is_busy()

    until(is_taken, "the drift is seen")
    mig_server.kill()
    mig_server.start()
    until(is_busy, "a new server sees it too")
    whole = mig_server.submit("whole", SHOW, resources={**SMALL, "mig": "7g.80gb"})
    mig_server.reaches(whole, "running")
    assert [each.profile for each in devices(root)[1].slices] == ["7g.80gb"]
    root.workloads.cancel(whole)
    mig_server.ended(whole)

    # A GPU that refuses: the work is placed again until another one takes it.
    refusal = {"fails": {"create": "NVML_ERROR_NO_PERMISSION"}}
    trouble.write_text(json.dumps({"gpus": {"1": refusal, "0": {}}}))
    again = mig_server.submit("again", SHOW, resources={**SMALL, "mig": "4g.40gb"})
    mig_server.reaches(again, "running")
    assert held(root)["again"] == visible(root, again)
    trouble.write_text("{}")


def test_isolation_without_a_share_is_refused(root: Client) -> None:
    for resources, words in (
        ({"gpus": 1, "isolation": "mig"}, "whole GPUs are shared with nobody"),
        ({"mig": "1g.10gb", "isolation": "mig"}, "isolated by itself"),
        ({"isolation": "mps"}, "none is asked for"),
        ({"gpus": 0.5, "isolation": "mgi"}, "known are none, mps, mig"),
    ):
        with pytest.raises(UserError, match=words):
            root.workloads.validate({"name": "w", "command": "true", "resources": resources})
