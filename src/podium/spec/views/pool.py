"""Pools: named sets of nodes, and whose work may stand there."""

from __future__ import annotations

from pydantic import Field

from podium.domain.data import Classification
from podium.spec.views.base import View


class PoolRequest(View):
    """Makes a pool, or puts it in the place of the one of that name."""

    labels: dict[str, str] = Field(
        min_length=1,
        max_length=32,
        description="A node belongs to the first pool, by name, all of whose labels it carries.",
        examples=[{"zone": "secure"}],
    )
    projects: list[str] = Field(
        default_factory=list,
        max_length=1000,
        description="Whose work may stand there; with no project and no team everyone's.",
        examples=[["vision"]],
    )
    teams: list[str] = Field(default_factory=list, max_length=1000, examples=[["research"]])
    note: str = Field("", max_length=200)
    region: str = Field(
        "",
        max_length=63,
        pattern="^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$",
        description="Where its nodes stand; empty: nobody says.",
        examples=["eu-central"],
    )
    approved_for: list[Classification] = Field(
        default_factory=list,
        max_length=4,
        description="Restricted and PHI data is mounted only in pools approved for it.",
        examples=[["restricted", "phi"]],
    )


class PoolGpusView(View):
    """GPUs of one type."""

    type: str = Field(examples=["H100"])
    count: int = Field(description="Devices: GPUs and MIG instances.")
    gpu_milli: int
    gpu_milli_used: int


class PoolView(View):
    """A pool that is open to a project of the reader's, with what is in it."""

    name: str
    labels: dict[str, str]
    projects: list[str] = Field(description="As far as the reader may see them.")
    teams: list[str] = Field(description="As far as the reader may see a project of theirs.")
    restricted: bool = Field(description="False when everyone may use it.")
    others: int = Field(description="How many more projects and teams may use it.")
    note: str
    region: str = ""
    approved_for: list[Classification] = Field(
        default_factory=list, description="Classes of data that need an approval."
    )
    nodes: int
    nodes_ready: int
    gpus: list[PoolGpusView] = Field(description="By type.")


class PoolsView(View):
    """In name order."""

    items: list[PoolView]
