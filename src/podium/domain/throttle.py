"""How often something may be tried, and how the count of tries fades: pure, used by
`store/attempts`."""

from __future__ import annotations

from dataclasses import dataclass

_SECOND_MS = 1_000
_DOUBLINGS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """`free` tries go through at once. Each further one doubles the wait after it, up to
    `wait_max_ms`; one try is forgotten every `forget_ms`."""

    free: int
    forget_ms: int
    wait_max_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """What is known of one key: how many tries count (thousandths) as of `at_ms`, and until when
    no other is let through."""

    count_milli: int = 0
    at_ms: int = 0
    until_ms: int = 0

    def faded(self, rule: Throttle, now_ms: int) -> int:
        """Tries that still count, in thousandths."""
        past_ms = max(0, now_ms - self.at_ms)
        return max(0, self.count_milli - past_ms * 1000 // rule.forget_ms)

    def again(self, rule: Throttle, now_ms: int) -> Tries:
        """After one more."""
        count_milli = self.faded(rule, now_ms) + 1000
        beyond = -(-(count_milli - rule.free * 1000) // 1000)
        wait_ms = 0
        if beyond > 0:
            wait_ms = min(rule.wait_max_ms, _SECOND_MS * 2 ** min(beyond, _DOUBLINGS_MAX))
        return Tries(count_milli=count_milli, at_ms=now_ms, until_ms=now_ms + wait_ms)

    def one_less(self, rule: Throttle, now_ms: int) -> Tries:
        """The last one was no failure after all."""
        return Tries(
            count_milli=max(0, self.faded(rule, now_ms) - 1000), at_ms=now_ms, until_ms=now_ms
        )

    def forgotten_at_ms(self, rule: Throttle) -> int:
        """From when on nothing of it counts any more."""
        return max(self.until_ms, self.at_ms + self.count_milli * rule.forget_ms // 1000)


WRONG_FROM_HERE = Throttle(free=5, forget_ms=300_000, wait_max_ms=300_000)
"""Wrong passwords of one name from one address."""

WRONG_OF_NAME = Throttle(free=20, forget_ms=180_000, wait_max_ms=60_000)
"""Wrong passwords of one name from anywhere. The wait is short, so that strangers cannot keep
somebody out for long."""

WRONG_OF_SOURCE = Throttle(free=50, forget_ms=30_000, wait_max_ms=300_000)
"""Failed sign-ins from one address, whatever the name: many people may share one."""

FLOWS = Throttle(free=60, forget_ms=2_000, wait_max_ms=60_000)
"""Sign-ins that one address begins at a provider."""

DEVICES = Throttle(free=20, forget_ms=10_000, wait_max_ms=60_000)
"""Command lines that ask to be let in from one address."""

PEOPLE_SEARCHES = Throttle(free=120, forget_ms=2_000, wait_max_ms=60_000)
"""Searches for people to give a role to: as many as somebody types, and not a list of everyone."""

WRONG_CODES = Throttle(free=10, forget_ms=60_000, wait_max_ms=300_000)
"""Codes that one person typed and that nobody has."""
