"""Notices: what happened to a person's own work while they looked elsewhere."""

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
    workload_id: str
    workload_name: str
    project: str
    read: bool


class NoticesView(Page[NoticeView]):
    """Newest first."""

    unread: int


class NoticesReadRequest(View):
    """Everything up to `through` has been read."""

    through: int = Field(ge=0, le=2**62)
