"""A spec becomes the wish it states, or is refused with every fault and what would be right."""

from __future__ import annotations

from typing import Any

import pytest

from podium.domain.errors import FieldFault, UserError
from podium.domain.policy import KIND_POLICIES
from podium.domain.quantity import Range
from podium.domain.resources import Isolation, ReplicaCount, Request, TopologyLevel
from podium.domain.secret import SecretUse
from podium.domain.workload import GitSource, Kind, Recovery, UploadSource, Volume, Wish
from podium.spec.workload import (
    WorkloadSpec,
    check,
    json_schema,
    load_documents,
    request_text,
    resolved,
)

NOW_MS = 1_760_000_000_000
GIB = 2**30


def wish_of(**fields: Any) -> Wish:
    return check({"name": "job", "command": "true", **fields}, now_ms=NOW_MS, project="vision")


def faults_of(**fields: Any) -> dict[str, FieldFault]:
    document = {"name": "job", "command": "true", **fields}
    with pytest.raises(UserError) as caught:
        check(document, now_ms=NOW_MS, project="vision")
    return {fault.field: fault for fault in caught.value.faults}


def request_of(**resources: Any) -> Request:
    return wish_of(resources=resources).request


def test_a_spec_as_a_person_writes_it() -> None:
    (document,) = load_documents(
        b"""
        kind: training
        name: resnet-50
        project: research
        script: |
          pip install -r requirements.txt
          python train.py
        source: {git: 'git@git.example.com:team/train.git', ref: 1.10}
        resources:
          gpus: 2
          gpu_type: [H100, H200]
          gpu_memory: 24GB..
          cpus: 4..8
          memory: 64GiB
          nodes: {zone: north}
        replicas: {min: 2, max: 4}
        topology: {within: rack, prefer: nvlink}
        priority: high
        max_runtime: 1h30m
        deadline: 12h
        retries: 2
        grace: 1m
        env: {VERSION: 2.10, FAST: true, COUNT: 3}
        secrets:
        - HF_TOKEN
        - {name: SSH_KEY, as: file}
        - {name: GCP, as: file, env: GOOGLE_APPLICATION_CREDENTIALS}
        - {name: KEY, env: API_KEY}
        volumes: {data: /srv/data}
        depends_on: [prepare]
        labels: {run: 42}
        """
    )
    wish = check(document, now_ms=NOW_MS)
    assert (wish.name, wish.project, wish.kind) == ("resnet-50", "research", Kind.TRAINING)
    assert wish.program.script.splitlines()[1] == "python train.py"
    assert wish.program.source == GitSource("git@git.example.com:team/train.git", "1.10")
    assert wish.program.env == (("COUNT", "3"), ("FAST", "true"), ("VERSION", "2.10"))
    assert wish.program.secrets == (
        SecretUse("HF_TOKEN", "HF_TOKEN"),
        SecretUse("SSH_KEY", "SSH_KEY_FILE", as_file=True),
        SecretUse("GCP", "GOOGLE_APPLICATION_CREDENTIALS", as_file=True),
        SecretUse("KEY", "API_KEY"),
    )
    assert wish.program.volumes == (Volume("data", "/srv/data"),)
    assert wish.request == Request(
        cpu_milli=4000,
        memory_bytes=64 * GIB,
        gpu_milli=2000,
        gpu_types=("H100", "H200"),
        gpu_memory=Range.at_least(24 * 10**9),
        node_labels=(("zone", "north"),),
    )
    assert wish.replicas == ReplicaCount(2, 4, resize=True)
    assert wish.topology.within is TopologyLevel.RACK
    assert wish.topology.prefer is TopologyLevel.NVLINK
    assert (wish.priority, wish.retries, wish.grace_seconds) == (75, 2, 60)
    assert wish.max_runtime_seconds == 5400
    assert wish.deadline_ms == NOW_MS + 12 * 3600 * 1000
    assert wish.depends_on == ("prepare",)
    assert wish.labels == (("run", "42"),)
    assert check(resolved(wish), now_ms=NOW_MS) == wish


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_gives_its_defaults(kind: Kind) -> None:
    wish, policy = wish_of(kind=kind.value), KIND_POLICIES[kind]
    assert wish.priority == policy.priority
    assert wish.grace_seconds == policy.grace_seconds
    assert wish.request == Request(cpu_milli=policy.cpu_milli, memory_bytes=policy.memory_bytes)
    assert wish.replicas == ReplicaCount(1, 1)


