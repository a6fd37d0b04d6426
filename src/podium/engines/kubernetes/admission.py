"""What an API server says where it lets no pod in, as the errors of the contract. `starts.py` has
one."""

from __future__ import annotations

import re

from podium.domain.errors import PodiumError
from podium.domain.reason import Cause
from podium.engines.contract import AdmissionError, HeldUpError
from podium.engines.kubernetes.connection import ForbiddenError

_QUOTA = re.compile(r"exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: (.*)$")
_RIGHT = re.compile(r'cannot (?:create|patch|get) resource "([^"]+)"')
_PATIENCE_MS = 600_000
_FORGOTTEN_MS = 3_600_000


class Admission:
    """A full quota and a right that Podium lacks may be mended meanwhile: both are waited for, up
    to the grace. A rule that forbids the pod as it is stays."""

    def __init__(self, grace_seconds: float) -> None:
        self._grace_ms = min(grace_seconds * 1000, _PATIENCE_MS)
        self._since_ms: dict[str, int] = {}

    def refused(self, allocation_id: str, error: PodiumError, now_ms: int) -> PodiumError:
        """What to raise for it."""
        if isinstance(error, HeldUpError):
            return self._held_up(allocation_id, _quota_words(error.message), now_ms)
        if not isinstance(error, ForbiddenError):
            return error
        right = _RIGHT.search(error.message)
        if right is None:
            said = error.message.rpartition(" is forbidden: ")[2].removeprefix("The cluster says: ")
            words = f"A rule of the cluster forbids it: {said.rstrip('.')}."
            return AdmissionError(words, Cause.CLUSTER_REFUSED)
        words = (
            f"Podium lacks a right in the cluster, for {right[1]}: podium cluster show says which."
        )
        return self._held_up(allocation_id, words, now_ms, Cause.CLUSTER_REFUSED)

    def forget(self, allocation_id: str) -> None:
        """It was let in."""
        self._since_ms.pop(allocation_id, None)

    def _held_up(
        self, allocation_id: str, words: str, now_ms: int, cause: Cause = Cause.CLUSTER_QUOTA
    ) -> PodiumError:
        since_ms = self._since_ms.setdefault(allocation_id, now_ms)
        if now_ms - since_ms < self._grace_ms:
            return HeldUpError(words, cause)
        self._since_ms = {
            key: begun_ms
            for key, begun_ms in self._since_ms.items()
            if key != allocation_id and now_ms - begun_ms < _FORGOTTEN_MS
        }
        return AdmissionError(words, cause)


def _quota_words(said: str) -> str:
    found = _QUOTA.search(said)
    if found is None:
        return "A quota of its namespace in the cluster has no room for it."
    name, asked, used, most = found.groups()
    return (
        f"The quota {name} of its namespace has no room for it: it asks for {asked}, and {used} of "
        f"{most} are in use."
    )
