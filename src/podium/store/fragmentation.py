"""How much of the free GPU capacity was stranded over time, from what `control/measure` notes each
minute. `api/fragmentation` reads it, `store/thinning` merges old notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from podium.scheduling.placing.stranded import Stock
from podium.store import tables
from podium.store.database import Transaction
from podium.store.samples import insert_new

Kind = tuple[str, str]
"""Pool and GPU type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrandedPoint:
    """Means over the step that ends at `at_ms`, in thousandths of a GPU; `Stock` says of what."""

    at_ms: int
    free_milli: int
    stranded_milli: int
    split_milli: int


def fragmentation_insert(tx: Transaction, at_ms: int, span_ms: int, found: Sequence[Stock]) -> None:
    rows = [
        {
            # A pool's name has no slash in it.
            "stock": f"{each.pool}/{each.gpu_type}",
            "span_ms": span_ms,
            "free_milli": each.free_milli,
            "stranded_milli": each.stranded_milli,
            "split_milli": each.split_milli,
        }
        for each in found
    ]
    insert_new(tx, tables.fragmentation_samples, at_ms, rows)


def fragmentation_points(
    tx: Transaction,
    *,
    since_ms: int,
    until_ms: int,
    step_ms: int,
    kind_of: Callable[[Kind], Kind | None],
) -> tuple[list[StrandedPoint], dict[Kind, list[StrandedPoint]]]:
    """Of all together, and of each kind, oldest first; steps without notes are left out. `kind_of`
    says as which kind the notes of one are told, None to leave them out."""
    table = tables.fragmentation_samples
    step = ((table.c.at_ms - 1) // step_ms).label("step")
    columns = (table.c.free_milli, table.c.stranded_milli, table.c.split_milli)
    rows = tx.execute(
        sa.select(
            table.c.stock,
            step,
            sa.func.sum(table.c.span_ms),
            *(sa.func.sum(column * table.c.span_ms) for column in columns),
        )
        .where(table.c.at_ms > since_ms, table.c.at_ms <= until_ms, table.c.span_ms > 0)
        .group_by(table.c.stock, step)
    )
    spans: dict[int, int] = defaultdict(int)
    sums: dict[Kind, dict[int, list[int]]] = {}
    for stock, at, span, *weighted in rows:
        pool, _, gpu_type = stock.partition("/")
        kind = kind_of((pool, gpu_type))
        if kind is None:
            continue
        # A kind that came or went within a step had nothing in the rest of it.
        spans[at] = max(spans[at], int(span))
        mine = sums.setdefault(kind, {}).setdefault(at, [0, 0, 0])
        for column, value in enumerate(weighted):
            mine[column] += int(value)
    whole: dict[int, list[int]] = {}
    for of_kind in sums.values():
        for at, values in of_kind.items():
            whole[at] = [a + b for a, b in zip(whole.get(at, (0, 0, 0)), values, strict=True)]
    return _points(whole.items(), spans, step_ms), {
        kind: _points(of_kind.items(), spans, step_ms) for kind, of_kind in sorted(sums.items())
    }


def _points(
    steps: Iterable[tuple[int, list[int]]], spans: dict[int, int], step_ms: int
) -> list[StrandedPoint]:
    found = []
    for at, sums in sorted(steps):
        free, stranded, split = (round(value / spans[at]) for value in sums)
        found.append(
            StrandedPoint(
                at_ms=(at + 1) * step_ms,
                free_milli=free,
                stranded_milli=stranded,
                split_milli=split,
            )
        )
    return found