def test_a_spec_without_a_kind_is_batch_work() -> None:
    assert wish_of().kind is Kind.BATCH


def test_null_is_as_good_as_left_out() -> None:
    optional = dict.fromkeys(set(WorkloadSpec.model_fields) - {"name", "command"})
    assert wish_of(**optional) == wish_of()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python train.py  --lr 0.1", ("python", "train.py", "--lr", "0.1")),
        ("sh -c 'echo \"two words\"'", ("sh", "-c", 'echo "two words"')),
        ("a\\ b c#d", ("a b", "c#d")),
        (
            ["python", "train.py", "--epochs", 10, True],
            ("python", "train.py", "--epochs", "10", "true"),
        ),
        (["echo", ""], ("echo", "")),
    ],
)
def test_commands(command: object, words: tuple[str, ...]) -> None:
    assert wish_of(command=command).program.command == words


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({"gpus": 2}, {"gpu_milli": 2000}),
        ({"gpus": "0.50"}, {"gpu_milli": 500}),
        ({"gpus": 0.5, "gpu_type": "H100"}, {"gpu_milli": 500, "gpu_types": ("H100",)}),
        (
            {"gpus": 1, "gpu_memory": "20GiB"},
            {"gpu_milli": 1000, "gpu_memory": Range(20 * GIB, None)},
        ),
        (
            {"gpus": 1, "gpu_memory": "24GB..80GB"},
            {"gpu_milli": 1000, "gpu_memory": Range(24 * 10**9, 80 * 10**9)},
        ),
        (
            {"gpus": 1, "gpu_memory": "..80GB"},
            {"gpu_milli": 1000, "gpu_memory": Range(0, 80 * 10**9)},
        ),
        ({"gpu_memory": "20GiB"}, {"gpu_share_bytes": 20 * GIB}),
        ({"gpu_memory": "24GB.."}, {"gpu_share_bytes": 24 * 10**9}),
        ({"mig": "1G.10GB"}, {"mig_profile": "1g.10gb", "mig_count": 1}),
        (
            {"mig": {"profile": "3g.40gb", "count": 2}, "gpu_type": "H100"},
            {"mig_profile": "3g.40gb", "mig_count": 2, "gpu_types": ("H100",)},
        ),
        ({"mig": "1g.5gb+me"}, {"mig_profile": "1g.5gb+me", "mig_count": 1}),
        ({"gpus": 0.5, "isolation": "mig"}, {"gpu_milli": 500, "isolation": Isolation.MIG}),
        ({"gpus": 0.5, "isolation": "none"}, {"gpu_milli": 500}),
        (
            {"gpu_memory": "20GiB", "isolation": "mps", "nodes": {"zone": "north"}},
            {
                "gpu_share_bytes": 20 * GIB,
                "isolation": Isolation.MPS,
                "node_labels": (("podium.io/mps", "true"), ("zone", "north")),
            },
        ),
        ({"cpus": "500m", "memory": "1GB"}, {"cpu_milli": 500, "memory_bytes": 10**9}),
        ({"cpus": 1.5, "memory": "2GiB..8GiB"}, {"cpu_milli": 1500, "memory_bytes": 2 * GIB}),
    ],
)
def test_resources(resources: dict[str, Any], expected: dict[str, Any]) -> None:
    policy = KIND_POLICIES[Kind.BATCH]
    defaults = {"cpu_milli": policy.cpu_milli, "memory_bytes": policy.memory_bytes}
    wish = wish_of(resources=resources)
    assert wish.request == Request(**{**defaults, **expected})
    assert check(resolved(wish), now_ms=NOW_MS) == wish


