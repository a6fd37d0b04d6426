"""Teams, projects, the people in them, directories, and who may do what."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from podium.store.tables.columns import metadata, ms

teams = Table(
    "teams",
    metadata,
    Column("name", Text, primary_key=True),
    ms("created_at_ms"),
    Column("cost_centre", Text, nullable=False, server_default=text("''")),
    ms("archived_at_ms", nullable=True),
)


projects = Table(
    "projects",
    metadata,
    Column("name", Text, primary_key=True),
    Column("team", Text, ForeignKey("teams.name", onupdate="CASCADE"), nullable=False),
    ms("created_at_ms"),
    Column("cost_centre", Text, nullable=False, server_default=text("''")),
    ms("moved_at_ms", nullable=True),  # into the team that it is in
    ms("archived_at_ms", nullable=True),
)


users = Table(
    "users",
    metadata,
    Column("username", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),  # empty: cannot sign in with one
    Column("must_change_password", Boolean, nullable=False),
    ms("created_at_ms"),
    Column("notices_read_seq", BigInteger, nullable=False, server_default="0"),
    Column("kind", Text, nullable=False, server_default=text("'person'")),
    Column("source", Text, nullable=False, server_default=text("'local'")),
    Column("display_name", Text, nullable=False, server_default=text("''")),
    Column("email", Text, nullable=False, server_default=text("''")),
    Column("project", Text),
    ms("disabled_at_ms", nullable=True),
    ms("last_sign_in_at_ms", nullable=True),
    Index("users_by_project", "project"),
)


groups = Table(
    "groups",
    metadata,
    Column("name", Text, primary_key=True),
    Column("source", Text, nullable=False),
    ms("created_at_ms"),
)


# The source says who put them in: each keeper changes only what it put there.
group_members = Table(
    "group_members",
    metadata,
    Column("group", Text, ForeignKey("groups.name", ondelete="CASCADE"), primary_key=True),
    Column("username", Text, ForeignKey("users.username"), primary_key=True),
    Column("source", Text, nullable=False),
    Index("group_members_by_user", "username"),
)


# People whom a directory keeps by SCIM, under the id and the name that it knows them by. Of those
# whom it deleted the row stays, so that the same person gets the same account back.
directory_users = Table(
    "directory_users",
    metadata,
    Column("id", Text, primary_key=True),
    Column(
        "username",
        Text,
        ForeignKey("users.username", ondelete="CASCADE"),
        nullable=False,
        unique=True,
    ),
    Column("user_name", Text, nullable=False),
    Column("user_name_key", Text, nullable=False),  # as names are compared
    Column("external_id", Text, nullable=False),
    Column("document", Text, nullable=False),
    ms("created_at_ms"),
    ms("updated_at_ms"),
    ms("deleted_at_ms", nullable=True),
    Index("directory_users_by_external_id", "external_id"),
    Index(
        "directory_users_by_user_name",
        "user_name_key",
        unique=True,
        sqlite_where=text("deleted_at_ms IS NULL"),
        postgresql_where=text("deleted_at_ms IS NULL"),
    ),
)


directory_groups = Table(
    "directory_groups",
    metadata,
    Column("id", Text, primary_key=True),
    Column(
        "group", Text, ForeignKey("groups.name", ondelete="CASCADE"), nullable=False, unique=True
    ),
    Column("display_name", Text, nullable=False),
    Column("display_name_key", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    ms("created_at_ms"),
    ms("updated_at_ms"),
    Index("directory_groups_by_display_name", "display_name_key"),
    Index("directory_groups_by_external_id", "external_id"),
)


# Those that the organisation made; built-in ones are in `domain.rights`.
roles = Table(
    "roles",
    metadata,
    Column("name", Text, primary_key=True),
    Column("description", Text, nullable=False),
    Column("actions", Text, nullable=False),
)


bindings = Table(
    "bindings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("subject_kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("target", Text, nullable=False),
    ms("created_at_ms"),
    Column("created_by", Text, nullable=False),
    UniqueConstraint("subject_kind", "subject", "level", "target", "role", name="bindings_once"),
    Index("bindings_by_target", "level", "target"),
)
