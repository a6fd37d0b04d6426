"""Quotas: what teams and projects may count on, and how they stand against it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from podium.domain.quota import (
    AMOUNT_MILLI_MAX,
    CEILING_MAX,
    WEIGHT_MAX,
    Counted,
    QuotaLevel,
)
from podium.spec.views.base import View

_Milli = Annotated[int, Field(ge=0, le=AMOUNT_MILLI_MAX)]


class QuotaAmounts(View):
    """Of one GPU type, or of all together, in thousandths of a GPU."""

    guarantee_milli: _Milli = Field(0, description="What it can always get back from others.")
    limit_milli: _Milli | None = Field(
        None, description="What it may hold at most; null: no limit. 0 keeps the type from it."
    )
    per_user_milli: _Milli | None = Field(
        None, description="What one person may hold of it at most; null: no cap."
    )


class QuotaRequest(View):
    """The whole quota; what is left out is not guaranteed and not limited."""

    weight: int = Field(
        1,
        ge=0,
        le=WEIGHT_MAX,
        description="Its part of what nobody is guaranteed, beside its neighbours' weights. "
        "0: only what they leave.",
    )
    gpus: dict[str, QuotaAmounts] = Field(
        default_factory=dict,
        max_length=100,
        description="By GPU type; `all` is all types together.",
        examples=[{"H100": {"guarantee_milli": 8000, "limit_milli": 16000}}],
    )
    ceilings: dict[Counted, Annotated[int, Field(ge=0, le=CEILING_MAX)]] = Field(
        default_factory=dict,
        description="Limits of what is no GPU: thousandths of CPUs, bytes of memory, MIG slices, "
        "workspaces at once, and bytes of storage.",
        examples=[{"cpu_milli": 64000, "workspaces": 4}],
    )


class QuotaGpuView(View):
    """How a share stands with one GPU type, in thousandths of a GPU."""

    gpu_type: str = Field(description="`all` is all types together.", examples=["H100"])
    guarantee_milli: int = Field(description="For `all` at least the sum of those by type.")
    set_guarantee_milli: int = Field(description="As it was set: for `all` without that sum.")
    limit_milli: int | None
    per_user_milli: int | None = Field(None, description="What one person may hold of it.")
    used_milli: int = Field(description="Held now.")
    borrowed_milli: int = Field(
        description="Held beyond its guarantee and its team's; others may reclaim it."
    )
    waiting_milli: int = Field(
        description="What queued work asks for. Work that takes several types counts in `all` only."
    )
    fair_milli: int = Field(
        description="Its part if all were divided anew among those who use or want something."
    )
    recent_milli: int = Field(
        description="Use in the past, faded by the half-life, as it counts in the order."
    )


class QuotaCountedView(View):
    """How a share stands with something that is no GPU; the name says the unit."""

    counted: Counted
    limit: int | None = Field(description="Null: no limit.")
    used: int = Field(description="Held now; of storage what is kept.")


class QuotaView(View):
    """The organisation, a team or a project."""

    level: QuotaLevel
    name: str = Field(description="`organisation` for the organisation.", examples=["research"])
    team: str | None = Field(description="A project's team.")
    weight: int
    share: float = Field(
        description="Its dominant share, past use included, divided by its weight. "
        "Of neighbours the one with the least is served first."
    )
    gpus: list[QuotaGpuView] = Field(
        description="All types together first; types of which it has and wants nothing left out."
    )
    counted: list[QuotaCountedView] = Field(
        default_factory=list, description="CPU, memory, MIG slices, workspaces and storage."
    )


class QuotaCapacityView(View):
    gpu_type: str
    gpu_milli: int


class QuotasView(View):
    """The tree in preorder: the organisation, then each team with its projects. You see your
    projects and their teams; what others use is in the sums above them."""

    items: list[QuotaView]
    capacity: list[QuotaCapacityView] = Field(description="The whole inventory, by GPU type.")
    half_life_seconds: int = Field(description="Use that long ago counts half.")


class QuotaChangeView(View):
    """One change of a quota. `before` and `after` are the whole of it, null where none was set."""

    id: int
    level: QuotaLevel
    name: str
    at: datetime
    username: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
