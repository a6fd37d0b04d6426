"""What teams and projects may count on. Reached as `client.quotas`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from podium.client.paging import items
from podium.client.transport import Transport, path_of
from podium.domain.quota import Counted, QuotaLevel
from podium.spec.views.base import Page
from podium.spec.views.explain import WhatIfView
from podium.spec.views.quota import (
    QuotaAmounts,
    QuotaChangeView,
    QuotaRequest,
    QuotasView,
    QuotaView,
)

Ceilings = Mapping[Counted, int] | Mapping[str, int]


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
        ceilings: Ceilings | None = None,
    ) -> QuotaView:
        """Replaces the whole quota of a team or project. `gpus` is by GPU type, `all` being all
        types together; `ceilings` limit what is no GPU, such as `{"workspaces": 4}`. For
        administrators. Raises UserError, which names the fields."""
        body = _request(weight, gpus, ceilings)
        answer = self._transport.send(
            "PUT", path_of("quotas", str(level), name), body=body.model_dump(mode="json")
        )
        return self._transport.parse(QuotaView, answer)

    def remove(self, level: QuotaLevel | str, name: str = "organisation") -> None:
        """Guarantee and limit nothing any more. Raises NotFoundError where no quota is set."""
        self._transport.send("DELETE", path_of("quotas", str(level), name))

    def preview(
        self,
        level: QuotaLevel | str,
        name: str = "organisation",
        *,
        weight: int = 1,
        gpus: Mapping[str, QuotaAmounts] | None = None,
        ceilings: Ceilings | None = None,
    ) -> WhatIfView:
        """Who would be affected if `set` were called with the same; nothing is set. Raises as it
        does."""
        body = _request(weight, gpus, ceilings)
        answer = self._transport.send(
            "POST",
            path_of("quotas", str(level), name, "preview"),
            body=body.model_dump(mode="json"),
            repeatable=True,
        )
        return self._transport.parse(WhatIfView, answer)

    def history(
        self, level: QuotaLevel | str | None = None, name: str = ""
    ) -> Iterator[QuotaChangeView]:
        """Changes of quotas, newest first; of one where `level` and its name are given."""
        params = {"level": None if level is None else str(level), "name": name or None}
        yield from items(self._transport, Page[QuotaChangeView], "/quotas/history", params=params)


def _request(
    weight: int,
    gpus: Mapping[str, QuotaAmounts] | None,
    ceilings: Ceilings | None,
) -> QuotaRequest:
    counted = {Counted(key): amount for key, amount in (ceilings or {}).items()}
    return QuotaRequest(weight=weight, gpus=dict(gpus or {}), ceilings=counted)
