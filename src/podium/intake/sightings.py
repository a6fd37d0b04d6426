"""Who looked at what, for the audit trail: a log that somebody keeps open is one entry in five
minutes. `intake/audit` asks."""

from __future__ import annotations

from dataclasses import dataclass, field

MERGED_MS = 300_000
_SIGHTINGS_MAX = 50_000


@dataclass(slots=True)
class Sightings:
    """Who looked at what within the last five minutes."""

    _until: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def is_first(self, username: str, action: str, subject: str, now_ms: int) -> bool:
        """Whether it is to be written; asking counts as looking."""
        key = (username, action, subject)
        if self._until.get(key, 0) > now_ms:
            return False
        if len(self._until) >= _SIGHTINGS_MAX:
            self._until = {each: until for each, until in self._until.items() if until > now_ms}
            if len(self._until) >= _SIGHTINGS_MAX:
                self._until.clear()
        self._until[key] = now_ms + MERGED_MS
        return True

    def forget(self, username: str, action: str, subject: str) -> None:
        """It could not be written."""
        self._until.pop((username, action, subject), None)
