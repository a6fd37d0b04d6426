"""Data sources, their grants and who used them. Reached as `client.data`. A source is named as in
a spec: NAME for the organisation's, PROJECT/NAME for a project's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from podium.client.paging import items
from podium.client.transport import Parameter, Transport, path_of
from podium.domain.data import Classification, GranteeKind, SourceKind
from podium.spec.views.base import Page
from podium.spec.views.data import (
    DataMountView,
    DataSourceRequest,
    DataSourcesView,
    DataSourceView,
)


class Data:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Iterator[DataSourceView]:
        """What one may use, and what one keeps."""
        yield from self._transport.fetch(DataSourcesView, "/data").items

    def get(self, source: str) -> DataSourceView:
        """Raises NotFoundError."""
        name, params = _named(source)
        return self._transport.fetch(DataSourceView, path_of("data", name), params=params)

    def set(
        self,
        source: str,
        kind: SourceKind | str,
        location: Mapping[str, str],
        classification: Classification | str,
        *,
        regions: Sequence[str] = (),
        description: str = "",
    ) -> DataSourceView:
        """Make it, or change it. Raises UserError, which names the fields."""
        name, params = _named(source)
        body = DataSourceRequest(
            kind=SourceKind(kind),
            location=dict(location),
            classification=Classification(classification),
            regions=[*regions],
            description=description,
        ).model_dump(mode="json")
        answer = self._transport.send(
            "PUT", path_of("data", name), params=params, body=body, repeatable=True
        )
        return self._transport.parse(DataSourceView, answer)

    def remove(self, source: str) -> None:
        """Raises NotFoundError, and ConflictError while work asks for it."""
        name, params = _named(source)
        self._transport.send("DELETE", path_of("data", name), params=params)

    def grant(
        self, source: str, kind: GranteeKind | str, grantee: str, *, write: bool = False
    ) -> DataSourceView:
        """Let a project, a team or a user use it."""
        name, params = _named(source)
        path = path_of("data", name, "grants", GranteeKind(kind).value, grantee)
        answer = self._transport.send(
            "PUT", path, params=params, body={"write": write}, repeatable=True
        )
        return self._transport.parse(DataSourceView, answer)

    def revoke(self, source: str, kind: GranteeKind | str, grantee: str) -> None:
        name, params = _named(source)
        path = path_of("data", name, "grants", GranteeKind(kind).value, grantee)
        self._transport.send("DELETE", path, params=params)

    def log(self, source: str, *, limit: int | None = None) -> Iterator[DataMountView]:
        """Who mounted it, newest first."""
        name, params = _named(source)
        path = path_of("data", name, "log")
        return items(self._transport, Page[DataMountView], path, params=params, limit=limit)


def _named(source: str) -> tuple[str, dict[str, Parameter]]:
    project, _, name = source.rpartition("/")
    return name, {"project": project} if project else {}
