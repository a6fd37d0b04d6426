"""The demand of work that is not submitted yet, as the scheduler would read it from its row. Dry
runs and what-if ask for it."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from podium.domain.node import Node
from podium.domain.policies import Policies
from podium.scheduling.parts import Asking
from podium.scheduling.snapshot import Demand
from podium.scheduling.space.topology import several_clusters
from podium.store.database import Transaction
from podium.store.demands import COLUMNS, Reader
from podium.store.learning import Learnt
from podium.store.shapes import Shapes
from podium.store.workloads import NewWorkload, columns_of

_Row = namedtuple("_Row", COLUMNS)  # type: ignore[misc]


class _WishReader(Reader):
    """Knows of the wishes themselves what others have in rows of other tables."""

    def __init__(
        self,
        tx: Transaction,
        now_ms: int,
        policies: Policies,
        learnt: Learnt | None,
        new: Sequence[NewWorkload],
        *,
        apart: bool,
    ) -> None:
        super().__init__(tx, now_ms, policies, Shapes(), learnt, apart=apart)
        self._wishes = {each.id: each.wish for each in new}

    def pending(self, ids: Sequence[str]) -> Mapping[str, tuple[int, ...]]:
        return {each: tuple(range(self._wishes[each].replicas.maximum)) for each in ids}

    def asking(self, ids: Sequence[str]) -> Mapping[str, tuple[Asking, ...]]:
        found = {}
        for each in ids:
            groups = self._wishes[each].groups
            begins = accumulate((group.count for group in groups), initial=0)
            found[each] = tuple(
                Asking(group.request, first_rank, group.count)
                for group, first_rank in zip(groups, begins, strict=False)
            )
        return found


def wished(
    tx: Transaction,
    new: Sequence[NewWorkload],
    now_ms: int,
    policies: Policies,
    learnt: Learnt | None,
    nodes: Iterable[Node],
) -> tuple[Demand, ...]:
    """In the order of `new`, for a cluster of these nodes. Nothing is stored."""
    apart = several_clusters(nodes)
    reader = _WishReader(tx, now_ms, policies, learnt, new, apart=apart)
    rows: list[Any] = []
    for each in new:
        columns = columns_of(each, now_ms)
        rows.append(_Row(*(columns[name] for name in COLUMNS)))
    return tuple(reader.demands(rows))
