"""`podium simulate`: what a policy makes of a trace. `main` registers it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from podium.cli import terminal
from podium.cli.terminal import Column
from podium.cli.wording import count, format_duration_seconds, plural
from podium.domain.errors import FieldFault, UserError
from podium.simulation.queueing.trace import Machines, Runtimes, Trace

if TYPE_CHECKING:
    from podium.simulation.queueing.measures import Measures
    from podium.simulation.queueing.policies import Policy

_WORDS_WIDTH = 20
_POLICY_WIDTH = 15
_QUIET_SECONDS = 2.0
_LINE_SECONDS = 10.0


class PolicyName(StrEnum):
    """As `--policy` takes them: those of `queueing.policies`, and all of them together."""

    PODIUM = "podium"
    ATTAINED = "attained"
    FIFO = "fifo"
    FIFO_FIT = "fifo-fit"
    EASY_BACKFILL = "easy-backfill"
    SJF = "sjf"
    SRTF = "srtf"
    SRSF = "srsf"
    ALL = "all"


def simulate(
    jobs: Annotated[
        Path | None,
        typer.Option(
            "--jobs",
            metavar="FILE",
            help="A CSV with the columns submit_s, duration_s, num_gpu and, if there, job_id, "
            "group, requested_s; or a file in the Standard Workload Format, processors read as "
            "GPUs.",
            show_default=False,
        ),
    ] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="How many equal nodes.", show_default=False),
    ] = None,
    gpus_per_node: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="GPUs of each node.", show_default=False),
    ] = None,
    cluster: Annotated[
        Path | None,
        typer.Option(
            "--cluster",
            metavar="FILE",
            help="In place of equal nodes: YAML with pools of nodes, and shares of teams.",
            show_default=False,
        ),
    ] = None,
    workloads: Annotated[
        Path | None,
        typer.Option(
            "--workloads",
            metavar="FILE",
            help="In place of jobs: workload documents that also say at and runs_for.",
            show_default=False,
        ),
    ] = None,
    policy: Annotated[
        PolicyName,
        typer.Option(
            help="podium is this version's scheduler as it serves; its backfill by runtimes, "
            "fairness and preemption come with the next versions. attained is its order for "
            "unknown runtimes on its own. The others are for comparison. all runs each of them."
        ),
    ] = PolicyName.PODIUM,
    runtimes: Annotated[
        Runtimes,
        typer.Option(
            help="What the policy is told of runtimes: the true ones, those of requested_s, or "
            "nothing: then easy-backfill, sjf, srtf and srsf learn from the jobs that ended "
            "before. fifo, fifo-fit and attained never look."
        ),
    ] = Runtimes.EXACT,
    seed: Annotated[
        int, typer.Option(min=0, help="Breaks ties that a policy leaves open; none does yet.")
    ] = 0,
    eta: Annotated[
        bool,
        typer.Option(
            "--eta",
            help="Measure in place of waits how often a start falls into the range that was "
            "forecast when the job was refused first.",
        ),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of a table.")
    ] = False,
) -> None:
    """Try a policy on a trace of jobs, on virtual time: waits, completion times, utilisation.

    Each job is a gang that takes its GPUs whole and at once. The comparison policies place first
    fit and preempt without any cost: bounds, not promises.

    Examples:
      podium simulate --jobs jobs.csv --nodes 8 --gpus-per-node 8
      podium simulate --jobs jobs.csv --nodes 8 --gpus-per-node 8 --policy all
      podium simulate --jobs log.swf --nodes 20 --gpus-per-node 4 --policy easy-backfill --json
      podium simulate --jobs jobs.csv --nodes 8 --gpus-per-node 8 --runtimes unknown --eta
      podium simulate --cluster cluster.yaml --workloads workloads.yaml
    """
    if cluster is not None or workloads is not None:
        from podium.simulation.cluster.command import simulate_cluster

        _all_given(("--cluster", cluster), ("--workloads", workloads))
        _none_given(
            ("--jobs", jobs),
            ("--nodes", nodes),
            ("--gpus-per-node", gpus_per_node),
            ("--eta", eta or None),
        )
        assert cluster is not None
        assert workloads is not None
        simulate_cluster(
            cluster,
            workloads,
            policy=policy.value,
            runtimes=runtimes,
            seed=seed,
            json_output=json_output,
        )
        return
    _all_given(("--jobs", jobs), ("--nodes", nodes), ("--gpus-per-node", gpus_per_node))
    assert jobs is not None
    assert nodes is not None
    assert gpus_per_node is not None
    from podium.simulation.queueing.measures import measure
    from podium.simulation.queueing.policies import Policy, run
    from podium.simulation.queueing.reading import read_trace

    trace = read_trace(jobs)
    if trace.skipped:
        terminal.say(f"Left out, because they never ran: {plural(trace.skipped, 'job')}.")
    machines = Machines(nodes, gpus_per_node)
    if eta:
        if policy is not PolicyName.PODIUM:
            raise UserError(
                FieldFault("--eta", "is about podium's own forecasts.", "Leave --policy out.")
            )
        _measure_eta(trace, machines, runtimes, seed, json_output=json_output)
        return
    wanted = list(Policy) if policy is PolicyName.ALL else [Policy(policy)]
    results = {}
    for name in wanted:
        with _Progress(name, len(trace)) as tell:
            results[name] = measure(
                trace, machines, run(name, trace, machines, runtimes, seed, tell)
            )
    if json_output:
        head = _head(trace, machines, runtimes, seed)
        documents = [{"policy": name, **asdict(found)} for name, found in results.items()]
        terminal.document(
            {**head, "policies": documents} if policy is PolicyName.ALL else head | documents[0]
        )
        return
    _show(trace, machines, results)


def _measure_eta(
    trace: Trace, machines: Machines, runtimes: Runtimes, seed: int, *, json_output: bool
) -> None:
    from podium.simulation.queueing.forecasts import calibration, foretell

    machines.require_room(trace)
    with _Progress("forecasts", len(trace)) as tell:
        found = calibration(foretell(trace, machines, trace.estimates_ms(runtimes), seed, tell))
    if json_output:
        terminal.document({**_head(trace, machines, runtimes, seed), "eta": asdict(found)})
        return
    terminal.write(
        f"{trace.name}: {plural(found.waited, 'job')} had to wait, "
        f"{count(found.forecast)} of them with a forecast"
    )
    terminal.write("")
    parts = (("inside", found.inside), ("earlier", found.before), ("later", found.after))
    times = (
        ("wait, median", found.median_wait_s),
        ("error, median", found.median_error_s),
        ("width, median", found.median_width_s),
    )
    terminal.show_facts(
        [(words, "–" if part is None else f"{part:.1%}") for words, part in parts]
        + [(words, "–" if seconds is None else _time(seconds)) for words, seconds in times]
    )


def _all_given(*options: tuple[str, object]) -> None:
    missing = [name for name, value in options if value is None]
    if missing:
        names = ", ".join(name for name, _ in options)
        raise UserError(FieldFault(missing[0], "is missing.", f"Give {names} together."))


def _none_given(*options: tuple[str, object]) -> None:
    for name, value in options:
        if value is not None:
            wrong = "does not go together with --cluster."
            raise UserError(FieldFault(name, wrong, "The cluster file says what there is."))


def _head(trace: Trace, machines: Machines, runtimes: Runtimes, seed: int) -> dict[str, Any]:
    return {
        "trace": trace.name,
        "nodes": machines.nodes,
        "gpus_per_node": machines.gpus_per_node,
        "runtimes": runtimes.value,
        "seed": seed,
        "skipped": trace.skipped,
        "first_submit_s": trace.jobs[0].submitted_ms / 1000,
    }


def _show(trace: Trace, machines: Machines, results: dict[Policy, Measures]) -> None:
    """Policies side by side, one figure a line; below each other where the terminal is narrow."""
    terminal.write(
        f"{trace.name}: {plural(len(trace), 'job')} on {machines.gpus:,} GPUs "
        f"({machines.nodes:,} × {machines.gpus_per_node:,})"
    )
    names = list(results)
    beside = max(1, (terminal.console().width - _WORDS_WIDTH) // _POLICY_WIDTH)
    for at in range(0, len(names), beside):
        shown = [results[name] for name in names[at : at + beside]]
        columns = [Column("", style="dim")]
        columns += [Column(name, right=True) for name in names[at : at + beside]]
        terminal.write("")
        terminal.show_table(
            columns, [(words, *(cell(found) for found in shown)) for words, cell in _LINES]
        )


def _time(seconds: float) -> str:
    return format_duration_seconds(round(seconds))


_LINES: tuple[tuple[str, Callable[[Measures], str]], ...] = (
    ("wait, mean", lambda found: _time(found.wait_s.mean)),
    ("wait, median", lambda found: _time(found.wait_s.median)),
    ("wait, p95", lambda found: _time(found.wait_s.p95)),
    ("wait, p99", lambda found: _time(found.wait_s.p99)),
    ("completion, mean", lambda found: _time(found.completion_s.mean)),
    ("completion, median", lambda found: _time(found.completion_s.median)),
    ("completion, p95", lambda found: _time(found.completion_s.p95)),
    ("completion, p99", lambda found: _time(found.completion_s.p99)),
    ("bounded slowdown", lambda found: count(found.bounded_slowdown, 2)),
    ("utilisation", lambda found: f"{found.utilisation:.1%}"),
    ("makespan", lambda found: _time(found.makespan_s)),
    ("preemptions", lambda found: count(found.preemptions)),
    (
        "Jain fairness",
        lambda found: "–" if found.jain_fairness is None else f"{found.jain_fairness:.3f}",
    ),
    (
        "worst group wait",
        lambda found: "–" if found.group_wait_max is None else f"{found.group_wait_max:.2f}",
    ),
)


class _Progress:
    """Tells on stderr how far a long run is; short ones stay quiet."""

    def __init__(self, name: str, jobs: int) -> None:
        self._name = name
        self._jobs = jobs
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + _QUIET_SECONDS
        self._drawn = False

    def __enter__(self) -> Callable[[int], None]:
        return self._tell

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _tell(self, done: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        words = f"{self._name}: {done:,} of {self._jobs:,} jobs done"
        if self._terminal:
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
            self._drawn = True
            self._next = now + 0.5
        else:
            terminal.say(words)
            self._next = now + _LINE_SECONDS
