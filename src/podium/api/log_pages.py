"""Pages of a log of several replicas: its end, what comes before or after, or around a line.

`logs` calls it. A page says where it begins and ends as a token, from which one goes on reading
in either direction, or following.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from podium.api.log_lines import Budget, Cursor, Line, Log, Needle, merged
from podium.spec.fields import write_time

_TEXT_BYTES_MAX = 8 * 2**20
_OFFSET_DIGITS_MAX = 18


@dataclass(slots=True)
class Page:
    items: list[Line] = field(default_factory=list)
    older: str | None = None
    newer: str = ""
    at_end: bool = False
    searched_bytes: int = 0

    def json(self) -> bytes:
        """As LogPageView; written by hand, for a page may have thousands of lines."""
        return json.dumps(
            {
                "items": [line_document(each) for each in self.items],
                "older": self.older,
                "newer": self.newer,
                "at_end": self.at_end,
                "searched_bytes": self.searched_bytes,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()


async def page_before(
    logs: Sequence[Log],
    places: Mapping[str, int] | None,
    limit: int,
    *,
    needle: Needle | None = None,
    budget: Budget | None = None,
) -> Page:
    """The last `limit` lines before `places`, or of all; with `needle`, of those that have it."""
    ends = {
        each.key: places.get(each.key, 0) if places is not None else await each.end()
        for each in logs
    }
    cursors = [
        Cursor(each, ends[each.key], backward=True, needle=needle, budget=budget) for each in logs
    ]
    items = await _taken(cursors, limit)
    left = any(each.place > 0 for each in cursors)
    return Page(
        items=items[::-1],
        older=token({each.log.key: each.place for each in cursors}) if left else None,
        newer=token(ends),
        at_end=places is None,
        searched_bytes=budget.bytes_read if budget else 0,
    )


async def page_after(logs: Sequence[Log], places: Mapping[str, int], limit: int) -> Page:
    """The first `limit` lines from `places` on."""
    starts = {each.key: places.get(each.key, 0) for each in logs}
    cursors = [Cursor(each, starts[each.key]) for each in logs]
    items = await _taken(cursors, limit)
    return Page(
        items=items,
        older=token(starts) if any(starts.values()) else None,
        newer=token({each.log.key: each.place for each in cursors}),
        at_end=all(each.pending is None for each in cursors),
    )


async def page_around(logs: Sequence[Log], key: str, offset: int, limit: int) -> Page | None:
    """Half of the lines before and half from the line at `offset` of the log `key` on. None when
    there is no such log."""
    about = next((each for each in logs if each.key == key), None)
    if about is None:
        return None
    line = await about.line_at(offset)
    places = {}
    for each in logs:
        if each is about:
            places[each.key] = line.offset if line else await each.end()
        elif line is None or line.at_ms is None:
            places[each.key] = await each.end()
        else:
            places[each.key] = await each.place_at(line.at_ms)
    before = await page_before(logs, places, limit // 2)
    after = await page_after(logs, places, limit - limit // 2)
    return Page(
        items=before.items + after.items,
        older=before.older,
        newer=after.newer,
        at_end=after.at_end,
    )


async def _taken(cursors: Sequence[Cursor], limit: int) -> list[Line]:
    items: list[Line] = []
    size = 0
    async for line in merged(cursors):
        # This one is left to the next page: places do not go beyond it.
        if len(items) >= limit or size > _TEXT_BYTES_MAX:
            break
        items.append(line)
        size += line.end - line.offset if line.stream != "podium" else 0
    return items


def line_document(line: Line) -> dict[str, object]:
    return {
        "rank": line.rank,
        "at": iso(line.at_ms),
        "stream": line.stream,
        "text": line.text,
        "attempt": line.attempt,
        "offset": line.offset,
    }


def iso(at_ms: int | None) -> str | None:
    return None if at_ms is None else write_time(at_ms)


def token(places: Mapping[str, int]) -> str:
    """`RANK.ATTEMPT@OFFSET` of each replica, separated by commas."""
    return ",".join(f"{key}@{offset}" for key, offset in places.items())


def places_of(text: str | None) -> dict[str, int]:
    """What `token` wrote; what it cannot have written is left out."""
    places: dict[str, int] = {}
    for part in (text or "").split(","):
        key, sign, offset = part.partition("@")
        if sign and offset.isdecimal() and len(offset) <= _OFFSET_DIGITS_MAX:
            places[key] = int(offset)
    return places
