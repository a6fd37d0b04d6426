"""How people prove who they are: tokens, providers, and sign-ins that are under way."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    text,
)

from podium.store.tables.columns import metadata, ms

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("username", Text, ForeignKey("users.username"), nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("single_use", Boolean, nullable=False),
    ms("created_at_ms"),
    ms("expires_at_ms", nullable=True),
    ms("last_used_at_ms", nullable=True),
    Column("kind", Text, nullable=False, server_default=text("'token'")),
    Column("idle_ms", BigInteger),
    Column("actions", Text),
    Column("projects", Text),
    Column("created_by", Text, nullable=False, server_default=text("''")),
    Column("source", Text, nullable=False, server_default=text("''")),
    Column("user_agent", Text, nullable=False, server_default=text("''")),
    Column("provider", Text, nullable=False, server_default=text("''")),
    Column("provider_session", Text, nullable=False, server_default=text("''")),
    Column("sealed_id_token", LargeBinary),
    Column("mother", Text),  # the token that it was made with, and ends with
    Index("tokens_by_user", "username"),
    Index("tokens_by_mother", "mother"),
)


# OpenID Connect providers.
providers = Table(
    "providers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("groups_claim", Text, nullable=False),
    Column("groups_mode", Text, nullable=False),
    Column("group_names", Text, nullable=False),
    Column("username_claim", Text, nullable=False),
    Column("link", Text, nullable=False),
    ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
)


# Who somebody is at a provider. Never an e-mail address, which may be given to somebody else.
provider_identities = Table(
    "provider_identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("username", Text, ForeignKey("users.username"), nullable=False),
    ms("created_at_ms"),
    Index("provider_identities_by_user", "username"),
)


# A sign-in that is under way at a provider; it ends with the answer or in ten minutes.
sign_in_flows = Table(
    "sign_in_flows",
    metadata,
    Column("state_hash", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("browser_hash", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("next_path", Text, nullable=False),
    ms("expires_at_ms"),
    Index("sign_in_flows_by_end", "expires_at_ms"),
)


# A command line that waits to be let in, and by whom it was; it ends when it comes for its token.
device_codes = Table(
    "device_codes",
    metadata,
    Column("device_hash", Text, primary_key=True),
    Column("user_hash", Text, nullable=False, unique=True),
    Column("client_name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    ms("created_at_ms"),
    ms("expires_at_ms"),
    ms("polled_at_ms"),
    Column("interval_ms", BigInteger, nullable=False),
    Column("username", Text),
    Column("denied", Boolean, nullable=False),
    Column("provider", Text, nullable=False, server_default=text("''")),
    Index("device_codes_by_end", "expires_at_ms"),
)


# What was tried too often by whom or from where. The count fades with time (`domain/throttle`).
sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("key", Text, primary_key=True),
    Column("count_milli", BigInteger, nullable=False),
    ms("at_ms"),
    ms("until_ms"),
    ms("forgotten_at_ms"),
    Index("sign_in_attempts_by_end", "forgotten_at_ms"),
)
