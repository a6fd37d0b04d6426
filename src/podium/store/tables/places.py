"""Clusters, nodes, devices, and how GPUs are cut."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, text

from podium.store.tables.columns import metadata, ms

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
    ms("added_at_ms"),
    Column("added_by", Text, nullable=False),
    ms("updated_at_ms"),
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
    ms("seen_at_ms"),
    ms("lost_at_ms", nullable=True),
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
    ms("set_at_ms"),
    ms("stands_at_ms", nullable=True),
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
    ms("asked_at_ms"),
    Column("done", Boolean, nullable=False),
    Column("message", Text, nullable=False),
)
