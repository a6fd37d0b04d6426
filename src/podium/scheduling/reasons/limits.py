"""Words for work that would go over a limit: `cycle` and `answers` ask."""

from __future__ import annotations

from podium.domain.quantity import GPU_MILLI, format_bytes, format_milli
from podium.domain.quota import COUNTED_WORDS, Counted
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.scheduling.ground import Ground
from podium.scheduling.order.ceilings import Capped, Reached
from podium.scheduling.order.fairness import Limit
from podium.scheduling.snapshot import Demand

_REMEDY = "It starts when other work of the same share ends; an administrator can raise the limit."


def quota_refusal(
    ground: Ground, demand: Demand, replicas: int, *, closed_only: bool = False
) -> Refusal:
    """So many replicas would go over a limit; with `closed_only` on some GPU types, while there
    is too little of the others."""
    reached = ground.reached(demand, replicas)
    if reached is not None and not closed_only:
        return counted_refusal(reached)
    capped = ground.capped(demand, replicas)
    gpu_types = demand.request.gpu_types
    if closed_only:
        open_types = ground.types_open(demand, replicas) or ()
        named = gpu_types or tuple(ground.fairness.types)
        gpu_types = tuple(each for each in named if each not in open_types) or gpu_types
    amount = ground.amount_milli(demand, replicas)
    limit = ground.fairness.over_limit(demand.project, gpu_types, amount)
    if limit is None and capped is not None:
        return person_refusal(capped, amount)
    if limit is None:  # each type is closed by another limit
        words = "It would go over a limit: its project uses all that it may."
        return Refusal(WaitReason.QUOTA, words, _REMEDY)
    return limit_refusal(limit, amount)


def limit_refusal(limit: Limit, amount_milli: int) -> Refusal:
    """Of GPUs."""
    most, used = format_milli(limit.limit_milli), format_milli(limit.used_milli)
    kind = f"{limit.gpu_type} GPUs" if limit.gpu_type else "GPUs"
    words, remedy = f"{limit.share} may use {most} {kind} and uses {used}", _REMEDY
    if amount_milli > limit.limit_milli:
        alone = format_milli(amount_milli)
        words = f"{limit.share} may use {most} {kind}, and this alone is {alone}"
        remedy = f"Ask for {most} or fewer in all; an administrator can raise the limit."
    return Refusal(
        WaitReason.QUOTA,
        f"It would go over a limit: {words}.",
        remedy,
        (Evidence("limit", most, limit.share), Evidence("used", used, limit.share)),
    )


def counted_refusal(reached: Reached) -> Refusal:
    """Of CPU, memory, MIG slices and workspaces."""
    most, used = amount_words(reached.what, reached.limit), bare_amount(reached.what, reached.used)
    remedy = _REMEDY
    words = f"{reached.share} may use {most} and uses {used}"
    if reached.what is Counted.WORKSPACES:
        words = f"{reached.share} may have {most} at once and has {used}"
    if reached.adds > reached.limit:
        words = f"{reached.share} may use {most}, and this alone is "
        words += amount_words(reached.what, reached.adds)
        remedy = f"Ask for {most} or less in all; an administrator can raise the limit."
    return Refusal(
        WaitReason.QUOTA,
        f"It would go over a limit: {words}.",
        remedy,
        (Evidence("limit", most, reached.share), Evidence("used", used, reached.share)),
    )


def person_refusal(capped: Capped, amount_milli: int) -> Refusal:
    """Of the cap for each person."""
    owner = capped.owner
    most, used = format_milli(capped.limit_milli), format_milli(capped.used_milli)
    may = f"{owner} may hold {gpu_words(capped.limit_milli, capped.gpu_type)} at once in "
    words = f"{may}{capped.share} and holds {used}"
    remedy = f"It starts when other work of {owner} there ends; an administrator can raise the cap."
    if amount_milli > capped.limit_milli:
        words = f"{may}{capped.share}, and this alone is {format_milli(amount_milli)}"
        remedy = f"Ask for {most} or fewer in all; an administrator can raise the cap."
    return Refusal(
        WaitReason.QUOTA,
        f"It would go over a limit: {words}.",
        remedy,
        (
            Evidence("cap_per_user", most, capped.share),
            Evidence("used", used, owner),
        ),
    )


def gpu_words(milli: int, gpu_type: str) -> str:
    """`1 GPU`, `2 A100 GPUs`."""
    noun = f"{gpu_type} GPU" if gpu_type else "GPU"
    return f"{format_milli(milli)} {noun if milli == GPU_MILLI else noun + 's'}"


def amount_words(what: Counted, amount: int) -> str:
    """`64 CPUs`, `512 GiB of memory`, `1 workspace`."""
    noun, shown = COUNTED_WORDS[what], bare_amount(what, amount)
    if what in (Counted.MEMORY, Counted.STORAGE):
        return f"{shown} of {noun}"
    return f"{shown} {noun.removesuffix('s') if shown == '1' else noun}"


def bare_amount(what: Counted, amount: int) -> str:
    """`64`, `512 GiB`."""
    if what in (Counted.MEMORY, Counted.STORAGE):
        return format_bytes(amount)
    return format_milli(amount) if what is Counted.CPU else str(amount)
