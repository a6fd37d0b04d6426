"""What is wrong with a tree of shares; `intake/quotas` asks before it accepts a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from podium.domain.quantity import format_milli
from podium.scheduling.reasons.wording import listed
from podium.scheduling.snapshot import Share


class ShareFault(NamedTuple):
    """`field` is `weight`, `parent`, `project`, `name`, or e.g. `guarantees.H100`, where `all`
    stands for all types together."""

    share: str
    field: str
    message: str
    sums: bool = False  # about the amounts of several shares, or of one against each other


def faults(shares: Sequence[Share], capacity: Mapping[str, int]) -> list[ShareFault]:
    """In the order of the shares; empty when the tree is sound. `capacity` is the milli-GPU of
    each type in the inventory."""
    found: list[ShareFault] = []
    by_name: dict[str, Share] = {}
    by_project: dict[str, str] = {}
    for share in shares:
        if share.name in by_name:
            found.append(ShareFault(share.name, "name", f"There are two shares {share.name!r}."))
        by_name.setdefault(share.name, share)
        if share.project is not None:
            other = by_project.setdefault(share.project, share.name)
            if other != share.name:
                message = f"Project {share.project!r} has the share {other!r} already."
                found.append(ShareFault(share.name, "project", message))
        found += _own(share, capacity)
    whole = _Whole(by_name)
    for share in shares:
        found += whole.parent_faults(share)
    if not any(fault.field == "parent" for fault in found):
        for share in shares:
            found += whole.sum_faults(share)
        found += whole.inventory_faults(capacity)
    return found


def _own(share: Share, capacity: Mapping[str, int]) -> list[ShareFault]:
    """What can be judged without the rest of the tree."""
    found = []
    if share.weight < 0:
        found.append(
            ShareFault(share.name, "weight", f"The weight is {share.weight}; it must be 0 or more.")
        )
    known = {name.casefold(): milli for name, milli in capacity.items()}
    known[""] = sum(capacity.values())
    for kind, amounts in (
        ("guarantees", share.guarantees),
        ("limits", share.limits),
        ("per_user", share.per_user),
    ):
        seen: set[str] = set()
        for gpu_type, milli in amounts:
            field = f"{kind}.{gpu_type or 'all'}"
            if gpu_type and gpu_type.casefold() not in known:
                others = f"There are {listed(sorted(capacity))}." if capacity else "It has no GPUs."
                message = f"The cluster has no {gpu_type} GPUs. {others}"
                found.append(ShareFault(share.name, field, message))
            if gpu_type.casefold() in seen:
                message = f"{gpu_type or 'The sum over all types'} is given twice."
                found.append(ShareFault(share.name, field, message))
            seen.add(gpu_type.casefold())
            there = known.get(gpu_type.casefold(), milli)
            if kind == "guarantees" and milli > there:
                message = (
                    f"{_named(share)} would be guaranteed {_gpus(milli, gpu_type)}, "
                    f"but the cluster has {_gpus(there, gpu_type)}."
                )
                found.append(ShareFault(share.name, field, message, sums=True))
            if milli < 0:
                message = f"{format_milli(milli)} GPUs is less than none; it must be 0 or more."
                found.append(ShareFault(share.name, field, message))
    return found


class _Whole:
    def __init__(self, by_name: Mapping[str, Share]) -> None:
        self._by_name = by_name
        self._children: dict[str, list[Share]] = {}
        for share in by_name.values():
            if share.parent is not None:
                self._children.setdefault(share.parent, []).append(share)
        self._promised: dict[tuple[str, str], int] = {}

    def parent_faults(self, share: Share) -> list[ShareFault]:
        if share.parent is None:
            return []
        above = self._by_name.get(share.parent)
        if above is None:
            message = f"There is no share {share.parent!r} to stand below."
            return [ShareFault(share.name, "parent", message)]
        if above.project is not None:
            message = f"{above.name!r} is a project; nothing can stand below it."
            return [ShareFault(share.name, "parent", message)]
        seen = {share.name}
        step: Share | None = share
        while step is not None and step.parent is not None:
            if step.parent in seen:
                message = f"{share.name!r} stands below itself."
                return [ShareFault(share.name, "parent", message)]
            seen.add(step.parent)
            step = self._by_name.get(step.parent)
        return []

    def promised(self, share: Share, folded: str) -> int:
        """What is guaranteed to this share, or, where that is nothing, to those below it."""
        known = self._promised.get((share.name, folded))
        if known is None:
            known = guaranteed(share, folded) or self._below(share, folded)
            self._promised[share.name, folded] = known
        return known

    def _below(self, share: Share, folded: str) -> int:
        return sum(self.promised(each, folded) for each in self._children.get(share.name, ()))

    def sum_faults(self, share: Share) -> list[ShareFault]:
        """Against what stands below, and the share's own limits."""
        found = []
        for gpu_type, milli in share.guarantees:
            inside = self._below(share, gpu_type.casefold())
            if 0 < milli < inside:
                message = (
                    f"{_named(share)} is guaranteed {_gpus(milli, gpu_type)}, less than what is "
                    f"guaranteed below it: {_gpus(inside, gpu_type)}."
                )
                found.append(
                    ShareFault(share.name, f"guarantees.{gpu_type or 'all'}", message, sums=True)
                )
        for gpu_type, milli in share.limits:
            folded = gpu_type.casefold()
            promised = max(self.promised(share, folded), self._below(share, folded))
            if 0 <= milli < promised:
                message = (
                    f"{_named(share)} may hold {_gpus(milli, gpu_type)} at most, less than what is "
                    f"guaranteed to it: {_gpus(promised, gpu_type)}."
                )
                found.append(
                    ShareFault(share.name, f"limits.{gpu_type or 'all'}", message, sums=True)
                )
        return found

    def inventory_faults(self, capacity: Mapping[str, int]) -> list[ShareFault]:
        found = []
        roots = [share for share in self._by_name.values() if share.parent is None]
        for gpu_type in ("", *sorted(capacity)):
            there = capacity[gpu_type] if gpu_type else sum(capacity.values())
            promised = sum(self.promised(each, gpu_type.casefold()) for each in roots)
            if promised > there:
                name = roots[0].name
                message = (
                    f"{_gpus(promised, gpu_type)} would be guaranteed in all, "
                    f"but the cluster has {_gpus(there, gpu_type)}."
                )
                found.append(
                    ShareFault(name, f"guarantees.{gpu_type or 'all'}", message, sums=True)
                )
        return found


def guaranteed(share: Share, folded: str) -> int:
    """Of one type, or over all types ("") the larger of that guarantee and the sum by type."""
    amounts = {name.casefold(): max(milli, 0) for name, milli in share.guarantees}
    own = amounts.get(folded, 0)
    if folded:
        return own
    return max(own, sum(milli for name, milli in amounts.items() if name))


def _named(share: Share) -> str:
    return f"{share.name[:1].upper()}{share.name[1:]}" if share.parent is None else share.name


def _gpus(milli: int, gpu_type: str) -> str:
    noun = f"{gpu_type} GPU" if gpu_type else "GPU"
    return f"{format_milli(milli)} {noun}{'' if milli == 1000 else 's'}"