@pytest.mark.parametrize(
    ("resources", "field", "words"),
    [
        ({"gpus": -1}, "gpus", "-1"),
        ({"gpus": 1.5}, "gpus", "Write 1 or 2, or a share such as 0.5."),
        ({"gpus": 0.0001}, "gpus", "thousandth"),
        ({"gpus": "0.1234"}, "gpus", "thousandth"),
        ({"gpus": True}, "gpus", "is true"),
        ({"gpus": float("nan")}, "gpus", "nan"),
        ({"gpus": 10**6000}, "gpus", "a very large number"),
        ({"gpus": 100_000}, "gpus", "the limit is 1024"),
        ({"gpus": []}, "gpus", "is a list"),
        ({"gpus": 1, "mig": "1g.10gb"}, "mig", "cannot go together with gpus"),
        ({"gpu_memory": "1GiB", "mig": "1g.10gb"}, "gpu_memory", "whose profile says"),
        ({"gpus": 0}, "gpus", "is 0."),
        ({"gpus": "0.0"}, "gpus", "is 0."),
        ({"gpu_memory": "..80GB"}, "gpu_memory", "at least"),
        ({"gpu_memory": "80GB..24GB", "gpus": 1}, "gpu_memory", "below its start"),
        ({"gpu_memory": "20 parsecs", "gpus": 1}, "gpu_memory", "Write it like 20GiB"),
        ({"gpu_memory": 20, "gpus": 1}, "gpu_memory", "Write a unit"),
        ({"gpu_type": "H100"}, "gpu_type", "Add gpus: 1"),
        ({"gpu_type": [], "gpus": 1}, "gpu_type", "empty list"),
        ({"gpu_type": ["H100", 4], "gpus": 1}, "gpu_type.1", "must be text"),
        ({"gpus": 0.5, "isolation": "mgi"}, "isolation", "Did you mean 'mig'?"),
        ({"gpus": 2, "isolation": "mps"}, "isolation", "Leave isolation out, or ask for a share"),
        ({"gpus": 1, "gpu_memory": "20GiB", "isolation": "mig"}, "isolation", "with nobody"),
        ({"mig": "1g.10gb", "isolation": "mig"}, "isolation", "is isolated by itself"),
        ({"isolation": "mig"}, "isolation", "Add gpus: 0.5 or gpu_memory: 20GiB"),
        ({"mig": "big"}, "mig", "Write it like 1g.10gb"),
        ({"mig": {"count": 2}}, "mig.profile", "is missing"),
        ({"mig": {"profile": "1g.10gb", "count": 0}}, "mig.count", "from 1 to"),
        ({"mig": {"profil": "1g.10gb"}}, "mig.profil", "Did you mean 'profile'?"),
        ({"cpus": 0}, "cpus", "at least"),
        ({"cpus": "..4"}, "cpus", "at least"),
        ({"cpus": 10**9}, "cpus", "more CPUs than any machine has"),
        ({"memory": 16}, "memory", "Write a unit, as in 16GiB."),
        ({"memory": "99999TiB"}, "memory", "more than any machine has"),
        ({"nodes": {"zone": None}}, "nodes.zone", "is empty"),
        ({"mem": "4GiB"}, "mem", "Did you mean 'resources.memory'?"),
        ({"replicas": 4}, "replicas", "Did you mean 'replicas'?"),
    ],
)
def test_bad_resources(resources: dict[str, Any], field: str, words: str) -> None:
    faults = faults_of(resources=resources)
    assert list(faults) == [f"resources.{field}"]
    assert words in str(faults[f"resources.{field}"])


