"""Words for what is short right now: CAPACITY and FRAGMENTATION. `refusals` calls this last."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.quantity import GPU_MILLI, format_bytes, format_milli
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.scheduling.placing.fit import Shape
from podium.scheduling.reasons.tally import Tally
from podium.scheduling.reasons.wording import (
    are_free,
    cpu_amount,
    gpu_amount,
    gpu_noun,
    memory_amount,
    pool_place,
    whole_amount,
)
from podium.scheduling.snapshot import Demand

_REMEDY = "It starts when running work ends; a smaller request may start sooner."


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A refused demand: `need` replicas at once are missing. `each`: the waiting replicas start
    each for itself. `front`: it may hear amounts that change often."""

    demand: Demand
    shape: Shape
    need: int
    each: bool
    front: bool

    @property
    def place(self) -> str:
        """` in pool secure` where it asks for pools by name."""
        return pool_place(self.demand.request)

    def waits_for(self, amount: str) -> str:
        if self.each:
            return f"Each waiting replica needs {amount}"
        if self.need > 1:
            return f"Waits for {self.need} replicas with {amount} each"
        return f"Waits for {amount}"


@dataclass(frozen=True, slots=True)
class Shortage:
    """A refusal, and whether GPUs are what is short (otherwise CPU or memory)."""

    refusal: Refusal
    of_gpus: bool


def shortage(case: Case, now: Tally, empty: Tally) -> Shortage:
    """`now` counts the nodes that the demand may use as they are, `empty` without any work."""
    need = case.need
    if case.shape.count and now.gpu_replicas < need:
        return Shortage(_gpus(case, now, empty), of_gpus=True)
    if now.cpu_replicas < need or now.memory_replicas < need:
        return Shortage(_cpu_or_memory(case, now, empty), of_gpus=False)
    return Shortage(_beside(case, now), of_gpus=False)


def _gpus(case: Case, now: Tally, empty: Tally) -> Refusal:
    request, need = case.demand.request, case.need
    nouns = gpu_noun(request, plural=True)
    if case.shape.shared:
        free = format_milli(now.gpu_milli)
        of_shares = (
            Evidence("gpus_free", free),
            Evidence("gpus_total", str(empty.devices)),
        )
        if 0 < request.gpu_milli * need <= now.gpu_milli:
            message = "Enough is free over all GPUs in sum, but not together on one."
            if case.front:
                most = format_milli(now.gpu_milli_on_one)
                message = (
                    f"{case.waits_for(gpu_amount(request))}; "
                    f"{free} are free in sum, but no more than {most} on one GPU."
                )
            return _refusal(case, WaitReason.FRAGMENTATION, message, of_shares)
        tail = f"{free} of {empty.devices} GPUs {'is' if free == '1' else 'are'} free"
        return _capacity(
            case, gpu_amount(request), tail, "too little of the GPUs is free", of_shares
        )
    evidence = (
        Evidence("gpus_free", str(now.units)),
        Evidence("gpus_free_on_one_node", str(now.units_on_one)),
        Evidence("gpus_total", str(empty.units)),
    )
    if now.units >= case.shape.count * need:
        message = f"Enough {nouns} are free in sum, but not together on one node."
        if case.front:
            message = (
                f"{case.waits_for(gpu_amount(request))}; {now.units} are free, "
                f"but no more than {now.units_on_one} on one node."
            )
        return _refusal(case, WaitReason.FRAGMENTATION, message, evidence)
    if now.gpu_milli >= case.shape.count * need * GPU_MILLI:
        message = (
            f"{case.waits_for(gpu_amount(request))}; enough is free in sum, "
            "but in parts of GPUs that others share."
        )
        return _refusal(case, WaitReason.FRAGMENTATION, message, evidence)
    tail = are_free(now.units, empty.units)
    return _capacity(
        case, gpu_amount(request), tail, f"too few of the {empty.units} are free", evidence
    )


def _cpu_or_memory(case: Case, now: Tally, empty: Tally) -> Refusal:
    request, need = case.demand.request, case.need
    if now.cpu_replicas < need:
        amount, noun = cpu_amount(request.cpu_milli), "CPUs"
        enough = now.cpu_milli >= request.cpu_milli * need
        free, total = format_milli(now.cpu_milli), format_milli(empty.cpu_milli)
        most = format_milli(now.cpu_milli_on_one)
        evidence = (Evidence("cpus_free", free), Evidence("cpus_total", total))
    else:
        amount, noun = memory_amount(request.memory_bytes), "memory"
        enough = now.memory_bytes >= request.memory_bytes * need
        free, total = format_bytes(now.memory_bytes), format_bytes(empty.memory_bytes)
        most = format_bytes(now.memory_bytes_on_one)
        evidence = (Evidence("memory_free", free), Evidence("memory_total", total))
    plural = noun == "CPUs" and free != "1"
    if enough:
        message = (
            f"Enough {noun} {'are' if noun == 'CPUs' else 'is'} free in sum, but not together."
        )
        if case.front:
            message = (
                f"{case.waits_for(amount)}; {free} {'are' if plural else 'is'} free in sum, "
                f"but no more than {most} on one node."
            )
        return _refusal(case, WaitReason.FRAGMENTATION, message, evidence)
    tail = f"{free} of {total} {'are' if plural else 'is'} free"
    if free in ("0", "0 B"):
        tail = f"none of {total} is free"
    return _capacity(case, amount, tail, f"too little of the {total} is free", evidence)


def _beside(case: Case, now: Tally) -> Refusal:
    """Each resource alone suffices, but not on the same nodes."""
    request, need = case.demand.request, case.need
    lacking = ""
    if now.without_cpu >= need:
        lacking = cpu_amount(request.cpu_milli)
    elif now.without_memory >= need:
        lacking = memory_amount(request.memory_bytes)
    if lacking and request.wants_gpu:
        message = f"{case.waits_for(lacking)} on a node that has {gpu_amount(request)} free."
        return _refusal(case, WaitReason.CAPACITY, message, ())
    message = f"{case.waits_for(whole_amount(request))}; free in sum, but not on the same node."
    return _refusal(case, WaitReason.FRAGMENTATION, message, ())


def _capacity(
    case: Case, amount: str, tail: str, lasting_tail: str, evidence: tuple[Evidence, ...]
) -> Refusal:
    message = f"{case.waits_for(amount)}; {tail}{case.place}."
    if not case.front:
        message = f"{case.waits_for(amount)}; {lasting_tail}{case.place}, and others are ahead."
    return _refusal(case, WaitReason.CAPACITY, message, evidence)


def _refusal(
    case: Case, reason: WaitReason, message: str, evidence: tuple[Evidence, ...]
) -> Refusal:
    return Refusal(reason, message, _REMEDY, evidence if case.front else ())
