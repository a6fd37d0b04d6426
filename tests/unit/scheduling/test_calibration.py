"""How good forecasts were, counted by hand."""

from __future__ import annotations

from podium.scheduling.forecast.calibration import Group, Outside, Told, calibrated
from podium.scheduling.forecast.eta import Eta

MINUTE_MS = 60_000


def told(start_min: int | None, early: int = 10, late: int = 20, first: int = 15) -> Told:
    said = Eta(early * MINUTE_MS, (early + late) // 2 * MINUTE_MS, late * MINUTE_MS)
    forecast = Eta(first * MINUTE_MS, first * MINUTE_MS, first * MINUTE_MS)
    return Told(0, said, forecast, None if start_min is None else start_min * MINUTE_MS)


def test_who_started_inside_and_how_far_outside() -> None:
    found = calibrated(
        [told(10), told(15), told(20), told(4), told(8), told(25), told(80), told(None)],
        30 * MINUTE_MS,
    )
    assert (found.started, found.inside, found.inside_first, found.overdue) == (7, 3, 1, 1)
    assert found.sooner == Outside(2, 2 * MINUTE_MS, 6 * MINUTE_MS)
    assert found.later == Outside(2, 5 * MINUTE_MS, 60 * MINUTE_MS)
    assert found.median_error_ms == 7 * MINUTE_MS
    assert found.groups == (Group("10m", 3, 1), Group("1h", 3, 2), Group("1d", 1, 0))


def test_who_waits_in_time_counts_as_nothing_yet() -> None:
    found = calibrated([told(None)], 20 * MINUTE_MS)
    assert (found.started, found.overdue, found.groups) == (0, 0, ())
    assert found.sooner == found.later == Outside()