LONG_NAME = "n" * 64
ID = "w-01k2x5e8g7h3m9qz"


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"version": 2}, "version", "knows version 1"),
        ({"version": True}, "version", "knows version 1"),
        ({"kind": "trainin"}, "kind", "Did you mean 'training'?"),
        ({"kind": ["training"]}, "kind", "known are training, batch"),
        ({"name": "team/Job 1"}, "name", "Try 'team-job-1'."),
        ({"name": LONG_NAME}, "name", "is 64 characters long"),
        ({"name": 7}, "name", "a name is text"),
        ({"name": "job\n"}, "name", "Try 'job'."),
        ({"project": "A"}, "project", "Try 'a'."),
        ({"command": None}, "command", "Add a command"),
        ({"command": ""}, "command", "is empty"),
        ({"command": "echo 'oops"}, "command", "without its end"),
        ({"command": []}, "command", "names no program"),
        ({"command": ["echo", None]}, "command.1", "Write ''"),
        ({"command": ["echo", "a\0b"]}, "command.1", "NUL"),
        ({"command": "x " + "y" * 140_000}, "command", "has a word longer"),
        ({"script": "echo"}, "script", "cannot go together with command"),
        ({"command": None, "script": "x" * 600_000}, "script", "the limit is 524288"),
        ({"command": None, "script": "a\0"}, "script", "NUL"),
        ({"command": None, "script": "\ud800"}, "script", "surrogate"),
        ({"image": "a b"}, "image", "holds a space"),
        ({"source": "here"}, "source", "it must be a map"),
        ({"source": {}}, "source", "Write either git or upload"),
        ({"source": {"path": "."}}, "source.path", "Submit with the podium command"),
        ({"source": {"git": "file:///srv/x.git"}}, "source.git", "not fetched"),
        ({"source": {"git": "ext::sh -c id"}}, "source.git", "not the address"),
        ({"source": {"git": "--upload-pack=x:y"}}, "source.git", "not the address"),
        ({"source": {"git": "-oProxyCommand=x:y"}}, "source.git", "not the address"),
        ({"source": {"git": "https://u:secret@h/x.git"}}, "source.git", "holds a password"),
        ({"source": {"git": "https://h/x", "ref": "--all"}}, "source.ref", "not a branch"),
        ({"source": {"git": "https://h/x", "upload": "a" * 64}}, "source", "both git and upload"),
        ({"source": {"upload": "abc"}}, "source.upload", "is not a SHA-256"),
        ({"source": {"url": "https://h/x"}}, "source.url", "Did you mean 'source.git'?"),
        ({"replicas": 0}, "replicas", "from 1 to 10000"),
        ({"replicas": 10_001}, "replicas", "from 1 to 10000"),
        ({"replicas": "4"}, "replicas", "without quotes"),
        ({"replicas": {"min": 4, "max": 2}}, "replicas.max", "below min, which is 4"),
        ({"replicas": {"min": 4}}, "replicas.max", "is missing"),
        ({"replicas": {"min": "a", "max": 2}}, "replicas.min", "whole number"),
        ({"array": 5, "replicas": 2}, "array", "cannot go together with replicas"),
        ({"array": -5}, "array", "from 1 to 10000"),
        ({"recovery": "replace"}, "recovery", "this has one replica"),
        ({"recovery": "replace", "array": 3}, "recovery", "is for gangs"),
        ({"recovery": "repair", "replicas": 3}, "recovery", "known are restart, replace"),
        (
            {"recovery": "restart", "replicas": {"min": 1, "max": 3}},
            "recovery",
            "an elastic gang replaces",
        ),
        (
            {"recovery": "replace", "replicas": {"min": 1, "max": 3, "resize": False}},
            "recovery",
            "resize: false",
        ),
        ({"topology": {"within": "racks"}}, "topology.within", "Did you mean 'rack'?"),
        ({"topology": "rack"}, "topology", "it must be a map"),
        ({"priority": 101}, "priority", "from 0 to 100"),
        ({"priority": "hihg"}, "priority", "Did you mean 'high'?"),
        ({"max_runtime": "soon"}, "max_runtime", "Write it like 90s"),
        ({"max_runtime": 0}, "max_runtime", "from 1s to"),
        ({"max_runtime": "9999999w"}, "max_runtime", "from 1s to 3650d"),
        ({"deadline": "2031-07-01"}, "deadline", "names no time zone"),
        ({"deadline": "2031-07-01T10:00:00"}, "deadline", "names no time zone"),
        ({"deadline": "2020-07-01T10:00:00Z"}, "deadline", "has passed"),
        ({"deadline": "2231-07-01T10:00:00Z"}, "deadline", "ten years"),
        ({"deadline": "tomorrow"}, "deadline", "neither a time nor a duration"),
        ({"retries": 101}, "retries", "from 0 to 100"),
        ({"retries": 1.5}, "retries", "whole number"),
        ({"grace": "2h"}, "grace", "from 0s to 1h"),
        ({"env": {"1A": 1}}, "env.1A", "not a variable's name"),
        ({"env": {"A": {}}}, "env.A", "is a map"),
        ({"env": {"A": "x\0"}}, "env.A", "NUL"),
        ({"env": {"A": "x" * 131_072}}, "env.A", "the limit is"),
        ({"env": {f"A{i}": "x" * 100_000 for i in range(3)}}, "env", "the limit is 262144"),
        ({"env": ["A=1"]}, "env", "Write lines of NAME: VALUE"),
        ({"secrets": ["A B"]}, "secrets.0", "not a secret's name"),
        ({"secrets": ["A"], "env": {"A": 1}}, "secrets", "which env sets too"),
        ({"secrets": [{"name": "A", "as": "file"}], "env": {"A_FILE": 1}}, "secrets", "A_FILE"),
        ({"secrets": ["A", {"name": "B", "env": "A"}]}, "secrets.1", "a second time"),
        ({"secrets": ["PODIUM_RANK"]}, "secrets.0", "Podium sets itself"),
        ({"secrets": [{"name": "A", "env": "CUDA_VISIBLE_DEVICES"}]}, "secrets.0.env", "sets it"),
        ({"secrets": [{"name": "A", "as": "files"}]}, "secrets.0.as", "Did you mean 'file'?"),
        ({"secrets": [{"name": "A", "env": "B C"}]}, "secrets.0.env", "not a variable's name"),
        ({"secrets": [{"env": "B"}]}, "secrets.0.name", "is missing"),
        ({"volumes": [{"name": "a", "path": "srv"}]}, "volumes.0.path", "Begin it with '/'."),
        ({"volumes": [{"name": "a", "path": "/a/../b"}]}, "volumes.0.path", "'..'"),
        ({"volumes": [{"name": "../a", "path": "/a"}]}, "volumes.0.name", "not a volume's name"),
        ({"volumes": [{"path": "/a"}]}, "volumes.0.name", "is missing"),
        ({"volumes": {"a": "srv"}}, "volumes.a", "Begin it with '/'."),
        ({"volumes": [{"name": "a", "path": "/a"}] * 2}, "volumes.1.name", "a second time"),
        ({"depends_on": ["job"]}, "depends_on", "job → job"),
        ({"depends_on": ["A!"]}, "depends_on.0", "neither a name nor an id"),
        ({"depends_on": "prepare"}, "depends_on", "it must be a list"),
        ({"labels": {"-": 1}}, "labels.-", "not a label's name"),
        ({"labels": {f"l{i}": 1 for i in range(65)}}, "labels", "the limit is 64"),
        ({"labels": {"a": "x" * 256}}, "labels.a", "the limit is 255"),
        ({"gpus": 2}, "gpus", "Did you mean 'resources.gpus'?"),
        ({"max_runtme": "1h"}, "max_runtme", "Did you mean 'max_runtime'?"),
        ({"timeout": "1h"}, "timeout", "Did you mean 'max_runtime'?"),
        ({"zzz": 1}, "zzz", "Known here: version, kind, name"),
    ],
)
def test_bad_fields(fields: dict[str, Any], field: str, words: str) -> None:
    faults = faults_of(**fields)
    assert list(faults) == [field]
    assert words in str(faults[field])


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example.com/team/train.git",
        "http://10.0.0.1:3000/x",
        "git+https://git.example.com/team/train.git",
        "ssh://git@git.example.com:22/team/train.git",
        "git://git.example.com/x",
        "git@git.example.com:team/train.git",
        "host:train.git",
    ],
)
def test_git_addresses(url: str) -> None:
    assert wish_of(source={"git": url}).program.source == GitSource(url)


