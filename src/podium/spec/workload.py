"""What a person submits: the workload spec, checked whole and turned into a Wish.

`intake/` and `api/` check with this, `cli/` and `client/` read files with it, and the published
JSON Schema is made from its models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from pydantic import BaseModel, ValidationError

from podium.domain.data import Classification
from podium.domain.errors import FieldFault, UserError
from podium.domain.policies import BUILT_IN, Policies
from podium.domain.policy import KindPolicy
from podium.domain.pool import sole_pool
from podium.domain.resources import (
    ANYWHERE,
    ReplicaCount,
    Topology,
    TopologyLevel,
    request_text,
)
from podium.domain.workload import Kind, Program, Recovery, Wish, leading_request
from podium.spec.batch import check_each
from podium.spec.data import read_data
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
from podium.spec.groups import group_relations, groups_of, replicas_of
from podium.spec.program import (
    SourceSpec,
    read_command,
    read_env,
    read_script,
    read_volumes,
    source_fault,
    source_of,
)
from podium.spec.resolved import resolved
from podium.spec.resources import (
    Relation,
    ResourcesSpec,
    read_pools,
    read_replicas,
    request_of,
    resource_relations,
)
from podium.spec.schema import (
    GroupSpec,
    StartSpec,
    TopologySpec,
    WorkloadSpec,
    json_schema,
    read_depends_on,
)
from podium.spec.secret import read_secrets
from podium.spec.times import time_relations

__all__ = [
    "SPEC_BYTES_MAX",
    "GroupSpec",
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
    "groups.*": GroupSpec,
    "groups.*.resources": ResourcesSpec,
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
    highest = _policy_of(spec, kind, project, policies).priority_max
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
    yield from _program_relations(spec)
    if spec.array is not None and spec.replicas is not None:
        yield (
            ("array", "replicas"),
            FieldFault(
                "array",
                "cannot go together with replicas.",
                "Keep array for independent tasks, or replicas for a gang.",
            ),
        )
    yield from _recovery_relations(spec)
    if spec.source is not None:
        fault = source_fault(spec.source)
        if fault is not None:
            places = ("source", "source.git", "source.ref", "source.upload", "source.path")
            yield (places, fault)
    if spec.groups is not None:
        yield from group_relations(spec)
    elif spec.resources is not None:
        for rests_on, fault in resource_relations(spec.resources):
            yield (*rests_on, "groups"), fault
    if spec.depends_on and spec.name in spec.depends_on:
        yield (
            ("depends_on", "name"),
            FieldFault(
                "depends_on",
                f"makes a cycle: {spec.name} → {spec.name}.",
                "A workload cannot wait for itself; take its name out.",
            ),
        )


def _policy_of(
    spec: WorkloadSpec, kind: Kind, project: str | None, policies: Policies
) -> KindPolicy:
    named = None if spec.resources is None else spec.resources.pool
    pool = None if named is None else sole_pool(read_pools(named))
    return policies.of(kind, spec.project or project or "", pool)


def _program_relations(spec: WorkloadSpec) -> Iterator[Relation]:
    if spec.command is None and spec.script is None and spec.groups is None:
        yield (
            ("command", "script", "groups"),
            FieldFault("command", "is missing.", "Add a command, or a script of several lines."),
        )
    if spec.command is not None and spec.script is not None:
        yield (
            ("command", "script"),
            FieldFault("script", "cannot go together with command.", "Keep one of the two."),
        )
    if spec.env and spec.secrets:
        variables = [use.variable for use in read_secrets(spec.secrets)]
        twice = [name for name in variables if name in spec.env]
        if twice:
            yield (
                ("env", "secrets"),
                FieldFault("secrets", f"sets '{twice[0]}', which env sets too.", "Keep one."),
            )


def _recovery_relations(spec: WorkloadSpec) -> Iterator[Relation]:
    if spec.recovery is None:
        return
    replicas = ReplicaCount(1, 1) if spec.replicas is None else read_replicas(spec.replicas)
    if spec.groups is not None:
        total = replicas_of(spec.groups)
        replicas = ReplicaCount(total, total)
    wrong = remedy = ""
    if spec.array is not None:
        wrong = "is for gangs; a task of an array that is lost is queued again for itself."
        remedy = "Leave it out."
    elif replicas.maximum == 1:
        wrong, remedy = "is for gangs; this has one replica.", "Leave it out, or add replicas: 2."
    elif replicas.resize and spec.recovery == Recovery.RESTART:
        wrong = "is restart, but an elastic gang replaces what it loses."
        remedy = "Leave it out, or write replicas as one number."
    elif replicas.minimum < replicas.maximum and not replicas.resize:
        wrong = "cannot go together with resize: false, where nobody knows the size beforehand."
        remedy = "Write replicas as one number, or leave out resize."
    if wrong:
        yield ("recovery", "replicas", "array", "groups"), FieldFault("recovery", wrong, remedy)


def _wish(spec: WorkloadSpec, now_ms: int, project: str | None, policies: Policies) -> Wish:
    kind = Kind.BATCH if spec.kind is None else Kind(spec.kind)
    policy = _policy_of(spec, kind, project, policies)
    replicas = ReplicaCount(1, 1)
    if spec.array is not None:
        replicas = ReplicaCount(1, int(spec.array), array=True)
    elif spec.replicas is not None:
        replicas = read_replicas(spec.replicas)
    groups = groups_of(spec, policy)
    command = () if spec.command is None else read_command(spec.command)
    script = "" if spec.script is None else read_script(spec.script)
    if groups:
        total = sum(group.count for group in groups)
        replicas = ReplicaCount(total, total)
        # Each group says what it runs; what stands for the whole is the first one's.
        command, script = groups[0].command, groups[0].script
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
            command=command,
            script=script,
            image=spec.image,
            source=source_of(spec.source),
            env=() if spec.env is None else read_env(spec.env),
            secrets=() if spec.secrets is None else read_secrets(spec.secrets),
            volumes=() if spec.volumes is None else read_volumes(spec.volumes),
            data=() if spec.data is None else read_data(spec.data),
        ),
        request=leading_request(groups) if groups else request_of(spec.resources, policy),
        replicas=replicas,
        groups=groups,
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
        recovery=Recovery.RESTART if spec.recovery is None else Recovery(spec.recovery),
        grace_seconds=policy.grace_seconds if spec.grace is None else read_grace(spec.grace),
        depends_on=() if spec.depends_on is None else read_depends_on(spec.depends_on),
        labels=() if spec.labels is None else read_labels(spec.labels),
        classification=None if spec.classification is None else Classification(spec.classification),
    )
