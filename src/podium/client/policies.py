"""What holds for each kind of work, and how the cluster is shared. Reached as
`client.policies`."""

from __future__ import annotations

from collections.abc import Mapping

from podium.client.transport import Transport, path_of
from podium.domain.policies import PolicyLevel
from podium.spec.views.policy import PoliciesView, PolicyRequest


class PolicyBook:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show(self, level: PolicyLevel | str = "cluster", name: str = "cluster") -> PoliciesView:
        """What holds for the cluster, for a team, or in a project. Raises NotFoundError."""
        return self._transport.fetch(PoliciesView, path_of("policies", str(level), name))

    def set(
        self,
        part: str,
        values: Mapping[str, str | int | float | bool],
        *,
        level: PolicyLevel | str = "cluster",
        name: str = "cluster",
    ) -> PoliciesView:
        """Set fields of a kind of work, or of `scheduling`. For administrators. Raises UserError,
        which names the fields."""
        answer = self._transport.send(
            "PUT",
            path_of("policies", str(level), name, part),
            body=PolicyRequest(values=dict(values)).model_dump(mode="json"),
        )
        return self._transport.parse(PoliciesView, answer)

    def reset(
        self,
        part: str,
        field: str | None = None,
        *,
        level: PolicyLevel | str = "cluster",
        name: str = "cluster",
    ) -> PoliciesView:
        """Let hold again what holds otherwise: for one field, or for all of the part."""
        answer = self._transport.send(
            "DELETE",
            path_of("policies", str(level), name, part),
            params={"field": field} if field is not None else None,
        )
        return self._transport.parse(PoliciesView, answer)
