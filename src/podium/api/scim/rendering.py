"""People and groups as SCIM resources, and back. Called by the storage of `api/scim`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from scim2_models import GroupMembership, Meta, Reference, Resource

from podium.api.scim.models import Group, Member, User
from podium.intake.provisioning import GroupWish, PersonWish
from podium.store.directory import DirectoryGroup, DirectoryUser

_KEPT = ("name", "displayName", "emails", "active")
_TEXT_MAX = 200


def user_resource(person: DirectoryUser, groups: Sequence[tuple[str, str]]) -> User:
    """With its version, which is a digest of what it says. `groups` are ids and names."""
    user = User.model_validate(person.document)
    user.id = person.id
    user.user_name = person.user_name
    user.external_id = person.external_id or None
    if user.active is not None:  # a directory may have taken back what it said
        user.active = person.active
    user.groups = [
        GroupMembership(value=key, display=name, type="direct", ref=Reference(f"Groups/{key}"))
        for key, name in groups
    ] or None
    user.meta = _meta("User", person.created_at_ms, person.updated_at_ms, user)
    return user


def group_resource(group: DirectoryGroup, members: Sequence[tuple[str, str]]) -> Group:
    """As `user_resource`. `members` are ids and names."""
    made = Group(
        id=group.id,
        external_id=group.external_id or None,
        display_name=group.display_name,
        members=[
            Member(value=key, type="User", ref=Reference(f"Users/{key}")) for key, _ in members
        ]
        or None,
    )
    made.meta = _meta("Group", group.created_at_ms, group.updated_at_ms, made)
    return made


def person_wish(user: User, *, active: bool) -> PersonWish:
    """`active` holds where the directory does not say."""
    document: dict[str, Any] = user.model_dump()
    name = user.name
    parts = [] if name is None else [name.given_name, name.family_name]
    emails = [each for each in user.emails or () if each.value]
    address = next((each for each in emails if each.primary), emails[0] if emails else None)
    return PersonWish(
        user_name=user.user_name or "",
        external_id=user.external_id or "",
        display_name=_line(
            user.display_name
            or (name.formatted if name is not None else None)
            or " ".join(each for each in parts if each)
        ),
        email=_line(str(address.value) if address is not None else ""),
        active=active if user.active is None else user.active,
        document={key: document[key] for key in _KEPT if key in document},
    )


def group_wish(group: Group) -> GroupWish:
    return GroupWish(
        display_name=group.display_name or "",
        external_id=group.external_id or "",
        members=frozenset(each.value for each in group.members or () if each.value),
    )


def _meta(kind: str, created_at_ms: int, updated_at_ms: int, resource: Resource[Any]) -> Meta:
    said = resource.model_dump_json().encode()
    return Meta(
        resource_type=kind,
        created=_time(created_at_ms),
        last_modified=_time(updated_at_ms),
        version=f'W/"{hashlib.sha256(said).hexdigest()[:16]}"',
    )


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, tz=UTC)


def _line(text: str | None) -> str:
    return "".join(each for each in text or "" if each.isprintable()).strip()[:_TEXT_MAX]
