"""What the unlike groups of a gang ask for, as `Demand.parts` has it. `store/demands` and the
simulation make demands with this."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from podium.domain.resources import Request, most_gpus
from podium.scheduling.snapshot import Part


class Asking(NamedTuple):
    """One group: what each of its replicas asks for, and which ranks they are."""

    request: Request
    first_rank: int
    replicas: int


def parts_from(groups: Sequence[Asking], ranks: Sequence[int]) -> tuple[Part, ...]:
    """The pending `ranks` (ascending) by what they ask for, most GPUs for each replica first.
    Groups that ask for the same are one part."""
    wanted: dict[Request, list[int]] = {}
    for group in groups:
        begin = bisect_left(ranks, group.first_rank)
        end = bisect_left(ranks, group.first_rank + group.replicas)
        if begin < end:
            wanted.setdefault(group.request, []).extend(ranks[begin:end])
    parts = [Part(request, tuple(mine)) for request, mine in wanted.items()]
    return tuple(sorted(parts, key=lambda part: most_gpus(part.request), reverse=True))
