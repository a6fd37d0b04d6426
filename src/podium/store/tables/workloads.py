"""What people asked for: workloads with their replicas, labels and needs."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from podium.store.tables.columns import metadata, ms, project_name


def _workloads_in(state: str, name: str, *columns: str) -> Index:
    """An index over the workloads in one state, which stays small however many have ended. It
    begins with that state, or else SQLite prefers the index that has all states."""
    where = text(f"state = '{state}'")
    return Index(name, "state", *columns, sqlite_where=where, postgresql_where=where)


def _request() -> tuple[Column[Any], ...]:
    """What one replica asks for."""
    return (
        Column("cpu_milli", BigInteger, nullable=False),
        Column("memory_bytes", BigInteger, nullable=False),
        Column("gpu_milli", BigInteger, nullable=False),
        Column("gpu_share_bytes", BigInteger, nullable=False),
        Column("gpu_types", Text, nullable=False),
        Column("gpu_memory_min_bytes", BigInteger),
        Column("gpu_memory_max_bytes", BigInteger),
        Column("mig_profile", Text),
        Column("mig_count", Integer, nullable=False),
        Column("node_labels", Text, nullable=False),
        Column("pools", Text, nullable=False, server_default=text("''")),
        Column("isolation", Text, nullable=False, server_default=text("'none'")),
    )


workloads = Table(
    "workloads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    project_name(),
    Column("team", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    Column("message", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    *_request(),
    Column("topology_within", Text),
    Column("topology_prefer", Text),
    Column("replicas_min", Integer, nullable=False),
    Column("replicas_max", Integer, nullable=False),
    Column("replicas_resize", Boolean, nullable=False, server_default=text("false")),
    Column("recovery", Text, nullable=False, server_default=text("'restart'")),
    Column("is_array", Boolean, nullable=False),
    # Of a gang of unlike groups, which are in `replica_groups`: how many, and milli-GPU of all.
    Column("group_count", Integer, nullable=False, server_default=text("0")),
    Column("groups_gpu_milli", BigInteger, nullable=False, server_default=text("0")),
    Column("preemptible", Boolean, nullable=False, server_default=text("true")),
    ms("submitted_at_ms"),
    ms("queued_at_ms"),
    ms("started_at_ms", nullable=True),
    ms("ended_at_ms", nullable=True),
    ms("deadline_ms", nullable=True),
    Column("max_runtime_seconds", BigInteger),
    Column("expected_runtime_seconds", BigInteger),
    ms("not_before_ms", nullable=True),
    Column("start_window", Text),
    Column("grace_seconds", Integer, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("dependencies_open", Integer, nullable=False),
    Column("refusal_reason", Text),
    Column("refusal_message", Text),
    Column("refusal_remedy", Text),
    Column("refusal_evidence", Text),
    ms("refused_since_ms", nullable=True),
    Column("rendezvous_port", Integer),
    Column("upload_sha256", Text),
    Column("classification", Text, nullable=False, server_default=text("''")),
    Column("data_uses", Text, nullable=False, server_default=text("''")),
    Column("labels", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("workloads_by_project", "project", "id"),
    Index("workloads_by_name", "project", "name", "id"),
    # With the project, so that one who sees only some counts without reading the rows.
    Index("workloads_by_state", "state", "id", "project"),
    Index("workloads_by_owner", "owner", "id", "project", "kind"),
    # Lists in these orders; with the project for the same reason.
    Index("workloads_in_name_order", "name", "id", "project"),
    Index("workloads_in_priority_order", "priority", "id", "project"),
    Index("workloads_by_deadline", "deadline_ms", sqlite_where=text("ended_at_ms IS NULL")),
    Index("workloads_by_end", "ended_at_ms"),
    Index("workloads_by_upload", "upload_sha256"),
    # What the overview and the queue count, without a look at the rows themselves.
    Index("workloads_by_project_state", "project", "state"),
    _workloads_in("queued", "workloads_queue", "priority", "submitted_at_ms", "id", "project"),
    _workloads_in(
        "queued",
        "workloads_waiting",
        "project",
        "queued_at_ms",
        "gpu_milli",
        "mig_count",
        "gpu_share_bytes",
        "replicas_max",
        "is_array",
        "group_count",
        "id",
    ),
    Index(
        "workloads_with_groups",
        "state",
        "group_count",
        "project",
        "dependencies_open",
        "id",
        sqlite_where=text("group_count > 0"),
        postgresql_where=text("group_count > 0"),
    ),
    _workloads_in(
        "running",
        "workloads_running",
        "project",
        "is_array",
        "started_at_ms",
        "queued_at_ms",
        "max_runtime_seconds",
        "deadline_ms",
        "id",
    ),
    _workloads_in("failed", "workloads_failed", "ended_at_ms", "project", "id"),
)


documents = Table(
    "documents",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("program", Text, nullable=False),
    Column("submitted", Text, nullable=False),
    Column("resolved", Text, nullable=False),
)


# A workload with groups asks for what each of them says; its own request is that of one of them.
replica_groups = Table(
    "replica_groups",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("first_rank", Integer, nullable=False),
    Column("replicas", Integer, nullable=False),
    *_request(),
    Column("program", Text, nullable=False),
)


workload_labels = Table(
    "workload_labels",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    project_name(),
    Index("workload_labels_by_value", "key", "value", "workload_id", "project"),
)


dependencies = Table(
    "dependencies",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("needs_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Index("dependencies_by_need", "needs_id"),
)


replicas = Table(
    "replicas",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Index("replicas_by_state", "state", "workload_id", "rank"),
)


guests = Table(
    "guests",
    metadata,
    Column("uid", Text, primary_key=True),
    Column("engine", Text, nullable=False),
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), nullable=False),
    Column("rank", Integer, nullable=False),
    Index("guests_by_workload", "workload_id", "rank"),
)


uploads = Table(
    "uploads",
    metadata,
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("username", Text, nullable=False),
    ms("created_at_ms"),
)