def test_an_uploaded_source() -> None:
    assert wish_of(source={"upload": "0" * 64}).program.source == UploadSource("0" * 64)


def test_all_faults_of_a_document_come_at_once() -> None:
    with pytest.raises(UserError) as caught:
        check(
            {
                "name": "a/b",
                "comand": "true",
                "resources": {"gpus": 1.5, "gpu_type": "H100", "memory": "lots"},
                "env": {"1A": 1, "B": None},
                "deadline": "2020-01-01T00:00:00Z",
            },
            now_ms=NOW_MS,
        )
    assert {fault.field for fault in caught.value.faults} == {
        "name",
        "comand",
        "resources.gpus",
        "resources.memory",
        "env.1A",
        "env.B",
        "deadline",
        "project",
    }


def test_faults_are_counted_where_they_are_too_many_to_tell() -> None:
    with pytest.raises(UserError) as caught:
        check({f"x{i}": i for i in range(5000)}, now_ms=NOW_MS)
    assert len(caught.value.faults) < 60
    assert any("more faults" in fault.message for fault in caught.value.faults)


def test_an_array_is_tasks_for_themselves() -> None:
    wish = wish_of(array=20)
    assert wish.replicas == ReplicaCount(1, 20, array=True)
    assert resolved(wish)["array"] == 20


