"""Which hold-ups of replicas are news, for `launch` and `observe`: each change is told once, and of
one replica never more often than every few seconds, whatever its machine says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from podium.domain.allocation import Allocation
from podium.domain.errors import TemporaryError
from podium.domain.holdup import HoldUp
from podium.engines.contract import HeldUpError, Observation, Phase

_EVERY_MS = 3_000


class HoldUpNews:
    """Remembers when it told of what, and nothing else: what was told is in the store."""

    def __init__(self) -> None:
        self._due_ms: dict[str, int] = {}
        self._refused: set[str] = set()

    def refused(
        self, answers: Sequence[tuple[Allocation, TemporaryError]], now_ms: int
    ) -> list[tuple[str, HoldUp | None]]:
        """Of what its engine would not take yet. Where people can do nothing about it, it is told
        when it comes twice: most of it is over at the next try."""
        found = [
            (allocation, _hold_up_of(error))
            for allocation, error in answers
            if isinstance(error, HeldUpError) or allocation.id in self._refused
        ]
        self._refused = {allocation.id for allocation, _ in answers}
        return self.of(found, now_ms)

    def of(
        self, found: Iterable[tuple[Allocation, HoldUp | None]], now_ms: int
    ) -> list[tuple[str, HoldUp | None]]:
        """By allocation what is to be written down now. The rest comes when it is asked again."""
        self._due_ms = {key: due for key, due in self._due_ms.items() if due > now_ms}
        news = [
            (allocation.id, fresh)
            for allocation, fresh in found
            if _said(allocation.hold_up) != _said(fresh) and allocation.id not in self._due_ms
        ]
        self._due_ms |= {key: now_ms + _EVERY_MS for key, _ in news}
        return news


def seen_holdups(
    held: Mapping[str, Allocation], seen: Mapping[str, Observation]
) -> Iterable[tuple[Allocation, HoldUp | None]]:
    """Of what is starting by what its engine sees."""
    for key, each in seen.items():
        if key in held and each.phase is Phase.STARTING and not each.stop_seen:
            words = each.message
            yield held[key], HoldUp(message=words, cause=each.cause) if words else None


def _hold_up_of(error: TemporaryError) -> HoldUp:
    cause = error.cause if isinstance(error, HeldUpError) else None
    return HoldUp(message=error.message, cause=cause)


def _said(hold_up: HoldUp | None) -> tuple[object, str] | None:
    return None if hold_up is None else (hold_up.cause, hold_up.message)
