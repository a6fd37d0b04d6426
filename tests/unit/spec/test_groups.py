"""Gangs of unlike replicas in a spec: what groups take over from the workload, and which faults are
named."""

from __future__ import annotations

from typing import Any

import pytest

from podium.domain.errors import FieldFault, UserError
from podium.domain.resources import ReplicaCount
from podium.domain.workload import Recovery, Wish, asked_text, member_of, program_of
from podium.spec.workload import WorkloadSpec, check, json_schema, resolved

GIB = 2**30
LEARNER = {"name": "learner", "resources": {"gpus": 2}, "command": "python learner.py"}
ACTOR = {"name": "actor", "replicas": 8, "resources": {"cpus": 2}}
RL: dict[str, Any] = {
    "name": "rl",
    "resources": {"cpus": 1, "memory": "2GiB"},
    "command": "python worker.py",
    "env": {"A": 1, "B": 2},
    "groups": [LEARNER, ACTOR],
}


def wish_of(**fields: Any) -> Wish:
    return check({**RL, **fields}, now_ms=0, project="p")


def faults_of(**fields: Any) -> dict[str, FieldFault]:
    document = {key: value for key, value in {**RL, **fields}.items() if value is not None}
    with pytest.raises(UserError) as caught:
        check(document, now_ms=0, project="p")
    return {fault.field: fault for fault in caught.value.faults}


def test_groups_take_over_what_they_leave_out() -> None:
    wish = wish_of(groups=[LEARNER, {**ACTOR, "env": {"B": 3}}])
    learner, actor = wish.groups
    assert (learner.count, actor.count) == (1, 8)
    assert wish.replicas == ReplicaCount(9, 9)
    assert wish.request == learner.request, "the group with the most GPUs stands for the whole"
    assert (learner.request.gpu_milli, learner.request.cpu_milli) == (2000, 1000)
    assert (actor.request.gpu_milli, actor.request.cpu_milli) == (0, 2000)
    assert actor.request.memory_bytes == learner.request.memory_bytes == 2 * GIB
    assert [member_of(wish.groups, rank) is None for rank in (0, 8, 9)] == [False, False, True]
    first, last = member_of(wish.groups, 0), member_of(wish.groups, 8)
    assert first is not None
    assert last is not None
    assert (first.group.name, first.rank, last.group.name, last.rank) == ("learner", 0, "actor", 7)
    program = program_of(wish.program, last)
    assert program.command == ("python", "worker.py")
    assert dict(program.env) == {"A": "1", "B": "3"}
    assert program_of(wish.program, first).command == ("python", "learner.py")
    assert program_of(wish.program, None) is wish.program
    text = "1 × (2 × GPU · 1 CPU · 2 GiB) + 8 × (2 CPU · 2 GiB)"
    assert asked_text(wish.request, wish.groups) == text


def test_what_is_resolved_reads_back() -> None:
    other = {"name": "other", "script": "echo hello\n", "resources": {"mig": "1g.10gb"}}
    for wish in (
        wish_of(),
        wish_of(groups=[ACTOR, LEARNER, other], recovery="replace", topology={"within": "rack"}),
        wish_of(groups=[other], command=None, resources={"gpus": 1, "gpu_type": "H100"}),
    ):
        document = resolved(wish)
        assert check(document, now_ms=0) == wish
        assert not {"command", "script", "resources", "replicas"} & document.keys()
    assert wish_of(recovery="replace").recovery is Recovery.REPLACE


def test_ways_to_ask_for_gpus_take_the_place_of_each_other() -> None:
    common = {"gpus": 2, "gpu_memory": "24GB..", "gpu_type": "H100", "nodes": {"zone": "north"}}
    groups = [
        {"name": "same"},
        {"name": "one", "resources": {"gpus": 1, "gpu_type": "L4"}},
        {"name": "slice", "resources": {"mig": "1g.10gb"}},
        {"name": "larger", "resources": {"gpu_memory": "80GB"}},
    ]
    same, one, mig, larger = (
        each.request for each in wish_of(resources=common, groups=groups).groups
    )
    assert (same.gpu_milli, same.gpu_types) == (2000, ("H100",))
    assert (one.gpu_milli, one.gpu_types, one.gpu_memory) == (1000, ("L4",), same.gpu_memory)
    assert (mig.mig_profile, mig.gpu_milli, mig.gpu_memory) == ("1g.10gb", 0, None)
    assert mig.gpu_types == ("H100",)
    assert larger.gpu_milli == 2000
    assert larger.gpu_memory is not None
    assert larger.gpu_memory.minimum == 80 * 10**9
    assert all(each.node_labels == (("zone", "north"),) for each in (same, one, mig, larger))


