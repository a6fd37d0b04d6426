"""Every table, as SQLAlchemy Core. Migrations make them; `tests/unit/store` holds both equal.

Resources are integer columns that SQL can sum. JSON text holds only what nobody sums: programs,
labels, evidence. Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite gives 64-bit row numbers only to a column declared INTEGER.
_SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")


def _ms(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _project() -> Column[str]:
    return Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), nullable=False)


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


teams = Table(
    "teams",
    metadata,
    Column("name", Text, primary_key=True),
    _ms("created_at_ms"),
    Column("cost_centre", Text, nullable=False, server_default=text("''")),
    _ms("archived_at_ms", nullable=True),
)

projects = Table(
    "projects",
    metadata,
    Column("name", Text, primary_key=True),
    Column("team", Text, ForeignKey("teams.name", onupdate="CASCADE"), nullable=False),
    _ms("created_at_ms"),
    Column("cost_centre", Text, nullable=False, server_default=text("''")),
    _ms("moved_at_ms", nullable=True),  # into the team that it is in
    _ms("archived_at_ms", nullable=True),
)

users = Table(
    "users",
    metadata,
    Column("username", Text, primary_key=True),
    Column("password_hash", Text, nullable=False),  # empty: cannot sign in with one
    Column("must_change_password", Boolean, nullable=False),
    _ms("created_at_ms"),
    Column("notices_read_seq", BigInteger, nullable=False, server_default="0"),
    Column("kind", Text, nullable=False, server_default=text("'person'")),
    Column("source", Text, nullable=False, server_default=text("'local'")),
    Column("display_name", Text, nullable=False, server_default=text("''")),
    Column("email", Text, nullable=False, server_default=text("''")),
    Column("project", Text),
    _ms("disabled_at_ms", nullable=True),
    _ms("last_sign_in_at_ms", nullable=True),
    Index("users_by_project", "project"),
)

groups = Table(
    "groups",
    metadata,
    Column("name", Text, primary_key=True),
    Column("source", Text, nullable=False),
    _ms("created_at_ms"),
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
    _ms("created_at_ms"),
    _ms("updated_at_ms"),
    _ms("deleted_at_ms", nullable=True),
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
    _ms("created_at_ms"),
    _ms("updated_at_ms"),
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
    _ms("created_at_ms"),
    Column("created_by", Text, nullable=False),
    UniqueConstraint("subject_kind", "subject", "level", "target", "role", name="bindings_once"),
    Index("bindings_by_target", "level", "target"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("username", Text, ForeignKey("users.username"), nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False, unique=True),
    Column("single_use", Boolean, nullable=False),
    _ms("created_at_ms"),
    _ms("expires_at_ms", nullable=True),
    _ms("last_used_at_ms", nullable=True),
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

# Sealed secrets of the organisation itself, such as those of its providers.
sealed_values = Table(
    "sealed_values",
    metadata,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
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
    _ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
)

# Who somebody is at a provider. Never an e-mail address, which may be given to somebody else.
provider_identities = Table(
    "provider_identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("username", Text, ForeignKey("users.username"), nullable=False),
    _ms("created_at_ms"),
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
    _ms("expires_at_ms"),
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
    _ms("created_at_ms"),
    _ms("expires_at_ms"),
    _ms("polled_at_ms"),
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
    _ms("at_ms"),
    _ms("until_ms"),
    _ms("forgotten_at_ms"),
    Index("sign_in_attempts_by_end", "forgotten_at_ms"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    _ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
    _ms("last_used_at_ms", nullable=True),
)

# Which workload names which secret of its project.
workload_secrets = Table(
    "workload_secrets",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    _project(),
    Index("workload_secrets_by_secret", "project", "name", "workload_id"),
)

# One row: the key that seals now. Who seals holds its lock until the commit.
sealing_key = Table(
    "sealing_key",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key_id", Text, nullable=False),
    _ms("since_ms"),
    Column("set_by", Text, nullable=False),
)

# One row, made with the table: tells this Podium from others, e.g. in a cluster that they share.
installation = Table("installation", metadata, Column("id", Text, primary_key=True))

# What Podium works on beside its servers' own machines; kubeconfigs are among the sealed values.
clusters = Table(
    "clusters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("region", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("image", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("server", Text, nullable=False),
    Column("in_cluster", Boolean, nullable=False),
    Column("groups_prefix", Text, nullable=False, server_default=text("''")),
    _ms("added_at_ms"),
    Column("added_by", Text, nullable=False),
    _ms("updated_at_ms"),
)

nodes = Table(
    "nodes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("engine", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cordoned", Boolean, nullable=False),
    Column("address", Text, nullable=False),
    Column("cpu_milli", BigInteger, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("labels", Text, nullable=False),
    Column("rack", Text, nullable=False),
    Column("block", Text, nullable=False),
    Column("nvlink", Text, nullable=False, server_default=text("''")),
    _ms("seen_at_ms"),
    _ms("lost_at_ms", nullable=True),
)

devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("node", Text, ForeignKey("nodes.name", ondelete="CASCADE"), nullable=False),
    Column("index", Integer, nullable=False),
    Column("uuid", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("mig_profile", Text),
    Column("virtual", Boolean, nullable=False),
    Column("healthy", Boolean, nullable=False),
    Column("fault", Text, nullable=False, server_default=text("''")),
    Column("board", Text, nullable=False, server_default=text("''")),
    Column("pinned", Boolean, nullable=False, server_default=text("false")),
    Column("drift", Text, nullable=False, server_default=text("''")),
    Column("drift_at_ms", BigInteger),
    Column("share_milli", Integer, nullable=False, server_default=text("0")),
    Index("devices_by_node", "node", "type", "virtual", "healthy"),
    Index("devices_pinned", "id", sqlite_where=text("pinned = 1"), postgresql_where=text("pinned")),
)

# What stands on GPUs in MIG mode, as their driver told it last.
mig_instances = Table(
    "mig_instances",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("uuid", Text, nullable=False),
    Column("busy", Boolean, nullable=False),
    Index(
        "mig_instances_busy",
        "device_id",
        sqlite_where=text("busy = 1"),
        postgresql_where=text("busy"),
    ),
)

# How operators want GPUs to be cut. Devices come and go with restarts; this outlives them. What is
# not `kept` goes once it stands. `message` says what it waits for, or why it cannot be.
mig_layouts = Table(
    "mig_layouts",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("moves", Boolean, nullable=False),
    Column("set_by", Text, nullable=False),
    _ms("set_at_ms"),
    _ms("stands_at_ms", nullable=True),
    Column("message", Text, nullable=False),
)

mig_layout_instances = Table(
    "mig_layout_instances",
    metadata,
    Column(
        "device_id", Text, ForeignKey("mig_layouts.device_id", ondelete="CASCADE"), primary_key=True
    ),
    Column("start", Integer, primary_key=True),
    Column("profile", Text, nullable=False),
)

# MIG modes that somebody waits for; `message` is why it was refused, once it is `done`.
mig_modes = Table(
    "mig_modes",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    _ms("asked_at_ms"),
    Column("done", Boolean, nullable=False),
    Column("message", Text, nullable=False),
)

workloads = Table(
    "workloads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    _project(),
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
    _ms("submitted_at_ms"),
    _ms("queued_at_ms"),
    _ms("started_at_ms", nullable=True),
    _ms("ended_at_ms", nullable=True),
    _ms("deadline_ms", nullable=True),
    Column("max_runtime_seconds", BigInteger),
    Column("expected_runtime_seconds", BigInteger),
    _ms("not_before_ms", nullable=True),
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
    _ms("refused_since_ms", nullable=True),
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
    _project(),
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

allocations = Table(
    "allocations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), nullable=False),
    _project(),
    Column("rank", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("node", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cpu_milli", BigInteger, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("gpu_milli", BigInteger, nullable=False),
    _ms("created_at_ms"),
    _ms("started_at_ms", nullable=True),
    _ms("saved_at_ms", nullable=True),
    _ms("released_at_ms", nullable=True),
    Column("cause", Text),
    Column("message", Text, nullable=False),
    Column("exit_code", Integer),
    Column("signal", Integer),
    Column("runtime_ms", BigInteger, nullable=False),
    Column("cpu_time_ms", BigInteger, nullable=False),
    Column("memory_peak_bytes", BigInteger, nullable=False),
    Column("removed", Boolean, nullable=False),
    # While it has not begun: what keeps it from it.
    Column("holdup_cause", Text),
    Column("holdup_message", Text),
    _ms("holdup_since_ms", nullable=True),
    # Released without having been seen to end: its processes may still be there.
    Column("given_up", Boolean, nullable=False, server_default=text("false")),
    UniqueConstraint("workload_id", "rank", "attempt", name="allocations_once"),
    Index(
        "allocations_open",
        "state",
        "id",
        sqlite_where=text("released_at_ms IS NULL"),
        postgresql_where=text("released_at_ms IS NULL"),
    ),
    # With all that hours of GPU time are counted from.
    Index("allocations_by_release", "released_at_ms", "started_at_ms", "gpu_milli", "project"),
    Index("allocations_by_start", "started_at_ms", "gpu_milli", "project"),
    Index(
        "allocations_by_node",
        "released_at_ms",
        "node",
        "id",
        "gpu_milli",
        sqlite_where=text("released_at_ms IS NULL"),
        postgresql_where=text("released_at_ms IS NULL"),
    ),
    Index(
        "allocations_given_up",
        "node",
        "id",
        sqlite_where=text("given_up = 1"),
        postgresql_where=text("given_up"),
    ),
)

allocation_devices = Table(
    "allocation_devices",
    metadata,
    Column(
        "allocation_id", Text, ForeignKey("allocations.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("device_id", Text, primary_key=True),
    Column("gpu_milli", BigInteger, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("mig_profile", Text, nullable=False, server_default=text("''")),
    Column("mig_start", Integer, primary_key=True, server_default=text("0")),
    # The name that it has a price under, and how much was borrowed, as of the grant.
    Column("gpu_type", Text, nullable=False, server_default=text("''")),
    Column("borrowed_milli", BigInteger, nullable=False, server_default=text("0")),
)

# How busy GPUs of running work were, since it started; gone with its bill.
busy_meters = Table(
    "busy_meters",
    metadata,
    Column(
        "allocation_id", Text, ForeignKey("allocations.id", ondelete="CASCADE"), primary_key=True
    ),
    _ms("measured_ms"),
    Column("busy_milli_ms", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Who had to give way for whom. What the people concerned are told is in their events.
preemptions = Table(
    "preemptions",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    _ms("at_ms"),
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), nullable=False),
    Column("ranks", Text, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("in_favour_of", Text, nullable=False),
    Column("justification", Text, nullable=False),
    Column("lost_milli_ms", BigInteger, nullable=False),
    Index("preemptions_by_workload", "workload_id"),
    sqlite_autoincrement=True,
)

# What the scheduler planned last, for people to look at: one row says since when, and three tables
# what. They are replaced as a whole, and name workloads and nodes that may have gone since.
plans = Table("plans", metadata, Column("name", Text, primary_key=True), _ms("made_at_ms"))

plan_turns = Table(
    "plan_turns",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("workload_id", Text, nullable=False),
    Column("inside", Boolean, nullable=False),
)

plan_reservations = Table(
    "plan_reservations",
    metadata,
    Column("workload_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    _ms("from_ms", nullable=True),
)

plan_nodes = Table(
    "plan_nodes",
    metadata,
    Column(
        "workload_id",
        Text,
        ForeignKey("plan_reservations.workload_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("node", Text, primary_key=True),
    Column("replicas", Integer, nullable=False),
)

# When work that waits is expected to start, as it is said; and what was forecast first, to learn
# from how it came.
etas = Table(
    "etas",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    _ms("early_ms"),
    _ms("likely_ms"),
    _ms("late_ms"),
    _ms("asked_at_ms"),
    _ms("asked_early_ms"),
    _ms("asked_likely_ms"),
    _ms("asked_late_ms"),
    Index("etas_by_age", "asked_at_ms"),
)


def _counts(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


# Cycles of the scheduler that changed something, so that they can be decided again: now and then a
# whole snapshot, in pieces, and for each cycle since then what changed (`step`, from 0 on).
cycle_keyframes = Table(
    "cycle_keyframes",
    metadata,
    Column("id", _SEQUENCE, primary_key=True, autoincrement=True),
    *_counts("at_ms", "bytes"),
    Column("whole", Boolean, nullable=False),
    sqlite_autoincrement=True,
)

cycle_keyframe_pieces = Table(
    "cycle_keyframe_pieces",
    metadata,
    Column(
        "keyframe_id",
        BigInteger,
        ForeignKey("cycle_keyframes.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("piece", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)

cycles = Table(
    "cycles",
    metadata,
    Column("id", _SEQUENCE, primary_key=True, autoincrement=True),
    Column(
        "keyframe_id",
        BigInteger,
        ForeignKey("cycle_keyframes.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("step", Integer, nullable=False),
    *_counts("at_ms", "took_us", "read_us", "decide_us", "seed"),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    *_counts("nodes", "waiting", "running", "placed", "preempted", "refused", "told"),
    *_counts("reserved", "stale", "bytes"),
    Index("cycles_by_keyframe", "keyframe_id", "step", unique=True),
    Index("cycles_by_time", "at_ms"),
    sqlite_autoincrement=True,
)


def _cycle_id() -> Column[int]:
    key = ForeignKey("cycles.id", ondelete="CASCADE")
    return Column("cycle_id", BigInteger, key, primary_key=True, autoincrement=False)


cycle_records = Table(
    "cycle_records",
    metadata,
    _cycle_id(),
    Column("step", LargeBinary, nullable=False),
    Column("plan", LargeBinary, nullable=False),
)

cycle_reasons = Table(
    "cycle_reasons",
    metadata,
    _cycle_id(),
    Column("reason", Text, primary_key=True),
    *_counts("count"),
)

# Figures of all cycles, also of those that changed nothing; `waiting` and the reasons are those of
# the last cycle of the minute that begins at `at_ms`.
scheduler_minutes = Table(
    "scheduler_minutes",
    metadata,
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    *_counts("cycles", "recorded", "placed", "preempted", "told", "stale", "waiting"),
    *_counts("median_us", "p99_us"),
)

scheduler_minute_reasons = Table(
    "scheduler_minute_reasons",
    metadata,
    Column(
        "at_ms",
        BigInteger,
        ForeignKey("scheduler_minutes.at_ms", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("reason", Text, primary_key=True),
    *_counts("count"),
)

# Values that stand in place of the built-in ones. `level` is cluster, team or project, `name` the
# team's or project's name, `part` a kind of work, or scheduling.
policies = Table(
    "policies",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("value", Text, nullable=False),
    _ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
)

pools = Table(
    "pools",
    metadata,
    Column("name", Text, primary_key=True),
    Column("labels", Text, nullable=False),
    Column("note", Text, nullable=False),
    _ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
    Column("region", Text, nullable=False, server_default=text("''")),
    Column("approved_for", Text, nullable=False, server_default=text("''")),
)

# Data sources. `id` is the name, for a project's own with `PROJECT/` before it.
data_sources = Table(
    "data_sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE")),
    Column("kind", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("classification", Text, nullable=False),
    Column("regions", Text, nullable=False),
    Column("description", Text, nullable=False),
    _ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
    Index("data_sources_by_project", "project"),
)

data_grants = Table(
    "data_grants",
    metadata,
    Column("source", Text, ForeignKey("data_sources.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("write", Boolean, nullable=False),
)

# Which workload asks for which source; the source may be gone by now.
workload_data = Table(
    "workload_data",
    metadata,
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE"), primary_key=True),
    Column("source", Text, primary_key=True),
    Index("workload_data_by_source", "source", "workload_id"),
)

# Allocations that may have their data, which the audit trail was told; and since when they stand
# where they should not.
data_launches = Table(
    "data_launches",
    metadata,
    Column(
        "allocation_id", Text, ForeignKey("allocations.id", ondelete="CASCADE"), primary_key=True
    ),
    _ms("exposed_at_ms", nullable=True),
)

# Whose work may stand in a pool; everyone's where there is no row in either of the two.
pool_projects = Table(
    "pool_projects",
    metadata,
    Column("pool", Text, ForeignKey("pools.name", ondelete="CASCADE"), primary_key=True),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
)

pool_teams = Table(
    "pool_teams",
    metadata,
    Column("pool", Text, ForeignKey("pools.name", ondelete="CASCADE"), primary_key=True),
    Column("team", Text, ForeignKey("teams.name", onupdate="CASCADE"), primary_key=True),
)

# `level` is organisation, team or project, `name` the team's or project's name, and empty for the
# organisation. `gpu_type` '' is all types together.
quotas = Table(
    "quotas",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("weight", Integer, nullable=False),
    _ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
)

quota_amounts = Table(
    "quota_amounts",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("guarantee_milli", BigInteger, nullable=False),
    Column("limit_milli", BigInteger),
    Column("per_user_milli", BigInteger),
    ForeignKeyConstraint(["level", "name"], ["quotas.level", "quotas.name"], ondelete="CASCADE"),
)

# Limits of what is no GPU: see domain.quota.Counted.
quota_ceilings = Table(
    "quota_ceilings",
    metadata,
    Column("level", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("counted", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),
    ForeignKeyConstraint(["level", "name"], ["quotas.level", "quotas.name"], ondelete="CASCADE"),
)

# One change of a quota; `before` and `after` are JSON, `null` where nothing was set.
quota_history = Table(
    "quota_history",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("level", Text, nullable=False),
    Column("name", Text, nullable=False),
    _ms("at_ms"),
    Column("username", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Index("quota_history_by_time", "at_ms"),
    Index("quota_history_by_name", "level", "name", "id"),
)

# What a project held and waited for of a GPU type in the hour from `at_ms` on, and what started.
demand_hours = Table(
    "demand_hours",
    metadata,
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("held_milli_ms", BigInteger, nullable=False),
    Column("wanted_milli_ms", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("wait_ms", BigInteger, nullable=False),
)

# Why it waited: GPU time and workload time that was wanted, by the reason of the refusal.
demand_hour_reasons = Table(
    "demand_hour_reasons",
    metadata,
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("milli_ms", BigInteger, nullable=False),
    Column("workload_ms", BigInteger, nullable=False),
)

# Released GPU time of each project as it counted at `at_ms`, faded by the half-life.
past_use = Table(
    "past_use",
    metadata,
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    _ms("at_ms"),
    Column("milli_ms", BigInteger, nullable=False),
)

bookings = Table(
    "bookings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE")),
    _ms("from_ms"),
    _ms("until_ms"),
    Column("note", Text, nullable=False),
    _ms("created_at_ms"),
    Column("created_by", Text, nullable=False),
    Index("bookings_by_end", "until_ms"),
)

# Without a reference to the node, which may be away for a while.
booking_nodes = Table(
    "booking_nodes",
    metadata,
    Column("booking", Text, ForeignKey("bookings.name", ondelete="CASCADE"), primary_key=True),
    Column("node", Text, primary_key=True),
)

events = Table(
    "events",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    _ms("at_ms"),
    Column("project", Text, nullable=False),
    Column("workload_id", Text, nullable=False),
    Column("rank", Integer),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Index("events_by_workload", "workload_id", "seq"),
    Index("events_by_time", "at_ms"),
    sqlite_autoincrement=True,
)

# Append-only and chained: `hash` covers the row and the hash of the row before it. Triggers of the
# migration refuse to change what stands here.
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    _ms("at_ms"),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("project", Text),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("token_id", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("audit_by_time", "at_ms"),
    Index("audit_by_actor", "actor", "seq"),
    Index("audit_by_action", "action", "seq"),
    Index("audit_by_subject", "subject", "seq"),
    Index("audit_by_project", "project", "seq"),
    Index(
        "audit_refused",
        "seq",
        sqlite_where=text("outcome <> 'allowed'"),
        postgresql_where=text("outcome <> 'allowed'"),
    ),
)

# One row: the last entry of the chain. Who appends holds its lock until the commit.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

# A signature over the chain up to `seq`. `kind` is `seal`, or `break` where an administrator let
# the chain go on from a place that no longer fits what was sealed before; `note` says why.
audit_seals = Table(
    "audit_seals",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    _ms("at_ms"),
    Column("note", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Index("audit_seals_by_time", "at_ms"),
)

# What retention took away from the beginning of the chain, signed; verification goes on from there.
audit_removals = Table(
    "audit_removals",
    metadata,
    Column("last_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    _ms("at_ms"),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

# Where the audit trail is forwarded to, and how far each has got.
audit_forwards = Table(
    "audit_forwards",
    metadata,
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("ca", Text, nullable=False),  # PEM; empty: what the server's machine trusts
    _ms("created_at_ms"),
    Column("created_by", Text, nullable=False),
    _ms("updated_at_ms"),
    Column("sent_seq", BigInteger, nullable=False),
    _ms("sent_at_ms", nullable=True),
    Column("skipped", BigInteger, nullable=False),  # entries that retention removed unsent
    _ms("failing_since_ms", nullable=True),
    Column("fault", Text, nullable=False),
)


def _amounts() -> tuple[Column[int], ...]:
    """What was used; GPU and CPU in thousandths x milliseconds (`domain/metering.Line`)."""
    return (
        *_counts("gpu_milli_ms", "borrowed_milli_ms", "measured_milli_ms", "idle_milli_ms"),
        *_counts("unbilled_milli_ms", "cpu_milli_ms", "cpu_used_ms", "memory_peak_bytes"),
    )


# The bill of each released allocation: a line for each GPU type, day (UTC) and price.
bill_lines = Table(
    "bill_lines",
    metadata,
    Column("allocation_id", Text, primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("rate_ms", BigInteger, primary_key=True),  # since when its price held; 0: the first
    Column("workload_id", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("cost_centre", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    _ms("until_ms"),
    _ms("runtime_ms"),
    *_amounts(),
    Index("bill_lines_by_day", "day_ms"),
    Index("bill_lines_by_workload", "workload_id"),
)

# The same summed by day, written in the transaction of the bill.
usage_days = Table(
    "usage_days",
    metadata,
    Column("day_ms", BigInteger, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("team", Text, primary_key=True),
    Column("cost_centre", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("gpu_type", Text, primary_key=True),
    Column("rate_ms", BigInteger, primary_key=True),
    *_amounts(),
    Column("replicas", BigInteger, nullable=False),
    Index("usage_days_by_project", "project", "day_ms"),
    Index("usage_days_by_owner", "owner", "day_ms"),
    sqlite_with_rowid=False,  # so that a span of days is read in one go
)

# When devices were there, and in service or not; written when that changes.
device_spans = Table(
    "device_spans",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("since_ms", BigInteger, primary_key=True),
    _ms("until_ms", nullable=True),
    Column("node", Text, nullable=False),
    Column("gpu_type", Text, nullable=False),
    Column("in_service", Boolean, nullable=False),
    Index("device_spans_by_end", "until_ms"),
    Index(
        "device_spans_open",
        "node",
        sqlite_where=text("until_ms IS NULL"),
        postgresql_where=text("until_ms IS NULL"),
    ),
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

notices = Table(
    "notices",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    _ms("at_ms"),
    Column("username", Text, nullable=False),
    # One of the two is what it is about.
    Column("workload_id", Text, ForeignKey("workloads.id", ondelete="CASCADE")),
    Column("level", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("budget", Text),
    Index("notices_by_user", "username", "seq"),
    Index("notices_by_workload", "workload_id"),
    Index("notices_by_time", "at_ms"),
    sqlite_autoincrement=True,
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("username", Text, ForeignKey("users.username"), primary_key=True),
    Column("page", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("search", Text, nullable=False),
    _ms("updated_at_ms"),
)

# A sample stands for the `span_ms` before it; old ones are merged into longer spans.
allocation_samples = Table(
    "allocation_samples",
    metadata,
    Column(
        "allocation_id", Text, ForeignKey("allocations.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("at_ms", BigInteger, primary_key=True),
    Column("span_ms", BigInteger, nullable=False),
    Column("cpu_milli", BigInteger, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("gpu_busy_milli", BigInteger),
    Column("gpu_memory_bytes", BigInteger),
    Index("allocation_samples_by_time", "at_ms"),
    sqlite_with_rowid=False,
)

device_samples = Table(
    "device_samples",
    metadata,
    Column("device_id", Text, ForeignKey("devices.id", ondelete="CASCADE"), primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("span_ms", BigInteger, nullable=False),
    Column("busy_milli", BigInteger),
    Column("memory_bytes", BigInteger),
    Column("power_milliwatts", BigInteger),
    Column("temperature_celsius", Integer),
    Index("device_samples_by_time", "at_ms"),
    sqlite_with_rowid=False,
)

capacity_samples = Table(
    "capacity_samples",
    metadata,
    Column("at_ms", BigInteger, primary_key=True),
    Column("span_ms", BigInteger, nullable=False),
    Column("devices_milli", BigInteger, nullable=False),
    Column("held_milli", BigInteger, nullable=False),
    Column("busy_milli", BigInteger),
    Column("wanted_milli", BigInteger, nullable=False),
)

# `stock` is "pool/GPU type".
fragmentation_samples = Table(
    "fragmentation_samples",
    metadata,
    Column("stock", Text, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True),
    Column("span_ms", BigInteger, nullable=False),
    Column("free_milli", BigInteger, nullable=False),
    Column("stranded_milli", BigInteger, nullable=False),
    Column("split_milli", BigInteger, nullable=False),
    Index("fragmentation_samples_by_time", "at_ms"),
    sqlite_with_rowid=False,
)

# How far a table's samples have been merged into spans of one length: up to a time, and in the
# stretch after that up to a key.
thinned = Table(
    "thinned",
    metadata,
    Column("samples", Text, primary_key=True),
    Column("span_ms", BigInteger, primary_key=True),
    _ms("until_ms"),
    Column("after_key", Text, nullable=False),
)

prices = Table(
    "prices",
    metadata,
    Column("gpu_type", Text, primary_key=True),
    Column("since_ms", BigInteger, primary_key=True),
    Column("micros_per_gpu_hour", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("borrowed_micros_per_gpu_hour", BigInteger),  # null: the same
    Column("idle_micros_per_gpu_hour", BigInteger, nullable=False, server_default=text("0")),
)

# `told_percent` is the highest threshold that people were told of in the period that began at
# `told_since_ms`. From `runs_out_ms` to `until_ms` (null: for ever) the budget is spent, by what
# ran when that was written.
budgets = Table(
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("level", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", Text),
    Column("period", Text, nullable=False),
    Column("gpu_types", Text, nullable=False),
    Column("thresholds", Text, nullable=False),
    Column("when_spent", Text, nullable=False),
    _ms("since_ms"),
    Column("note", Text, nullable=False),
    _ms("updated_at_ms"),
    Column("updated_by", Text, nullable=False),
    _ms("told_since_ms"),
    Column("told_percent", Integer, nullable=False),
    _ms("runs_out_ms", nullable=True),
    _ms("until_ms", nullable=True),
    Index("budgets_by_target", "level", "target"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("project", Text, ForeignKey("projects.name", onupdate="CASCADE"), primary_key=True),
    Column("sha256", Text, primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("username", Text, nullable=False),
    _ms("created_at_ms"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("username", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("workload_ids", Text, nullable=False),
    _ms("created_at_ms"),
    Index("idempotency_by_time", "created_at_ms"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    _ms("expires_at_ms"),
)
