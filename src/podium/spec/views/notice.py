"""Notices: what happened to a person's own work, and to budgets that they answer for."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from podium.spec.views.base import Page, View


class NoticeView(View):
    """One thing that happened, in one plain sentence."""

    seq: int
    at: datetime
    level: Literal["good", "plain", "bad"]
    sentence: str = Field(examples=["train failed: exit code 1."])
    workload_id: str | None = Field(description="Null where it is about a budget.")
    workload_name: str | None
    project: str | None
    budget: str | None = Field(description="The name of the budget that it is about.")
    read: bool


class NoticesView(Page[NoticeView]):
    """Newest first."""

    unread: int


class NoticesReadRequest(View):
    """Everything up to `through` has been read."""

    through: int = Field(ge=0, le=2**62)
