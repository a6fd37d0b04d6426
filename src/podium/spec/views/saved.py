"""Saved views: a page's filters, order and columns under a name, kept for each person."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.spec.views.base import View


class SavedViewRequest(View):
    """Keeps the view; one of the same name is replaced."""

    search: str = Field(
        max_length=2000,
        description="The part of the address after `?`.",
        examples=["state=failed&project=vision"],
    )


class SavedViewView(View):
    page: str = Field(examples=["workloads"])
    name: str = Field(examples=["My failures"])
    search: str
    updated_at: datetime


class SavedViewsView(View):
    items: list[SavedViewView]
