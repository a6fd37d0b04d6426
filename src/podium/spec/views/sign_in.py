"""Single sign-on, the device flow and sign-ins: what the API takes and answers."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, SecretStr

from podium.domain.provider import GroupsMode, LinkMode
from podium.spec.views.base import View


class SignInOptionView(View):
    """A provider that one can sign in with."""

    name: str
    label: str = Field(description="What the button says.")


class SignInOptionsView(View):
    """The ways in beside a password."""

    providers: list[SignInOptionView]


class LogoutView(View):
    """The sign-in has ended."""

    end_session_url: str | None = Field(
        description="Send the browser there, so that the provider's session ends as well."
    )


class EverywhereRequest(View):
    """Ends all of your sign-ins."""

    keep_this: bool = Field(False, description="All but the one that this request came with.")
    tokens: bool = Field(False, description="Your tokens for programs, too.")


class ProviderRequest(View):
    """Sets a sign-in provider as a whole."""

    issuer: str = Field(min_length=1, max_length=500, description="Exactly as the provider says.")
    client_id: str = Field(min_length=1, max_length=500)
    client_secret: SecretStr | None = Field(
        None, min_length=1, max_length=4096, description="Leave out for none; it is never answered."
    )
    keep_secret: bool = Field(
        False, description="Without `client_secret`: keep the one that is set."
    )
    label: str = Field("", max_length=60, description="What the button says; else the name.")
    scopes: list[str] = Field(
        ["openid", "profile", "email"], max_length=20, description="What is asked for."
    )
    groups_claim: str = Field(
        "groups",
        max_length=200,
        description="The claim with a person's groups, such as `realm_access.roles`. Empty: groups "
        "are kept here.",
    )
    groups: GroupsMode = Field(
        GroupsMode.KNOWN,
        description="What happens to groups that Podium does not know: nothing, or they are made.",
    )
    group_names: dict[str, str] = Field(
        default_factory=dict, description="The Podium group, by the provider's name for it."
    )
    username_claim: str = Field("preferred_username", max_length=200)
    link: LinkMode = Field(
        LinkMode.NONE,
        description="Whether somebody new may be a person that Podium has already: never; by "
        "verified e-mail address; or a person of the directory (SCIM) by name or verified address.",
    )


class ProviderView(View):
    """A sign-in provider, without its client's secret."""

    name: str
    label: str
    issuer: str
    client_id: str
    has_secret: bool
    scopes: list[str]
    groups_claim: str
    groups: GroupsMode
    group_names: dict[str, str]
    username_claim: str
    link: LinkMode
    redirect_uri: str = Field(description="What to register at the provider.")
    backchannel_logout_uri: str
    updated_at: datetime
    updated_by: str
    people: int = Field(0, description="How many people have come through it.")
    sign_ins: int = Field(0, description="How many of their sign-ins through it are open.")
    last_sign_in_at: datetime | None = Field(None, description="Of those that are still open.")


class ProviderCheckRequest(View):
    """Asks an issuer what it says of itself, before it is made a provider."""

    issuer: str = Field(min_length=1, max_length=500, description="Exactly as the provider says.")


class ProviderTrialView(View):
    """What a provider answered just now."""

    ok: bool
    fault: str = Field(description="What is wrong, when something is.")
    authorization_endpoint: str
    end_session_endpoint: str
    keys: int = Field(description="With how many keys it signs.")


class DeviceCodeRequest(View):
    """A command line asks to be let in."""

    client_name: str = Field("command line", min_length=1, max_length=100)


class DeviceStartView(View):
    """What a command line shows and then asks with; fields as in RFC 8628."""

    device_code: str = Field(description="Keep it secret: the sign-in is given for it.")
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int = Field(description="In seconds.")
    interval: int = Field(description="Wait so many seconds before you ask again.")


class DeviceTokenRequest(View):
    """Asks whether somebody has let it in."""

    device_code: SecretStr = Field(max_length=200)


class DeviceSignInView(View):
    """The command line that asks with a code."""

    client_name: str = Field(description="What it says of itself.")
    source: str = Field(description="The address that it asked from.")
    user_agent: str
    asked_at: datetime
    expires_at: datetime


class DeviceDecision(View):
    """Lets a command line in as yourself, or turns it away."""

    approve: bool
