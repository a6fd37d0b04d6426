"""Which Unix user each project's work runs as on this machine. Called by the local engine.

A project keeps its user for good, and no other project ever gets it: what is left of its files
stays its own. The number comes from the name first of all, so that machines which share folders
mostly agree on it.
"""

from __future__ import annotations

import hashlib
import json
import pwd
import threading
from pathlib import Path

from podium.domain.errors import PermanentError
from podium.engines.local import folder as names


class Owners:
    """`path` holds what was given out, as JSON from project to number. `uids` is what may be."""

    def __init__(self, path: Path, uids: range) -> None:
        self._path = path
        self._uids = uids
        self._turn = threading.Lock()
        self._known: dict[str, int] | None = None

    def uid(self, project: str) -> int:
        """Also the number of its group. Raises PermanentError when all are given out, and OSError
        when a new one cannot be written down."""
        with self._turn:
            if self._known is None:
                self._known = self._read()
            if project not in self._known:
                given = {**self._known, project: self._free(project, set(self._known.values()))}
                content = json.dumps(given, indent=1, sort_keys=True).encode()
                names.write_whole(str(self._path), content, lasting=True)
                self._known = given
            return self._known[project]

    def _free(self, project: str, taken: set[int]) -> int:
        digest = hashlib.sha256(project.encode()).digest()
        first = int.from_bytes(digest[:8], "big") % len(self._uids)
        for step in range(len(self._uids)):
            uid = self._uids[(first + step) % len(self._uids)]
            if uid not in taken and not _is_account(uid):
                return uid
        raise PermanentError(
            f"All {len(self._uids)} Unix users that projects may have on this node are given out. "
            "An operator can widen the range with podium up --isolation-uids."
        )

    def _read(self) -> dict[str, int]:
        try:
            known: dict[str, int] = json.loads(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        return known


def _is_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
