"""Higher limits as a change: of GPUs, of what else is counted, and of each person. `quotas` offers
them. Who waits behind others for the same limit is offered what lets these start, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from podium.domain.quantity import format_milli
from podium.domain.quota import Counted
from podium.domain.reason import Refusal, WaitReason
from podium.domain.workload import Kind
from podium.scheduling.explain.ladders import Ladder, Option
from podium.scheduling.explain.rehearsal import Rehearsal
from podium.scheduling.explain.values import Axis, QuotaChange, QuotaKind
from podium.scheduling.ground import fairness_of
from podium.scheduling.order.ceilings import Ceilings, Taken
from podium.scheduling.order.limits import Limits
from podium.scheduling.order.places import ALL, FIRST_TYPE
from podium.scheduling.order.queue import queue_key
from podium.scheduling.reasons.limits import amount_words, bare_amount, gpu_words
from podium.scheduling.reasons.wording import listed
from podium.scheduling.snapshot import Demand, Share

AHEAD_MAX = 50
"""Who has more of those before it that wait for the same limit is offered no higher one."""


def limits_beside(rehearsal: Rehearsal, demand: Demand) -> Limits:
    """Over what all others hold, those who start now included."""
    snapshot, view = rehearsal.snapshot, rehearsal.view
    fairness = fairness_of(snapshot, view)
    ceilings = None
    if Ceilings.among(snapshot.shares):
        ceilings = Ceilings(snapshot.shares, snapshot.holds, fairness, view.layout)
    for each in rehearsal.plan.placements:
        if each.workload_id != demand.workload_id:
            other = view.demands[each.workload_id]
            gpu = tuple(view.layout.types(each.node, each.devices))
            fairness.add(other.project, gpu, each.cpu_milli, each.memory_bytes)
            if ceilings is not None:
                ceilings.add(other, each.node, each.devices)
    return Limits(fairness, ceilings, view.layout, view.milli_of)


def raise_ladder(
    rehearsal: Rehearsal, limits: Limits, demand: Demand, needs: Mapping[str, int]
) -> Ladder:
    """The limits in the way, raised by what is missing: for it alone, then also for those who wait
    before it, the smallest first, as large ones may stay too large; then of other GPU types.
    `needs` is what its minimum takes at least, in milli-GPU by type."""
    kinds = _most(limits, demand, needs)
    found = {name: _missing(limits, demand, name, milli) for name, milli in kinds or [("", 0)]}
    found = {name: changes for name, changes in found.items() if changes}
    if not found:
        return Ladder((), lambda _: _option(rehearsal, demand, ()))
    amounts = dict(kinds)
    cheapest = min(found, key=lambda name: (_raised_milli(found[name]), name))
    rungs = [found.pop(cheapest)]
    raised = rungs[0]
    ahead = sorted(
        _ahead(rehearsal, demand, raised),
        key=lambda each: (_of_it(rehearsal, limits, each, raised[0]), queue_key(each)),
    )
    if len(ahead) > AHEAD_MAX:
        return Ladder((), lambda _: _option(rehearsal, demand, ()))
    for each in ahead:
        _count(limits, each, _pending(rehearsal, each), cheapest)
        rungs.append(_missing(limits, demand, cheapest, amounts.get(cheapest, 0)))
    others = sorted(found.items(), key=lambda entry: (_raised_milli(entry[1]), entry[0]))
    rungs += [changes for _, changes in others]
    # Of unlike work, some other limit may hold some back, so that less of this one would do.
    alike = all(_asks(each) == _asks(demand) for each in ahead)

    def option(at: int) -> Option:
        return _option(rehearsal, demand, rungs[at], least=not demand.parts and (alike or not at))

    return Ladder(rungs, option, ordered=True, passes=True, hint=len(ahead))


def _most(limits: Limits, demand: Demand, needs: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most that the minimum may come to, as the scheduler counts it."""
    if demand.parts:
        return sorted(needs.items())
    most = dict(limits.amounts(demand.request, demand.minimum))
    return sorted((name, max(milli, most.get(name, 0))) for name, milli in needs.items())


