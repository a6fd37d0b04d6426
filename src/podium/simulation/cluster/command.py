"""`podium simulate --cluster FILE --workloads FILE`; `simulation.simulate` hands over to it."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from podium.cli import terminal
from podium.cli.terminal import Column
from podium.cli.wording import count, format_duration_seconds, plural
from podium.domain.errors import FieldFault, UserError
from podium.domain.policy import Order, Preempt, SchedulingPolicy
from podium.simulation.cluster.inventory import Cluster, read_cluster
from podium.simulation.cluster.report import Report, Story, report
from podium.simulation.cluster.run import run
from podium.simulation.cluster.workloads import read_workloads
from podium.simulation.queueing.trace import Runtimes

POLICIES = ("podium", "fifo")
_NODES_SHOWN = 3


def simulate_cluster(
    cluster_file: Path,
    workloads_file: Path,
    *,
    policy: str,
    runtimes: Runtimes,
    seed: int,
    json_output: bool,
) -> None:
    """Raises UserError for what the files or the policy cannot mean."""
    cluster = read_cluster(cluster_file)
    chosen = _policy(cluster, policy)
    planned = read_workloads(workloads_file, cluster)
    with terminal.busy(plural(len(planned), "workload")):
        timeline = run(cluster, planned, policy=chosen, runtimes=runtimes, seed=seed)
    found = report(cluster, planned, timeline)
    if json_output:
        head = {
            "cluster": cluster.name,
            "workloads_file": workloads_file.name,
            "nodes": len(cluster.nodes),
            "gpus": cluster.gpus,
            "policy": policy,
            "runtimes": runtimes.value,
            "seed": seed,
        }
        terminal.document(head | asdict(found))
    else:
        _show(cluster, found)


def _policy(cluster: Cluster, name: str) -> SchedulingPolicy:
    if name == "podium":
        return cluster.policy
    if name == "fifo":
        return replace(cluster.policy, order=Order.FIFO, preempt=Preempt.NEVER)
    wrong = f"{name} is for traces of jobs."
    raise UserError(FieldFault("--policy", wrong, f"With --cluster: {', '.join(POLICIES)}."))


def _show(cluster: Cluster, found: Report) -> None:
    terminal.write(
        f"{cluster.name}: {plural(len(found.workloads), 'workload')} on "
        f"{plural(len(cluster.nodes), 'node')} with {plural(cluster.gpus, 'GPU')}"
    )
    terminal.write("")
    columns = (
        Column("WORKLOAD", style="bold", cut=True),
        Column("PROJECT", drop=2),
        Column("AT", right=True),
        Column("WAITED", right=True),
        Column("RAN", right=True),
        Column("WHERE", drop=1, cut=True),
        Column("WHY IT WAITED", cut=True),
    )
    terminal.show_table(columns, [_row(one) for one in found.workloads])
    terminal.write("")
    totals = found.totals
    terminal.show_facts(
        [
            ("wait, mean", _time(totals.wait_s.mean if totals.wait_s else None)),
            ("wait, p95", _time(totals.wait_s.p95 if totals.wait_s else None)),
            ("completion, mean", _time(totals.completion_s.mean if totals.completion_s else None)),
            ("bounded slowdown", _number(totals.bounded_slowdown, 2)),
            ("utilisation", "–" if totals.utilisation is None else f"{totals.utilisation:.1%}"),
            ("makespan", _time(totals.makespan_s)),
            ("preemptions", count(totals.preemptions)),
            ("Jain fairness", _number(totals.jain_fairness, 3)),
            ("not ended", ", ".join(totals.unfinished)),
        ]
    )


def _row(one: Story) -> tuple[str, ...]:
    ran = _time(one.ran_s)
    return (
        one.name,
        one.project,
        _time(one.submitted_s),
        _time(one.waited_s),
        f"{ran} (limit)" if one.stopped_at_limit else ran,
        _where(one),
        _why(one),
    )


def _where(one: Story) -> str:
    nodes = list(dict.fromkeys(stay.node for stay in one.stays))
    more = len(nodes) - _NODES_SHOWN
    return ", ".join(nodes[:_NODES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _why(one: Story) -> str:
    """The reasons in their order; the sentence of the last one where it never started."""
    if one.started_s is None and one.reasons:
        last = one.reasons[-1]
        return f"{last.message} (since {_time(last.since_s)})"
    names = [each.reason.replace("_", " ") for each in one.reasons] if one.waited_s else []
    names += [f"gave way to {each.in_favour_of}" for each in one.gave_way]
    return ", then ".join(names)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return format_duration_seconds(round(seconds)) if round(seconds) else "0 s"


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else count(value, decimals)
