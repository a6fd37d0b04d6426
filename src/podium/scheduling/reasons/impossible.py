"""Words for what can never start here: IMPOSSIBLE_TYPE and IMPOSSIBLE_SIZE. `refusals` calls it
with counts of a cluster that is empty and all up."""

from __future__ import annotations

from collections.abc import Iterable

from podium.domain.quantity import GPU_MILLI, format_bytes, format_milli
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import Request
from podium.scheduling.placing.fit import device_grant, device_matches
from podium.scheduling.reasons.shortage import Case
from podium.scheduling.reasons.tally import Tallies, Tally
from podium.scheduling.reasons.wording import (
    cpu_amount,
    gpu_amount,
    gpu_noun,
    listed,
    memory_amount,
    whole_amount,
    with_article,
)
from podium.scheduling.space.layout import ANY, DeviceKind, Layout


def impossible_type(case: Case, layout: Layout) -> Refusal | None:
    """No device of the cluster is of the kind asked for."""
    request = case.demand.request
    if not request.wants_gpu or any(device_matches(request, kind) for kind in layout.kinds):
        return None
    message = f"No node has {with_article(gpu_noun(request, plural=False))}."
    evidence = tuple(Evidence("gpu_type", _kind_words(kind)) for kind in layout.kinds)
    if not layout.kinds:
        remedy = "Leave the GPUs out of resources, or add a node with GPUs."
        return Refusal(WaitReason.IMPOSSIBLE_TYPE, message, remedy)
    if request.mig_profile:
        profiles = _distinct(kind.mig_profile or "" for kind in layout.kinds)
        if not profiles:
            remedy = "Ask for whole GPUs or a share of one; no GPU here is split into instances."
            return Refusal(WaitReason.IMPOSSIBLE_TYPE, message, remedy, evidence)
        message += f" This cluster has {listed(profiles)}."
        remedy = f"Ask for mig: {profiles[0]}."
        return Refusal(WaitReason.IMPOSSIBLE_TYPE, message, remedy, evidence)
    whole = [kind for kind in layout.kinds if kind.mig_profile is None]
    if not whole:
        profile = layout.kinds[0].mig_profile
        message += " Every GPU of this cluster is split into MIG instances."
        return Refusal(WaitReason.IMPOSSIBLE_TYPE, message, f"Ask for mig: {profile}.", evidence)
    if request.gpu_memory is None:
        types = _distinct(kind.type for kind in whole)
        message += f" This cluster has {listed(types)}."
        remedy = f"Ask for gpu_type: {types[0]}, or leave gpu_type out."
    else:
        message += f" This cluster has {listed(_distinct(_kind_words(kind) for kind in whole))}."
        remedy = "Ask for a range of gpu_memory that one of these is in, or leave it out."
        if request.gpu_types:
            remedy = "Ask for a gpu_type and gpu_memory that one of these has."
    return Refusal(WaitReason.IMPOSSIBLE_TYPE, message, remedy, evidence)


def impossible_size(case: Case, tallies: Tallies) -> Refusal | None:
    """More than the whole cluster, or than any one node, has, with everything up and idle."""
    need, shape, request = case.need, case.shape, case.demand.request
    if tallies.room_for(shape, ANY) >= need:
        return None
    found = tallies.of(shape, ANY)
    if shape.count and found.gpu_replicas < need:
        return _gpus(case, found, tallies.floor.layout)
    if min(found.cpu_replicas, found.memory_replicas) < need:
        return _cpu_or_memory(case, found)
    if found.replicas == 0:
        return Refusal(
            WaitReason.IMPOSSIBLE_SIZE,
            f"No one node has {whole_amount(request)} together, even when idle.",
            "Ask for less of one of these for each replica.",
        )
    return _too_many(case, whole_amount(request), found.replicas)


