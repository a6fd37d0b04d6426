"""The `resources` of a spec: how people write GPUs, CPU and memory, turned into a Request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from podium.domain.errors import FieldFault
from podium.domain.policy import REPLICAS_MAX, KindPolicy
from podium.domain.quantity import GPU_MILLI, Range, format_milli, parse_bytes, parse_milli
from podium.domain.resources import MPS_LABEL, Isolation, ReplicaCount, Request
from podium.spec.faults import FieldError, checked, described, each, said
from podium.spec.fields import (
    AMOUNT_SCHEMA,
    TEXT_MAP_SCHEMA,
    read_choice,
    read_fields,
    read_integer,
    read_labels,
    read_list,
    read_name,
    read_quantity,
    read_range,
    read_switch,
    read_text,
    write_bytes,
    write_milli,
)

GPUS_MAX = 1024
CPUS_MAX = 65_536
MEMORY_BYTES_MIN = 2**20
MEMORY_BYTES_MAX = 2**46
"""Above what any machine has, and low enough that thousands of replicas sum in 64 bits."""

_GPU_TYPES_MAX = 32
_POOLS_MAX = 32
_GPU_TYPE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._+/ -]{0,61}[A-Za-z0-9])?")
_MIG_PROFILE = re.compile(r"[1-9]g\.[1-9][0-9]{0,3}gb([+-][a-z]{1,8}(\.[a-z]{1,8})?)*")
_MIG_COUNT_MAX = 1024


def read_gpu_milli(value: object) -> int:
    """Thousandths of a GPU: whole devices, or a share of one."""
    written = read_quantity(value, "2 or 0.5")
    try:
        milli = parse_milli(written)
    except ValueError as error:
        raise said(error) from None
    if milli == 0:
        raise FieldError("is 0.", "Leave gpus out when the work needs none.")
    if milli > GPU_MILLI and milli % GPU_MILLI:
        whole = milli // GPU_MILLI
        raise FieldError(
            f"is {format_milli(milli)}; only less than one GPU can be shared.",
            f"Write {whole} or {whole + 1}, or a share such as 0.5.",
        )
    if milli > GPUS_MAX * GPU_MILLI:
        raise FieldError(
            f"is {format_milli(milli)} for each replica; the limit is {GPUS_MAX}.",
            "Spread the work over more replicas.",
        )
    return milli


def read_memory_range(value: object) -> Range:
    """Bytes; each end is 0 (open), or an amount that a machine or device can have."""
    amount = read_range(value, parse_bytes, "20GiB or 24GB..")
    for end in (amount.minimum, amount.maximum):
        if end is not None and end > MEMORY_BYTES_MAX:
            raise FieldError("is more than any machine has.", "Write an amount up to 64TiB.")
        if end is not None and 0 < end < MEMORY_BYTES_MIN:
            raise FieldError(
                f"is {end} bytes, too little to be meant.", "Write a unit, as in 16GiB."
            )
    if amount.maximum == 0:
        raise FieldError("is nothing.", "Write an amount such as 16GiB, or leave the field out.")
    return amount


def read_memory_minimum(value: object) -> int:
    return _lower_end(read_memory_range(value), "16GiB or 16GiB..64GiB")


def read_cpu_minimum(value: object) -> int:
    """Thousandths of a CPU."""
    amount = read_range(value, parse_milli, "4, 0.5 or 4..8")
    if max(amount.minimum, amount.maximum or 0) > CPUS_MAX * 1000:
        raise FieldError("is more CPUs than any machine has.", f"Write {CPUS_MAX} or less.")
    return _lower_end(amount, "4, 0.5 or 4..8")


def _lower_end(amount: Range, example: str) -> int:
    if amount.minimum == 0:
        raise FieldError("does not say how much at least.", f"Write it like {example}.")
    return amount.minimum


def read_mig(value: object) -> tuple[str, int]:
    """A MIG profile, and how many instances of it."""
    if isinstance(value, str):
        return _mig_profile(value), 1
    if not isinstance(value, Mapping):
        raise FieldError(
            f"is {described(value)}.", "Write a profile such as 1g.10gb, or {profile, count}."
        )
    fields = read_fields(
        value,
        {
            "profile": _mig_profile,
            "count": partial(read_integer, minimum=1, maximum=_MIG_COUNT_MAX),
        },
        defaults={"count": 1},
    )
    profile, count = fields["profile"], fields["count"]
    assert isinstance(profile, str)
    assert isinstance(count, int)
    return profile, count


def _mig_profile(value: object) -> str:
    profile = value.strip().lower() if isinstance(value, str) else ""
    if len(profile) > 40 or _MIG_PROFILE.fullmatch(profile) is None:
        raise FieldError(
            f"is {described(value)}, which is not a MIG profile.", "Write it like 1g.10gb."
        )
    return profile


def read_gpu_types(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list | tuple) else None
    if listed is None:
        return (_gpu_type(value),)
    entries = read_list(value, length_max=_GPU_TYPES_MAX, example="[H100, H200]")
    if not entries:
        raise FieldError("is an empty list.", "Name a type, or leave the field out for any.")
    return tuple(
        dict.fromkeys(each(((str(i), entry) for i, entry in enumerate(entries)), _gpu_type))
    )


def _gpu_type(value: object) -> str:
    text = read_text(value, bytes_max=64, what="type of GPU")
    if _GPU_TYPE.fullmatch(text) is None:
        raise FieldError(f"is {described(value)}.", "Write a type such as H100.")
    return text


def read_pools(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list | tuple) else None
    if listed is None:
        return (read_name(value),)
    entries = read_list(value, length_max=_POOLS_MAX, example="[a100, h100]")
    if not entries:
        raise FieldError("is an empty list.", "Name a pool, or leave the field out for any.")
    return tuple(
        dict.fromkeys(each(((str(i), entry) for i, entry in enumerate(entries)), read_name))
    )


def read_replicas(value: object) -> ReplicaCount:
    """A number of replicas, or `{min, max}` for a gang that starts with what fits; with
    `resize: false` it keeps the size it started with."""
    read = partial(read_integer, minimum=1, maximum=REPLICAS_MAX)
    if not isinstance(value, Mapping):
        count = read(value)
        return ReplicaCount(count, count)
    fields = read_fields(
        value,
        {"min": read, "max": read, "resize": read_switch},
        defaults={"min": 1, "resize": True},
    )
    minimum, maximum = fields["min"], fields["max"]
    assert isinstance(minimum, int)
    assert isinstance(maximum, int)
    if maximum < minimum:
        wrong = f"is {maximum}, below min, which is {minimum}."
        raise FieldError(faults=[FieldFault("max", wrong, f"Write {minimum} or more.")])
    return ReplicaCount(minimum, maximum, resize=fields["resize"] is True and minimum < maximum)


def read_isolation(value: object) -> Isolation:
    return Isolation(read_choice(value, tuple(Isolation)))


REPLICAS_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": REPLICAS_MAX},
        {
            "type": "object",
            "properties": {
                "min": {
                    "anyOf": [
                        {"type": "integer", "minimum": 1, "maximum": REPLICAS_MAX},
                        {"type": "null"},
                    ]
                },
                "max": {"type": "integer", "minimum": 1, "maximum": REPLICAS_MAX},
                "resize": {"type": ["boolean", "null"]},
            },
            "required": ["max"],
            "additionalProperties": False,
        },
    ]
}
_MIG_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "string", "examples": ["1g.10gb", "3g.40gb"]},
        {
            "type": "object",
            "properties": {
                "profile": {"type": "string"},
                "count": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
            },
            "required": ["profile"],
            "additionalProperties": False,
        },
    ]
}
_GPU_TYPE_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": _GPU_TYPES_MAX},
    ]
}
_POOL_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": _POOLS_MAX},
    ]
}

_Gpus = Annotated[float | str, checked(read_gpu_milli), WithJsonSchema(AMOUNT_SCHEMA)]
_GpuMemory = Annotated[int | str, checked(read_memory_range), WithJsonSchema(AMOUNT_SCHEMA)]
_Mig = Annotated[str | dict[str, object], checked(read_mig), WithJsonSchema(_MIG_SCHEMA)]
_GpuType = Annotated[str | list[str], checked(read_gpu_types), WithJsonSchema(_GPU_TYPE_SCHEMA)]
_ISOLATION_SCHEMA: dict[str, object] = {"enum": [each.value for each in Isolation]}
_Isolation = Annotated[str, checked(read_isolation), WithJsonSchema(_ISOLATION_SCHEMA)]
_Pool = Annotated[str | list[str], checked(read_pools), WithJsonSchema(_POOL_SCHEMA)]
_Cpus = Annotated[float | str, checked(read_cpu_minimum), WithJsonSchema(AMOUNT_SCHEMA)]
_Memory = Annotated[int | str, checked(read_memory_minimum), WithJsonSchema(AMOUNT_SCHEMA)]
_Nodes = Annotated[
    dict[str, str | float | bool], checked(read_labels), WithJsonSchema(TEXT_MAP_SCHEMA)
]


class ResourcesSpec(BaseModel):
    """What each replica needs. Left out, it needs no GPU, and its kind's CPU and memory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gpus: _Gpus | None = Field(
        None,
        description="Whole GPUs, or a share of one (below 1). Left out, none.",
        examples=[2, 0.5],
    )
    gpu_memory: _GpuMemory | None = Field(
        None,
        description="With `gpus`: take only devices with this much memory in all, where one amount "
        "means at least. Alone: a share of one device with this much memory (of a range, its lower "
        "end).",
        examples=["20GiB", "24GB..", "24GB..80GB"],
    )
    mig: _Mig | None = Field(
        None,
        description="A MIG profile, or how many instances of one.",
        examples=["1g.10gb", {"profile": "1g.10gb", "count": 2}],
    )
    isolation: _Isolation | None = Field(
        None,
        description="What keeps a share of a GPU apart from its other users, at least: `none`, "
        "they take turns and share its memory; `mps`, each has its part of threads and memory; "
        "`mig`, it is a MIG instance. `mps` also adds `podium.io/mps: 'true'` to `nodes`.",
        examples=["mig"],
    )
    gpu_type: _GpuType | None = Field(
        None,
        description="The type of GPU, or a list of types that will do. Left out, any type will.",
        examples=["H100", ["H100", "H200"]],
    )
    cpus: _Cpus | None = Field(
        None, description="CPUs; of a range, the lower end is used.", examples=[4, 0.5, "4..8"]
    )
    memory: _Memory | None = Field(
        None,
        description="Main memory; of a range, the lower end is used. A number is bytes.",
        examples=["16GiB", "16GiB..64GiB"],
    )
    nodes: _Nodes | None = Field(
        None,
        description="Only nodes that have all these labels.",
        examples=[{"zone": "north"}],
    )
    pool: _Pool | None = Field(
        None,
        description="Only nodes of this pool, or of one of these pools. Left out, any that is open "
        "to the project.",
        examples=["a100", ["a100", "h100"]],
    )


