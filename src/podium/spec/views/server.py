"""Health and version."""

from __future__ import annotations

from pydantic import Field

from podium.spec.views.base import View


class CheckView(View):
    name: str
    ok: bool
    detail: str = ""


class HealthView(View):
    ok: bool
    checks: list[CheckView] = Field(default_factory=list)


class AboutView(View):
    version: str
    store: str = Field(examples=["sqlite", "postgresql"])
    engines: list[str]
    virtual_gpus: bool = Field(description="True when some GPUs here are virtual.")
