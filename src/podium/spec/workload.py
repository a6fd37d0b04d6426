"""What a person submits: the workload spec, checked whole and turned into a Wish.

`intake/` and `api/` check with this, `cli/` and `client/` read files with it, and the published
JSON Schema is made from its models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from pydantic import BaseModel, ValidationError

from podium.domain.errors import FieldFault, UserError
from podium.domain.policies import BUILT_IN, Policies
from podium.domain.resources import (
    ANYWHERE,
    ReplicaCount,
    Topology,
    TopologyLevel,
    request_text,
)
from podium.domain.workload import Kind, Program, Wish
from podium.spec.batch import check_each
from podium.spec.documents import SPEC_BYTES_MAX, load_documents
from podium.spec.faults import bounded, described, faults_from
from podium.spec.fields import (
    read_deadline,
    read_duration,
    read_grace,
    read_labels,
    read_priority,
    read_start_window,
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
from podium.spec.resolved import resolved
from podium.spec.resources import (
    Relation,
    ResourcesSpec,
    read_replicas,
    request_of,
    resource_relations,
)
from podium.spec.schema import (
    StartSpec,
    TopologySpec,
    WorkloadSpec,
    json_schema,
    read_depends_on,
)
from podium.spec.times import time_relations

__all__ = [
    "SPEC_BYTES_MAX",
    "ResourcesSpec",
    "SourceSpec",
    "StartSpec",
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
    "start": StartSpec,
}


def check(
    document: Mapping[str, object],
    *,
    now_ms: int,
    project: str | None = None,
    policies: Policies = BUILT_IN,
) -> Wish:
    """The wish that a document states. `project` stands in where the document names none, and
    `policies` say what holds where it says nothing.

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
            for rests_on, fault in _relations(spec, now_ms, project, policies)
            if doubtful.isdisjoint(rests_on)
        )
    if faults or spec is None:
        raise UserError(*bounded(faults))
    return _wish(spec, now_ms, project, policies)


def check_many(
    documents: Sequence[Mapping[str, object]],
    *,
    now_ms: int,
    project: str | None = None,
    policies: Policies = BUILT_IN,
) -> list[Wish]:
    """The wishes of documents that are submitted together, in their order.

    As `check`, with fields under `workloads.NUMBER` (from 0); in addition their dependencies on
    each other must form no cycle and name no name that two of them have.
    """
    return check_each(documents, partial(check, now_ms=now_ms, project=project, policies=policies))


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


def _relations(
    spec: WorkloadSpec, now_ms: int, project: str | None, policies: Policies
) -> Iterator[Relation]:
    """What is wrong between fields that are right each for itself."""
    yield from time_relations(spec, now_ms)
    kind = Kind.BATCH if spec.kind is None else Kind(spec.kind)
    highest = policies.of(kind, spec.project or project or "").priority_max
    if spec.priority is not None and read_priority(spec.priority) > highest:
        yield (
            ("priority", "kind", "project"),
            FieldFault(
                "priority",
                f"is {read_priority(spec.priority)}; {kind} work here may have {highest} at most.",
                f"Write {highest} or less.",
            ),
        )
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


def _wish(spec: WorkloadSpec, now_ms: int, project: str | None, policies: Policies) -> Wish:
    kind = Kind.BATCH if spec.kind is None else Kind(spec.kind)
    policy = policies.of(kind, spec.project or project or "")
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
        preemptible=policy.preemptible if spec.preemptible is None else spec.preemptible,
        not_before_ms=None
        if spec.start is None or spec.start.not_before is None
        else read_deadline(spec.start.not_before, now_ms),
        start_window=None
        if spec.start is None or spec.start.window is None
        else read_start_window(spec.start.window),
        expected_runtime_seconds=None
        if spec.expected_runtime is None
        else read_duration(spec.expected_runtime),
        max_runtime_seconds=None if spec.max_runtime is None else read_duration(spec.max_runtime),
        deadline_ms=None if spec.deadline is None else read_deadline(spec.deadline, now_ms),
        retries=0 if spec.retries is None else int(spec.retries),
        grace_seconds=policy.grace_seconds if spec.grace is None else read_grace(spec.grace),
        depends_on=() if spec.depends_on is None else read_depends_on(spec.depends_on),
        labels=() if spec.labels is None else read_labels(spec.labels),
    )
