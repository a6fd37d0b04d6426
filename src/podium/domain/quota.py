"""What the organisation, a team or a project may count on, and how much it may hold at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ORGANISATION = "the organisation"
"""What the root of the tree is called beside teams and projects, whose names have no spaces."""

WEIGHT_MAX = 10_000
AMOUNT_MILLI_MAX = 10**9


class QuotaLevel(StrEnum):
    """Whose quota it is. There is one organisation; teams stand below it, projects below them."""

    ORGANISATION = "organisation"
    TEAM = "team"
    PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`guarantees` and `limits` are (GPU type, milli-GPU), type "" for all types together. What
    is not named is not guaranteed, and not limited. `weight` divides what nobody is guaranteed.
    `name` is empty for the organisation."""

    level: QuotaLevel
    name: str = ""
    weight: int = 1
    guarantees: tuple[tuple[str, int], ...] = ()
    limits: tuple[tuple[str, int], ...] = ()

    @property
    def label(self) -> str:
        """For people: `team research`."""
        return f"{self.level} {self.name}" if self.name else ORGANISATION
