"""The shape of a workload spec: every field with its words, examples and JSON Schema.

`spec/workload.py` checks with these models; people may also build a `WorkloadSpec` in Python and
send its `model_dump(exclude_none=True)`.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from podium.domain.data import Classification
from podium.domain.identity import NAME_LENGTH_MAX, is_id, name_fault
from podium.domain.policy import (
    GRACE_SECONDS_MAX,
    PRIORITY_MAX,
    PRIORITY_NAMES,
    REPLICAS_MAX,
    RETRIES_MAX,
)
from podium.domain.resources import TopologyLevel
from podium.domain.workload import Kind, Recovery
from podium.spec.data import DATA_SCHEMA, read_classification, read_data
from podium.spec.faults import FieldError, checked, described, each
from podium.spec.fields import (
    DURATION_SCHEMA,
    TEXT_MAP_SCHEMA,
    read_choice,
    read_deadline,
    read_duration,
    read_grace,
    read_integer,
    read_labels,
    read_list,
    read_name,
    read_priority,
    read_start_window,
    read_switch,
    write_duration,
)
from podium.spec.program import (
    VOLUMES_SCHEMA,
    SourceSpec,
    read_command,
    read_env,
    read_image,
    read_script,
    read_volumes,
)
from podium.spec.resources import REPLICAS_SCHEMA, ResourcesSpec, read_replicas
from podium.spec.secret import SECRETS_SCHEMA, read_secrets

DEPENDS_ON_MAX = 1000
GROUPS_MAX = 16
SCHEMA_ID = "urn:podium:workload:1"

_read_count = partial(read_integer, minimum=1, maximum=REPLICAS_MAX)
_read_retries = partial(read_integer, minimum=0, maximum=RETRIES_MAX)
_read_kind = partial(read_choice, names=tuple(Kind))
_read_recovery = partial(read_choice, names=tuple(Recovery))
_read_level = partial(read_choice, names=tuple(TopologyLevel))


def _read_version(value: object) -> int:
    if isinstance(value, bool) or value != 1:
        raise FieldError(
            f"is {described(value)}; this server knows version 1.", "Write 1, or leave it out."
        )
    return 1


def read_depends_on(value: object) -> tuple[str, ...]:
    def read(entry: object) -> str:
        if not isinstance(entry, str) or not (is_id(entry) or name_fault(entry) is None):
            raise FieldError(
                f"is {described(entry)}, which is neither a name nor an id.",
                "Write the name of a workload in the same project, or its id.",
            )
        return entry

    entries = read_list(value, length_max=DEPENDS_ON_MAX, example="[prepare, w-01k2x5e8g7h3m9qz]")
    return tuple(dict.fromkeys(each(((str(i), entry) for i, entry in enumerate(entries)), read)))


_TEXT: dict[str, object] = {"type": "string", "minLength": 1}
_NAME: dict[str, object] = {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH_MAX}
_DURATION = WithJsonSchema(DURATION_SCHEMA)

_Version = Annotated[
    Literal[1], checked(_read_version), WithJsonSchema({"type": "integer", "const": 1})
]
_Kind = Annotated[
    Kind, checked(_read_kind), WithJsonSchema({"type": "string", "enum": list(map(str, Kind))})
]
_Name = Annotated[str, checked(read_name), WithJsonSchema(_NAME)]
_Command = Annotated[
    str | list[str],
    checked(read_command),
    WithJsonSchema(
        {
            "anyOf": [
                _TEXT,
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": ["string", "number", "boolean"]},
                },
            ]
        }
    ),
]
_Script = Annotated[str, checked(read_script), WithJsonSchema(_TEXT)]
_Image = Annotated[str, checked(read_image), WithJsonSchema(_TEXT)]
_Recovery = Annotated[
    Recovery,
    checked(_read_recovery),
    WithJsonSchema({"type": "string", "enum": list(map(str, Recovery))}),
]
_Replicas = Annotated[int | dict[str, int], checked(read_replicas), WithJsonSchema(REPLICAS_SCHEMA)]
_Count = Annotated[
    int,
    checked(_read_count),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": REPLICAS_MAX}),
]
_Priority = Annotated[
    int | str,
    checked(read_priority),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": PRIORITY_MAX},
                {"type": "string", "enum": list(PRIORITY_NAMES)},
            ]
        }
    ),
]
_Duration = Annotated[int | str, checked(read_duration), _DURATION]
_Grace = Annotated[int | str, checked(read_grace), _DURATION]
_Deadline = Annotated[int | str, checked(read_deadline), _DURATION]
_Window = Annotated[str, checked(read_start_window), WithJsonSchema(_TEXT)]
_Switch = Annotated[bool, checked(read_switch), WithJsonSchema({"type": "boolean"})]
_Retries = Annotated[
    int,
    checked(_read_retries),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": RETRIES_MAX}),
]
_TextMap = Annotated[dict[str, str | float | bool], WithJsonSchema(TEXT_MAP_SCHEMA)]
_Volumes = Annotated[
    dict[str, str] | list[dict[str, str | bool]],
    checked(read_volumes),
    WithJsonSchema(VOLUMES_SCHEMA),
]
_Secrets = Annotated[
    list[str | dict[str, str | None]], checked(read_secrets), WithJsonSchema(SECRETS_SCHEMA)
]
_Data = Annotated[
    list[str | dict[str, str | None]], checked(read_data), WithJsonSchema(DATA_SCHEMA)
]
_Class = Annotated[
    Classification,
    checked(read_classification),
    WithJsonSchema({"type": "string", "enum": list(map(str, Classification))}),
]
_Level = Annotated[
    TopologyLevel,
    checked(_read_level),
    WithJsonSchema({"type": "string", "enum": list(map(str, TopologyLevel))}),
]


class TopologySpec(BaseModel):
    """Where the replicas stand together: one node, NVLink domain, rack or block."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    within: _Level | None = Field(
        None, description="All replicas must be within one of these.", examples=["rack"]
    )
    prefer: _Level | None = Field(
        None,
        description="All replicas should be within one of these if they can.",
        examples=["nvlink"],
    )


