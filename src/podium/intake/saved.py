"""Saved views of one's own. They concern nobody else, so the audit does not tell of them."""

from __future__ import annotations

from podium.domain.errors import ConflictError, FieldFault, NotFoundError, UserError
from podium.domain.tenancy import Identity
from podium.intake.office import Office
from podium.store import saved
from podium.store.database import Transaction
from podium.store.saved import SavedView

VIEWS_MAX = 100


async def view_save(
    office: Office, identity: Identity, *, page: str, name: str, search: str
) -> SavedView:
    """Keep a view under a name. Raises UserError, and ConflictError above 100 views."""
    _check("name", name)
    _check("search", search)
    view = SavedView(
        page=page,
        name=name,
        search=search.removeprefix("?"),
        updated_at_ms=office.database.now_ms(),
    )

    def write(tx: Transaction) -> None:
        saved.saved_set(tx, identity.username, view)
        if len(saved.saved_list(tx, identity.username)) > VIEWS_MAX:
            raise ConflictError(f"You have {VIEWS_MAX} saved views, the limit. Remove one first.")

    await office.database.write(write)
    return view


async def view_remove(office: Office, identity: Identity, *, page: str, name: str) -> None:
    """Raises NotFoundError."""

    def write(tx: Transaction) -> None:
        if not saved.saved_remove(tx, identity.username, page, name):
            raise NotFoundError(f"You have no view '{name}' of the page {page}.")

    await office.database.write(write)


def _check(field: str, text: str) -> None:
    if not text.isprintable():
        raise UserError(FieldFault(field, "holds a character that cannot be shown.", "Remove it."))
    if field == "name" and text.strip() != text:
        raise UserError(FieldFault(field, "begins or ends with a space.", "Remove it."))
