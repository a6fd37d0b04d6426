"""What a search over everything finds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from podium.spec.views.base import View


class FoundView(View):
    """One thing that was found, best first."""

    kind: Literal["workload", "project", "node", "user"]
    id: str = Field(description="What its page is called by.")
    title: str
    detail: str = Field(description="A few words that tell it from its likes.")
    state: str | None = None


class FindingsView(View):
    items: list[FoundView]