def test_an_isolation_for_all_is_for_those_that_ask_for_shares() -> None:
    common = {"gpus": 0.5, "isolation": "mps"}
    groups = [
        {"name": "same"},
        {"name": "larger", "resources": {"gpu_memory": "20GiB", "isolation": "mig", "gpus": 0.2}},
        {"name": "whole", "resources": {"gpus": 1}},
        {"name": "named", "resources": {"mig": "1g.10gb"}},
    ]
    found = [each.request for each in wish_of(resources=common, groups=groups).groups]
    assert [each.isolation for each in found] == ["mps", "mig", "none", "none"]
    assert [bool(each.node_labels) for each in found] == [True, False, False, False]
    own = [{"name": "a", "resources": {"gpus": 1, "isolation": "mig"}}]
    assert list(faults_of(groups=own)) == ["groups.0.resources.isolation"]
    faults = faults_of(resources={"isolation": "mig"}, groups=[{"name": "a"}])
    assert list(faults) == ["resources.isolation"]


def test_a_type_for_all_is_for_those_that_ask_for_gpus() -> None:
    learner, actor = wish_of(resources={"gpu_type": "H100"}).groups
    assert learner.request.gpu_types == ("H100",)
    assert actor.request.gpu_types == ()
    faults = faults_of(resources={"gpu_type": "H100"}, groups=[ACTOR])
    assert list(faults) == ["resources.gpu_type"]


def test_the_first_of_equals_stands_for_the_whole() -> None:
    wish = wish_of(groups=[ACTOR, {"name": "a", "resources": {"gpus": 1}},
                           {"name": "b", "resources": {"gpus": 1, "cpus": 3}}])  # fmt: skip
    assert wish.request == wish.groups[1].request


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"replicas": 2}, {"groups": "replicas"}),
        ({"array": 2}, {"groups": "array"}),
        ({"groups": []}, {"groups": "empty"}),
        ({"groups": {"learner": 1}}, {"groups": "a map"}),
        ({"groups": [{"name": f"g-{n}"} for n in range(17)]}, {"groups": "17"}),
        ({"groups": [LEARNER, {**ACTOR, "replicas": 0}]}, {"groups.1.replicas": "is 0"}),
        ({"groups": [LEARNER, {**ACTOR, "replicas": {"min": 1, "max": 2}}]},
         {"groups.1.replicas": "a map"}),
        ({"groups": [LEARNER, {**ACTOR, "replicas": 10_000}]}, {"groups": "10001"}),
        ({"groups": [LEARNER, {**ACTOR, "name": "learner"}]}, {"groups.1.name": "'learner'"}),
        ({"groups": [{"name": "A b"}]}, {"groups.0.name": "lower-case"}),
        ({"groups": [{"replicas": 1}]}, {"groups.0.name": "missing"}),
        ({"groups": [LEARNER, 3]}, {"groups.1": "must be a map"}),
        ({"groups": [{**LEARNER, "gpus": 1}]}, {"groups.0.gpus": "not a field here"}),
        ({"groups": [{**LEARNER, "resources": {"gpu": 1}}]},
         {"groups.0.resources.gpu": "not a known field"}),
        ({"groups": [LEARNER, ACTOR], "command": None}, {"groups.1.command": "missing"}),
        ({"groups": [{**LEARNER, "script": "true"}]}, {"groups.0.script": "command"}),
        ({"secrets": ["KEY"], "groups": [{**LEARNER, "env": {"KEY": 1}}]},
         {"groups.0.env": "KEY"}),
        ({"groups": [{**LEARNER, "env": {"1A": 1}}]}, {"groups.0.env.1A": "variable"}),
        ({"groups": [{**LEARNER, "resources": {"gpus": 1.5}}]},
         {"groups.0.resources.gpus": "1.5"}),
        ({"groups": [{"name": "a", "resources": {"mig": "1g.10gb", "gpus": 1}}]},
         {"groups.0.resources.mig": "gpus"}),
        ({"resources": {"mig": "1g.10gb", "gpus": 1}}, {"resources.mig": "gpus"}),
        ({"groups": [LEARNER], "recovery": "replace"}, {"recovery": "one replica"}),
    ],
)  # fmt: skip
def test_faults_name_their_field(fields: dict[str, Any], expected: dict[str, str]) -> None:
    faults = faults_of(**fields)
    assert faults.keys() == expected.keys()
    for field, words in expected.items():
        assert words in faults[field].message
        assert faults[field].remedy


def test_the_words_for_a_misplaced_field_lead_into_the_same_group() -> None:
    faults = faults_of(groups=[LEARNER, {**ACTOR, "gpus": 1}])
    assert faults["groups.1.gpus"].remedy == "Did you mean 'groups.1.resources.gpus'?"


def test_the_schema_knows_them() -> None:
    schema: Any = json_schema()
    (groups, _) = schema["properties"]["groups"]["anyOf"]
    assert groups == {
        "type": "array",
        "items": {"$ref": "#/$defs/GroupSpec"},
        "minItems": 1,
        "maxItems": 16,
    }
    assert schema["$defs"]["GroupSpec"]["required"] == ["name"]
    spec = WorkloadSpec.model_validate(RL)
    assert (
        check(spec.model_dump(exclude_none=True, warnings=False), now_ms=0, project="p")
        == wish_of()
    )