def _gpus(case: Case, found: Tally, layout: Layout) -> Refusal:
    request, need, count = case.demand.request, case.need, case.shape.count
    other_size = _other_size(request, layout)
    if other_size is not None:
        return other_size
    if request.gpu_share_bytes and found.gpu_replicas == 0:
        most = max(kind.memory_bytes for kind in layout.kinds if device_matches(request, kind))
        return Refusal(
            WaitReason.IMPOSSIBLE_SIZE,
            f"Asks for {gpu_amount(request)}; the largest has {format_bytes(most)}.",
            f"Ask for at most {format_bytes(most)}, or for whole GPUs.",
            (Evidence("gpu_memory_largest", format_bytes(most)),),
        )
    if case.shape.shared:
        return _too_many(case, gpu_amount(request), found.gpu_replicas)
    evidence = (
        Evidence("gpus_total", str(found.units)),
        Evidence("gpus_on_largest_node", str(found.units_on_one)),
    )
    field = "mig.count" if request.mig_profile else "gpus"
    remedy = f"Ask for {field}: {found.units_on_one} or fewer."
    if count > found.units or (need > 1 and found.gpu_replicas and count * need > found.units):
        noun = gpu_noun(request, plural=count * need != 1)
        if need > 1:
            remedy = f"Ask for {found.gpu_replicas} replicas or fewer, or for fewer GPUs each."
        if need > 1 and not found.gpu_replicas:
            remedy = f"Ask for {field}: {found.units_on_one} or fewer for each replica."
        total = f"Asks for {count * need} {noun}"
        if need > 1:
            total += f" in all ({need} replicas with {count} each)"
        return Refusal(
            WaitReason.IMPOSSIBLE_SIZE,
            f"{total}; the whole cluster has {found.units}.",
            remedy,
            evidence,
        )
    if found.gpu_replicas == 0:
        who = "Each replica asks" if need > 1 or case.each else "Asks"
        remedy += " Several replicas can use more than one node."
        return Refusal(
            WaitReason.IMPOSSIBLE_SIZE,
            f"{who} for {gpu_amount(request)} on one node; "
            f"the largest node has {found.units_on_one}.",
            remedy,
            evidence,
        )
    return _too_many(case, gpu_amount(request), found.gpu_replicas)


def _other_size(request: Request, layout: Layout) -> Refusal | None:
    """Its GPUs are handed out in shares of one size alone, or whole alone, and not as it asks."""
    kinds = [kind for kind in layout.kinds if device_matches(request, kind)]
    if any(device_grant(request, kind) for kind in kinds) or not all(
        kind.share_milli for kind in kinds
    ):
        return None
    shares = [kind for kind in kinds if kind.share_milli < GPU_MILLI]
    if not shares:
        message = f"Asks for {gpu_amount(request)}; such GPUs are handed out whole."
        return Refusal(WaitReason.IMPOSSIBLE_SIZE, message, "Ask for gpus: 1.")
    largest = max(shares, key=lambda kind: kind.memory_bytes * kind.share_milli)
    share = format_milli(largest.share_milli)
    size = format_bytes(largest.memory_bytes * largest.share_milli // GPU_MILLI)
    remedy = f"Ask for gpus: {share} or less"
    if len(shares) < len(kinds):
        remedy += ", or for whole GPUs"
    return Refusal(
        WaitReason.IMPOSSIBLE_SIZE,
        f"Asks for {gpu_amount(request)}; such GPUs are handed out in shares, of which the "
        f"largest is {share} with {size}.",
        f"{remedy}.",
        (Evidence("gpu_share_largest", share),),
    )


def _cpu_or_memory(case: Case, found: Tally) -> Refusal:
    request = case.demand.request
    if found.cpu_replicas < case.need:
        most = format_milli(found.cpu_milli_on_one)
        if found.cpu_replicas == 0:
            return _one_node(case, cpu_amount(request.cpu_milli), most, f"cpus: {most}")
        return _too_many(case, cpu_amount(request.cpu_milli), found.cpu_replicas)
    most = format_bytes(found.memory_bytes_on_one)
    if found.memory_replicas == 0:
        remedy = f"memory: {most.replace(' ', '')}"
        return _one_node(case, memory_amount(request.memory_bytes), most, remedy)
    return _too_many(case, memory_amount(request.memory_bytes), found.memory_replicas)


def _one_node(case: Case, amount: str, most: str, field: str) -> Refusal:
    who = "Each replica asks" if case.need > 1 or case.each else "Asks"
    return Refusal(
        WaitReason.IMPOSSIBLE_SIZE,
        f"{who} for {amount} on one node; the largest node has {most}.",
        f"Ask for {field} or less.",
        (Evidence("largest_node_has", most),),
    )


def _too_many(case: Case, amount: str, fit: int) -> Refusal:
    fits = f"only {fit} of them {'fits' if fit == 1 else 'fit'} into the whole cluster"
    return Refusal(
        WaitReason.IMPOSSIBLE_SIZE,
        f"Asks for {case.need} replicas with {amount} each; {fits}.",
        f"Ask for {fit} {'replica' if fit == 1 else 'replicas or fewer'}, or for less each.",
        (Evidence("replicas_that_fit", str(fit)),),
    )


def _kind_words(kind: DeviceKind) -> str:
    """`A100 with 80 GiB`, `A100 1g.10gb with 10 GiB`."""
    name = f"{kind.type} {kind.mig_profile}" if kind.mig_profile else kind.type
    return f"{name} with {format_bytes(kind.memory_bytes)}"


def _distinct(words: Iterable[str]) -> list[str]:
    return sorted(dict.fromkeys(word for word in words if word))
