"""What was stranded over time: means of notes, of all kinds together and of each."""

from __future__ import annotations

import pytest

from podium.scheduling.placing.stranded import Stock
from podium.store.database import Database, Transaction
from podium.store.fragmentation import (
    Kind,
    StrandedPoint,
    fragmentation_insert,
    fragmentation_points,
)

pytestmark = pytest.mark.anyio


def stock(free: int, stranded: int, kind: str = "H100", pool: str = "") -> Stock:
    return Stock(gpu_type=kind, pool=pool, free_milli=free, stranded_milli=stranded, split_milli=0)


def point(at_ms: int, free: int, stranded: int) -> StrandedPoint:
    return StrandedPoint(at_ms=at_ms, free_milli=free, stranded_milli=stranded, split_milli=0)


async def test_means_of_all_and_of_each(database: Database) -> None:
    def write(tx: Transaction) -> None:
        fragmentation_insert(tx, 1000, 1000, [stock(8000, 2000), stock(4000, 0, "L4/x", "fast")])
        fragmentation_insert(tx, 2000, 1000, [stock(6000, 1000)])
        fragmentation_insert(tx, 4000, 1000, [stock(5000, 0)])
        fragmentation_insert(tx, 4000, 1000, [stock(1, 1)])  # that time was noted already
        fragmentation_insert(tx, 9000, 1000, [stock(5000, 0)])

    await database.write(write)

    async def points(
        of: Kind | None = None,
    ) -> tuple[list[StrandedPoint], dict[Kind, list[StrandedPoint]]]:
        return await database.read(
            lambda tx: fragmentation_points(
                tx,
                since_ms=0,
                until_ms=8000,
                step_ms=2000,
                kind_of=lambda kind: kind if of in (None, kind) else None,
            )
        )

    whole, by_kind = await points()
    assert whole == [point(2000, 9000, 1500), point(4000, 5000, 0)]
    assert by_kind == {
        ("", "H100"): [point(2000, 7000, 1500), point(4000, 5000, 0)],
        ("fast", "L4/x"): [point(2000, 2000, 0)],
    }
    assert await points(("fast", "L4/x")) == (
        [point(2000, 4000, 0)],
        {("fast", "L4/x"): [point(2000, 4000, 0)]},
    )
