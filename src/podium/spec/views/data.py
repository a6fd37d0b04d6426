"""Documents about data sources, their grants and who used them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.domain.data import Classification, GranteeKind, SourceKind
from podium.spec.views.base import View


class DataSourceRequest(View):
    """Makes a data source, or puts it in the place of the one of that name."""

    kind: SourceKind = Field(description="Where the data lies.")
    location: dict[str, str] = Field(
        max_length=8,
        description="What its kind needs. folder: path. nfs: server, export, options. s3: endpoint,"
        " bucket, prefix, region, secret (the name of a secret with KEY_ID:KEY), secret_project. "
        "pvc: claim, namespace.",
        examples=[{"path": "/srv/data/scans"}],
    )
    classification: Classification = Field(description="How sensitive it is.")
    regions: list[str] = Field(
        default_factory=list,
        max_length=32,
        description="Where it may be used; everywhere when left out.",
        examples=[["eu-central"]],
    )
    description: str = Field("", max_length=500)


class DataGrantRequest(View):
    """Lets somebody use a source."""

    write: bool = Field(False, description="Also to write to it.")


class DataGrantView(View):
    kind: GranteeKind
    name: str
    write: bool


class DataSourceView(View):
    """A source that a project of the reader's may use, or that the reader keeps."""

    id: str = Field(description="As a spec names it: NAME, or PROJECT/NAME.")
    name: str
    project: str | None = Field(description="Who owns it; null for the organisation.")
    kind: SourceKind
    classification: Classification
    regions: list[str]
    description: str
    location: dict[str, str] | None = Field(description="Only for those who keep it.")
    grants: list[DataGrantView] | None = Field(description="Only for those who keep it.")
    used_by: list[str] = Field(
        default_factory=list,
        description="Ids of the newest workloads that ask for it and have not ended, as far as "
        "the reader may see them.",
    )
    updated_at: datetime
    updated_by: str


class DataSourcesView(View):
    """In the order of their ids."""

    items: list[DataSourceView]


class DataMountView(View):
    """One use of a source, from the audit trail."""

    seq: int
    at: datetime
    username: str
    project: str
    workload_id: str
    ranks: list[int]
    node: str
    pool: str
    region: str
    classification: str
    mode: str
    path: str
    right: str = Field(description="`owner`, or the grant by which it was allowed.")
