"""A checked spec written out again, with every default filled in."""

from __future__ import annotations

from podium.domain.resources import ANYWHERE, ReplicaCount
from podium.domain.workload import GitSource, Program, Recovery, UploadSource, Wish
from podium.spec.data import write_data
from podium.spec.fields import write_duration, write_time
from podium.spec.groups import groups_document
from podium.spec.resources import resources_document
from podium.spec.secret import write_secrets


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
    document |= _program(program, grouped=bool(wish.groups))
    if wish.groups:
        # Each says all that it asks for and runs, so nothing is said for all of them.
        document["groups"] = groups_document(wish.groups)
    else:
        document["resources"] = resources_document(wish.request)
        document |= _size(replicas)
    fixed_gang = replicas.minimum == replicas.maximum > 1 and not replicas.array
    if fixed_gang or wish.recovery is not Recovery.RESTART:
        document["recovery"] = wish.recovery.value
    levels = {"within": wish.topology.within, "prefer": wish.topology.prefer}
    if wish.topology != ANYWHERE:
        document["topology"] = {
            key: level.value for key, level in levels.items() if level is not None
        }
    document["preemptible"] = wish.preemptible
    document |= _start(wish)
    # What may be changed later stands together, see `spec/change.py`.
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
        "secrets": write_secrets(program.secrets),
        "volumes": volumes,
        "data": write_data(program.data),
        "classification": wish.classification and wish.classification.value,
        "depends_on": list(wish.depends_on),
        "labels": dict(wish.labels),
    }
    return document | {key: value for key, value in collections.items() if value}


def _size(replicas: ReplicaCount) -> dict[str, object]:
    if replicas.array:
        return {"array": replicas.maximum}
    if replicas.minimum == replicas.maximum:
        return {"replicas": replicas.maximum}
    fixed = {} if replicas.resize else {"resize": False}
    return {"replicas": {"min": replicas.minimum, "max": replicas.maximum, **fixed}}


def _program(program: Program, *, grouped: bool) -> dict[str, object]:
    document: dict[str, object] = {}
    if not grouped:
        document |= {"command": list(program.command)} if program.command else {}
        document |= {"script": program.script} if program.script else {}
    if program.image is not None:
        document["image"] = program.image
    if isinstance(program.source, GitSource):
        document["source"] = {"git": program.source.url, "ref": program.source.ref}
    elif isinstance(program.source, UploadSource):
        document["source"] = {"upload": program.source.sha256}
    return document


def _start(wish: Wish) -> dict[str, object]:
    document: dict[str, object] = {}
    start: dict[str, object] = {}
    if wish.not_before_ms is not None:
        start["not_before"] = write_time(wish.not_before_ms)
    if wish.start_window is not None:
        start["window"] = str(wish.start_window)
    if start:
        document["start"] = start
    if wish.expected_runtime_seconds is not None:
        document["expected_runtime"] = write_duration(wish.expected_runtime_seconds)
    return document