def _missing(limits: Limits, demand: Demand, gpu_type: str, milli: int) -> list[QuotaChange]:
    """All limits above the project that so much of one type, and all else that it asks for, would
    exceed, from the project up; the persons' and those of what is no GPU come after those of GPUs.
    With less, some other that starts now would not."""
    fairness, ceilings = limits.fairness, limits.ceilings
    found = []
    columns = {name.casefold(): at for at, name in enumerate(fairness.types, FIRST_TYPE)}
    for place in fairness.path(demand.project) if milli else ():
        for name in (gpu_type, ""):
            column = columns[name.casefold()] if name else ALL
            limit = place.limits.get(column)
            wanted = place.use[column] + milli
            if limit is not None and wanted > limit:
                found.append(
                    QuotaChange(
                        share=place.name,
                        kind=QuotaKind.LIMIT,
                        gpu_type=name,
                        from_amount=limit,
                        to_amount=wanted,
                    )
                )
    if ceilings is None:
        return found
    if milli:
        found += [
            QuotaChange(
                share=each.share,
                kind=QuotaKind.PER_USER,
                gpu_type=each.gpu_type,
                owner=each.owner,
                from_amount=each.limit_milli,
                to_amount=each.used_milli + milli,
            )
            for each in ceilings.all_capped(demand.project, demand.owner, gpu_type, milli)
        ]
    found += [
        QuotaChange(
            share=each.share,
            kind=QuotaKind.CEILING,
            counted=each.what,
            from_amount=each.limit,
            to_amount=each.used + each.adds,
        )
        for each in ceilings.all_reached(demand, limits.asked(demand, demand.minimum))
    ]
    return found


def _ahead(
    rehearsal: Rehearsal, demand: Demand, changes: Iterable[QuotaChange]
) -> Iterator[Demand]:
    """Those before it in the queue who wait for one of these limits, in order."""
    shares = {each.share for each in changes}
    view = rehearsal.view
    key = queue_key(demand)
    names = [
        name
        for each in rehearsal.plan.refusals
        if each.refusal.reason is WaitReason.QUOTA and _of_one(each.refusal, shares, demand.owner)
        for name in each.workload_ids
        if name != demand.workload_id
    ]
    waiting = sorted((view.demands[name] for name in names), key=queue_key)
    yield from (each for each in waiting if queue_key(each) < key)


def _of_one(refusal: Refusal, shares: Iterable[str], owner: str) -> bool:
    """Whether the refusal tells of a limit of these shares, and of a cap for this person."""
    facts = {each.fact: each for each in refusal.evidence}
    if "cap_per_user" in facts:
        return facts["cap_per_user"].subject in shares and facts["used"].subject == owner
    return "limit" in facts and facts["limit"].subject in shares


def _pending(rehearsal: Rehearsal, demand: Demand) -> int:
    """All that it would take before others."""
    if demand.elastic:
        return demand.minimum
    placed = sum(each.workload_id == demand.workload_id for each in rehearsal.plan.placements)
    return max(1, len(demand.pending_ranks) - placed)


def _asks(demand: Demand) -> tuple[object, ...]:
    """What a limit counts of it."""
    parts, pending = demand.parts, len(demand.pending_ranks)
    return demand.owner, demand.kind, demand.project, demand.request, parts, pending, demand.minimum


def _of_it(rehearsal: Rehearsal, limits: Limits, demand: Demand, change: QuotaChange) -> int:
    """How much it would take of what the change raises."""
    asked = limits.asked(demand, _pending(rehearsal, demand))
    milli_of = rehearsal.view.milli_of
    match change.counted:
        case Counted.CPU:
            return sum(request.cpu_milli * count for request, count, _ in asked)
        case Counted.MEMORY:
            return sum(request.memory_bytes * count for request, count, _ in asked)
        case Counted.MIG_SLICES:
            return sum(slices * count for _, count, slices in asked)
        case Counted.WORKSPACES:
            return 1
        case _:
            return sum(milli_of(request) * count for request, count, _ in asked)


