"""Where the data that work asks for lets it stand, for the scheduler: `store/demands` narrows a
request with it, as it does for closed pools."""

from __future__ import annotations

from dataclasses import dataclass

from podium.domain.data import (
    Classification,
    DataSource,
    Needs,
    SourceKind,
    needs_of,
    needs_words,
    pools_fit,
    right_to,
)
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.store.data_sources import sources_fetch, teams_of
from podium.store.data_uses import uses_from_text
from podium.store.database import Transaction
from podium.store.pools import Reach


@dataclass(frozen=True, slots=True)
class DataBound:
    """`pools` are those where it may stand, None: anywhere. `words` say what binds it, for people;
    `refusal` is what forbids it everywhere."""

    pools: tuple[str, ...] | None = None
    words: str = ""
    refusal: Refusal | None = None


_FREE = DataBound()


class DataReach:
    """One for each reading: what is asked twice is looked up once."""

    def __init__(self, tx: Transaction, reach: Reach) -> None:
        self._tx = tx
        self._reach = reach
        self._sources: dict[str, DataSource] | None = None
        self._teams: dict[str, str] = {}
        self._known: dict[tuple[str, str, str, str], DataBound] = {}

    def bound(self, project: str, owner: str, classification: str, uses: str) -> DataBound:
        """Of the columns of a workload's row."""
        if not uses and not classification:
            return _FREE
        key = (project, owner, classification, uses)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._bound(*key)
        return found

    def _bound(self, project: str, owner: str, classification: str, uses: str) -> DataBound:
        if self._sources is None:
            self._sources = sources_fetch(self._tx)
            self._teams = teams_of(self._tx)
        sources = []
        for name, mode in uses_from_text(uses):
            source = self._sources.get(name)
            if source is None:
                return DataBound(refusal=_gone(name))
            team = self._teams.get(project)
            if right_to(source, mode, project=project, team=team, username=owner) is None:
                return DataBound(refusal=_withdrawn(name, project))
            sources.append(source)
        needs = needs_of(Classification(classification) if classification else None, sources)
        if SourceKind.PVC in needs.kinds:
            return DataBound(refusal=_kubernetes(sources))
        pools = pools_fit(self._reach.pools, needs)
        if pools is None:
            return _FREE
        words = needs_words(needs)
        names = self._reach.of(project)
        mine = pools if names is None else tuple(each for each in pools if each in names)
        if mine:
            return DataBound(pools=mine, words=words)
        return DataBound(refusal=_nowhere(words, project, needs, closed=bool(pools)))


def unapproved(names: tuple[str, ...], data: DataBound) -> Refusal:
    """It names pools, none of which its data may be in."""
    able = [each for each in data.pools or () if each]
    asked = f"pool {' or '.join(names)}"
    return Refusal(
        WaitReason.POLICY,
        f"It has {data.words}; it asks for {asked}.",
        f"Submit it again without a pool, or with one of these: {', '.join(able)}."
        if able
        else "Submit it again without a pool.",
        tuple(Evidence("pool", name) for name in names),
    )


def _gone(name: str) -> Refusal:
    return Refusal(
        WaitReason.POLICY,
        f"There is no data source {name} any more.",
        "Submit it again without it, or ask who keeps the data.",
        (Evidence("data", name),),
    )


def _withdrawn(name: str, project: str) -> Refusal:
    return Refusal(
        WaitReason.POLICY,
        f"Its project {project} may not use the data source {name} as it asks to any more.",
        "Ask who keeps the data for a grant; then it starts by itself.",
        (Evidence("data", name),),
    )


def _kubernetes(sources: list[DataSource]) -> Refusal:
    name = next(each.id for each in sources if each.kind is SourceKind.PVC)
    return Refusal(
        WaitReason.POLICY,
        f"The data source {name} is a volume claim of Kubernetes, and every node here runs plain "
        "processes.",
        "Use a source that is a folder, NFS or S3, or add a Kubernetes cluster.",
        (Evidence("data", name),),
    )


def _nowhere(words: str, project: str, needs: Needs, *, closed: bool) -> Refusal:
    """Which pools others have is not told."""
    why = (
        f"no pool that is open to project {project} is" if closed else "there is no such pool here"
    )
    facts = [Evidence("classification", needs.classification.value)]
    facts += [Evidence("region", each) for each in sorted(needs.regions or ())]
    return Refusal(
        WaitReason.POLICY,
        f"It has {words}; {why}.",
        "Ask an administrator to approve a pool for it, or to open one that is.",
        tuple(facts),
    )
