"""An OpenID Connect provider that people sign in with, and what its claims say of a person: pure
readings, used by `intake/admission`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from podium.domain.identity import NAME_LENGTH_MAX, name_fault, name_suggestion

Claims = Mapping[str, object]

GROUPS_MAX = 500
_GROUP_LENGTH_MAX = 300
_TEXT_MAX = 200


class GroupsMode(StrEnum):
    """What a group of the provider becomes that Podium does not know: nothing, or a new group."""

    KNOWN = "known"
    CREATE = "create"


class LinkMode(StrEnum):
    """Whether somebody who signs in for the first time may turn out to be a person that Podium has
    already: never; by an address that the provider has verified; or by the name or the verified
    address of a person whom a directory keeps (SCIM)."""

    NONE = "none"
    EMAIL = "email"
    DIRECTORY = "directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Its settings, without the client's secret. `group_names` gives the Podium group for a group
    of the provider where the two are named differently."""

    name: str
    label: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    groups_claim: str
    groups_mode: GroupsMode
    group_names: Mapping[str, str] = field(default_factory=dict)
    username_claim: str = "preferred_username"
    link: LinkMode = LinkMode.NONE
    has_secret: bool = False
    updated_at_ms: int = 0
    updated_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who somebody is at a provider. `email` is empty unless the provider verified it, or does not
    say; `email_verified` is True only where it says so."""

    issuer: str
    subject: str
    names: tuple[str, ...]
    display_name: str
    email: str
    email_verified: bool
    groups: tuple[str, ...]
    knows_groups: bool
    told_names: tuple[str, ...] = ()  # as the provider writes them, such as ada@example.com


def claim_at(claims: Claims, path: str) -> object | None:
    """The claim of that name, or else at that path with dots: `realm_access.roles`. A name that
    holds dots itself, as addresses do, is found as a whole."""
    if not path:
        return None
    if path in claims:
        return claims[path]
    found: object = claims
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def groups_of(claims: Claims, path: str) -> tuple[str, ...]:
    """The names at `path`: an array, or one text with commas or blanks between them."""
    found = claim_at(claims, path)
    if isinstance(found, str):
        parts: Sequence[object] = found.replace(",", " ").split() if found else ()
    elif isinstance(found, list | tuple):
        parts = found
    else:
        parts = ()
    names = (each.strip() for each in parts if isinstance(each, str))
    kept = dict.fromkeys(each for each in names if 0 < len(each) <= _GROUP_LENGTH_MAX)
    return tuple(kept)[:GROUPS_MAX]


def person_of(claims: Claims, provider: Provider) -> Person:
    """What checked claims say. `claims` hold `iss` and `sub`."""
    address = _text(claims.get("email"))
    verified = claims.get("email_verified")
    said = [
        claim_at(claims, provider.username_claim),
        claims.get("preferred_username"),
        address,
        claims.get("nickname"),
        claims.get("name"),
    ]
    names = dict.fromkeys(name for each in said if (name := username_from(_text(each))))
    return Person(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        names=tuple(names),
        display_name=_text(claims.get("name")),
        email="" if verified is False or "@" not in address else address.lower(),
        email_verified=verified is True or verified == "true",
        groups=groups_of(claims, provider.groups_claim),
        knows_groups=claim_at(claims, provider.groups_claim) is not None,
        told_names=tuple(dict.fromkeys(told for each in said[:2] if (told := _text(each)))),
    )


def username_from(text: str) -> str:
    """The nearest legal user name: of an address, what stands before the @. Empty when nothing is
    left of it."""
    before = text.split("@", 1)[0]
    if not any(each.isascii() and each.isalnum() for each in before):
        return ""
    return name_suggestion(before)


def with_number(name: str, number: int) -> str:
    """`ada`, 2 → `ada-2`, for when the name is taken."""
    tail = f"-{number}"
    return name[: NAME_LENGTH_MAX - len(tail)].rstrip("-") + tail


def is_group_name(name: str) -> bool:
    return name_fault(name) is None


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return "".join(each for each in value if each.isprintable()).strip()[:_TEXT_MAX]
