"""The GPUs of a node as its device plugin counts them and GPU Feature Discovery describes them.

A plugin hands out GPUs by count: which one a pod got, only its node knows. Podium numbers them
itself, so that its books are right for whole GPUs and for shares, and names one only where the
node says so (`podium.io/devices=exact`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lightkube.utils.quantity import parse_quantity

from podium.domain.node import Device, MigInstance
from podium.domain.quantity import GPU_MILLI
from podium.engines.devices.library import short_type
from podium.engines.kubernetes import names
from podium.engines.kubernetes.grants import (
    INDEX,
    MPS,
    NAMED,
    ONE_KIND,
    SHARED,
    names_its_gpu,
    slot_of,
)
from podium.engines.kubernetes.layouts import Standing, profile_of, standing_of

_MIB = 1 << 20
_GIB = 1 << 30
_TYPE_UNKNOWN = "GPU"
_OTHERS = "A pod that is not Podium's uses it."
_NOBODY_TELLS = (
    "A pod that is not Podium's has a GPU of this node from the device plugin, and nobody tells "
    "which."
)
_BOTH_WAYS = "Work from before its node gave GPUs in another way still runs there."
_NOT_NAMED = "Its node has MIG instances or lists its GPUs wrongly, so that none can be named."


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is seen of a node: `allocatable` and its notes as Kubernetes has them, `others` by
    resource what pods that are not Podium's have, and `ours` what Podium's pods note
    (`note_of`)."""

    name: str
    allocatable: Mapping[str, str]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    others: Mapping[str, int]
    ours: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """A resource of a plugin. `replicas` is how many of it stand for one device, 1 where it is not
    shared, 0 where nobody tells; `profile` is None for GPUs. `more`: than the labels tell of, so
    that they may be instances."""

    resource: str
    count: int
    profile: str | None
    replicas: int
    mps: bool
    more: bool


def devices_of(seen: Sight) -> tuple[Device, ...]:
    """Where pods of others have some, which ones is not known: then the last that are not in use
    by Podium stand for them."""
    model = seen.labels.get("nvidia.com/gpu.product", "").replace("-", " ")
    found_profile = re.search(r" MIG ([0-9]+g\.[0-9]+gb\S*)", model)  # the strategy "single"
    single = found_profile[1].replace(".me", "+me") if found_profile else None
    model = re.sub(r" SHARED$", "", model)
    model = re.sub(r" MIG \S+$", "", model) or "NVIDIA GPU"
    plain = Device(
        id="",
        node=seen.name,
        index=0,
        uuid="",
        type=short_type(model) if "nvidia.com/gpu.product" in seen.labels else _TYPE_UNKNOWN,
        model=model,
        memory_bytes=_memory_bytes(None, seen.labels),
    )
    if is_exact(seen.labels):
        found = list(_exact(seen, plain))
    else:
        amounts = {
            name: _count(seen.allocatable, name) for name in seen.allocatable if is_gpu(name)
        }
        standing = standing_of(model, plain.memory_bytes, single, amounts, seen.labels)
        found = list(_counted(seen, plain, single, standing))
        if any(names_its_gpu(note) for note in seen.ours):
            found = [replace(each, healthy=False, fault=_BOTH_WAYS) for each in found]
    return tuple(replace(each, index=index) for index, each in enumerate(found))


def is_exact(labels: Mapping[str, str]) -> bool:
    """Whether work is named its GPUs on a node with these labels."""
    return labels.get(names.DEVICES) == names.EXACT


def shares_by_mps(labels: Mapping[str, str]) -> bool:
    """Whether those who share a GPU of such a node do so through MPS."""
    strategy = labels.get(f"{names.GPU}.sharing-strategy")
    return not is_exact(labels) and strategy == MPS and _replicas(names.GPU, labels) > 1


def _exact(seen: Sight, plain: Device) -> Iterator[Device]:
    said = seen.annotations.get(names.GPU_UUIDS, "")
    listed = [each.strip() for each in said.split(",") if each.strip()]
    count = seen.labels.get(f"{names.GPU}.count", "")
    plugin = _count(seen.allocatable, names.GPU) // _replicas(names.GPU, seen.labels)
    gpus = int(count) if count.isdigit() else plugin
    uuids = listed or [f"{seen.name}-{INDEX}-{number}" for number in range(gpus)]
    fault = ""
    wrong = len(set(uuids)) < len(uuids) or not all(map(NAMED.fullmatch, listed))
    cut = any(
        name.startswith(names.MIG_PREFIX) and _count(seen.allocatable, name)
        for name in seen.allocatable
    )
    if wrong or cut or "-MIG-" in seen.labels.get("nvidia.com/gpu.product", ""):
        fault = _NOT_NAMED
    elif any(not names_its_gpu(note) for note in seen.ours):
        fault = _BOTH_WAYS
    elif any(amount for name, amount in seen.others.items() if is_gpu(name)):
        fault = _NOBODY_TELLS
    for number, uuid in enumerate(dict.fromkeys(uuids)):
        key = f"{seen.name}-gpu-{number}"
        yield replace(plain, id=key, uuid=uuid, healthy=not fault, fault=fault)


