"""How Podium uses one cluster: what its operator chose, and what both sides must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from podium.domain.errors import PermanentError


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSite:
    """`image` is for work that names none. `labels` are added to those of each node. Folders of
    nodes may be mounted where they are in one of `folders`, e.g. a parallel file system.

    `owner` tells the pods of this Podium from those of another one in the same cluster. Work runs
    as user and group `user`, never as root. `groups_prefix` stands before the names of groups of
    people as the API server knows them.
    """

    cluster: str
    image: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()
    owner: str
    namespace_prefix: str = "podium-"
    user: int = 65534
    groups_prefix: str = ""
    start_grace_seconds: float = 600.0

    def node_name(self, node: str) -> str:
        """What Podium calls a node of the cluster: names are unique over all clusters."""
        return f"{self.cluster}.{node}"

    def own_name(self, node: str) -> str:
        """What the cluster calls it."""
        return node.removeprefix(f"{self.cluster}.")

    def namespace(self, project: str) -> str:
        """Raises PermanentError where the two are too long together."""
        name = f"{self.namespace_prefix}{project}"
        if len(name) > 63:
            raise PermanentError(
                f"The namespace {name} would be longer than Kubernetes allows (63 characters)."
            )
        return name
