"""Secrets of projects: their names can be read, their values only written. And their keys."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from podium.api.answers import answer, decode_cursor, page
from podium.api.context import Ctx, Who
from podium.api.parameters import Cursor, Limit, ProjectName, SecretName
from podium.domain.rights import Action
from podium.intake import secrets as intake
from podium.intake.office import authorise
from podium.intake.sealing_keys import KeysState, keys_rotate, keys_state
from podium.spec.views.base import Page, utc, utc_or_none
from podium.spec.views.secret import (
    SealingKeysView,
    SealingKeyView,
    SecretRequest,
    SecretUserView,
    SecretView,
)
from podium.store import projects, secrets
from podium.store.database import Transaction
from podium.store.sealing import Sealer
from podium.store.secrets import SecretRecord, SecretUsers

router = APIRouter(prefix="/projects", tags=["secrets"])
keys_router = APIRouter(prefix="/secrets", tags=["secrets"])

_NOBODY = SecretUsers()


@router.get("/{project}/secrets", response_model=Page[SecretView])
async def list_secrets(
    project: ProjectName, context: Ctx, who: Who, limit: Limit = 100, cursor: Cursor = None
) -> Response:
    """The project's secrets and who uses them; values are never answered."""
    authorise(who, Action.SECRET_READ, project)
    after = decode_cursor(cursor) or ""
    sees_work = who.may(Action.WORKLOAD_READ, project)

    def read(tx: Transaction) -> tuple[list[SecretRecord], dict[str, SecretUsers]]:
        projects.project_fetch(tx, who.known, project)
        found = secrets.secret_list(tx, project, limit=limit + 1, after=after)
        return found, secrets.secret_users(tx, project, [each.name for each in found])

    found, users = await context.database.read(read)

    def view(each: SecretRecord) -> SecretView:
        using = users.get(each.name, _NOBODY)
        return _secret_view(each, using, context.office.sealer, sees_work=sees_work)

    return answer(page(found, limit, view, lambda each: each.name))


@router.put("/{project}/secrets/{name}", response_model=SecretView)
async def set_secret(
    project: ProjectName, name: SecretName, body: SecretRequest, context: Ctx, who: Who
) -> Response:
    """Store a secret. Work that names it finds it in a variable or a file, as it asks."""
    record = await intake.secret_set(
        context.office, who, project=project, name=name, value=body.value.get_secret_value()
    )
    return answer(_secret_view(record, _NOBODY, context.office.sealer, sees_work=False))


@router.delete("/{project}/secrets/{name}", status_code=204)
async def remove_secret(project: ProjectName, name: SecretName, context: Ctx, who: Who) -> Response:
    """Remove a secret. Work that runs keeps what it was given."""
    await intake.secret_remove(context.office, who, project=project, name=name)
    return Response(status_code=204)


@keys_router.get("/keys", response_model=SealingKeysView)
async def show_sealing_keys(context: Ctx, who: Who) -> Response:
    """The keys that seal secrets, by their ids, and what is left of a rotation. For
    administrators."""
    return answer(_keys_view(await keys_state(context.office, who)))


@keys_router.post("/rotate", response_model=SealingKeysView)
async def rotate_sealing_keys(context: Ctx, who: Who) -> Response:
    """Make a new key that seals from now on. All secrets are then sealed anew in the background,
    and keys that seal nothing any more are removed. For administrators."""
    return answer(_keys_view(await keys_rotate(context.office, who)))


def _secret_view(
    secret: SecretRecord, users: SecretUsers, sealer: Sealer, *, sees_work: bool
) -> SecretView:
    return SecretView(
        project=secret.project,
        name=secret.name,
        updated_at=utc(secret.updated_at_ms),
        updated_by=secret.updated_by,
        last_used_at=utc_or_none(secret.last_used_at_ms),
        locked=bool(secret.beginning) and not sealer.opens(bytes(secret.beginning)),
        used_by_count=users.count,
        used_by=[
            SecretUserView(id=each.id, name=each.name, state=each.state, owner=each.owner)
            for each in (users.first if sees_work else ())
        ],
    )


def _keys_view(state: KeysState) -> SealingKeysView:
    sealing = state.sealing
    return SealingKeysView(
        keys=[
            SealingKeyView(id=each.id, here=each.here, seals=each.seals, secrets=each.secrets)
            for each in state.keys
        ],
        since=None if sealing is None else utc(sealing.since_ms),
        set_by="" if sealing is None else sealing.set_by,
        left=state.left,
        locked=state.locked,
        place=state.place,
        writable=state.writable,
    )
