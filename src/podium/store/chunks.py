"""Long lists of keys, cut to what one statement may carry on every database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_KEYS_MAX = 500


def chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    """Each key once, in order, at most 500 at a time."""
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), _KEYS_MAX):
        yield wanted[start : start + _KEYS_MAX]
