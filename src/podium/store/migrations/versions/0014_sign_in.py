"""Single sign-on, the device flow, sign-ins that say where they came from, and attempts that are
counted across restarts and servers."""

from alembic import op
import sqlalchemy as sa

revision = "0014"
down_revision = "0013"

_EMPTY = sa.text("''")


def upgrade() -> None:
    for column in (
        sa.Column("source", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.Column("user_agent", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.Column("provider", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.Column("provider_session", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.Column("sealed_id_token", sa.LargeBinary()),
    ):
        op.add_column("tokens", column)
    op.create_table(
        "sealed_values",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "providers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("groups_claim", sa.Text(), nullable=False),
        sa.Column("groups_mode", sa.Text(), nullable=False),
        sa.Column("group_names", sa.Text(), nullable=False),
        sa.Column("username_claim", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "provider_identities",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["users.username"]),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("provider_identities_by_user", "provider_identities", ["username"])
    op.create_table(
        "sign_in_flows",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("browser_hash", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("next_path", sa.Text(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("state_hash"),
    )
    op.create_index("sign_in_flows_by_end", "sign_in_flows", ["expires_at_ms"])
    op.create_table(
        "device_codes",
        sa.Column("device_hash", sa.Text(), nullable=False),
        sa.Column("user_hash", sa.Text(), nullable=False),
        sa.Column("client_name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("polled_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("interval_ms", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.Text()),
        sa.Column("denied", sa.Boolean(), nullable=False),
        sa.Column("provider", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.PrimaryKeyConstraint("device_hash"),
        sa.UniqueConstraint("user_hash"),
    )
    op.create_index("device_codes_by_end", "device_codes", ["expires_at_ms"])
    op.create_table(
        "sign_in_attempts",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("count_milli", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.Column("forgotten_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("sign_in_attempts_by_end", "sign_in_attempts", ["forgotten_at_ms"])
