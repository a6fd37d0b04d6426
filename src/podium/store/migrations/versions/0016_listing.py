"""Lists are counted and put in order from indexes alone: labels carry their project, and there are
indexes in the order of names and of priorities."""

from alembic import op
import sqlalchemy as sa

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.drop_index("workload_labels_by_value", "workload_labels")
    op.add_column("workload_labels", sa.Column("project", sa.Text()))
    op.execute(
        "UPDATE workload_labels SET project = "
        "(SELECT w.project FROM workloads w WHERE w.id = workload_labels.workload_id)"
    )
    with op.batch_alter_table("workload_labels") as batch_op:
        batch_op.alter_column("project", existing_type=sa.Text(), nullable=False)
        batch_op.create_foreign_key(
            "workload_labels_project_fkey", "projects", ["project"], ["name"], onupdate="CASCADE"
        )
    op.create_index(
        "workload_labels_by_value", "workload_labels", ["key", "value", "workload_id", "project"]
    )
    op.drop_index("workloads_by_owner", "workloads")
    op.create_index("workloads_by_owner", "workloads", ["owner", "id", "project", "kind"])
    op.create_index("workloads_in_name_order", "workloads", ["name", "id", "project"])
    op.create_index("workloads_in_priority_order", "workloads", ["priority", "id", "project"])
