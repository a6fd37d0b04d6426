"""Data sources: what they are, who may use them, who did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from podium.api.answers import answer, decode_number_cursor, encode_cursor
from podium.api.audit import entry_view
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit
from podium.domain.compliance import MOUNT
from podium.domain.data import DataSource, Grant, GranteeKind, source_id
from podium.domain.errors import NotFoundError
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake import data_sources as intake
from podium.intake.office import authorise
from podium.spec.views.base import Page, utc
from podium.spec.views.data import (
    DataGrantRequest,
    DataGrantView,
    DataMountView,
    DataSourceRequest,
    DataSourcesView,
    DataSourceView,
)
from podium.store import data_sources, workloads
from podium.store.data_trail import entries_about
from podium.store.database import Transaction

router = APIRouter(prefix="/data", tags=["data"])

_NEWEST = 2**62
SourceName = Annotated[
    str, Path(max_length=63, description="The source's name.", examples=["scans"])
]
Owner = Annotated[
    str,
    Query(
        alias="project",
        max_length=63,
        description="The project that owns it; left out, the organisation.",
    ),
]
Kind = Annotated[GranteeKind, Path(description="What is granted to.")]
Grantee = Annotated[str, Path(max_length=63, description="Its name.", examples=["vision"])]


@router.get("", response_model=DataSourcesView)
async def list_data_sources(context: Ctx, who: Who) -> Response:
    """The sources that you, or a project of yours, may use, and those that you keep."""

    def read(tx: Transaction) -> DataSourcesView:
        teams = data_sources.teams_of(tx)
        found = data_sources.sources_fetch(tx).values()
        return DataSourcesView(
            items=[_view(each, who) for each in found if _visible(each, who, teams)]
        )

    return answer(await context.database.read(read))


@router.get("/{name}", response_model=DataSourceView)
async def show_data_source(name: SourceName, context: Ctx, who: Who, owner: Owner = "") -> Response:
    """One source."""

    def read(tx: Transaction) -> DataSourceView:
        source = _seen(tx, who, owner, name)
        users = data_sources.source_users(tx, source.id)
        mine = workloads.workload_fetch_many(tx, who.scope, users)
        return _view(source, who, [each for each in users if each in mine])

    return answer(await context.database.read(read))


@router.put("/{name}", response_model=DataSourceView)
async def set_data_source(
    name: SourceName, request: DataSourceRequest, context: Ctx, who: Who, owner: Owner = ""
) -> Response:
    """Make a source, or change it. Grants stay; what has it mounted goes on."""
    await intake.source_set(context.office, who, owner, name, request)
    found = await context.database.read(lambda tx: _seen(tx, who, owner, name))
    return answer(_view(found, who))


@router.delete("/{name}", status_code=204)
async def delete_data_source(
    name: SourceName, context: Ctx, who: Who, owner: Owner = ""
) -> Response:
    """Forget a source; the data itself is not touched."""
    await intake.source_remove(context.office, who, owner, name)
    return Response(status_code=204)


@router.put("/{name}/grants/{kind}/{grantee}", response_model=DataSourceView)
async def grant_data_source(
    name: SourceName,
    kind: Kind,
    grantee: Grantee,
    request: DataGrantRequest,
    context: Ctx,
    who: Who,
    owner: Owner = "",
) -> Response:
    """Let a project, a team or a person use it."""
    grant = Grant(kind, grantee, request.write)
    await intake.grant_set(context.office, who, owner, name, grant)
    found = await context.database.read(lambda tx: _seen(tx, who, owner, name))
    return answer(_view(found, who))


@router.delete("/{name}/grants/{kind}/{grantee}", status_code=204)
async def revoke_data_source(
    name: SourceName, kind: Kind, grantee: Grantee, context: Ctx, who: Who, owner: Owner = ""
) -> Response:
    """Work that waits does not get it any more; what has it mounted goes on."""
    await intake.grant_remove(context.office, who, owner, name, kind, grantee)
    return Response(status_code=204)


@router.get("/{name}/log", response_model=Page[DataMountView])
async def list_data_mounts(
    name: SourceName,
    context: Ctx,
    who: Who,
    owner: Owner = "",
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Who mounted it, when and where, newest first, from the audit trail."""
    if not who.may(Action.AUDIT_READ, owner or None):
        authorise(who, Action.DATA_GRANT, owner or None)
    before = decode_number_cursor(cursor, _NEWEST)

    def read(tx: Transaction) -> Page[DataMountView]:
        source = _seen(tx, who, owner, name)
        links = entries_about(tx, MOUNT, source.id, before_seq=before, limit=limit + 1)
        more = len(links) > limit
        items = []
        for link in links[:limit]:
            entry = entry_view(link)
            said = entry.detail
            items.append(
                DataMountView(
                    seq=entry.seq,
                    at=entry.at,
                    username=entry.actor,
                    project=entry.project or "",
                    workload_id=said.get("workload", ""),
                    ranks=said.get("ranks", []),
                    node=said.get("node", ""),
                    pool=said.get("pool", ""),
                    region=said.get("region", ""),
                    classification=said.get("class", ""),
                    mode=said.get("mode", ""),
                    path=said.get("path", ""),
                    right=said.get("right", ""),
                )
            )
        after = encode_cursor(str(links[limit - 1][0])) if more else None
        return Page[DataMountView](items=items, next_cursor=after)

    return answer(await context.database.read(read))


def _seen(tx: Transaction, who: Identity, owner: str, name: str) -> DataSource:
    source = data_sources.source_fetch(tx, source_id(owner, name))
    if source is None or not _visible(source, who, data_sources.teams_of(tx)):
        raise NotFoundError(f"There is no data source {source_id(owner, name)} that you can see.")
    return source


def _visible(source: DataSource, who: Identity, teams: Mapping[str, str]) -> bool:
    if who.may(Action.DATA_VIEW, source.project or None):
        return True
    mine = who.scope_of(Action.DATA_VIEW).projects or frozenset()
    my_teams = {teams[each] for each in mine if each in teams}
    names = {
        GranteeKind.PROJECT: mine,
        GranteeKind.TEAM: my_teams,
        GranteeKind.USER: {who.username} if who.rights.any else set(),
    }
    return any(grant.name in names[grant.kind] for grant in source.grants)


def _view(source: DataSource, who: Identity, users: list[str] | None = None) -> DataSourceView:
    owner = source.project or None
    keeps = who.may(Action.DATA_GRANT, owner) or who.may(Action.DATA_VIEW)
    return DataSourceView(
        id=source.id,
        name=source.name,
        project=owner,
        kind=source.kind,
        classification=source.classification,
        regions=list(source.regions),
        description=source.description,
        location=dict(source.location) if keeps else None,
        grants=[
            DataGrantView(kind=each.kind, name=each.name, write=each.write)
            for each in source.grants
        ]
        if keeps
        else None,
        used_by=users or [],
        updated_at=utc(source.updated_at_ms),
        updated_by=source.updated_by if keeps else "",
    )
