"""Readers of single values: each takes what was written and answers a domain value, or raises
FieldError. The models of `spec/` validate with them and `check` builds wishes with them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice

from podium.domain.errors import FieldFault
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.policy import GRACE_SECONDS_MAX, PRIORITY_MAX, PRIORITY_NAMES
from podium.domain.quantity import Range, parse_duration_seconds, parse_range
from podium.domain.window import StartWindow
from podium.spec.faults import (
    FAULTS_MAX,
    FieldError,
    described,
    each,
    nearest,
    said,
    shown,
    under,
    unknown_field,
)
from podium.spec.views.base import milliseconds
from podium.spec.window import read_window

DURATION_SECONDS_MAX = 3650 * 86400
LABELS_MAX = 64
_LABEL_BYTES_MAX = 255
_QUANTITY_CHARACTERS_MAX = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?")

DURATION_SCHEMA: dict[str, object] = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "minLength": 1}]
}
AMOUNT_SCHEMA: dict[str, object] = DURATION_SCHEMA
TEXT_MAP_SCHEMA: dict[str, object] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
}


def read_text(value: object, *, bytes_max: int, what: str = "text") -> str:
    """Text without NUL that UTF-8 can hold, not empty, at most `bytes_max` long."""
    if not isinstance(value, str):
        raise FieldError(f"is {described(value)}; it must be text.", "Put it in quotes.")
    if not value.strip():
        raise FieldError("is empty.", f"Write the {what}, or leave the field out.")
    return sound_text(value, bytes_max=bytes_max)


def sound_text(value: str, *, bytes_max: int) -> str:
    """The text itself, which may be empty, if a process could be handed it."""
    if "\x00" in value:
        raise FieldError("holds a NUL character.", "Remove it.")
    try:
        size = len(value) if value.isascii() else len(value.encode())
    except UnicodeEncodeError:
        raise FieldError("holds half a character (a lone surrogate).", "Remove it.") from None
    if size > bytes_max:
        raise FieldError(f"is {size} bytes long; the limit is {bytes_max}.", "Make it shorter.")
    return value


def read_written(value: object, *, bytes_max: int) -> str:
    """Text, or a number or boolean as the text that it was written as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if abs(value) >= 2**63:
            raise FieldError("is a very large number.", "Put it in quotes.")
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return sound_text(value, bytes_max=bytes_max)
    raise FieldError(
        f"is {described(value)}; it must be text, a number, true or false.",
        "Write '' for an empty text." if value is None else "Put one value there.",
    )


def read_name(value: object) -> str:
    if not isinstance(value, str):
        raise FieldError(f"is {described(value)}; a name is text.", "Write it like 'my-workload'.")
    fault = name_fault(value)
    if fault is not None:
        raise FieldError(f"{fault}.", f"Try '{name_suggestion(value[:1000])}'.")
    return value


def read_switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise FieldError(f"is {described(value)}.", "Write true or false.")
    return value


def read_choice(value: object, names: Iterable[str]) -> str:
    """One of `names`, spelt exactly."""
    known = list(names)
    if isinstance(value, str) and value in known:
        return value
    meant = nearest(value, known) if isinstance(value, str) else None
    raise FieldError(
        f"is {described(value)}; known are {', '.join(known)}.",
        f"Did you mean '{meant}'?" if meant else "Write one of them.",
    )


