"""What a person submits: the workload spec, checked whole and turned into a Wish.

`intake/` and `api/` check with this, `cli/` and `client/` read files with it, and the published
JSON Schema is made from its models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from pydantic import BaseModel, ValidationError

from podium.domain.errors import FieldFault, UserError
from podium.domain.policy import KIND_POLICIES
from podium.domain.resources import (
    ANYWHERE,
    ReplicaCount,
    Topology,
    TopologyLevel,
    request_text,
)
from podium.domain.workload import GitSource, Kind, Program, UploadSource, Wish
from podium.spec.batch import check_each
from podium.spec.documents import SPEC_BYTES_MAX, load_documents
from podium.spec.faults import bounded, described, faults_from
from podium.spec.fields import (
    deadline_fault,
    read_deadline,
    read_duration,
    read_grace,
    read_labels,
    read_priority,
    write_duration,
    write_time,
)
from podium.spec.program import (
    SourceSpec,
    read_command,
    read_env,
    read_script,
    read_secrets,
    read_volumes,
    source_fault,
    source_of,
)
from podium.spec.resources import (
    Relation,
    ResourcesSpec,
    read_replicas,
    request_of,
    resource_relations,
    resources_document,
)
from podium.spec.schema import TopologySpec, WorkloadSpec, json_schema, read_depends_on

__all__ = [
    "SPEC_BYTES_MAX",
    "ResourcesSpec",
    "SourceSpec",
    "TopologySpec",
    "WorkloadSpec",
    "check",
    "check_many",
    "json_schema",
    "load_documents",
    "request_text",
    "resolved",
]

_MODELS: Mapping[str, type[BaseModel]] = {
    "": WorkloadSpec,
    "resources": ResourcesSpec,
    "source": SourceSpec,
    "topology": TopologySpec,
}


def check(document: Mapping[str, object], *, now_ms: int, project: str | None = None) -> Wish:
    """The wish that a document states. `project` stands in where the document names none.

    Raises one UserError with every fault of the document, each with its dotted field.
    """
    faults: list[FieldFault] = []
    doubtful: set[str] = set()
    given: object = document
    if not isinstance(given, Mapping):
        wrong = f"The workload is {described(given)}; it must be a map of fields."
        raise UserError(FieldFault("", wrong, "Begin with name and command."))
    spec: WorkloadSpec | None
    try:
        spec = WorkloadSpec.model_validate(dict(document))
    except ValidationError as error:
        faults, doubtful = faults_from(error, _MODELS)
        spec = _sound_part(document, error)
    if spec is not None:
        faults.extend(
            fault
            for rests_on, fault in _relations(spec, now_ms, project)
            if doubtful.isdisjoint(rests_on)
        )
    if faults or spec is None:
        raise UserError(*bounded(faults))
    return _wish(spec, now_ms, project)


def check_many(
    documents: Sequence[Mapping[str, object]], *, now_ms: int, project: str | None = None
) -> list[Wish]:
    """The wishes of documents that are submitted together, in their order.

    As `check`, with fields under `workloads.NUMBER` (from 0); in addition their dependencies on
    each other must form no cycle and name no name that two of them have.
    """
    return check_each(documents, partial(check, now_ms=now_ms, project=project))


def resolved(wish: Wish) -> dict[str, object]:
    """The wish as a document with every default filled in; `check` reads it back to an equal one.

    Amounts, times and durations are exact text; what has no default and was not given is left out.
    """
    program, replicas = wish.program, wish.replicas
    document: dict[str, object] = {
        "version": 1,
        "kind": wish.kind.value,
        "name": wish.name,
        "project": wish.project,
    }
    if program.command:
        document["command"] = list(program.command)
    else:
        document["script"] = program.script
    if program.image is not None:
        document["image"] = program.image
    if isinstance(program.source, GitSource):
        document["source"] = {"git": program.source.url, "ref": program.source.ref}
    elif isinstance(program.source, UploadSource):
        document["source"] = {"upload": program.source.sha256}
    document["resources"] = resources_document(wish.request)
    if replicas.array:
        document["array"] = replicas.maximum
    elif replicas.minimum == replicas.maximum:
        document["replicas"] = replicas.maximum
    else:
        document["replicas"] = {"min": replicas.minimum, "max": replicas.maximum}
    levels = {"within": wish.topology.within, "prefer": wish.topology.prefer}
    if wish.topology != ANYWHERE:
        document["topology"] = {
            key: level.value for key, level in levels.items() if level is not None
        }
    document["priority"] = wish.priority
    if wish.max_runtime_seconds is not None:
        document["max_runtime"] = write_duration(wish.max_runtime_seconds)
    if wish.deadline_ms is not None:
        document["deadline"] = write_time(wish.deadline_ms)
    document["retries"] = wish.retries
    document["grace"] = write_duration(wish.grace_seconds)
    volumes = [
        {"name": volume.name, "path": volume.path, "read_only": volume.read_only}
        for volume in program.volumes
    ]
    collections: dict[str, object] = {
        "env": dict(program.env),
        "secrets": list(program.secrets),
        "volumes": volumes,
        "depends_on": list(wish.depends_on),
        "labels": dict(wish.labels),
    }
    return document | {key: value for key, value in collections.items() if value}


def _sound_part(document: Mapping[str, object], error: ValidationError) -> WorkloadSpec | None:
    """The spec without its faulty fields, so that rules between the others can be checked too."""
    faulty: dict[str, set[str]] = {}
    for detail in error.errors(include_url=False, include_context=False):
        place = [str(part) for part in detail["loc"]]
        if place:
            faulty.setdefault(place[0], set()).update(place[1:2])
    sound: dict[str, object] = {}
    for key, value in document.items():
        inner = faulty.get(str(key))
        if inner is None:
            sound[key] = value
        elif inner and isinstance(value, Mapping):
            sound[key] = {name: part for name, part in value.items() if str(name) not in inner}
    sound.setdefault("name", "unnamed")
    try:
        return WorkloadSpec.model_validate(sound)
    except ValidationError:
        return None


def _relations(spec: WorkloadSpec, now_ms: int, project: str | None) -> Iterator[Relation]:
    """What is wrong between fields that are right each for itself."""
    if spec.project is None and project is None:
        yield (("project",), FieldFault("project", "is missing.", "Add project: PROJECT."))
    if spec.command is None and spec.script is None:
        yield (
            ("command", "script"),
            FieldFault("command", "is missing.", "Add a command, or a script of several lines."),
        )
    if spec.command is not None and spec.script is not None:
        yield (
            ("command", "script"),
            FieldFault("script", "cannot go together with command.", "Keep one of the two."),
        )
    if spec.array is not None and spec.replicas is not None:
        yield (
            ("array", "replicas"),
            FieldFault(
                "array",
                "cannot go together with replicas.",
                "Keep array for independent tasks, or replicas for a gang.",
            ),
        )
    if spec.source is not None:
        fault = source_fault(spec.source)
        if fault is not None:
            places = ("source", "source.git", "source.ref", "source.upload", "source.path")
            yield (places, fault)
    if spec.resources is not None:
        yield from resource_relations(spec.resources)
    if spec.deadline is not None:
        fault = deadline_fault(read_deadline(spec.deadline, now_ms), now_ms)
        if fault is not None:
            yield (("deadline",), fault)
    if spec.env and spec.secrets:
        twice = [name for name in spec.secrets if name in spec.env]
        if twice:
            yield (
                ("env", "secrets"),
                FieldFault("secrets", f"names '{twice[0]}', which env sets too.", "Keep one."),
            )
    if spec.depends_on and spec.name in spec.depends_on:
        yield (
            ("depends_on", "name"),
            FieldFault(
                "depends_on",
                f"makes a cycle: {spec.name} → {spec.name}.",
                "A workload cannot wait for itself; take its name out.",
            ),
        )


def _wish(spec: WorkloadSpec, now_ms: int, project: str | None) -> Wish:
    kind = Kind.BATCH if spec.kind is None else Kind(spec.kind)
    policy = KIND_POLICIES[kind]
    replicas = ReplicaCount(1, 1)
    if spec.array is not None:
        replicas = ReplicaCount(1, int(spec.array), array=True)
    elif spec.replicas is not None:
        replicas = read_replicas(spec.replicas)
    topology = ANYWHERE
    if spec.topology is not None:
        within, prefer = spec.topology.within, spec.topology.prefer
        topology = Topology(
            None if within is None else TopologyLevel(within),
            None if prefer is None else TopologyLevel(prefer),
        )
    own_project = spec.project if spec.project is not None else project
    assert own_project is not None
    return Wish(
        name=spec.name,
        project=own_project,
        kind=kind,
        program=Program(
            command=() if spec.command is None else read_command(spec.command),
            script="" if spec.script is None else read_script(spec.script),
            image=spec.image,
            source=source_of(spec.source),
            env=() if spec.env is None else read_env(spec.env),
            secrets=() if spec.secrets is None else read_secrets(spec.secrets),
            volumes=() if spec.volumes is None else read_volumes(spec.volumes),
        ),
        request=request_of(spec.resources, policy),
        replicas=replicas,
        topology=topology,
        priority=policy.priority if spec.priority is None else read_priority(spec.priority),
        max_runtime_seconds=None if spec.max_runtime is None else read_duration(spec.max_runtime),
        deadline_ms=None if spec.deadline is None else read_deadline(spec.deadline, now_ms),
        retries=0 if spec.retries is None else int(spec.retries),
        grace_seconds=policy.grace_seconds if spec.grace is None else read_grace(spec.grace),
        depends_on=() if spec.depends_on is None else read_depends_on(spec.depends_on),
        labels=() if spec.labels is None else read_labels(spec.labels),
    )