def _count(limits: Limits, demand: Demand, replicas: int, gpu_type: str) -> None:
    """As if it ran, on that type if it may, else on the first that it may."""
    workspace = demand.workload_id if demand.kind is Kind.WORKSPACE else ""
    for request, count, slices in limits.asked(demand, replicas):
        amounts = limits.amounts(request, count)
        gpu = tuple([each for each in amounts if each[0] == gpu_type][:1] or amounts[:1])
        cpu_milli, memory_bytes = request.cpu_milli * count, request.memory_bytes * count
        limits.fairness.add(demand.project, gpu, cpu_milli, memory_bytes)
        if limits.ceilings is not None:
            taken = Taken(demand.owner, workspace, gpu, slices * count, count)
            limits.ceilings.take(demand.project, taken)


def _option(
    rehearsal: Rehearsal, demand: Demand, changes: Sequence[QuotaChange], *, least: bool = True
) -> Option:
    before, after, sentence = raised_words(changes, lambda name: name)
    return Option(
        axis=Axis.QUOTA,
        before=before,
        after=after,
        sentence=sentence,
        demand=demand,
        shares=shares_with(rehearsal.snapshot.shares, changes),
        quota=tuple(changes),
        least=least,
    )


def shares_with(shares: Iterable[Share], changes: Iterable[QuotaChange]) -> tuple[Share, ...]:
    """The tree after the changes."""
    found = {share.name: share for share in shares}
    for change in changes:
        share = found[change.share]
        match change.kind:
            case QuotaKind.GUARANTEE:
                share = replace(share, guarantees=_set(share.guarantees, change))
            case QuotaKind.LIMIT:
                share = replace(share, limits=_set(share.limits, change))
            case QuotaKind.PER_USER:
                share = replace(share, per_user=_set(share.per_user, change))
            case QuotaKind.CEILING:
                share = replace(share, ceilings=_set(share.ceilings, change))
        found[change.share] = share
    return tuple(found.values())


def _set(amounts: tuple[tuple[str, int], ...], change: QuotaChange) -> tuple[tuple[str, int], ...]:
    name = change.gpu_type if change.counted is None else change.counted.value
    rest = [each for each in amounts if each[0].casefold() != name.casefold()]
    return tuple(sorted([*rest, (name, change.to_amount)]))


def raised_words(
    changes: Sequence[QuotaChange], called: Callable[[str], str]
) -> tuple[str, str, str]:
    """Of higher limits: what the first is before and after, and a sentence; `called` is what people
    call a share."""
    first = changes[0]
    parts = [
        f"{_allowed(each, each.to_amount, called)} instead of {_bare(each)}" for each in changes
    ]
    sentence = f"If {listed(parts)}, it starts now"
    if any(each.kind is QuotaKind.PER_USER for each in changes):
        sentence += "; the cap is the same for each person there"
    before = _allowed(first, first.from_amount, called)
    return before, _allowed(first, first.to_amount, called), f"{sentence}."


def _allowed(change: QuotaChange, amount: int, called: Callable[[str], str]) -> str:
    share = called(change.share)
    if change.counted is Counted.WORKSPACES:
        return f"{share} may have {amount_words(change.counted, amount)} at once"
    if change.counted is not None:
        return f"{share} may use {amount_words(change.counted, amount)}"
    gpus = gpu_words(amount, change.gpu_type)
    if change.kind is QuotaKind.PER_USER:
        return f"{change.owner} may hold {gpus} at once in {share}"
    return f"{share} may use {gpus}"


def _bare(change: QuotaChange) -> str:
    if change.counted is not None:
        return bare_amount(change.counted, change.from_amount)
    return format_milli(change.from_amount)


def _raised_milli(changes: Iterable[QuotaChange]) -> int:
    """Of GPUs, which alone differ by type."""
    return sum(each.to_amount - each.from_amount for each in changes if each.counted is None)
