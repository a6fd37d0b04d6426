"""The `groups` of a spec: what they say to each other and to the workload, and the domain's groups.

`spec/workload.py` checks with this and builds wishes with it; `spec/resolved.py` writes them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from podium.domain.errors import FieldFault
from podium.domain.policy import REPLICAS_MAX, KindPolicy
from podium.domain.workload import ReplicaGroup
from podium.spec.program import read_command, read_env, read_script
from podium.spec.resources import (
    Relation,
    ResourcesSpec,
    asks_for_share,
    request_of,
    resource_relations,
    resources_document,
)
from podium.spec.schema import GroupSpec, WorkloadSpec
from podium.spec.secret import read_secrets

_WAYS = ("gpus", "gpu_memory", "mig")
"""Fields of resources that ask for GPUs; `mig` goes with none of the others."""


def replicas_of(groups: Sequence[GroupSpec]) -> int:
    return sum(1 if group.replicas is None else int(group.replicas) for group in groups)


def group_relations(spec: WorkloadSpec) -> Iterator[Relation]:
    """What is wrong between groups, and between them and the workload, where each field is right
    for itself."""
    groups = spec.groups or []
    for other in ("replicas", "array"):
        if getattr(spec, other) is not None:
            yield (
                ("groups", other),
                FieldFault(
                    "groups",
                    f"cannot go together with {other}.",
                    f"Keep groups for a gang of unlike replicas, or {other} for alike ones.",
                ),
            )
    total = replicas_of(groups)
    if total > REPLICAS_MAX:
        yield (
            ("groups",),
            FieldFault(
                "groups",
                f"have {total} replicas together; the limit is {REPLICAS_MAX}.",
                "Take some out.",
            ),
        )
    first: dict[str, int] = {}
    for number, group in enumerate(groups):
        before = first.setdefault(group.name, number)
        if before != number:
            yield (
                ("groups",),
                FieldFault(
                    f"groups.{number}.name",
                    f"is '{group.name}', as that of groups.{before}.",
                    "Give each group a name of its own.",
                ),
            )
        yield from _program(spec, group, f"groups.{number}")
    yield from _resources(spec, groups)


def _program(spec: WorkloadSpec, group: GroupSpec, place: str) -> Iterator[Relation]:
    if group.command is not None and group.script is not None:
        wrong = "cannot go together with command."
        yield ("groups",), FieldFault(f"{place}.script", wrong, "Keep one of the two.")
    said = (group.command, group.script, spec.command, spec.script)
    if all(each is None for each in said):
        yield (
            ("groups", "command", "script"),
            FieldFault(
                f"{place}.command",
                "is missing, and the workload has none that could stand in.",
                "Add a command or a script to the group, or to the workload for all of them.",
            ),
        )
    uses = read_secrets(spec.secrets or [])
    twice = [use.variable for use in uses if use.variable in (group.env or {})]
    if twice:
        wrong = f"sets {twice[0]}, which is named in secrets too."
        yield ("groups", "secrets"), FieldFault(f"{place}.env", wrong, "Keep one.")


def _resources(spec: WorkloadSpec, groups: Sequence[GroupSpec]) -> Iterator[Relation]:
    """Faults of what groups ask for once the workload's fields are filled in; those that are the
    workload's own are told once."""
    merged = [_merged(spec.resources, group.resources) for group in groups]
    own = list(resource_relations(spec.resources)) if spec.resources is not None else []
    if any(_asks(each) for each in merged):
        # The type is for those groups that ask for GPUs, the isolation for those with shares.
        own = [each for each in own if each[1].field != "resources.gpu_type"]
    if any(each is not None and asks_for_share(each) for each in merged):
        own = [each for each in own if each[1].field != "resources.isolation"]
    told = [fault for _, fault in own]
    yield from own
    for number, resources in enumerate(merged):
        if resources is None:
            continue
        for rests_on, fault in resource_relations(resources):
            if fault not in told:
                yield (
                    ("groups", *rests_on),
                    replace(fault, field=f"groups.{number}.{fault.field}"),
                )


def _merged(common: ResourcesSpec | None, own: ResourcesSpec | None) -> ResourcesSpec | None:
    """Field by field, where one way of asking for GPUs takes the place of another. A type that is
    meant for others is left out where no GPU is asked for, and an isolation where no share is."""
    if common is None or own is None:
        return _isolated(_typed(common)) if own is None else own
    said = own.model_fields_set - {name for name in own.model_fields_set if _at(own, name) is None}
    fields = {name: _at(common, name) for name in ResourcesSpec.model_fields if name not in said}
    if "mig" in said:
        fields |= {name: None for name in _WAYS if name in fields}
    elif not said.isdisjoint(_WAYS):
        fields["mig"] = None
    fields |= {name: _at(own, name) for name in said}
    found: ResourcesSpec | None = ResourcesSpec.model_construct(None, **fields)
    found = found if "gpu_type" in said else _typed(found)
    return found if "isolation" in said else _isolated(found)


def _typed(resources: ResourcesSpec | None) -> ResourcesSpec | None:
    if resources is None or _asks(resources):
        return resources
    return resources.model_copy(update={"gpu_type": None})


def _isolated(resources: ResourcesSpec | None) -> ResourcesSpec | None:
    if resources is None or resources.isolation is None or asks_for_share(resources):
        return resources
    return resources.model_copy(update={"isolation": None})


def _asks(resources: ResourcesSpec | None) -> bool:
    """Whether it asks for GPUs."""
    return resources is not None and any(_at(resources, way) is not None for way in _WAYS)


def _at(resources: ResourcesSpec, name: str) -> Any:
    return getattr(resources, name)


def groups_of(spec: WorkloadSpec, policy: KindPolicy) -> tuple[ReplicaGroup, ...]:
    """The domain's groups; `spec` has passed `group_relations`."""
    found = []
    for group in spec.groups or ():
        said = group.command is not None or group.script is not None
        command, script = (group.command, group.script) if said else (spec.command, spec.script)
        found.append(
            ReplicaGroup(
                name=group.name,
                count=1 if group.replicas is None else int(group.replicas),
                request=request_of(_merged(spec.resources, group.resources), policy),
                command=() if command is None else read_command(command),
                script="" if script is None else read_script(script),
                env=() if group.env is None else read_env(group.env),
            )
        )
    return tuple(found)


def groups_document(groups: Sequence[ReplicaGroup]) -> list[dict[str, object]]:
    """Groups as a spec that reads back to the same, whatever the workload says for all."""
    found: list[dict[str, object]] = []
    for group in groups:
        document: dict[str, object] = {"name": group.name, "replicas": group.count}
        if group.command:
            document["command"] = list(group.command)
        else:
            document["script"] = group.script
        document["resources"] = resources_document(group.request)
        if group.env:
            document["env"] = dict(group.env)
        found.append(document)
    return found
