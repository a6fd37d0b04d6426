"""What keeps a replica that has its place from beginning, as engines tell it."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.reason import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldUp:
    """`message` is one plain sentence. Without a `cause` it is on its way, e.g. its image is being
    pulled; with one it will be taken back for that unless it passes. Of a replica it is the same
    one `since_ms`."""

    message: str
    cause: Cause | None = None
    since_ms: int | None = None
