"""What Prometheus reads: the cluster by sum, and how the server itself is doing."""

from __future__ import annotations

from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector

from podium.api.context import Context
from podium.domain.cluster import ClusterState
from podium.domain.lifecycle import WorkloadState
from podium.domain.resources import ISOLATION_LABEL
from podium.domain.tenancy import Scope
from podium.store import holdings, nodes, overview
from podium.store.database import Transaction

_NOBODY = Scope(frozenset())


async def exposition(context: Context, scope: Scope) -> Response:
    """Sums, of workloads over those in the scope; names of nodes and GPU types, none of people or
    projects."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    await context.database.read(lambda tx: _cluster(tx, scope, registry))
    _server(context, registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _cluster(tx: Transaction, scope: Scope, registry: CollectorRegistry) -> None:
    states = Gauge("podium_workloads", "Workloads by state.", ["state"], registry=registry)
    counts = overview.workload_counts(tx, scope)
    for state in WorkloadState:
        states.labels(state.value).set(counts.get(state, 0))
    gpus = Gauge("podium_gpus", "GPUs by type.", ["node", "type", "virtual"], registry=registry)
    used = Gauge(
        "podium_gpus_allocated",
        "GPUs held, in parts of a whole one.",
        ["node", "type", "virtual"],
        registry=registry,
    )
    up = Gauge("podium_node_ready", "1 when the node takes work.", ["node"], registry=registry)
    apart = Gauge(
        "podium_node_isolation",
        "1 for what keeps the work of different projects apart on the node.",
        ["node", "level"],
        registry=registry,
    )
    loads = holdings.node_loads(tx, _NOBODY)
    for node in nodes.node_list(tx):
        up.labels(node.name).set(node.state == "ready")
        apart.labels(node.name, dict(node.labels).get(ISOLATION_LABEL, "unknown")).set(1)
        held = dict(loads[node.name].gpu_milli) if node.name in loads else {}
        for device in node.devices:
            labels = (node.name, device.type, str(device.virtual).lower())
            gpus.labels(*labels).inc()
            used.labels(*labels).inc(held.get(device.id, 0) / 1000)


def _server(context: Context, registry: CollectorRegistry) -> None:
    steps = Gauge("podium_loop_steps", "Steps of a loop so far.", ["loop"], registry=registry)
    busy = Gauge(
        "podium_loop_busy_seconds", "Time spent in a loop's steps.", ["loop"], registry=registry
    )
    failures = Gauge(
        "podium_loop_failures", "Failures in a row of a loop.", ["loop"], registry=registry
    )
    for loop in context.loops:
        steps.labels(loop.name).set(loop.steps)
        busy.labels(loop.name).set(loop.busy_seconds)
        failures.labels(loop.name).set(loop.failures)
    if context.fleet is not None:
        ready = Gauge(
            "podium_cluster_ready",
            "1 while the cluster answers this server.",
            ["cluster"],
            registry=registry,
        )
        drifts = Gauge(
            "podium_cluster_drifts",
            "What this server found changed by others in the namespaces of projects.",
            ["cluster"],
            registry=registry,
        )
        for name, sight in context.fleet.sights.items():
            ready.labels(name).set(sight.state is ClusterState.READY)
            drifts.labels(name).set(sight.drifts)
    for name, about, count in (
        ("cycles", "Cycles of this server's scheduler so far.", context.cycles.cycles),
        ("placements", "Replicas that it placed.", context.cycles.placements),
        ("preemptions", "Workloads that it asked to give way.", context.cycles.preemptions),
        ("rejections", "Parts of its plans that no longer held.", context.cycles.stale),
    ):
        Gauge(f"podium_scheduler_{name}", about, registry=registry).set(count)
    followers = Gauge("podium_log_followers", "Log streams that are open.", registry=registry)
    followers.set(context.log_tails.followers)
    streams = Gauge("podium_change_streams", "Change streams that are open.", registry=registry)
    streams.set(context.feed.subscribers)
    drift = Gauge(
        "podium_clock_drift_seconds",
        "How far the machine's clock was set since the start.",
        registry=registry,
    )
    drift.set(context.database.clock.drift_ms() / 1000)
