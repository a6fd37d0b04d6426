"""Which data a workload asks for, as its row has it. `store/workloads` writes it, `store/demands`
and the launch loop read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from podium.domain.data import DataUse, Mode
from podium.store import tables
from podium.store.database import Transaction


def uses_to_text(uses: Sequence[DataUse]) -> str:
    """`scans:ro vision/results:rw`."""
    return " ".join(f"{each.source}:{each.mode}" for each in uses)


def uses_from_text(text: str) -> tuple[tuple[str, Mode], ...]:
    """Each source's id, and how it is used."""
    pairs = (each.rpartition(":") for each in text.split())
    return tuple((source, Mode(mode)) for source, _, mode in pairs)


def data_uses_insert(tx: Transaction, uses: Mapping[str, Sequence[DataUse]]) -> None:
    """Of new workloads, by their ids."""
    rows = [
        {"workload_id": key, "source": source}
        for key, asked in uses.items()
        for source in sorted({each.source for each in asked})
    ]
    if rows:
        tx.execute(sa.insert(tables.workload_data), rows)