Relation = tuple[tuple[str, ...], FieldFault]
"""A fault between fields, and the dotted names of the fields that it rests on."""


def resource_relations(spec: ResourcesSpec) -> Iterator[Relation]:
    """What is wrong between fields that are right each for itself."""
    gpus = 0 if spec.gpus is None else read_gpu_milli(spec.gpus)
    if spec.mig is not None and gpus:
        yield (
            ("resources.mig", "resources.gpus"),
            FieldFault(
                "resources.mig",
                "cannot go together with gpus.",
                "Keep mig for instances of a MIG profile, or gpus for devices and shares.",
            ),
        )
    if spec.mig is not None and spec.gpu_memory is not None:
        yield (
            ("resources.mig", "resources.gpu_memory"),
            FieldFault(
                "resources.gpu_memory",
                "cannot go together with mig, whose profile says the memory.",
                "Leave gpu_memory out.",
            ),
        )
    shared = spec.mig is None and spec.gpu_memory is not None and spec.gpus is None
    if shared and spec.gpu_memory is not None and not read_memory_range(spec.gpu_memory).minimum:
        yield (
            ("resources.gpu_memory", "resources.gpus", "resources.mig"),
            FieldFault(
                "resources.gpu_memory",
                "does not say how much at least.",
                "Write it like 20GiB, or add gpus: 1 to choose among devices by their memory.",
            ),
        )
    if spec.isolation is not None and not asks_for_share(spec):
        yield (
            ("resources.isolation", "resources.gpus", "resources.gpu_memory", "resources.mig"),
            FieldFault("resources.isolation", *_isolation_fault(spec, gpus)),
        )
    if spec.gpu_type is not None and not gpus and spec.mig is None and spec.gpu_memory is None:
        yield (
            ("resources.gpu_type", "resources.gpus", "resources.mig", "resources.gpu_memory"),
            FieldFault(
                "resources.gpu_type",
                "names a type, but no GPU is asked for.",
                "Add gpus: 1, or leave gpu_type out.",
            ),
        )