class StartSpec(BaseModel):
    """When it may start; what runs by then runs on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    not_before: _Deadline | None = Field(
        None,
        description="Not before then: a time with its zone, or a duration from its submission on.",
        examples=["2031-07-01T18:00:00Z", "12h"],
    )
    window: _Window | None = Field(
        None,
        description="Only at these hours of the day, such as nights, in UTC or in the time zone "
        "that is named.",
        examples=["20:00-06:00", "20:00-06:00 Europe/Berlin"],
    )


class GroupSpec(BaseModel):
    """Replicas of one gang that run and need the same. What a group leaves out is as the workload
    says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Name = Field(description="Its name, unlike that of the others.", examples=["learner"])
    replicas: _Count | None = Field(
        None, description="How many replicas it has; 1 when left out.", examples=[8]
    )
    resources: ResourcesSpec | None = Field(
        None,
        description="What each of its replicas needs; each field stands in for the same field of "
        "the workload's resources.",
        examples=[{"gpus": 2}],
    )
    command: _Command | None = Field(
        None,
        description="What its replicas run, in place of the workload's command or script.",
        examples=["python learner.py"],
    )
    script: _Script | None = Field(
        None, description="The same as lines of a script.", examples=["python learner.py\n"]
    )
    env: Annotated[_TextMap, checked(read_env)] | None = Field(
        None, description="Added to the workload's env.", examples=[{"ROLE": "learner"}]
    )


def _group_list(value: object) -> list[object]:
    entries = read_list(value, length_max=GROUPS_MAX, example="[{name: learner, replicas: 1}]")
    if not entries:
        raise FieldError("is an empty list.", "Name a group, or leave the field out.")
    return entries


_Groups = Annotated[
    list[GroupSpec], Field(min_length=1, max_length=GROUPS_MAX), BeforeValidator(_group_list)
]


