"""Quantities as integers with a unit, and how people write and read them.

Bytes, milli-GPU, milli-CPU, seconds and milliseconds. `spec/` parses with these, `cli/` prints
with them, `store/` keeps the integers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

GPU_MILLI = 1000

_BYTE_UNITS = {
    "": 1,
    "b": 1,
    "k": 10**3,
    "kb": 10**3,
    "m": 10**6,
    "mb": 10**6,
    "g": 10**9,
    "gb": 10**9,
    "t": 10**12,
    "tb": 10**12,
    "ki": 2**10,
    "kib": 2**10,
    "mi": 2**20,
    "mib": 2**20,
    "gi": 2**30,
    "gib": 2**30,
    "ti": 2**40,
    "tib": 2**40,
}
_SECOND_UNITS = {
    "s": 1,
    "sec": 1,
    "m": 60,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "w": 604800,
}
_NUMBER_WITH_UNIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")
_DURATION_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_LARGEST = 2**62  # what a signed 64-bit column holds, with room for a sum


@dataclass(frozen=True, slots=True)
class Range:
    """An inclusive range of integers in one unit; `maximum=None` means no upper end."""

    minimum: int
    maximum: int | None

    def __post_init__(self) -> None:
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError(f"the range ends ({self.maximum}) below its start ({self.minimum})")

    @classmethod
    def exactly(cls, value: int) -> Range:
        return cls(value, value)

    @classmethod
    def at_least(cls, value: int) -> Range:
        return cls(value, None)

    def __contains__(self, value: int) -> bool:
        return self.minimum <= value and (self.maximum is None or value <= self.maximum)


def parse_bytes(text: str | int) -> int:
    """`"20GiB"`, `"1.5 GB"`, `512` → bytes. Raises ValueError that says what would be right."""
    if isinstance(text, bool):
        raise ValueError("is not an amount of memory; write it like 20GiB or 512MB")
    if isinstance(text, int):
        return _bounded(text)
    match = _NUMBER_WITH_UNIT.fullmatch(text)
    if match is None or match[2].lower() not in _BYTE_UNITS:
        raise ValueError(f"'{text}' is not an amount of memory; write it like 20GiB or 512MB")
    return _bounded(_scaled(match[1], _BYTE_UNITS[match[2].lower()]))


def parse_duration_seconds(text: str | int) -> int:
    """`"90s"`, `"1h30m"`, `"2d"`, `3600` → seconds. Raises ValueError."""
    if isinstance(text, bool):
        raise ValueError("is not a duration; write it like 90s, 30m, 1h30m or 2d")
    if isinstance(text, int):
        return _bounded(text)
    position, seconds = 0, 0
    for match in _DURATION_PART.finditer(text):
        if match.start() != position or match[2].lower() not in _SECOND_UNITS:
            break
        seconds += _scaled(match[1], _SECOND_UNITS[match[2].lower()])
        position = match.end()
    if position == 0 or text[position:].strip():
        raise ValueError(f"'{text}' is not a duration; write it like 90s, 30m, 1h30m or 2d")
    return _bounded(seconds)


def parse_milli(value: str | float) -> int:
    """A count that may be fractional (`0.5`, `"2"`, `"500m"`) → thousandths. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("is not a number")
    text = str(value).strip()
    if re.fullmatch(r"\d+m", text):
        return _bounded(int(text[:-1]))
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError(f"'{value}' is not a positive number; write it like 2 or 0.5")
    whole, _, fraction = text.partition(".")
    if len(fraction.rstrip("0")) > 3:
        raise ValueError(f"'{value}' is finer than a thousandth; write at most three decimals")
    return _bounded(int(whole) * 1000 + int(fraction.ljust(3, "0")[:3] or 0))


def parse_range(text: str | float, parse: Callable[[str], int]) -> Range:
    """`"24GB.."`, `"24GB..80GB"`, `"..80GB"` or one value → Range in the unit of `parse`."""
    if not isinstance(text, str) or ".." not in text:
        return Range.exactly(parse(str(text)))
    low, _, high = text.partition("..")
    if not low.strip() and not high.strip():
        raise ValueError("'..' names no end; write it like 24GB.. or 24GB..80GB")
    return Range(
        parse(low.strip()) if low.strip() else 0, parse(high.strip()) if high.strip() else None
    )


def format_bytes(count: int) -> str:
    """`21474836480` → `"20 GiB"`; at most one decimal."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024:
            return f"{_short(size)} {unit}"
        size /= 1024
    return f"{_short(size)} TiB"


def format_milli(milli: int) -> str:
    """`1500` → `"1.5"`, `2000` → `"2"`."""
    return f"{milli / 1000:.3f}".rstrip("0").rstrip(".")


def format_duration(milliseconds: int) -> str:
    """`5400000` → `"1 h 30 min"`, `1250` → `"1.2 s"`; the two largest units."""
    seconds = milliseconds / 1000
    if seconds < 1:
        return f"{milliseconds} ms"
    if seconds < 60:
        return f"{_short(seconds)} s"
    whole = int(seconds)
    for unit_seconds, unit, below_seconds, below in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= unit_seconds:
            rest = whole % unit_seconds // below_seconds
            return f"{whole // unit_seconds} {unit}" + (f" {rest} {below}" if rest else "")
    raise AssertionError("a duration of a minute or more has a largest unit")


def _scaled(digits: str, factor: int) -> int:
    whole, _, fraction = digits.partition(".")
    return int(whole) * factor + (int(fraction) * factor // 10 ** len(fraction) if fraction else 0)


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 100 or number == int(number) else f"{number:.1f}"


def _bounded(value: int) -> int:
    if value < 0:
        raise ValueError("is negative; write a positive amount")
    if value > _LARGEST:
        raise ValueError("is larger than any machine has")
    return value