def read_integer(value: object, *, minimum: int, maximum: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldError(
            f"is {described(value)}; it must be a whole number.",
            f"Write a number from {minimum} to {maximum}, without quotes.",
        )
    if not minimum <= value <= maximum:
        raise FieldError(f"is {shown(value)}.", f"Write a number from {minimum} to {maximum}.")
    return value


def read_range(value: object, parse: Callable[[str], int], example: str) -> Range:
    """An amount or a range of amounts; one amount gives a range of that amount alone."""
    written = read_quantity(value, example)
    try:
        return _range(str(written), parse)
    except ValueError as error:
        raise said(error) from None


@lru_cache(maxsize=1024)
def _range(text: str, parse: Callable[[str], int]) -> Range:
    # A batch repeats the same few amounts thousands of times.
    return parse_range(text, parse)


def read_quantity(value: object, example: str) -> str | int | float:
    """A number or a short text, fit to be handed to a parser of `domain/quantity.py`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise FieldError(f"is {described(value)}.", f"Write it like {example}.")
    if isinstance(value, str) and (
        len(value) > _QUANTITY_CHARACTERS_MAX or not value.isprintable()
    ):
        raise FieldError(f"is {described(value)}.", f"Write it like {example}.")
    if isinstance(value, int) and abs(value) >= 2**62:
        raise FieldError(f"is {shown(value)}.", f"Write it like {example}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise FieldError(f"is {value}.", f"Write it like {example}.")
    return value


def read_duration(value: object, *, minimum: int = 1, maximum: int = DURATION_SECONDS_MAX) -> int:
    """Seconds: a number of them, or text such as `1h30m`."""
    written = read_quantity(value, "90s, 30m, 1h30m or 2d")
    if isinstance(written, float):
        if not written.is_integer():
            raise FieldError(f"is {written}; a duration is whole seconds.", "Write it like 90s.")
        written = int(written)
    try:
        seconds = parse_duration_seconds(written)
    except ValueError as error:
        raise said(error) from None
    if not minimum <= seconds <= maximum:
        raise FieldError(
            f"is {seconds} seconds.",
            f"Write a duration from {write_duration(minimum)} to {write_duration(maximum)}.",
        )
    return seconds


def read_grace(value: object) -> int:
    return read_duration(value, minimum=0, maximum=GRACE_SECONDS_MAX)


def read_deadline(value: object, now_ms: int = 0) -> int:
    """Milliseconds since 1970: of a time with its zone, or of `now_ms` plus a duration."""
    if not isinstance(value, str) or len(value) > _QUANTITY_CHARACTERS_MAX or _is_duration(value):
        return now_ms + read_duration(value) * 1000
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise FieldError(
            f"is {described(value)}, neither a time nor a duration.",
            "Write it like 2031-07-01T18:00:00Z, or 8h for eight hours from now.",
        ) from None
    if moment.tzinfo is None:
        raise FieldError(
            f"is {described(value)}, which names no time zone.",
            "Add a time and Z for UTC, or an offset such as +02:00.",
        )
    return milliseconds(moment)


def read_start_window(value: object) -> StartWindow:
    """Hours of the day such as `20:00-06:00`, in UTC or in the zone that stands behind them."""
    window = None
    if isinstance(value, str) and len(value) <= _QUANTITY_CHARACTERS_MAX:
        window = read_window(value)
    if window is None:
        raise FieldError(
            f"is {described(value)}, not hours of the day.",
            "Write them like 20:00-06:00 for UTC, or 20:00-06:00 Europe/Berlin.",
        )
    return window


def deadline_fault(deadline_ms: int, now_ms: int) -> FieldFault | None:
    """What is wrong with a deadline at this time: it has to lie ahead, by ten years at most."""
    if now_ms < deadline_ms <= now_ms + DURATION_SECONDS_MAX * 1000:
        return None
    wrong = "has passed." if deadline_ms <= now_ms else "is more than ten years away."
    return FieldFault("deadline", wrong, f"It is {write_time(now_ms)} now; write later.")


def _is_duration(text: str) -> bool:
    try:
        parse_duration_seconds(text)
    except ValueError:
        return False
    return True


def read_priority(value: object) -> int:
    if isinstance(value, str):
        return PRIORITY_NAMES[read_choice(value, PRIORITY_NAMES)]
    return read_integer(value, minimum=0, maximum=PRIORITY_MAX)


def read_labels(value: object) -> tuple[tuple[str, str], ...]:
    """A map of label names to short texts, sorted by name."""
    labels = read_map(value, "NAME: VALUE")
    if len(labels) > LABELS_MAX:
        raise FieldError(f"holds {len(labels)} labels; the limit is {LABELS_MAX}.", "Drop some.")

    def read(item: object) -> tuple[str, str]:
        assert isinstance(item, str)
        if _LABEL_NAME.fullmatch(item) is None:
            raise FieldError(
                "is not a label's name.",
                "Use up to 63 letters, digits, '.', '_', '-' and '/', with a letter or digit at "
                "both ends.",
            )
        return item, read_written(labels[item], bytes_max=_LABEL_BYTES_MAX)

    return tuple(sorted(each(((name, name) for name in labels), read)))


def read_map(value: object, example: str) -> Mapping[str, object]:
    """A map whose keys are all text."""
    if not isinstance(value, Mapping):
        raise FieldError(f"is {described(value)}; it must be a map.", f"Write lines of {example}.")
    if not all(isinstance(key, str) for key in value):
        raise FieldError("has a name that is not text.", "Put every name in quotes.")
    return value


def read_list(value: object, *, length_max: int, example: str) -> list[object]:
    if not isinstance(value, list | tuple):
        raise FieldError(f"is {described(value)}; it must be a list.", f"Write it like {example}.")
    if len(value) > length_max:
        raise FieldError(f"has {len(value)} entries; the limit is {length_max}.", "Drop some.")
    return list(value)


def read_fields(
    value: object,
    readers: Mapping[str, Callable[[object], object]],
    *,
    defaults: Mapping[str, object],
) -> dict[str, object]:
    """A small map with known fields, each read by its reader; a field that is left out or null
    takes its default, and is a fault where it has none."""
    given = read_map(value, ", ".join(f"{key}: {key.upper()}" for key in readers))
    known = list(readers)
    strange = islice((key for key in given if key not in readers), FAULTS_MAX + 1)
    unknown = [unknown_field(key, known) for key in strange]
    faults = [fault for fault, _ in unknown]
    misspelt = {meant for _, meant in unknown}
    fields: dict[str, object] = {}
    for key, read in readers.items():
        try:
            if given.get(key) is not None:
                fields[key] = read(given[key])
            elif key in defaults:
                fields[key] = defaults[key]
            elif key not in misspelt:
                raise FieldError("is missing.", f"Add {key}: {key.upper()}.")
        except FieldError as error:
            faults.extend(under(key, error.faults))
    if faults:
        raise FieldError(faults=faults)
    return fields


def write_bytes(count: int) -> str | int:
    """Bytes as text in the largest unit that loses nothing; `read` gives the same count back."""
    for unit, factor in (("GiB", 2**30), ("GB", 10**9), ("MiB", 2**20), ("MB", 10**6)):
        if count >= factor and count % factor == 0:
            return f"{count // factor}{unit}"
    return count


def write_milli(milli: int) -> int | float:
    """Thousandths as the number that people write."""
    return milli // 1000 if milli % 1000 == 0 else milli / 1000


def write_duration(seconds: int) -> str:
    """Seconds as exact text, such as `1h30m`."""
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def write_time(at_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
