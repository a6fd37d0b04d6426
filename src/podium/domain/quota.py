"""What the organisation, a team or a project may count on, and how much it may hold at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

ORGANISATION = "the organisation"
"""What the root of the tree is called beside teams and projects, whose names have no spaces."""

WEIGHT_MAX = 10_000
AMOUNT_MILLI_MAX = 10**9
CEILING_MAX = 2**60
_SLICES = re.compile(r"(?:^|\.)(\d+)g\.")


class QuotaLevel(StrEnum):
    """Whose quota it is. There is one organisation; teams stand below it, projects below them."""

    ORGANISATION = "organisation"
    TEAM = "team"
    PROJECT = "project"


class Counted(StrEnum):
    """What a quota limits beside GPUs. The value says the unit."""

    CPU = "cpu_milli"
    MEMORY = "memory_bytes"
    MIG_SLICES = "mig_slices"
    WORKSPACES = "workspaces"
    STORAGE = "storage_bytes"


SCHEDULED = (Counted.CPU, Counted.MEMORY, Counted.MIG_SLICES, Counted.WORKSPACES)
"""What the scheduler keeps; storage is kept where things are stored."""

COUNTED_WORDS: Mapping[Counted, str] = MappingProxyType(
    {
        Counted.CPU: "CPUs",
        Counted.MEMORY: "memory",
        Counted.MIG_SLICES: "MIG slices",
        Counted.WORKSPACES: "workspaces",
        Counted.STORAGE: "storage",
    }
)


def mig_slices(profile: str) -> int:
    """The compute slices of one instance, as its profile says: 3 of `3g.40gb`. At least 1."""
    found = _SLICES.search(f"{profile}.")
    return max(1, int(found[1])) if found else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`guarantees` and `limits` are (GPU type, milli-GPU), type "" for all types together. What
    is not named is not guaranteed, and not limited. `weight` divides what nobody is guaranteed.
    `per_user` is like `limits`, of what one person may hold of it. `ceilings` limit what else is
    counted. `name` is empty for the organisation."""

    level: QuotaLevel
    name: str = ""
    weight: int = 1
    guarantees: tuple[tuple[str, int], ...] = ()
    limits: tuple[tuple[str, int], ...] = ()
    per_user: tuple[tuple[str, int], ...] = ()
    ceilings: tuple[tuple[Counted, int], ...] = ()

    @property
    def label(self) -> str:
        """For people: `team research`."""
        return f"{self.level} {self.name}" if self.name else ORGANISATION
