"""What a directory can say of people and groups, and what the server can do: the published schemas
are made from it. What Podium has no use for, such as telephone numbers, is taken and not kept."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    Email,
    ETag,
    External,
    Filter,
    GroupMembership,
    Mutability,
    Name,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

RESULTS_MAX = 200


class User(Resource[Any]):
    """A person. There is no password: people sign in through their provider."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """What the directory calls the person, such as ada@example.com."""

    name: Name | None = None
    """The parts of the person's name."""

    display_name: str | None = None
    """The name that others are shown."""

    active: bool | None = None
    """Whether the person may sign in."""

    emails: list[Email] | None = None
    """Addresses of the person."""

    groups: Annotated[list[GroupMembership] | None, Mutability.read_only] = None
    """The groups that the directory put the person into."""


class Member(ComplexAttribute):
    """A person in a group."""

    value: Annotated[str | None, Required.true, Mutability.immutable, CaseExact.true] = None
    """The id of the person."""

    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """Where the person is found."""

    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])
    """Always User: there are no groups in groups."""


class Group(Resource[Any]):
    """People who get roles together."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    """What the directory calls the group."""

    members: list[Member] | None = None
    """Who is in it."""


def provider() -> ScimProvider:
    """The description of this service, tolerant of what Entra ID and Okta send."""
    return ScimProvider(
        [User, Group],
        [
            ResourceType(
                id="User",
                name="User",
                endpoint="/Users",
                description="People",
                schema_=User.__schema__,
            ),
            ResourceType(
                id="Group",
                name="Group",
                endpoint="/Groups",
                description="Groups of people",
                schema_=Group.__schema__,
            ),
        ],
        ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=RESULTS_MAX),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=False),
            etag=ETag(supported=True),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="Token",
                    description="A token made by `podium scim token`, sent as a bearer token.",
                    spec_uri=Reference[External]("https://www.rfc-editor.org/info/rfc6750"),
                )
            ],
        ),
        ScimPolicy(
            unknown=ScimPolicy.Unknown.ignore,
            remove_value_as_filter=ScimPolicy.RemoveValue.apply,
            unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
        ),
    )
