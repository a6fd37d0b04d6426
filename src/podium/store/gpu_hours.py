"""GPU time held between given moments, for the overview.

Counted from what began and ended between them, which two indexes hold whole: the rows of long
ended work are never looked at, however many there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sqlalchemy as sa

from podium.domain.tenancy import Scope
from podium.store import tables
from podium.store.database import Transaction
from podium.store.scoping import within_project


def gpu_time_between(
    tx: Transaction, scope: Scope, project: str | None, marks_ms: Sequence[int]
) -> list[int]:
    """Thousandths of a GPU × milliseconds that allocations held from each of `marks_ms` to the
    next, so one number fewer than marks. Marks rise; the last is now, up to which open
    allocations count."""
    table = tables.allocations
    seen = within_project(scope, project, table.c.project) & table.c.started_at_ms.is_not(None)
    held_now = tx.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(table.c.gpu_milli), 0)).where(
            seen, table.c.released_at_ms.is_(None)
        )
    )
    begun = _changes(tx, table.c.started_at_ms, seen, marks_ms)
    ended = _changes(tx, table.c.released_at_ms, seen, marks_ms)
    # What was held at the first mark: what is held now, less what began, and what ended, since.
    held = int(held_now or 0) - sum(each[0] for each in begun) + sum(each[0] for each in ended)
    areas = []
    for index, (start_ms, end_ms) in enumerate(pairwise(marks_ms)):
        length_ms = end_ms - start_ms
        (more, more_late), (less, less_late) = begun[index], ended[index]
        areas.append((held + more - less) * length_ms - more_late + less_late)
        held += more - less
    return areas


def _changes(
    tx: Transaction,
    at: sa.ColumnElement[int],
    seen: sa.ColumnElement[bool],
    marks_ms: Sequence[int],
) -> list[tuple[int, int]]:
    """For each span between marks, and after the last: the GPU thousandths of what has its `at`
    there, and the same times the milliseconds from the span's beginning."""
    table = tables.allocations
    ends = [*marks_ms[1:], 2**62]
    spans = (
        sa.values(
            sa.column("start_ms", sa.BigInteger), sa.column("end_ms", sa.BigInteger), name="spans"
        )
        .data(list(zip(marks_ms, ends, strict=True)))
        .cte("spans")
    )
    there = (at >= spans.c.start_ms) & (at < spans.c.end_ms) & seen
    milli = sa.func.sum(table.c.gpu_milli)
    late = sa.func.sum(table.c.gpu_milli * (at - spans.c.start_ms))
    # Both sums in one text, so that one pass over the span gives them.
    both = sa.cast(milli, sa.Text) + " " + sa.cast(late, sa.Text)
    sums = sa.select(both).where(there).scalar_subquery()
    rows = tx.execute(sa.select(spans.c.start_ms, sums).order_by(spans.c.start_ms))
    found = []
    for _, text in rows:
        milli_text, _, late_text = (text or "0 0").partition(" ")
        found.append((int(milli_text), int(late_text)))
    return found
