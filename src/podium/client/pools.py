"""Named sets of nodes, and whose work may stand there. Reached as `client.pools`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from podium.client.transport import Transport, path_of
from podium.domain.data import Classification
from podium.spec.views.pool import PoolRequest, PoolsView, PoolView


class Pools:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[PoolView]:
        """Those open to a project of one's own, by name."""
        yield from self._transport.fetch(PoolsView, "/pools").items

    def get(self, name: str) -> PoolView:
        """Raises NotFoundError."""
        return self._transport.fetch(PoolView, path_of("pools", name))

    def set(
        self,
        name: str,
        labels: Mapping[str, str],
        *,
        projects: Sequence[str] = (),
        teams: Sequence[str] = (),
        note: str = "",
        region: str = "",
        approved_for: Sequence[Classification | str] = (),
    ) -> PoolView:
        """Make it, or put it in the place of the one of that name: nodes with all `labels`, for
        the work of these projects and teams, or with none of them for everyone's; restricted and
        PHI data may be there as far as it is `approved_for` them. For administrators. Raises
        UserError, which names the fields."""
        body = PoolRequest(
            labels=dict(labels),
            projects=[*projects],
            teams=[*teams],
            note=note,
            region=region,
            approved_for=[Classification(each) for each in approved_for],
        ).model_dump(mode="json")
        answer = self._transport.send("PUT", path_of("pools", name), body=body, repeatable=True)
        return self._transport.parse(PoolView, answer)

    def delete(self, name: str) -> None:
        """Raises NotFoundError."""
        self._transport.send("DELETE", path_of("pools", name))
