"""The changes of a demand that ask for less of the same, the smallest first. `options` offers
them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from podium.domain.quantity import GPU_MILLI, format_bytes, format_milli
from podium.domain.resources import Request
from podium.scheduling.explain.room import Room
from podium.scheduling.explain.values import Axis, FieldValue, QuotaChange
from podium.scheduling.reasons.wording import cpu_amount, gpu_amount, memory_amount
from podium.scheduling.snapshot import Demand, Part, Share

CPU_STEP_MILLI = 500
MEMORY_STEP_BYTES = 2**29
SHARE_STEP_MILLI = 10
SHARE_STEP_BYTES = 2**30
"""What is made smaller is made so by whole steps of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One change. `demand` is the changed demand, `tried` what is tried in its place where that
    has to be harder, `shares` the changed tree. `least`: no amount between this and the option
    before it would do."""

    axis: Axis
    before: str
    after: str
    sentence: str
    demand: Demand
    tried: Demand | None = None
    fields: tuple[tuple[str, FieldValue], ...] = ()
    shares: tuple[Share, ...] | None = None
    quota: tuple[QuotaChange, ...] = ()
    least: bool = True

    @property
    def trial(self) -> Demand:
        return self.tried or self.demand


@dataclass(frozen=True, slots=True)
class Ladder:
    """The options of one axis, the smallest change first. `falling`: each needs less room than the
    one before it, so that where one fits all later ones do. `ordered`: they are amounts, of which
    a larger change is hardly ever worse. `passes`: it comes before those who have nodes kept.
    `hint` is the option that most likely does, where more is known than what fits."""

    values: Sequence[object]
    option: Callable[[int], Option]
    falling: bool = False
    ordered: bool = False
    passes: bool = False
    hint: int | None = None


def fixed(options: Sequence[Option], *, falling: bool = False, passes: bool = False) -> Ladder:
    """Options that are made already."""
    return Ladder(options, lambda at: options[at], falling=falling, passes=passes)


def gpu_ladder(demand: Demand, room: Room) -> Ladder:
    """Fewer whole GPUs or instances, or a smaller share, for each replica."""
    request = demand.request
    values: Sequence[int]
    if request.whole_gpus > 1 or request.mig_count > 1:
        count = request.mig_count or request.whole_gpus
        most = max((len(shelf) for shelf in room.layout.shelves), default=0)
        values = range(min(count - 1, most), 0, -1)
    elif 0 < request.gpu_milli < GPU_MILLI:
        values = _below(request.gpu_milli, SHARE_STEP_MILLI)
    elif request.gpu_share_bytes:
        values = _below(request.gpu_share_bytes, SHARE_STEP_BYTES)
    else:
        values = ()

    def option(at: int) -> Option:
        value = values[at]
        fields: tuple[tuple[str, FieldValue], ...]
        if request.mig_count:
            less = replace(request, mig_count=value)
            fields = (
                ("resources.mig.profile", request.mig_profile),
                ("resources.mig.count", value),
            )
        elif request.gpu_share_bytes:
            less = replace(request, gpu_share_bytes=value)
            fields = (("resources.gpu_memory", format_bytes(value).replace(" ", "")),)
        else:
            milli = value * GPU_MILLI if request.whole_gpus else value
            less = replace(request, gpu_milli=milli)
            fields = (("resources.gpus", format_milli(milli)),)
        return _less(Axis.GPUS, demand, less, gpu_amount(request), gpu_amount(less), fields)

    return Ladder(values, option, falling=True)


def cpu_ladder(demand: Demand) -> Ladder:
    request = demand.request
    values = _below(request.cpu_milli, CPU_STEP_MILLI)

    def option(at: int) -> Option:
        less = replace(request, cpu_milli=values[at])
        fields = (("resources.cpus", format_milli(values[at])),)
        before, after = cpu_amount(request.cpu_milli), cpu_amount(values[at])
        return _less(Axis.CPUS, demand, less, before, after, fields)

    return Ladder(values, option, falling=True)


def memory_ladder(demand: Demand) -> Ladder:
    request = demand.request
    values = _below(request.memory_bytes, MEMORY_STEP_BYTES)

    def option(at: int) -> Option:
        less = replace(request, memory_bytes=values[at])
        fields = (("resources.memory", format_bytes(values[at]).replace(" ", "")),)
        before, after = memory_amount(request.memory_bytes), memory_amount(values[at])
        return _less(Axis.MEMORY, demand, less, before, after, fields)

    return Ladder(values, option, falling=True)


def _below(amount: int, step: int) -> range:
    """Whole steps below the amount, the largest first."""
    return range((amount - 1) // step * step, 0, -step)


def _less(
    axis: Axis,
    demand: Demand,
    request: Request,
    before: str,
    after: str,
    fields: tuple[tuple[str, FieldValue], ...],
) -> Option:
    each = " for each replica" if len(demand.pending_ranks) > 1 else ""
    return Option(
        axis=axis,
        before=before,
        after=after,
        sentence=f"With {after} instead of {before}{each} it starts now.",
        demand=replace(demand, request=request),
        fields=fields,
    )


def replica_ladder(demand: Demand) -> Ladder:
    """Fewer at once. Of unlike groups the largest gives, and keeps at least one."""
    need = demand.minimum
    whole = need == len(demand.pending_ranks)
    largest = max(demand.parts, key=lambda part: len(part.ranks), default=None)
    least = 1 if largest is None else need - len(largest.ranks) + 1
    values = range(need - 1, least - 1, -1)

    def option(at: int) -> Option:
        count = values[at]
        before, after = _counted(need), _counted(count)
        if not whole:
            return Option(
                axis=Axis.REPLICAS,
                before=before,
                after=after,
                sentence=f"If it may begin with {after} instead of {before}, it starts now.",
                demand=replace(demand, minimum=count),
                fields=(("replicas.min", count),),
            )
        fields: tuple[tuple[str, FieldValue], ...] = (("replicas", count),)
        parts: tuple[Part, ...] = ()
        ranks = demand.pending_ranks[:count]
        if largest is not None:
            number = demand.parts.index(largest)
            kept = largest.ranks[: len(largest.ranks) - (need - count)]
            parts = tuple(
                Part(part.request, kept) if part is largest else part for part in demand.parts
            )
            ranks = tuple(sorted(rank for part in parts for rank in part.ranks))
            fields = ((f"groups.{number}.replicas", len(kept)),)
        return Option(
            axis=Axis.REPLICAS,
            before=before,
            after=after,
            sentence=f"With {after} instead of {before} it starts now.",
            demand=replace(demand, minimum=count, pending_ranks=ranks, parts=parts),
            fields=fields,
        )

    return Ladder(values, option, falling=True)


def _counted(count: int) -> str:
    return f"{count} {'replica' if count == 1 else 'replicas'}"
