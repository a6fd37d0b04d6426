"""What was read of one's own notices. It concerns nobody else, so the audit does not tell of it."""

from __future__ import annotations

from podium.domain.tenancy import Identity
from podium.intake.office import Office
from podium.store import notices


async def notices_read(office: Office, identity: Identity, through: int) -> None:
    """Everything up to the notice `through` was read."""
    await office.database.write(
        lambda tx: notices.notice_mark_read(tx, identity.username, through), quiet=True
    )
