"""People and groups that a directory keeps by SCIM, and where the audit trail is forwarded to."""

from alembic import op
import sqlalchemy as sa

revision = "0015"
down_revision = "0014"

_LIVING = sa.text("deleted_at_ms IS NULL")


def upgrade() -> None:
    op.create_table(
        "directory_users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("user_name_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at_ms", sa.BigInteger()),
        sa.ForeignKeyConstraint(["username"], ["users.username"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("username"),
    )
    op.create_index("directory_users_by_external_id", "directory_users", ["external_id"])
    op.create_index(
        "directory_users_by_user_name",
        "directory_users",
        ["user_name_key"],
        unique=True,
        sqlite_where=_LIVING,
        postgresql_where=_LIVING,
    )
    op.create_table(
        "directory_groups",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("display_name_key", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["group"], ["groups.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("group"),
    )
    op.create_index("directory_groups_by_display_name", "directory_groups", ["display_name_key"])
    op.create_index("directory_groups_by_external_id", "directory_groups", ["external_id"])
    op.create_table(
        "audit_forwards",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("ca", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_seq", sa.BigInteger(), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger()),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("failing_since_ms", sa.BigInteger()),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
