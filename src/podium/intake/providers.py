"""Sign-in providers: set, tried and removed by administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from podium.domain.errors import FieldFault, ForbiddenError, UserError
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.provider import GroupsMode, LinkMode, Provider, is_group_name
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise, told
from podium.intake.oidc import OidcClient, ProviderError, checked_url
from podium.store import providers, sealed_values, tokens
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

PROVIDERS_MAX = 50
_GROUP_NAMES_MAX = 1_000
_OPENID = "openid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a provider answers just now: its addresses and how many keys it signs with, or `fault`,
    which says what is wrong."""

    fault: str = ""
    authorization_endpoint: str = ""
    end_session_endpoint: str = ""
    keys: int = 0


async def provider_set(
    office: Office,
    identity: Identity,
    *,
    name: str,
    label: str,
    issuer: str,
    client_id: str,
    client_secret: str | None,
    keep_secret: bool,
    scopes: Sequence[str],
    groups_claim: str,
    groups_mode: GroupsMode,
    group_names: Mapping[str, str],
    username_claim: str,
    link: LinkMode,
) -> Provider:
    """Make the provider, or change it as a whole. `keep_secret` leaves the client's secret as it
    is, where none is given. Raises UserError, and ForbiddenError for all but administrators: who
    sets a provider decides who anybody is."""
    authorise(identity, Action.PROVIDER_SET)
    if not identity.administrator:
        raise ForbiddenError(
            "Only administrators set providers, because a provider decides who somebody is."
        )
    faults = [*_faults(name, issuer, client_id), *_group_faults(group_names)]
    if faults:
        raise UserError(*faults)
    now_ms = office.database.now_ms()
    provider = Provider(
        name=name,
        label=label or name,
        issuer=issuer,
        client_id=client_id,
        scopes=tuple(dict.fromkeys([_OPENID, *scopes])),
        groups_claim=groups_claim,
        groups_mode=groups_mode,
        group_names=dict(group_names),
        username_claim=username_claim,
        link=link,
        updated_at_ms=now_ms,
        updated_by=identity.username,
    )

    def write(tx: Transaction) -> AuditEntry:
        before = providers.provider_find(tx, name)
        if before is None and len(providers.provider_list(tx)) >= PROVIDERS_MAX:
            raise UserError(FieldFault("name", f"would be one more than {PROVIDERS_MAX}."))
        moved = before is not None and before.issuer != issuer
        if moved and keep_secret and before is not None and before.has_secret:
            raise UserError(
                FieldFault(
                    "client_secret",
                    "is kept for the issuer that it belongs to, and the issuer changes.",
                    "Send the secret again.",
                )
            )
        providers.provider_put(tx, provider)
        kept = providers.secret_name(name)
        if client_secret is not None:
            sealed_values.value_set(tx, kept, client_secret, office.sealer, now_ms)
        elif not keep_secret:
            sealed_values.value_remove(tx, kept)
        after = providers.provider_fetch(tx, name)
        return _entry(
            identity,
            name,
            before=_facts(before),
            after=_facts(after),
            secret_set=client_secret is not None,
        )

    await told(office, write)
    return await office.database.read(lambda tx: providers.provider_fetch(tx, name))


async def provider_remove(office: Office, identity: Identity, name: str) -> int:
    """Sign-ins that came through it end; how many there were. The people stay. Raises
    NotFoundError."""
    authorise(identity, Action.PROVIDER_SET)
    if not identity.administrator:
        raise ForbiddenError("Only administrators remove providers.")
    ended = 0

    def write(tx: Transaction) -> AuditEntry:
        nonlocal ended
        before = providers.provider_fetch(tx, name)
        providers.provider_delete(tx, name)
        ended = tokens.sessions_end_of_provider(tx, name)
        return _entry(identity, name, before=_facts(before), after=None, ended=ended)

    await told(office, write)
    return ended


async def provider_list(office: Office, identity: Identity) -> list[Provider]:
    authorise(identity, Action.PROVIDER_SET)
    return await office.database.read(providers.provider_list)


async def provider_show(office: Office, identity: Identity, name: str) -> Provider:
    """Raises NotFoundError."""
    authorise(identity, Action.PROVIDER_SET)
    return await office.database.read(lambda tx: providers.provider_fetch(tx, name))


async def provider_try(office: Office, identity: Identity, oidc: OidcClient, name: str) -> Trial:
    """Ask it for what a sign-in needs, without signing anybody in. Raises NotFoundError."""
    provider = await provider_show(office, identity, name)
    return await _tried(oidc, provider.issuer)


async def issuer_try(identity: Identity, oidc: OidcClient, issuer: str) -> Trial:
    """As `provider_try`, before there is a provider. Raises UserError, which names the field, and
    ForbiddenError for all but administrators, as they alone choose where the server asks."""
    authorise(identity, Action.PROVIDER_SET)
    if not identity.administrator:
        raise ForbiddenError("Only administrators check providers.")
    faults = _issuer_faults(issuer)
    if faults:
        raise UserError(*faults)
    return await _tried(oidc, issuer)


async def _tried(oidc: OidcClient, issuer: str) -> Trial:
    try:
        metadata = await oidc.metadata(issuer, afresh=True)
        keys = await oidc.keys_found(issuer)
    except ProviderError as error:
        return Trial(fault=error.message)
    if not keys:
        return Trial(fault="It has no key that Podium could check a signature with.")
    return Trial(
        authorization_endpoint=metadata.authorization_endpoint,
        end_session_endpoint=metadata.end_session_endpoint,
        keys=keys,
    )


def _faults(name: str, issuer: str, client_id: str) -> list[FieldFault]:
    faults = []
    fault = name_fault(name)
    if fault is not None:
        faults.append(FieldFault("name", f"{fault}.", f"Such as {name_suggestion(name)}."))
    faults += _issuer_faults(issuer)
    if not client_id.strip():
        faults.append(FieldFault("client_id", "is empty.", "The provider gives it."))
    return faults


def _issuer_faults(issuer: str) -> list[FieldFault]:
    faults = []
    try:
        checked_url(issuer, issuer)
    except (ProviderError, ValueError):
        faults.append(
            FieldFault(
                "issuer",
                "is not an https address.",
                "Write it as the provider does, such as https://login.example.com/realms/main. "
                "Only one on this machine may be http.",
            )
        )
    if "?" in issuer or "#" in issuer:
        faults.append(FieldFault("issuer", "holds a query.", "Leave out what follows the path."))
    return faults


def _group_faults(group_names: Mapping[str, str]) -> list[FieldFault]:
    if len(group_names) > _GROUP_NAMES_MAX:
        return [FieldFault("group_names", f"has more than {_GROUP_NAMES_MAX} entries.")]
    return [
        FieldFault(
            f"group_names.{told}",
            f"'{name}' cannot be the name of a group.",
            f"Such as {name_suggestion(name)}.",
        )
        for told, name in group_names.items()
        if not is_group_name(name)
    ]


def _facts(provider: Provider | None) -> dict[str, object] | None:
    if provider is None:
        return None
    return {
        "label": provider.label,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "has_secret": provider.has_secret,
        "scopes": list(provider.scopes),
        "groups_claim": provider.groups_claim,
        "groups_mode": provider.groups_mode.value,
        "group_names": dict(provider.group_names),
        "username_claim": provider.username_claim,
        "link": provider.link.value,
    }


def _entry(identity: Identity, name: str, **detail: object) -> AuditEntry:
    return AuditEntry(
        actor=identity.username, action=Action.PROVIDER_SET, subject=name, detail=detail
    )
