"""Hours in which work may start, over midnight and over changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.window import StartWindow
from podium.spec.window import opens_at_ms, read_window

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("window", "at", "opens"),
    [
        ("20:00-06:00", "2026-05-05T12:00", "2026-05-05T20:00"),
        ("20:00-06:00", "2026-05-05T20:00", "2026-05-05T20:00"),
        ("20:00-06:00", "2026-05-05T23:59", "2026-05-05T23:59"),
        ("20:00-06:00", "2026-05-05T05:59", "2026-05-05T05:59"),
        ("20:00-06:00", "2026-05-05T06:00", "2026-05-05T20:00"),
        ("09:00-17:00", "2026-05-05T17:00", "2026-05-06T09:00"),
        ("20:00-06:00 Europe/Berlin", "2026-05-05T17:59", "2026-05-05T18:00"),
        ("20:00-06:00 Europe/Berlin", "2026-12-05T18:30", "2026-12-05T19:00"),
        # The night when clocks go back ends an hour later than its beginning says.
        ("20:00-06:00 Europe/Berlin", "2026-10-25T04:30", "2026-10-25T04:30"),
        ("20:00-06:00 Europe/Berlin", "2026-10-25T05:00", "2026-10-25T19:00"),
    ],
)
def test_opens(window: str, at: str, opens: str) -> None:
    found = read_window(window)
    assert found is not None
    assert opens_at_ms(found, ms(at)) == ms(opens)
    assert str(found) == window


@pytest.mark.parametrize(
    "text",
    ["", "20-06", "24:00-06:00", "20:00-20:00", "20:00-06:60", "20:00-06:00 Mars/Olympus",
     "20:00-06:00 ../../etc/passwd", "20:00 - 06:00", "20:00-06:00 Europe"],
)  # fmt: skip
def test_what_is_no_window(text: str) -> None:
    assert read_window(text) is None


@given(
    start=st.integers(0, 1439),
    length=st.integers(1, 1439),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
    at_ms=st.integers(ms("2025-01-01T00:00"), ms("2030-01-01T00:00")),
)
def test_it_opens_within_a_day_and_stays_open_then(
    start: int, length: int, zone: str, at_ms: int
) -> None:
    window = StartWindow(start, (start + length) % 1440, zone)
    opens_ms = opens_at_ms(window, at_ms)
    assert at_ms <= opens_ms <= at_ms + 49 * HOUR_MS
    assert opens_at_ms(window, opens_ms) == opens_ms