class WorkloadSpec(BaseModel):
    """A workload as people write it. It runs either `command` or `script`; a field that is left
    out or null takes its default. Values stay as they were written."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        title="Podium workload",
        json_schema_extra={
            "examples": [
                {
                    "kind": "training",
                    "name": "resnet-50",
                    "project": "vision",
                    "command": "torchrun train.py --epochs 10",
                    "source": {"git": "https://git.example.com/vision/resnet.git", "ref": "main"},
                    "resources": {"gpus": 2, "gpu_type": ["H100", "H200"], "memory": "64GiB"},
                    "replicas": 4,
                    "max_runtime": "8h",
                }
            ]
        },
    )

    version: _Version | None = Field(
        None, description="The version of this format; 1 when left out.", examples=[1]
    )
    kind: _Kind | None = Field(
        None,
        description="What kind of work it is, which gives it its defaults; batch when left out.",
        examples=["training"],
    )
    name: _Name = Field(
        description=f"Up to {NAME_LENGTH_MAX} lower-case letters, digits and inner hyphens.",
        examples=["resnet-50"],
    )
    project: _Name | None = Field(
        None,
        description="The project that it belongs to; left out, the one that is set where you "
        "submit.",
        examples=["vision"],
    )
    command: _Command | None = Field(
        None,
        description="The program and its arguments. A text is split at spaces and quotes, but no "
        "shell runs it; a list is taken as it is.",
        examples=["python train.py --epochs 10", ["python", "train.py"]],
    )
    script: _Script | None = Field(
        None,
        description="Lines run by /bin/sh -e, or by the program that their first line names "
        "after '#!'.",
        examples=["pip install -r requirements.txt\npython train.py\n"],
    )
    image: _Image | None = Field(
        None,
        description="Container image, for engines that run containers.",
        examples=["registry.example.com/vision/train:1.4"],
    )
    source: SourceSpec | None = Field(None, description="Code to fetch into the working folder.")
    resources: ResourcesSpec | None = Field(None, description="What each replica needs.")
    replicas: _Replicas | None = Field(
        None,
        description="How many replicas start together (a gang). `{min, max}` makes it elastic: it "
        "starts with as many as there is room for, grows into what becomes free, and gives some "
        "back when others need them; with `resize: false` it keeps the size that it started "
        "with. 1 when left out.",
        examples=[4, {"min": 2, "max": 8}],
    )
    recovery: _Recovery | None = Field(
        None,
        description="What happens when a gang of a fixed size loses a replica with its machine: "
        "`restart` stops and queues all of it again; with `replace` the others run on and wait "
        "for a new one in its place, as programs do that torchrun started. `restart` when left "
        "out.",
        examples=["replace"],
    )
    groups: _Groups | None = Field(
        None,
        description="Groups of replicas that differ, in place of replicas: they start together or "
        "not at all. Ranks run through them in this order.",
        examples=[
            [
                {"name": "learner", "resources": {"gpus": 2}, "command": "python learner.py"},
                {"name": "actor", "replicas": 8},
            ]
        ],
    )
    array: _Count | None = Field(
        None,
        description="How many tasks to run, each for itself, in place of replicas.",
        examples=[20],
    )
    topology: TopologySpec | None = Field(
        None, description="Where the replicas stand together; anywhere when left out."
    )
    priority: _Priority | None = Field(
        None,
        description=f"0 to {PRIORITY_MAX}, or "
        + ", ".join(f"{name} ({level})" for name, level in PRIORITY_NAMES.items())
        + "; left out, its kind's.",
        examples=["high", 60],
    )
    preemptible: _Switch | None = Field(
        None,
        description="Whether it may be stopped for work that has a better right to its place; it "
        "is then queued again. Left out, its kind's.",
        examples=[False],
    )
    start: StartSpec | None = Field(None, description="When it may start; any time if left out.")
    expected_runtime: _Duration | None = Field(
        None,
        description="How long it will probably run, which helps to plan; it is not stopped then.",
        examples=["3h"],
    )
    max_runtime: _Duration | None = Field(
        None,
        description="It is stopped after running this long; each task of an array by itself. "
        "A number is seconds.",
        examples=["8h", "1h30m"],
    )
    deadline: _Deadline | None = Field(
        None,
        description="It is given up when it has not ended by then: a time with its zone, or a "
        "duration from its submission on.",
        examples=["2031-07-01T18:00:00Z", "12h"],
    )
    retries: _Retries | None = Field(
        None, description="How often it is started again after a failure.", examples=[2]
    )
    grace: _Grace | None = Field(
        None,
        description="How long it may take to end after it was asked to, at most "
        f"{write_duration(GRACE_SECONDS_MAX)}; left out, its kind's.",
        examples=["30s"],
    )
    env: Annotated[_TextMap, checked(read_env)] | None = Field(
        None,
        description="Environment variables. Numbers, true and false become text.",
        examples=[{"EPOCHS": 10, "MODE": "fast"}],
    )
    secrets: _Secrets | None = Field(
        None,
        description="Secrets of the project that it gets: a name as the variable of that name; "
        "`{name, env}` as another variable; `{name, as: file}` as a file in the folder "
        "`PODIUM_SECRETS_DIR`, with its path in the variable `NAME_FILE`.",
        examples=[["HF_TOKEN"], [{"name": "SSH_KEY", "as": "file"}]],
    )
    volumes: _Volumes | None = Field(
        None,
        description="Folders of the node, seen as `volumes/NAME` in the working folder.",
        examples=[{"data": "/srv/data"}, [{"name": "data", "path": "/srv/data"}]],
    )
    data: _Data | None = Field(
        None,
        description="Data sources that are mounted for it: a name, or `{source, path, mode}`. It "
        "sees each at its path, which the variable `PODIUM_DATA_NAME` has too.",
        examples=[[{"source": "scans", "path": "/data/scans", "mode": "ro"}]],
    )
    classification: _Class | None = Field(
        None,
        description="How sensitive what it makes is. The most sensitive of this and of its data "
        "decides where it may run.",
        examples=["restricted"],
    )
    depends_on: (
        Annotated[
            list[str],
            checked(read_depends_on),
            WithJsonSchema(
                {"type": "array", "items": {"type": "string"}, "maxItems": DEPENDS_ON_MAX}
            ),
        ]
        | None
    ) = Field(
        None,
        description="Names (of the same project) or ids of workloads that must succeed first.",
        examples=[["prepare"]],
    )
    labels: Annotated[_TextMap, checked(read_labels)] | None = Field(
        None, description="Words of your own, to find it by.", examples=[{"run": "42"}]
    )


def json_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of a spec. It is never stricter than `check`; rules between
    fields are left to `check`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **WorkloadSpec.model_json_schema(),
    }
