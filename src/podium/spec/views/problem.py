"""The one shape of every error: problem details for HTTP APIs (RFC 9457)."""

from __future__ import annotations

from pydantic import Field

from podium.spec.views.base import View


class FaultView(View):
    """One wrong field of a request."""

    field: str = Field(examples=["resources.gpus"])
    message: str = Field(examples=["is -1; a workload cannot ask for fewer than 0 GPUs."])
    remedy: str = Field("", examples=["Write 0 or more."])


class Problem(View):
    """Every answer with a status of 400 or more has this body, as `application/problem+json`."""

    type: str = Field(description="A stable URI for this kind of problem.")
    title: str
    status: int
    code: str = Field(description="Stable, machine-readable.", examples=["invalid"])
    detail: str = Field(description="One plain sentence for a person.")
    faults: list[FaultView] = Field(default_factory=list)
    retry_after_seconds: float | None = None
    request_id: str = ""
