"""Identifiers and names.

Ids are `w-` (or another noun's letter) and 16 characters of Crockford base 32: 48 bits of
milliseconds, then 32 of chance, so that they sort by the time of their making and can be read
over the telephone. The chance is given, never drawn here.
"""

from __future__ import annotations

import re

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
NAME_LENGTH_MAX = 63
NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
_NAME = re.compile(NAME_PATTERN)
_ID = re.compile(rf"[a-z]-[{_ALPHABET}]{{16}}")


def make_id(letter: str, now_ms: int, entropy: int) -> str:
    """A new id from a noun's letter, the time, and 32 random bits."""
    value = ((now_ms & (2**48 - 1)) << 32) | (entropy & (2**32 - 1))
    return f"{letter}-" + "".join(_ALPHABET[value >> shift & 31] for shift in range(75, -5, -5))


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def name_fault(name: str) -> str | None:
    """What is wrong with a name, in words, or None. Names are DNS labels on every engine."""
    if not name:
        return "is empty"
    if len(name) > NAME_LENGTH_MAX:
        return f"is {len(name)} characters long; the limit is {NAME_LENGTH_MAX}"
    if _NAME.fullmatch(name) is None:
        return "may hold lower-case letters, digits and inner hyphens only"
    return None


def name_suggestion(name: str) -> str:
    """The nearest legal name, for error messages."""
    cleaned = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:NAME_LENGTH_MAX].strip("-")
    return cleaned or "my-workload"
