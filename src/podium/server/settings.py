"""How to serve, as `podium up` reads it, and what its texts mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from podium.domain.errors import FieldFault, UserError
from podium.domain.outbound import Outbound, outbound_read
from podium.engines.devices.boards import VirtualBoard, virtual_boards
from podium.engines.local.site import Site, read_site
from podium.intake.prices import check_currency
from podium.intake.sessions import Lifetimes, check_public_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to serve; `podium up --help` tells what each one means."""

    home: Path
    host: str
    port: int
    database: str | None
    virtual_gpus: str | None
    virtual_gpu_type: str
    node_name: str | None
    currency: str = "EUR"
    labels: Sequence[str] = ()
    block: str = ""
    rack: str = ""
    nvlink: str = ""
    audit_days: int = 400
    isolation: str = "auto"
    isolation_uids: str = "200000-265535"
    secret_key_file: Path | None = None
    outbound: str = "private"
    allow_outbound: Sequence[str] = ()
    data_roots: Sequence[Path] = ()
    public_url: str = ""
    trusted_proxies: str = ""
    local: bool = True  # whether work runs on this machine, too
    shared: Path | None = None  # what all servers of one database have together
    lifetimes: Lifetimes = field(default_factory=Lifetimes)

    @property
    def common(self) -> Path:
        """Where uploads are, the audit trail's key and seals, and the keys of secrets."""
        return self.shared or self.home


def settings_check(settings: Settings) -> None:
    """Raises UserError, which names the option."""
    check_currency(settings.currency)
    check_public_url(settings.public_url)
    virtual_gpus_of(settings)
    site_of(settings)
    outbound_of(settings)
    data_roots_of(settings)


def virtual_gpus_of(settings: Settings) -> Sequence[VirtualBoard] | None:
    """None takes the real ones. Raises UserError."""
    if settings.virtual_gpus is None:
        return None
    return virtual_boards(settings.virtual_gpus, settings.virtual_gpu_type)


def site_of(settings: Settings) -> Site:
    return read_site(
        labels=settings.labels,
        block=settings.block,
        rack=settings.rack,
        nvlink=settings.nvlink,
    )


def outbound_of(settings: Settings) -> Outbound:
    return outbound_read(settings.allow_outbound, settings.outbound)


def data_roots_of(settings: Settings) -> tuple[Path, ...]:
    """Folders that data sources may be in; no job sees them but by a source. Raises UserError."""
    found = []
    for each in settings.data_roots:
        real = each.resolve()
        if not real.is_dir() or real == Path("/"):
            words = "Name a folder that there is, other than /."
            raise UserError(FieldFault("data-root", f"{each} cannot be one.", words))
        for own in {settings.home.resolve(), settings.common.resolve()}:
            if real == own or real in own.parents or own in real.parents:
                words = "Name a folder outside of it."
                fault = FieldFault("data-root", f"{each} and Podium's home overlap.", words)
                raise UserError(fault)
        found.append(real)
    return tuple(found)
