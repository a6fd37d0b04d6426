"""Policies as they hold for one kind of work in one project: the built-in values with what the
cluster, the team and the project put in their place. `store/policies` keeps the changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from podium.domain.policy import (
    DEFAULT_SCHEDULING,
    KIND_POLICIES,
    KindPolicy,
    Order,
    Preempt,
    SchedulingPolicy,
)
from podium.domain.workload import Kind

SCHEDULING = "scheduling"
"""The part of the policies that is not about one kind of work."""

Value = int | bool | str | None


class PolicyLevel(StrEnum):
    """For whom a value holds. Of two, that of the smaller group counts."""

    CLUSTER = "cluster"
    POOL = "pool"
    TEAM = "team"
    PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One value in place of a built-in one. `name` is the pool's, team's or project's, empty for
    the cluster; `part` a kind of work, or SCHEDULING; `value` canonical text, empty for None."""

    level: PolicyLevel
    name: str = ""
    part: str
    field: str
    value: str


KIND_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(KindPolicy))
SCHEDULING_FIELDS: tuple[str, ...] = tuple(field.name for field in fields(SchedulingPolicy))
_SWITCHES = frozenset({"preemptible", "preempts", "spread"})
_CHOICES: Mapping[str, type[StrEnum]] = MappingProxyType({"order": Order, "preempt": Preempt})


def value_to_text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def value_from_text(field: str, text: str) -> Any:
    """What `value_to_text` wrote for a value of that field."""
    if field in _CHOICES:
        return _CHOICES[field](text)
    if field in _SWITCHES:
        return text == "true"
    return int(text) if text else None


class Policies:
    """What holds where. `teams` names the team of each project, as far as overrides of teams are
    concerned."""

    def __init__(
        self, overrides: Iterable[Override] = (), teams: Mapping[str, str] | None = None
    ) -> None:
        self._values: dict[tuple[str, str, str], dict[str, Any]] = {}
        for each in overrides:
            values = self._values.setdefault((each.level, each.name, each.part), {})
            values[each.field] = value_from_text(each.field, each.value)
        self._teams = teams or {}
        self._known: dict[tuple[Kind, str, str | None], KindPolicy] = {}
        self.scheduling: SchedulingPolicy = replace(
            DEFAULT_SCHEDULING, **self._values.get((PolicyLevel.CLUSTER, "", SCHEDULING), {})
        )

    def of(self, kind: Kind, project: str, pool: str | None = None) -> KindPolicy:
        """What holds for work of that kind in that project, which names that pool and no other."""
        found = self._known.get((kind, project, pool))
        if found is None:
            team = self._teams.get(project)
            found = self.at(kind, pool=pool, team=team, project=project)
            self._known[kind, project, pool] = found
        return found

    def at(
        self,
        kind: Kind,
        *,
        pool: str | None = None,
        team: str | None = None,
        project: str | None = None,
    ) -> KindPolicy:
        """What holds for a whole pool or team, or with none of them for the whole cluster."""
        values = dict(self._values.get((PolicyLevel.CLUSTER, "", kind), {}))
        if pool is not None:
            values |= self._values.get((PolicyLevel.POOL, pool, kind), {})
        if team is not None:
            values |= self._values.get((PolicyLevel.TEAM, team, kind), {})
        if project is not None:
            values |= self._values.get((PolicyLevel.PROJECT, project, kind), {})
        if not values:
            return KIND_POLICIES[kind]
        found = replace(KIND_POLICIES[kind], **values)
        return replace(found, priority=min(found.priority, found.priority_max))


BUILT_IN = Policies()
