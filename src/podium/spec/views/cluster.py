"""Documents about clusters."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr

from podium.domain.cluster import KUBECONFIG_CHARACTERS_MAX, ClusterState
from podium.domain.identity import NAME_PATTERN
from podium.spec.views.base import View

_REGION_PATTERN = "^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$"


class ClusterAccess(View):
    """How to reach a cluster: by a kubeconfig, or from inside."""

    kubeconfig: SecretStr | None = Field(
        None,
        max_length=KUBECONFIG_CHARACTERS_MAX,
        description="As kubectl has it, with everything in it: it must name no file and no "
        "program. It is sealed and never answered.",
    )
    context: str = Field(
        "", max_length=253, description="Which context of the kubeconfig; empty: its current one."
    )
    in_cluster: bool = Field(
        False, description="Podium runs inside that cluster, and uses the account of its own pod."
    )


class ClusterRequest(ClusterAccess):
    """Adds a cluster."""

    name: str = Field(max_length=63, pattern=NAME_PATTERN, examples=["munich"])
    region: str = Field(
        "",
        max_length=63,
        pattern=_REGION_PATTERN,
        description="Where its nodes stand; they carry it as the label region.",
        examples=["eu-central"],
    )
    labels: dict[str, str] = Field(
        default_factory=dict,
        max_length=32,
        description="What its nodes carry beside their own labels.",
        examples=[{"zone": "secure"}],
    )
    image: str = Field(
        "",
        max_length=500,
        description="The container image for work that names none; empty: such work cannot run "
        "there.",
        examples=["registry.example.com/ai/base:1"],
    )
    groups_prefix: str = Field(
        "",
        max_length=63,
        description="What its API server puts before the names of groups that sign-in gives it "
        "(--oidc-groups-prefix).",
        examples=["oidc:"],
    )


class ClusterChangeRequest(View):
    """Changes a cluster. What is left out stays."""

    kubeconfig: SecretStr | None = Field(
        None, max_length=KUBECONFIG_CHARACTERS_MAX, description="As where it is added."
    )
    context: str | None = Field(
        None, max_length=253, description="Goes with a kubeconfig: which context of it."
    )
    in_cluster: bool | None = Field(None, description="True takes the kubeconfig away.")
    region: str | None = Field(None, max_length=63, pattern=_REGION_PATTERN)
    labels: dict[str, str] | None = Field(None, max_length=32, description="In place of all.")
    image: str | None = Field(None, max_length=500)
    groups_prefix: str | None = Field(None, max_length=63)


class DriftView(View):
    """Something in the namespace of a project that somebody else had changed."""

    at: datetime = Field(description="When Podium found it.")
    project: str
    words: str
    mended: bool = Field(description="It is as it has to be again. False: it is left as it is.")


class ClusterView(View):
    """A cluster, and how it is as seen by the server that answers."""

    name: str
    region: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    image: str = ""
    in_cluster: bool = False
    groups_prefix: str = Field("", description="Only for those who manage clusters.")
    server: str = Field("", description="Its address; only for those who manage clusters.")
    context: str = Field("", description="Of its kubeconfig; only for those who manage clusters.")
    added_at: datetime
    added_by: str = Field("", description="Only for those who manage clusters.")
    state: ClusterState
    since: datetime = Field(description="Since when it is in this state.")
    words: str = Field("", description="Why it is not ready; only for those who manage clusters.")
    version: str = Field("", description="Of its Kubernetes; empty until it told.")
    missing: list[str] = Field(
        default_factory=list,
        description="Rights that Podium lacks there; only for those who manage clusters.",
        examples=[["create, patch pods"]],
    )
    drifts: list[DriftView] = Field(
        default_factory=list,
        description="The last that others changed in the namespaces of projects, newest first. "
        "Only where one cluster is asked for, by those who manage clusters.",
    )
    nodes: int
    nodes_ready: int
    gpus: int = Field(description="GPUs and MIG instances that stand for themselves.")
    gpu_milli_used: int = Field(description="1000 for each GPU that is held by Podium's work.")
    seen_at: datetime | None = Field(None, description="When it last reported its nodes.")


class ClustersView(View):
    items: list[ClusterView] = Field(description="By name; there are few.")


class ClusterCheckView(View):
    """What came of trying to reach a cluster; nothing was kept."""

    server: str
    context: str
    version: str
    nodes: int = Field(description="How many nodes it has, as far as they may be listed.")
    gpus: int
    missing: list[str] = Field(description="Rights that Podium lacks there.")
    claims: bool = Field(
        False,
        description="It gives devices by resource claims (DRA), too. Podium does not use them yet.",
    )
    ok: bool = Field(description="True when it answers and no right is missing.")


class ClusterRemovalView(View):
    """What went with a cluster."""

    name: str
    nodes: int
    replicas: int = Field(description="That were given up.")
    workloads: int
