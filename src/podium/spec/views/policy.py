"""Policies: what holds for a kind of work where its spec says nothing, and how a cluster is
shared."""

from __future__ import annotations

from pydantic import Field

from podium.domain.policies import PolicyLevel
from podium.spec.views.base import View


class PolicyRequest(View):
    """Sets some fields of one part in place of what holds otherwise."""

    values: dict[str, str | int | float | bool] = Field(
        max_length=32,
        description="Fields and their values, written as in a spec.",
        examples=[{"preemptible": False, "minimum_runtime": "30m"}],
    )


class PolicyView(View):
    """One part of the policies: a kind of work, or `scheduling`."""

    part: str = Field(examples=["training"])
    values: dict[str, str | int | bool] = Field(description="What holds.")
    set_by: dict[str, PolicyLevel] = Field(
        description="Which of them are not the built-in ones, and whose they are."
    )


class PoliciesView(View):
    """What holds in the whole cluster, in a pool, for a team, or in a project."""

    level: PolicyLevel
    name: str = Field(description="The pool, team or project; `cluster` for the cluster.")
    items: list[PolicyView]
