"""The compliance report as a document."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.domain.compliance import FindingKind
from podium.domain.data import Classification
from podium.spec.views.base import View


class FindingView(View):
    """Something that should not have been."""

    kind: FindingKind
    seq: int = Field(description="The entry of the audit trail that shows it.")
    at: datetime
    sentence: str
    workload_id: str
    source: str = Field(description="Empty for work that is classified by itself.")
    project: str


class AccessView(View):
    """One use of data, or one start of work that is classified by itself."""

    seq: int
    at: datetime
    username: str
    project: str
    workload_id: str
    source: str
    mode: str
    classification: str
    ranks: list[int]
    node: str
    pool: str
    region: str
    approved_for: list[Classification] | None = Field(
        description="What its pool was approved for then; null where the trail does not say."
    )
    right: str
    verdict: str = Field(description="approved, violation or unproven.")


class ComplianceReportView(View):
    """What the audit trail proves about classified work. `trail_ok` is null where the trail was
    not looked at whole."""

    trail_ok: bool | None
    trail_sentence: str
    trail_key_trusted: bool | None = None
    first_seq: int
    last_seq: int
    since: datetime | None
    until: datetime | None
    accesses: int
    approved: int
    unproven: int
    violations: int
    by_class: dict[str, int]
    by_pool: dict[str, int]
    findings: list[FindingView]
    items: list[AccessView] = Field(description="The newest, as many as were asked for.")
