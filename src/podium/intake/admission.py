"""Who somebody is here whom a provider vouches for, and which groups they are in: found, linked or
made, and kept equal at each sign-in. `intake/single_sign_on` calls it inside its transaction."""

from __future__ import annotations

from dataclasses import dataclass, field

from podium.domain.event import SYSTEM_ACTOR
from podium.domain.identity import name_suggestion
from podium.domain.provider import (
    GroupsMode,
    LinkMode,
    Person,
    Provider,
    is_group_name,
    username_from,
    with_number,
)
from podium.domain.rights import Action
from podium.domain.tenancy import Group, User, UserSource
from podium.intake.oidc import ProviderError
from podium.store import audit, directory, providers, roles, user_groups, users
from podium.store.audit import AuditEntry
from podium.store.database import Transaction

_NAMES_TRIED = 1_000
_TAKEN = frozenset({SYSTEM_ACTOR})
_TOLD_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The person, and what is to be told of it; empty lists where nothing changed."""

    user: User
    detail: dict[str, object] = field(default_factory=dict)


def person_admit(tx: Transaction, provider: Provider, person: Person, now_ms: int) -> Admitted:
    """Raises ProviderError for somebody who is disabled. A new person gets no role: they see
    nothing until a group of theirs, or a lead, lets them in."""
    roles.access_lock(tx)
    detail: dict[str, object] = {}
    username = providers.identity_username(tx, person.issuer, person.subject)
    if username is None:
        username = _linked(tx, provider, person)
        detail["linked" if username is not None else "created"] = True
        if username is None:
            username = _created(tx, provider, person, now_ms)
        providers.identity_link(tx, person.issuer, person.subject, username, now_ms)
    user = users.user_fetch(tx, username)
    if user.disabled_at_ms is not None:
        raise ProviderError(f"{username} is disabled.", why="disabled")
    if user.source is UserSource.OIDC:
        _told_anew(tx, user, person)
    if provider.groups_claim:
        detail |= _groups_kept(tx, provider, person, username, now_ms)
    return Admitted(user=user, detail=detail)


def _linked(tx: Transaction, provider: Provider, person: Person) -> str | None:
    """Somebody whom Podium has already, where the provider's settings allow to ask."""
    issuer, email = person.issuer, person.email if person.email_verified else ""
    if provider.link is LinkMode.EMAIL and email:
        return providers.unlinked_person(tx, issuer, email=email)
    if provider.link is not LinkMode.DIRECTORY:
        return None
    kept = UserSource.SCIM
    for told in person.told_names:
        # By the whole name: ada@one.example is not ada@other.example.
        known = directory.user_named(tx, told)
        if known is not None:
            name = known.username
            return providers.unlinked_person(tx, issuer, username=name, source=kept)
    return providers.unlinked_person(tx, issuer, email=email, source=kept) if email else None


def _created(tx: Transaction, provider: Provider, person: Person, now_ms: int) -> str:
    user = User(
        username=_free_name(tx, person),
        created_at_ms=now_ms,
        source=UserSource.OIDC,
        display_name=person.display_name,
        email=person.email,
    )
    users.user_insert(tx, user, "")
    detail: dict[str, object] = {"created": True, "provider": provider.name}
    _told(tx, user.username, Action.USER_ADMINISTER, user.username, detail, now_ms)
    return user.username


def _free_name(tx: Transaction, person: Person) -> str:
    name = next(iter(person.names), "") or username_from(person.subject) or "person"
    for number in range(1, _NAMES_TRIED):
        tried = name if number == 1 else with_number(name, number)
        if tried not in _TAKEN and users.user_find(tx, tried) is None:
            return tried
    raise ProviderError("There is no name left for this person here.")


def _told_anew(tx: Transaction, user: User, person: Person) -> None:
    """The provider keeps the record of people whom it brought."""
    told = {"display_name": person.display_name, "email": person.email}
    changed = {name: value for name, value in told.items() if value != getattr(user, name)}
    if changed:
        users.user_change(tx, user.username, **changed)


def _groups_kept(
    tx: Transaction, provider: Provider, person: Person, username: str, now_ms: int
) -> dict[str, object]:
    """Put them into the groups that the provider names, and take them out of those that it put them
    in before. Memberships that somebody else gave stay, and that which makes them the last
    administrator."""
    wanted = {
        name
        for each in person.groups
        if (name := _group_for(tx, provider, each, username, now_ms)) is not None
    }
    mine = {
        name
        for name, source in user_groups.groups_of(tx, username).items()
        if source is UserSource.OIDC
    }
    added = [
        name
        for name in sorted(wanted - mine)
        if user_groups.member_add(tx, name, username, UserSource.OIDC)
    ]
    removed, kept = [], []
    for name in sorted(mine - wanted):
        last = roles.administrators(tx) == {username}
        user_groups.member_drop(tx, name, username, UserSource.OIDC)
        if not last or roles.administrators(tx):
            removed.append(name)
        else:  # nobody could mend that
            user_groups.member_add(tx, name, username, UserSource.OIDC)
            kept.append(name)
    changes = {"groups_added": added, "groups_removed": removed, "last_administrator_in": kept}
    return {key: names[:_TOLD_MAX] for key, names in changes.items() if names}


def _group_for(
    tx: Transaction, provider: Provider, told: str, username: str, now_ms: int
) -> str | None:
    """The Podium group that the provider's group `told` stands for. A name that is not legal here
    stands for the legal one next to it only where a provider made that group, too: otherwise who
    may name groups there could get into a group that was made here."""
    name = provider.group_names.get(told, told)
    if is_group_name(name):
        known = user_groups.group_find(tx, name)
        if known is not None:
            return name
    if provider.groups_mode is not GroupsMode.CREATE:
        return None
    if not is_group_name(name):
        if not any(each.isascii() and each.isalnum() for each in name):
            return None
        name = name_suggestion(name)
        known = user_groups.group_find(tx, name)
        if known is not None:
            return name if known.source is UserSource.OIDC else None
    group = Group(name=name, source=UserSource.OIDC, created_at_ms=now_ms)
    user_groups.group_insert(tx, group)
    detail: dict[str, object] = {"created": True, "provider": provider.name, "told": told}
    _told(tx, username, Action.USER_ADMINISTER, f"group {name}", detail, now_ms)
    return name


def _told(
    tx: Transaction,
    actor: str,
    action: Action,
    subject: str,
    detail: dict[str, object],
    now_ms: int,
) -> None:
    entry = AuditEntry(actor=actor, action=action, subject=subject, detail=detail)
    audit.audit_append(tx, [entry], now_ms)
