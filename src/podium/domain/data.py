"""Data sources: what they are, who may use them, and where work that uses them may stand. Pure;
`store/data_sources` keeps them, `intake/data_sources` and the loops ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from podium.domain.pool import NO_POOL, Pool


class Classification(StrEnum):
    """How sensitive data is, from the least to the most."""

    PUBLIC = "public"
    INTERNAL = "internal"
    RESTRICTED = "restricted"
    PHI = "phi"  # health information about persons

    @property
    def rank(self) -> int:
        return list(Classification).index(self)

    @property
    def bound(self) -> bool:
        """Whether a pool has to be approved for it."""
        return self in (Classification.RESTRICTED, Classification.PHI)


class SourceKind(StrEnum):
    """Where it lies."""

    FOLDER = "folder"  # of the node
    NFS = "nfs"
    S3 = "s3"
    PVC = "pvc"  # of a Kubernetes cluster


class Mode(StrEnum):
    """As a spec asks for it: to read, or to write too."""

    READ_ONLY = "ro"
    WRITE = "rw"


class GranteeKind(StrEnum):
    PROJECT = "project"
    TEAM = "team"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Grant:
    """Who else than the owner may use a source. With `write` also to write to it."""

    kind: GranteeKind
    name: str
    write: bool = False

    @property
    def words(self) -> str:
        """As the audit trail has it: `team research`."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """`id` is `name` for a source of the organisation, else `project/name`. `location` has the
    fields that its kind needs. Without `regions` it may be used in all of them."""

    id: str
    name: str
    project: str
    kind: SourceKind
    location: Mapping[str, str]
    classification: Classification
    regions: tuple[str, ...] = ()
    description: str = ""
    grants: tuple[Grant, ...] = ()
    updated_at_ms: int = 0
    updated_by: str = ""


@dataclass(frozen=True, slots=True)
class DataUse:
    """A source that work asks for: by which name, seen where, and how."""

    source: str
    path: str
    mode: Mode = Mode.READ_ONLY

    @property
    def variable(self) -> str:
        """The environment variable that has the path: `PODIUM_DATA_CT_SCANS`."""
        name = self.source.rpartition("/")[2]
        return "PODIUM_DATA_" + name.upper().replace("-", "_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What data asks of the place where work stands. `regions` None: any."""

    classification: Classification = Classification.PUBLIC
    regions: frozenset[str] | None = None
    kinds: frozenset[SourceKind] = field(default_factory=frozenset)

    @property
    def anywhere(self) -> bool:
        return not self.classification.bound and self.regions is None


OWNER = "owner"
"""By which right the owning project uses its own source."""


def source_id(project: str, name: str) -> str:
    """`project` is empty for the organisation's own."""
    return f"{project}/{name}" if project else name


def ids_meant(project: str, written: str) -> tuple[str, ...]:
    """What a source's name in a spec may mean, the first that exists: the project's own comes
    before the organisation's."""
    if "/" in written:
        return (written,)
    return (source_id(project, written), written)


def highest(classes: Iterable[Classification]) -> Classification:
    """The most sensitive; public of none."""
    return max(classes, key=lambda each: each.rank, default=Classification.PUBLIC)


def needs_of(declared: Classification | None, sources: Iterable[DataSource]) -> Needs:
    """Of work that uses these, and says of itself that it is `declared`."""
    known = tuple(sources)
    regions: frozenset[str] | None = None
    for each in known:
        if each.regions:
            mine = frozenset(each.regions)
            regions = mine if regions is None else regions & mine
    classes = [each.classification for each in known]
    return Needs(
        classification=highest([*classes, *([declared] if declared is not None else [])]),
        regions=regions,
        kinds=frozenset(each.kind for each in known),
    )


def right_to(
    source: DataSource, mode: Mode, *, project: str, team: str | None, username: str
) -> str | None:
    """By which right work of this person in this project may use it so: OWNER, or a grant's words;
    None where it may not."""
    if source.project and source.project == project:
        return OWNER
    who = {
        GranteeKind.PROJECT: project,
        GranteeKind.TEAM: team,
        GranteeKind.USER: username,
    }
    for grant in source.grants:
        enough = grant.write or mode is Mode.READ_ONLY
        if enough and who[grant.kind] == grant.name:
            return grant.words
    return None


def fits(needs: Needs, region: str, approved_for: Sequence[Classification]) -> bool:
    """Whether work with these needs may stand in a pool of that region with those approvals; nodes
    of no pool have neither."""
    if needs.classification.bound and needs.classification not in approved_for:
        return False
    return needs.regions is None or region in needs.regions


def pools_fit(pools: Iterable[Pool], needs: Needs) -> tuple[str, ...] | None:
    """Where such work may stand: names of pools, and NO_POOL for nodes of none. None: anywhere."""
    if needs.anywhere:
        return None
    names = tuple(each.name for each in pools if fits(needs, each.region, approved(each)))
    return (NO_POOL, *names) if fits(needs, "", ()) else names


def approved(pool: Pool) -> tuple[Classification, ...]:
    return tuple(Classification(each) for each in pool.approved_for)


def needs_words(needs: Needs) -> str:
    """`phi data, which may run only in pools approved for it and in region eu-central`."""
    where = []
    if needs.classification.bound:
        where.append("in pools approved for it")
    if needs.regions is not None:
        names = sorted(needs.regions)
        where.append(f"in region {' or '.join(names)}" if names else "in no region at all")
    return f"{needs.classification} data, which may run only {' and '.join(where)}"
