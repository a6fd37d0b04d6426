"""What teams and projects may count on. Reached as `client.quotas`."""

from __future__ import annotations

from collections.abc import Mapping

from podium.client.transport import Transport, path_of
from podium.domain.quota import QuotaLevel
from podium.spec.views.quota import QuotaAmounts, QuotaRequest, QuotasView, QuotaView


class Quotas:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def tree(self) -> QuotasView:
        """The organisation, then each team that you see with its projects."""
        return self._transport.fetch(QuotasView, "/quotas")

    def set(
        self,
        level: QuotaLevel | str,
        name: str = "organisation",
        *,
        weight: int = 1,
        gpus: Mapping[str, QuotaAmounts] | None = None,
    ) -> QuotaView:
        """Replaces the whole quota of a team or project. `gpus` is by GPU type, `all` being all
        types together. For administrators. Raises UserError, which names the fields."""
        body = QuotaRequest(weight=weight, gpus=dict(gpus or {}))
        answer = self._transport.send(
            "PUT", path_of("quotas", str(level), name), body=body.model_dump(mode="json")
        )
        return self._transport.parse(QuotaView, answer)

    def remove(self, level: QuotaLevel | str, name: str = "organisation") -> None:
        """Guarantee and limit nothing any more. Raises NotFoundError where no quota is set."""
        self._transport.send("DELETE", path_of("quotas", str(level), name))
