"""Quantities are read as people write them, exactly, and refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.quantity import (
    Range,
    format_bytes,
    format_duration,
    format_milli,
    parse_bytes,
    parse_duration_seconds,
    parse_milli,
    parse_range,
)

UNITS = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KiB": 2**10, "Mi": 2**20, "GiB": 2**30, "TiB": 2**40}


@given(
    count=st.integers(0, 2**20),
    unit=st.sampled_from(sorted(UNITS)),
    space=st.sampled_from(["", " "]),
)
def test_bytes_with_any_unit(count: int, unit: str, space: str) -> None:
    assert parse_bytes(f"{count}{space}{unit}") == count * UNITS[unit]
    assert parse_bytes(f"{count}{unit.lower()}") == count * UNITS[unit]


@given(tenths=st.integers(0, 10**6))
def test_decimals_of_bytes_are_exact(tenths: int) -> None:
    assert parse_bytes(f"{tenths // 10}.{tenths % 10}GB") == tenths * 10**8


@given(count=st.integers(0, 2**45))
def test_formatted_bytes_read_back_nearly(count: int) -> None:
    assert abs(parse_bytes(format_bytes(count)) - count) <= max(1, count * 0.05)


@given(milli=st.integers(0, 10**12))
def test_formatted_milli_reads_back_equal(milli: int) -> None:
    assert parse_milli(format_milli(milli)) == milli
    assert parse_milli(f"{milli}m") == milli


@given(
    days=st.integers(0, 400),
    hours=st.integers(0, 99),
    minutes=st.integers(0, 99),
    seconds=st.integers(0, 99),
)
def test_durations_add_up(days: int, hours: int, minutes: int, seconds: int) -> None:
    total = days * 86400 + hours * 3600 + minutes * 60 + seconds
    assert parse_duration_seconds(f"{days}d{hours}h{minutes}m{seconds}s") == total
    assert parse_duration_seconds(f"{days}d {hours} h {minutes}min {seconds} sec") == total
    assert parse_duration_seconds(total) == total


@given(milliseconds=st.integers(0, 10**12))
def test_formatted_durations_name_a_unit(milliseconds: int) -> None:
    text = format_duration(milliseconds)
    assert text.split()[-1] in ("ms", "s", "min", "h", "d")
    if milliseconds >= 60_000:
        read = parse_duration_seconds(text) * 1000
        assert read <= milliseconds
        assert milliseconds - read <= milliseconds * 0.05 + 1000


@given(low=st.integers(0, 1000), more=st.integers(0, 1000))
def test_ranges(low: int, more: int) -> None:
    assert parse_range(f"{low}GB..{low + more}GB", parse_bytes) == Range(
        low * 10**9, (low + more) * 10**9
    )
    assert parse_range(f"{low}GB..", parse_bytes) == Range.at_least(low * 10**9)
    assert parse_range(f"..{low}GB", parse_bytes) == Range(0, low * 10**9)
    assert parse_range(low, parse_milli) == Range.exactly(low * 1000)
    middle = low * 10**9
    assert middle in Range(0, middle)
    assert middle + 1 not in Range(0, middle)


@pytest.mark.parametrize("text", ["", "x", "-1", "1 2", "1..2", "GB", "1e3", "20 parsecs", "1.GB"])
def test_what_is_no_amount_of_memory(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 20GiB"):
        parse_bytes(text)


@pytest.mark.parametrize("text", ["", "x", "-1s", "1", "1h30", "h", "1 fortnight", "30 90s", "1s!"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 90s"):
        parse_duration_seconds(text)


@pytest.mark.parametrize("value", ["", "x", -1, "-0.5", 1e-9, "0.0005", True, "1.5m"])
def test_what_is_no_count(value: float | str) -> None:
    with pytest.raises(ValueError, match=r"number|thousandth"):
        parse_milli(value)


@pytest.mark.parametrize("text", ["..", " .. ", "80GB..24GB"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"names no end|below its start"):
        parse_range(text, parse_bytes)


@given(text=st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for parse in (parse_bytes, parse_duration_seconds, parse_milli):
        try:
            assert parse(text) >= 0
        except ValueError as refusal:
            words = str(refusal)
        else:
            continue
        assert "; " in words or "larger than any machine" in words