def test_what_becomes_of_a_gang_that_loses_a_replica() -> None:
    for fields, recovery, written in (
        ({"replicas": 3}, Recovery.RESTART, "restart"),
        ({"replicas": 3, "recovery": "replace"}, Recovery.REPLACE, "replace"),
        ({"replicas": {"min": 1, "max": 3}, "recovery": "replace"}, Recovery.REPLACE, "replace"),
        ({"replicas": {"min": 1, "max": 3}}, Recovery.RESTART, None),
        ({}, Recovery.RESTART, None),
    ):
        wish = wish_of(**fields)
        assert wish.recovery is recovery
        assert resolved(wish).get("recovery") == written
        assert check(resolved(wish), now_ms=NOW_MS) == wish


def test_ids_may_be_depended_on() -> None:
    assert wish_of(depends_on=[ID, "prepare", ID]).depends_on == (ID, "prepare")


@pytest.mark.parametrize(
    ("resources", "text"),
    [
        ({}, "1 CPU · 512 MiB"),
        (
            {"gpus": 2, "gpu_type": "H100", "cpus": 4, "memory": "16GiB"},
            "2 × H100 · 4 CPU · 16 GiB",
        ),
        ({"gpus": 0.5, "memory": "1GiB"}, "0.5 GPU · 1 CPU · 1 GiB"),
        ({"gpus": 1, "gpu_memory": "20GiB"}, "1 × GPU with 20 GiB or more · 1 CPU · 512 MiB"),
        ({"gpus": 1, "gpu_memory": "..80GiB"}, "1 × GPU with up to 80 GiB · 1 CPU · 512 MiB"),
        ({"mig": "1g.10gb"}, "1g.10gb · 1 CPU · 512 MiB"),
        ({"mig": {"profile": "1g.10gb", "count": 2}}, "2 × 1g.10gb · 1 CPU · 512 MiB"),
        ({"gpu_memory": "20GiB"}, "20 GiB of a GPU · 1 CPU · 512 MiB"),
        (
            {"gpu_memory": "20GiB", "gpu_type": ["H100", "H200"]},
            "20 GiB of H100 or H200 · 1 CPU · 512 MiB",
        ),
    ],
)
def test_requests_in_words(resources: dict[str, Any], text: str) -> None:
    assert request_text(request_of(**resources)) == text


def test_a_spec_built_in_python_reads_back() -> None:
    spec = WorkloadSpec(name="job", command="true", resources={"gpus": 0.5}, priority="high")
    wish = check(spec.model_dump(exclude_none=True), now_ms=NOW_MS, project="vision")
    assert wish.request.gpu_milli == 500
    assert wish.priority == 75


def test_the_schema_tells_every_field() -> None:
    schema: Any = json_schema()
    assert schema["$id"] == "urn:podium:workload:1"
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["name"]
    shapes = [schema, *schema["$defs"].values()]
    for shape in shapes:
        for name, field in shape["properties"].items():
            assert field.get("description"), name


@pytest.mark.parametrize(
    "secrets",
    [
        ["HF_TOKEN=hf_v4lue"],
        ["hf v4lue"],
        [{"name": "HF_TOKEN", "value": "hf_v4lue"}],
        {"HF_TOKEN": "hf_v4lue"},
        [{"HF_TOKEN": "hf_v4lue"}],
        [{"name": "hf v4lue"}],
        [{"name": "A", "env": "hf v4lue"}],
    ],
)
def test_a_value_in_the_place_of_a_name_is_not_said_again(secrets: object) -> None:
    with pytest.raises(UserError) as told:
        check({"name": "a", "project": "b", "command": "c", "secrets": secrets}, now_ms=NOW_MS)
    assert "v4lue" not in told.value.message
