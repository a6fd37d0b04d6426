"""Roles as data: groups, bindings, service accounts, cost centres, and tokens that are narrower
than their owners."""

from alembic import op
import sqlalchemy as sa

revision = "0011"
down_revision = "0010"

_EMPTY = sa.text("''")


def upgrade() -> None:
    op.add_column(
        "teams", sa.Column("cost_centre", sa.Text(), server_default=_EMPTY, nullable=False)
    )
    op.add_column(
        "projects", sa.Column("cost_centre", sa.Text(), server_default=_EMPTY, nullable=False)
    )
    for column in (
        sa.Column("kind", sa.Text(), server_default=sa.text("'person'"), nullable=False),
        sa.Column("source", sa.Text(), server_default=sa.text("'local'"), nullable=False),
        sa.Column("display_name", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.Column("email", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.Column("project", sa.Text()),
        sa.Column("disabled_at_ms", sa.BigInteger()),
        sa.Column("last_sign_in_at_ms", sa.BigInteger()),
    ):
        op.add_column("users", column)
    op.create_index("users_by_project", "users", ["project"])
    op.create_table(
        "groups",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "group_members",
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["group"], ["groups.name"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["username"], ["users.username"]),
        sa.PrimaryKeyConstraint("group", "username"),
    )
    op.create_index("group_members_by_user", "group_members", ["username"])
    op.create_table(
        "roles",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "bindings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "subject_kind", "subject", "level", "target", "role", name="bindings_once"
        ),
    )
    op.create_index("bindings_by_target", "bindings", ["level", "target"])
    # What was a flag of the person and a row of the project is a binding now. The ids have a
    # letter in front that no generated id has there, so they cannot meet one.
    op.execute(
        "INSERT INTO bindings (id, subject_kind, subject, role, level, target, created_at_ms, created_by) "
        "SELECT 'b-admin.' || username, 'user', username, 'administrator', 'organisation', '', created_at_ms, 'system' "
        "FROM users WHERE administrator"
    )
    op.execute(
        "INSERT INTO bindings (id, subject_kind, subject, role, level, target, created_at_ms, created_by) "
        "SELECT 'b-' || m.project || '.' || m.username, 'user', m.username, m.role, 'project', m.project, "
        "u.created_at_ms, 'system' FROM memberships m JOIN users u ON u.username = m.username"
    )
    op.drop_index("memberships_by_user", "memberships")
    op.drop_table("memberships")
    op.drop_column("users", "administrator")
    for column in (
        sa.Column("kind", sa.Text(), server_default=sa.text("'token'"), nullable=False),
        sa.Column("idle_ms", sa.BigInteger()),
        sa.Column("actions", sa.Text()),
        sa.Column("projects", sa.Text()),
        sa.Column("created_by", sa.Text(), server_default=_EMPTY, nullable=False),
    ):
        op.add_column("tokens", column)
