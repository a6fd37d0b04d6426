"""Rows to domain values and back, where a column alone does not say it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from podium.domain.data import DataUse, Mode
from podium.domain.lifecycle import WorkloadState
from podium.domain.quantity import Range
from podium.domain.reason import Cause, Evidence, Refusal, WaitReason
from podium.domain.resources import (
    Isolation,
    ReplicaCount,
    Request,
    Topology,
    TopologyLevel,
)
from podium.domain.secret import SecretUse
from podium.domain.workload import (
    GitSource,
    Kind,
    Program,
    Recovery,
    ReplicaGroup,
    UploadSource,
    Volume,
    Workload,
)

Row = Mapping[Any, Any]


def pairs_to_text(pairs: Iterable[tuple[str, str]]) -> str:
    """`(("a", "1"),)` → `{"a":"1"}`; the empty mapping is the empty text."""
    items = dict(pairs)
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False) if items else ""


def pairs_from_text(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(json.loads(text).items()) if text else ()


def program_to_text(program: Program) -> str:
    source: dict[str, str] | None = None
    if isinstance(program.source, GitSource):
        source = {"git": program.source.url, "ref": program.source.ref}
    elif isinstance(program.source, UploadSource):
        source = {"upload": program.source.sha256}
    document = {
        "command": program.command,
        "script": program.script,
        "image": program.image,
        "source": source,
        "env": program.env,
        "secrets": [
            [each.name, each.variable, each.as_file]
            if each.as_file or each.variable != each.name
            else each.name
            for each in program.secrets
        ],
        "volumes": [(each.name, each.path, each.read_only) for each in program.volumes],
        "data": [(each.source, each.path, each.mode.value) for each in program.data],
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def program_from_text(text: str) -> Program:
    document = json.loads(text)
    source: GitSource | UploadSource | None = None
    if document["source"] is not None:
        source = (
            GitSource(document["source"]["git"], document["source"]["ref"])
            if "git" in document["source"]
            else UploadSource(document["source"]["upload"])
        )
    return Program(
        command=tuple(document["command"]),
        script=document["script"],
        image=document["image"],
        source=source,
        env=tuple((key, value) for key, value in document["env"]),
        secrets=tuple(
            SecretUse(each, each) if isinstance(each, str) else SecretUse(*each)
            for each in document["secrets"]
        ),
        volumes=tuple(Volume(*each) for each in document["volumes"]),
        data=tuple(
            DataUse(source, path, Mode(mode)) for source, path, mode in document.get("data", ())
        ),
    )


def refusal_to_columns(refusal: Refusal | None) -> dict[str, str | None]:
    if refusal is None:
        return dict.fromkeys(
            ("refusal_reason", "refusal_message", "refusal_remedy", "refusal_evidence")
        )
    return {
        "refusal_reason": refusal.reason,
        "refusal_message": refusal.message,
        "refusal_remedy": refusal.remedy,
        "refusal_evidence": json.dumps(
            [(each.fact, each.value, each.subject) for each in refusal.evidence]
        ),
    }


def refusal_from_row(row: Row) -> Refusal | None:
    if row["refusal_reason"] is None:
        return None
    return Refusal(
        WaitReason(row["refusal_reason"]),
        row["refusal_message"],
        row["refusal_remedy"],
        tuple(Evidence(*each) for each in json.loads(row["refusal_evidence"])),
    )


def names_from_text(text: str) -> tuple[str, ...]:
    """Pools and GPU types, as a request names them."""
    return tuple(text.split(",")) if text else ()


def request_to_columns(request: Request) -> dict[str, Any]:
    memory = request.gpu_memory
    return {
        "cpu_milli": request.cpu_milli,
        "memory_bytes": request.memory_bytes,
        "gpu_milli": request.gpu_milli,
        "gpu_share_bytes": request.gpu_share_bytes,
        "gpu_types": ",".join(request.gpu_types),
        "gpu_memory_min_bytes": memory.minimum if memory else None,
        "gpu_memory_max_bytes": memory.maximum if memory else None,
        "mig_profile": request.mig_profile,
        "mig_count": request.mig_count,
        "node_labels": pairs_to_text(request.node_labels),
        "pools": ",".join(request.pools),
        "isolation": request.isolation.value,
    }


def request_from_row(row: Row) -> Request:
    return Request(
        cpu_milli=row["cpu_milli"],
        memory_bytes=row["memory_bytes"],
        gpu_milli=row["gpu_milli"],
        gpu_share_bytes=row["gpu_share_bytes"],
        gpu_types=names_from_text(row["gpu_types"]),
        gpu_memory=None
        if row["gpu_memory_min_bytes"] is None
        else Range(row["gpu_memory_min_bytes"], row["gpu_memory_max_bytes"]),
        mig_profile=row["mig_profile"],
        mig_count=row["mig_count"],
        node_labels=pairs_from_text(row["node_labels"]),
        pools=names_from_text(row["pools"]),
        isolation=Isolation(row["isolation"]),
    )


def topology_from_row(row: Row) -> Topology:
    within, prefer = row["topology_within"], row["topology_prefer"]
    return Topology(
        TopologyLevel(within) if within else None, TopologyLevel(prefer) if prefer else None
    )


def workload_from_row(row: Row, groups: tuple[ReplicaGroup, ...]) -> Workload:
    return Workload(
        id=row["id"],
        name=row["name"],
        project=row["project"],
        team=row["team"],
        owner=row["owner"],
        kind=Kind(row["kind"]),
        state=WorkloadState(row["state"]),
        priority=row["priority"],
        request=request_from_row(row),
        replicas=ReplicaCount(
            row["replicas_min"], row["replicas_max"], row["is_array"], row["replicas_resize"]
        ),
        topology=topology_from_row(row),
        submitted_at_ms=row["submitted_at_ms"],
        queued_at_ms=row["queued_at_ms"],
        started_at_ms=row["started_at_ms"],
        ended_at_ms=row["ended_at_ms"],
        deadline_ms=row["deadline_ms"],
        max_runtime_seconds=row["max_runtime_seconds"],
        grace_seconds=row["grace_seconds"],
        retries=row["retries"],
        attempt=row["attempt"],
        cause=Cause(row["cause"]) if row["cause"] else None,
        message=row["message"],
        refusal=refusal_from_row(row),
        refused_since_ms=row["refused_since_ms"],
        rendezvous_port=row["rendezvous_port"],
        labels=pairs_from_text(row["labels"]),
        version=row["version"],
        recovery=Recovery(row["recovery"]),
        groups=groups,
    )
