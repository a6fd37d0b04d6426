"""Health and version."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from podium.spec.views.base import View


class CheckView(View):
    """One thing that health depends on."""

    name: str
    ok: bool
    detail: str = ""


class HealthView(View):
    """Whether the server can serve, and why not."""

    ok: bool
    checks: list[CheckView] = Field(default_factory=list)


class AboutView(View):
    """What this server is."""

    version: str
    store: str = Field(examples=["sqlite", "postgresql"])
    engines: list[str]
    virtual_gpus: bool = Field(description="True when some GPUs here are virtual.")
    health: HealthView = Field(description="As `/readyz` answers it.")
    started_at: datetime
    isolation: str = Field(
        "none",
        description="What keeps the work of different projects apart on the server's own machine.",
        examples=["users", "namespaces", "none"],
    )
    isolation_words: str = Field("", description="The same in words, and why it is not more.")
