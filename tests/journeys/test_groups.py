"""A gang of unlike groups on a real server: each rank runs its group's program with what the group
asks for, all of them start or none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from journeys.serving import Server, until
from podium.domain.errors import UserError

SMALL = {"cpus": 0.1, "memory": "64MiB"}
TELLS = 'echo "$PODIUM_GROUP $PODIUM_GROUP_RANK of $PODIUM_GROUP_SIZE rank $RANK/$WORLD_SIZE"\n'
GROUPS = [
    {
        "name": "learner",
        "resources": {"gpus": 2},
        "script": f"{TELLS}echo gpus $CUDA_VISIBLE_DEVICES $KIND $EXTRA\n",
        "env": {"EXTRA": "more"},
    },
    {"name": "actor", "replicas": 3, "resources": {"cpus": 0.2}},
]


@pytest.fixture(scope="module")
def grouping(make_server: Callable[..., Server]) -> Server:
    return make_server("grouping", options=("--virtual-gpus", "4"))


def submitted(server: Server, name: str) -> str:
    return server.submit(
        name, None, script=TELLS, resources=SMALL, groups=GROUPS, env={"KIND": "rl"}
    )


def test_each_group_runs_its_own_program(grouping: Server) -> None:
    gang = submitted(grouping, "rl")
    assert grouping.ended(gang).state == "succeeded"
    lines = grouping.command("logs", gang).stdout
    for told in (
        "learner 0 of 1 rank 0/4",
        "actor 0 of 3 rank 1/4",
        "actor 1 of 3 rank 2/4",
        "actor 2 of 3 rank 3/4",
    ):
        assert told in lines
    gpus = next(line for line in lines.splitlines() if "gpus " in line)
    assert gpus.endswith(" rl more")
    assert lines.count("gpus ") == 1
    view = grouping.client_kept.workloads.get(gang)
    assert [(each.name, each.replicas, each.first_rank) for each in view.groups] == [
        ("learner", 1, 0), ("actor", 3, 1),
    ]  # fmt: skip
    assert [(each.group, len(each.devices)) for each in view.replica_list] == [
        ("learner", 2), ("actor", 0), ("actor", 0), ("actor", 0),
    ]  # fmt: skip
    assert view.group_states["actor"].succeeded == view.group_states["actor"].total == 3
    assert view.gpu_milli == 2000
    shown = grouping.command("show", gang).stdout
    assert "Groups" in shown
    assert "1 to 3" in shown
    assert "2 × GPU · 0.1 CPU · 64 MiB" in shown
    again = grouping.told("clone", gang, "--set", "groups.1.replicas=2")["id"]
    assert grouping.ended(again).replicas.succeeded == 3


def test_no_room_for_one_group_is_no_room_for_any(grouping: Server) -> None:
    client = grouping.client_kept
    full = grouping.submit("full", ["sleep", "60"], resources={"gpus": 3, **SMALL})
    grouping.reaches(full, "running")
    gang = submitted(grouping, "rl-waits")

    def reason() -> str | None:
        waiting = client.workloads.get(gang).waiting
        return None if waiting is None else waiting.reason

    until(lambda: reason() == "capacity", "there is no room for its learner")
    counts = client.workloads.get(gang).replicas
    assert (counts.waiting, counts.total) == (4, 4), "the actors alone would have had room"
    client.workloads.cancel(full)
    assert grouping.ended(gang).state == "succeeded"


def test_faults_name_the_group(grouping: Server) -> None:
    with pytest.raises(UserError) as caught:
        grouping.submit("wrong", ["true"], groups=[GROUPS[0], {**GROUPS[1], "replicas": 0}])
    assert [fault.field for fault in caught.value.faults] == ["groups.1.replicas"]