def _counted(
    seen: Sight, plain: Device, single: str | None, standing: Standing | None
) -> Iterator[Device]:
    if standing is not None:
        yield from _cut(seen, plain, standing)
        return
    for offer in _offers(seen, single):
        yield from _handed_out(seen, plain, offer)


def _offers(seen: Sight, single: str | None) -> Iterator[_Offer]:
    for resource in sorted(seen.allocatable):
        base = resource.removesuffix(SHARED)
        if not is_gpu(resource):
            continue
        count, said = _count(seen.allocatable, resource), seen.labels.get(f"{base}.count", "")
        profile = single
        if base != names.GPU:
            profile = profile_of(base)
        replicas = _replicas(base, seen.labels)
        renamed = resource != base or seen.labels.get(f"{base}.product", "").endswith("-SHARED")
        if renamed and replicas == 1:
            replicas = 0
        yield _Offer(
            resource=resource,
            count=count,
            profile=profile,
            replicas=replicas,
            mps=seen.labels.get(f"{base}.sharing-strategy") == MPS,
            more=said.isdigit() and count > int(said) * max(1, replicas),
        )


def _handed_out(seen: Sight, plain: Device, offer: _Offer) -> Iterator[Device]:
    count = offer.count // max(1, offer.replicas)
    shared = offer.replicas != 1
    stem = offer.resource.removeprefix(names.VENDOR)
    if shared and offer.mps:
        stem = stem.replace("gpu", MPS)
    uuids = [f"{seen.name}-{stem}-{number}" for number in range(count)]
    taken = -(-seen.others.get(offer.resource, 0) // max(1, offer.replicas))
    not_ours = _last(uuids, taken, seen.ours)
    fault = ""
    if offer.replicas == 0:
        fault = f"It is shared, and its node does not tell by how many ({offer.resource})."
    elif offer.more:
        fault = "Its node's labels tell of fewer GPUs than its plugin, as while GPUs are cut anew."
    elif shared and offer.profile is not None:
        fault = "The device plugin lets several share this instance, which no work may ask for."
    memory_bytes = plain.memory_bytes
    if offer.profile is not None:
        memory_bytes = _memory_bytes(offer.profile, seen.labels)
    for number, uuid in enumerate(uuids):
        why = fault or (_OTHERS if uuid in not_ours else "")
        key = uuid if offer.resource.startswith(names.MIG_PREFIX) else f"{seen.name}-gpu-{number}"
        yield replace(
            plain,
            id=key,
            uuid=uuid,
            memory_bytes=memory_bytes,
            mig_profile=offer.profile,
            share_milli=0 if offer.profile is not None else GPU_MILLI // max(1, offer.replicas),
            healthy=not why,
            fault=why,
        )


def _cut(seen: Sight, plain: Device, standing: Standing) -> Iterator[Device]:
    """GPUs with the instances that the plugin counts; one that is ill is left out at the end."""
    stem = ONE_KIND if standing.single else "gpu"
    gpus = [f"{seen.name}-{stem}-{number}" for number in range(standing.gpus)]
    busy: set[str] = set()
    missing: set[str] = set()
    for profile in {profile for profile, _ in standing.instances}:
        resource = names.MIG_PREFIX + profile.replace("+", ".")
        if standing.single:
            resource = names.GPU
        slots = [
            slot_of(gpu, each, start)
            for gpu in gpus
            for each, start in standing.instances
            if each == profile
        ]
        counted = _count(seen.allocatable, resource)
        missing.update(slots[counted:])
        busy |= _last(slots[:counted], seen.others.get(resource, 0), seen.ours)
    for number, gpu in enumerate(gpus):
        yield replace(
            plain,
            id=f"{seen.name}-gpu-{number}",
            uuid=gpu,
            memory_bytes=standing.board.memory_bytes,
            board=standing.board.name,
            pinned=True,
            instances=tuple(
                MigInstance(profile, start, slot, slot in busy)
                for profile, start in standing.instances
                if (slot := slot_of(gpu, profile, start)) not in missing
            ),
        )


def _last(uuids: Sequence[str], count: int, ours: Collection[str]) -> set[str]:
    """So many of the last, those of Podium's work only when there are no others."""
    return set(sorted(uuids, key=lambda each: each not in ours)[-count:] if count else ())


def _count(allocatable: Mapping[str, str], resource: str) -> int:
    return int(parse_quantity(allocatable.get(resource, "0")) or 0)


def _replicas(resource: str, labels: Mapping[str, str]) -> int:
    said = labels.get(f"{resource}.replicas", "")
    return max(1, int(said)) if said.isdigit() else 1


def is_gpu(resource: str) -> bool:
    """Whether a resource is GPUs or instances of them, shared or not."""
    base = resource.removesuffix(SHARED)
    return base == names.GPU or base.startswith(names.MIG_PREFIX)


def _memory_bytes(profile: str | None, labels: Mapping[str, str]) -> int:
    said = labels.get(f"{names.MIG_PREFIX}{profile}.memory" if profile else f"{names.GPU}.memory")
    if said is None:
        said = labels.get(f"{names.GPU}.memory")  # of the strategy "single", and where it is silent
        if profile is not None and (size := re.search(r"\.([0-9]+)gb", profile)):
            return int(size[1]) * _GIB
    return int(said) * _MIB if said and said.isdigit() else 0