def asks_for_share(spec: ResourcesSpec) -> bool:
    """Whether it asks for a part of a GPU, by its number or its memory."""
    if spec.mig is not None:
        return False
    if spec.gpus is None:
        return spec.gpu_memory is not None
    return read_gpu_milli(spec.gpus) < GPU_MILLI


def _isolation_fault(spec: ResourcesSpec, gpu_milli: int) -> tuple[str, str]:
    if spec.mig is not None:
        return "is for shares; a MIG instance is isolated by itself.", "Leave isolation out."
    if gpu_milli:
        wrong = "is for shares of a GPU; whole GPUs are shared with nobody."
        return wrong, "Leave isolation out, or ask for a share such as gpus: 0.5."
    wrong = "is for shares of a GPU, and none is asked for."
    return wrong, "Add gpus: 0.5 or gpu_memory: 20GiB, or leave isolation out."


def request_of(spec: ResourcesSpec | None, policy: KindPolicy) -> Request:
    """The domain's request; `spec` has passed `resource_relations`."""
    if spec is None:
        return Request(cpu_milli=policy.cpu_milli, memory_bytes=policy.memory_bytes)
    gpu_milli = 0 if spec.gpus is None else read_gpu_milli(spec.gpus)
    device_memory, share_bytes = None, 0
    if spec.gpu_memory is not None:
        amount = read_memory_range(spec.gpu_memory)
        if not gpu_milli:
            share_bytes = amount.minimum
        elif amount.minimum or amount.maximum is not None:
            single = not isinstance(spec.gpu_memory, str) or ".." not in spec.gpu_memory
            device_memory = Range.at_least(amount.minimum) if single else amount
    profile, count = (None, 0) if spec.mig is None else read_mig(spec.mig)
    isolation = Isolation.NONE if spec.isolation is None else read_isolation(spec.isolation)
    labels = () if spec.nodes is None else read_labels(spec.nodes)
    if isolation is Isolation.MPS:
        labels = tuple(sorted(dict((*labels, MPS_LABEL)).items()))
    return Request(
        cpu_milli=policy.cpu_milli if spec.cpus is None else read_cpu_minimum(spec.cpus),
        memory_bytes=(
            policy.memory_bytes if spec.memory is None else read_memory_minimum(spec.memory)
        ),
        gpu_milli=gpu_milli,
        gpu_share_bytes=share_bytes,
        gpu_types=() if spec.gpu_type is None else read_gpu_types(spec.gpu_type),
        gpu_memory=device_memory,
        mig_profile=profile,
        mig_count=count,
        node_labels=labels,
        pools=() if spec.pool is None else read_pools(spec.pool),
        isolation=isolation,
    )


def resources_document(request: Request) -> dict[str, object]:
    """A request as `resources` that read back to the same request."""
    document: dict[str, object] = {}
    if request.mig_profile is not None:
        document["mig"] = {"profile": request.mig_profile, "count": request.mig_count}
    elif request.gpu_share_bytes:
        document["gpu_memory"] = write_bytes(request.gpu_share_bytes)
    elif request.gpu_milli:
        document["gpus"] = write_milli(request.gpu_milli)
    if request.gpu_memory is not None:
        low, high = request.gpu_memory.minimum, request.gpu_memory.maximum
        document["gpu_memory"] = (
            f"{write_bytes(low) if low else ''}..{'' if high is None else write_bytes(high)}"
        )
    if request.isolation is not Isolation.NONE:
        document["isolation"] = request.isolation.value
    if request.gpu_types:
        document["gpu_type"] = list(request.gpu_types)
    document["cpus"] = write_milli(request.cpu_milli)
    document["memory"] = write_bytes(request.memory_bytes)
    if request.node_labels:
        document["nodes"] = dict(request.node_labels)
    if request.pools:
        document["pool"] = list(request.pools)
    return document
