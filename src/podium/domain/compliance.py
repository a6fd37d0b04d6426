"""What the audit trail proves about where classified data was used: pure, over its entries alone.
The API asks it of the database, the command line of an exported file.

Approvals, regions, classes and grants change by audited commands, with what was before and after,
so each use is judged by what held when it was written down.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from podium.domain.audit import ALLOWED, Link
from podium.domain.data import OWNER, Classification, Mode

MOUNT = "data:mount"
RUN = "data:run"
EXPOSED = "data:exposed"
POOL_SET = "pool:set"
ADMINISTER = "data:administer"
GRANT = "data:grant"
CONCERNED = frozenset({MOUNT, RUN, EXPOSED, POOL_SET, ADMINISTER, GRANT})
"""Actions that the report is made of."""
FINDINGS_MAX = 10_000


class FindingKind(StrEnum):
    POOL = "pool"  # a place that was not approved for the class
    REGION = "region"  # outside of the regions that the source names
    CLASS = "class"  # written down as less sensitive than the source was
    GRANT = "grant"  # nobody had let them
    EXPOSED = "exposed"  # an approval ended while it ran
    UNPROVEN = "unproven"  # what was approved then is not in this trail any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    kind: FindingKind
    seq: int
    at_ms: int
    sentence: str
    workload_id: str
    source: str
    project: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One use. `approved_for` None: the trail does not say. `verdict`: approved, violation or
    unproven."""

    seq: int
    at_ms: int
    username: str
    project: str
    workload_id: str
    source: str
    mode: str
    classification: str
    ranks: tuple[int, ...]
    node: str
    pool: str
    region: str
    approved_for: tuple[str, ...] | None
    right: str
    verdict: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which uses are told of; all entries before them count all the same."""

    since_ms: int | None = None
    until_ms: int | None = None
    classification: str | None = None
    project: str | None = None
    items_max: int = 1000

    def admits(self, at_ms: int, project: str, classification: str) -> bool:
        if self.since_ms is not None and at_ms < self.since_ms:
            return False
        if self.until_ms is not None and at_ms >= self.until_ms:
            return False
        if self.project is not None and project != self.project:
            return False
        return self.classification is None or classification == self.classification


@dataclass(frozen=True, slots=True)
class _Place:
    region: str
    approved_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    classification: str
    regions: tuple[str, ...]


@dataclass(slots=True)
class Report:
    """Takes entries in their order. `whole` says that the trail begins at its beginning: then what
    it does not tell never was."""

    wanted: Wanted = field(default_factory=Wanted)
    whole: bool = True
    accesses: int = 0
    approved: int = 0
    unproven: int = 0
    violations: int = 0
    by_class: Counter[str] = field(default_factory=Counter)
    by_pool: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    items: list[Access] = field(default_factory=list)
    first_seq: int = 0
    last_seq: int = 0
    _pools: dict[str, _Place | None] = field(default_factory=dict)
    _sources: dict[str, _Source | None] = field(default_factory=dict)
    _grants: dict[str, dict[str, bool]] = field(default_factory=dict)
    _told: dict[str, set[str]] = field(default_factory=dict)

    def take(self, links: Iterable[Link]) -> None:
        """The next entries, oldest first."""
        for link in links:
            seq, at_ms, actor, action, subject, project, outcome, text = link[:8]
            self.first_seq = self.first_seq or seq
            self.last_seq = seq
            if action not in CONCERNED or outcome != ALLOWED:
                continue
            detail = _read(text)
            if action == POOL_SET:
                self._pools[subject] = _place(detail.get("after"))
            elif action == ADMINISTER:
                self._administered(subject, detail)
            elif action == GRANT:
                self._granted(subject, detail)
            elif action == EXPOSED:
                self._exposed(seq, at_ms, subject, project or "", detail)
            else:
                self._used(seq, at_ms, actor, action, subject, project or "", detail)

    def _administered(self, subject: str, detail: Mapping[str, Any]) -> None:
        after = detail.get("after")
        self._sources[subject] = (
            None
            if not isinstance(after, Mapping)
            else _Source(str(after.get("classification", "")), _words(after.get("regions")))
        )
        if after is None or detail.get("before") is None:
            self._grants[subject] = {}
            self._told[subject] = {"*"}  # from here on all grants are in the trail

    def _granted(self, subject: str, detail: Mapping[str, Any]) -> None:
        held = self._grants.setdefault(subject, {})
        right = str(detail.get("right", ""))
        self._told.setdefault(subject, set()).add(right)
        after = detail.get("after")
        if isinstance(after, Mapping):
            held[right] = bool(after.get("write"))
        else:
            held.pop(right, None)

    def _exposed(
        self, seq: int, at_ms: int, subject: str, project: str, detail: Mapping[str, Any]
    ) -> None:
        classification = str(detail.get("class", ""))
        if not self.wanted.admits(at_ms, project, classification):
            return
        self.violations += 1
        self._find(
            FindingKind.EXPOSED, seq, at_ms, subject, "", project,
            f"{subject} held {classification} data on {detail.get('node')} in "
            f"{_pool_words(str(detail.get('pool', '')))} when the approval of that place ended; "
            "it ran on.",
        )  # fmt: skip

    def _used(
        self, seq: int, at_ms: int, actor: str, action: str, subject: str, project: str,
        detail: Mapping[str, Any],
    ) -> None:  # fmt: skip
        source = subject if action == MOUNT else ""
        workload = str(detail.get("workload", "")) if source else subject
        recorded = str(detail.get("class", ""))
        known = self._sources.get(source) if source else None
        actual = _higher(recorded, known.classification if known is not None else "")
        if not self.wanted.admits(at_ms, project, actual):
            return
        pool = str(detail.get("pool", ""))
        place = self._pools.get(pool)
        approved_for: tuple[str, ...] | None = place.approved_for if place is not None else ()
        if pool and pool not in self._pools and not self.whole:
            approved_for = None
        region = place.region if place is not None else ""
        where = f"{detail.get('node')} in {_pool_words(pool)}"
        what = f"{workload} used {source}" if source else f"{workload} ran"
        faults = _place_faults(what, where, actual, approved_for, region, known)
        if known is not None and _rank(known.classification) > _rank(recorded):
            was = f"the source was {known.classification}"
            sentence = f"{what} as {recorded or 'unclassified'} data; {was}."
            faults.append((FindingKind.CLASS, sentence))
        if source:
            fault = self._ungranted(source, project, detail)
            if fault is None:
                told = f"{what}: whether it was granted is not told."
                faults.append((FindingKind.UNPROVEN, told))
            elif fault:
                faults.append((FindingKind.GRANT, f"{what} without a grant that stood then."))
        wrong = sum(kind is not FindingKind.UNPROVEN for kind, _ in faults)
        self._count(actual, pool)
        verdict = "violation" if wrong else "unproven" if faults else "approved"
        self.approved += verdict == "approved"
        self.unproven += verdict == "unproven"
        self.violations += wrong
        for kind, sentence in faults:
            self._find(kind, seq, at_ms, workload, source, project, sentence)
        ranks = detail.get("ranks", ())
        self.items.append(
            Access(
                seq=seq,
                at_ms=at_ms,
                username=actor,
                project=project,
                workload_id=workload,
                source=source,
                mode=str(detail.get("mode", "")),
                classification=actual,
                ranks=tuple(each for each in ranks if isinstance(each, int)),
                node=str(detail.get("node", "")),
                pool=pool,
                region=region,
                approved_for=approved_for,
                right=str(detail.get("right", "")),
                verdict=verdict,
            )
        )
        if len(self.items) > 2 * self.wanted.items_max + 100:
            del self.items[: -self.wanted.items_max or None]

    def _ungranted(self, source: str, project: str, detail: Mapping[str, Any]) -> bool | None:
        """None where this trail cannot tell."""
        right = str(detail.get("right", ""))
        if right == OWNER:
            return "/" not in source or source.split("/", maxsplit=1)[0] != project
        writes = detail.get("mode") == Mode.WRITE
        held = self._grants.get(source, {}).get(right)
        if held is not None:
            return writes and not held
        told = self._told.get(source, set())
        return True if self.whole or right in told or "*" in told else None

    def _count(self, classification: str, pool: str) -> None:
        self.accesses += 1
        self.by_class[classification or "unclassified"] += 1
        self.by_pool[pool] += 1

    def _find(
        self, kind: FindingKind, seq: int, at_ms: int, workload: str, source: str, project: str,
        sentence: str,
    ) -> None:  # fmt: skip
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(
                Finding(
                    kind=kind,
                    seq=seq,
                    at_ms=at_ms,
                    sentence=sentence,
                    workload_id=workload,
                    source=source,
                    project=project,
                )
            )

    def newest(self) -> Sequence[Access]:
        """As many as are wanted, newest first."""
        return self.items[::-1][: self.wanted.items_max]


def _place_faults(
    what: str,
    where: str,
    classification: str,
    approved_for: tuple[str, ...] | None,
    region: str,
    source: _Source | None,
) -> list[tuple[FindingKind, str]]:
    """What is wrong with where it was, or cannot be told."""
    faults = []
    regions = () if source is None else source.regions
    if approved_for is None:
        if _bound(classification) or regions:
            sentence = f"{what} on {where}: what that pool was approved for is not told."
            faults.append((FindingKind.UNPROVEN, sentence))
        return faults
    if _bound(classification) and classification not in approved_for:
        sentence = f"{what} ({classification}) on {where}, not approved for it."
        faults.append((FindingKind.POOL, sentence))
    if regions and region not in regions:
        told = f"region {region}" if region else "no region"
        sentence = f"{what} on {where}, in {told}: not one of its regions."
        faults.append((FindingKind.REGION, sentence))
    return faults


def _read(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _place(after: object) -> _Place | None:
    if not isinstance(after, Mapping):
        return None
    return _Place(str(after.get("region", "")), _words(after.get("approved_for")))


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _pool_words(name: str) -> str:
    return f"pool {name}" if name else "no pool"


def _rank(classification: str) -> int:
    try:
        return Classification(classification).rank
    except ValueError:
        return -1


def _higher(one: str, other: str) -> str:
    return other if _rank(other) > _rank(one) else one


def _bound(classification: str) -> bool:
    """A class that is not known is taken for one that needs an approval."""
    try:
        return Classification(classification).bound
    except ValueError:
        return bool(classification)
