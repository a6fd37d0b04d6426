"""Gangs of unlike groups, pools of nodes, and what became of work that lost a part."""

from alembic import op
import sqlalchemy as sa

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Each section below stands for itself."""
    # Gangs that replace what they lose, and what work has saved.
    op.add_column(
        "workloads",
        sa.Column("recovery", sa.Text(), server_default=sa.text("'restart'"), nullable=False),
    )
    op.add_column("allocations", sa.Column("saved_at_ms", sa.BigInteger()))

    # Gangs of unlike groups.
    op.add_column(
        "workloads",
        sa.Column("group_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "workloads",
        sa.Column("groups_gpu_milli", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    grouped, queued = sa.text("group_count > 0"), sa.text("state = 'queued'")
    op.create_index(
        "workloads_with_groups",
        "workloads",
        ["state", "group_count", "project", "dependencies_open", "id"],
        sqlite_where=grouped,
        postgresql_where=grouped,
    )
    op.drop_index("workloads_waiting", table_name="workloads")
    op.create_index(
        "workloads_waiting",
        "workloads",
        [
            "state",
            "project",
            "queued_at_ms",
            "gpu_milli",
            "mig_count",
            "gpu_share_bytes",
            "replicas_max",
            "is_array",
            "group_count",
            "id",
        ],
        sqlite_where=queued,
        postgresql_where=queued,
    )
    op.create_table(
        "replica_groups",
        sa.Column("workload_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("first_rank", sa.Integer(), nullable=False),
        sa.Column("replicas", sa.Integer(), nullable=False),
        sa.Column("cpu_milli", sa.BigInteger(), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("gpu_milli", sa.BigInteger(), nullable=False),
        sa.Column("gpu_share_bytes", sa.BigInteger(), nullable=False),
        sa.Column("gpu_types", sa.Text(), nullable=False),
        sa.Column("gpu_memory_min_bytes", sa.BigInteger()),
        sa.Column("gpu_memory_max_bytes", sa.BigInteger()),
        sa.Column("mig_profile", sa.Text()),
        sa.Column("mig_count", sa.Integer(), nullable=False),
        sa.Column("node_labels", sa.Text(), nullable=False),
        sa.Column("pools", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["workload_id"], ["workloads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workload_id", "position"),
    )
    # Pools of nodes, and NVLink domains.
    op.add_column(
        "nodes", sa.Column("nvlink", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column(
        "workloads", sa.Column("pools", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.create_table(
        "pools",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("updated_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "pool_projects",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["pool"], ["pools.name"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project"], ["projects.name"], onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("pool", "project"),
    )
    op.create_table(
        "pool_teams",
        sa.Column("pool", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["pool"], ["pools.name"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team"], ["teams.name"], onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("pool", "team"),
    )
    # Why a device takes no work.
    op.add_column(
        "devices", sa.Column("fault", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    # GPUs that are cut into MIG instances, and what keeps shares of a GPU apart.
    op.add_column(
        "devices", sa.Column("board", sa.Text(), server_default=sa.text("''"), nullable=False)
    )
    op.add_column(
        "devices",
        sa.Column("pinned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_table(
        "mig_instances",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("busy", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("device_id", "start"),
    )
    for index, of, column, flag in (
        ("devices_pinned", "devices", "id", "pinned"),
        ("mig_instances_busy", "mig_instances", "device_id", "busy"),
    ):
        op.create_index(
            index,
            of,
            [column],
            sqlite_where=sa.text(f"{flag} = 1"),
            postgresql_where=sa.text(flag),
        )
    for table in ("workloads", "replica_groups"):
        isolation = sa.Column(
            "isolation", sa.Text(), server_default=sa.text("'none'"), nullable=False
        )
        op.add_column(table, isolation)
    # One allocation may have several instances of one GPU.
    op.create_table(
        "allocation_devices_new",
        sa.Column("allocation_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("gpu_milli", sa.BigInteger(), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mig_profile", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("mig_start", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["allocation_id"], ["allocations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("allocation_id", "device_id", "mig_start"),
    )
    op.execute(
        "INSERT INTO allocation_devices_new (allocation_id, device_id, gpu_milli, memory_bytes)"
        " SELECT allocation_id, device_id, gpu_milli, memory_bytes FROM allocation_devices"
    )
    op.drop_table("allocation_devices")
    op.rename_table("allocation_devices_new", "allocation_devices")
    # Work that is given up on lost nodes.
    op.add_column("nodes", sa.Column("lost_at_ms", sa.BigInteger()))
    op.add_column(
        "allocations",
        sa.Column("given_up", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "allocations_given_up",
        "allocations",
        ["node", "id"],
        sqlite_where=sa.text("given_up = 1"),
        postgresql_where=sa.text("given_up"),
    )
