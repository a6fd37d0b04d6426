"""`podium explain`: why a workload is not running, and with which changes it would start now."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from podium.cli import options, terminal
from podium.cli.ceilings import ceiling_option
from podium.cli.connection import connect
from podium.cli.foretold import show_giving_way, show_holders, show_nodes, show_quotas
from podium.cli.show import show_history, show_hold_up, show_remedy
from podium.cli.terminal import Column
from podium.cli.wording import (
    ago,
    cause_words,
    clock,
    eta_words,
    moment,
    plain,
    plural,
    state_colour,
)
from podium.domain.quantity import format_milli

if TYPE_CHECKING:
    from rich.text import Text

    from podium.spec.views.explain import (
        ExplanationView,
        FieldChangeView,
        OfferedChangeView,
        PlaceInLineView,
        QuotaEditView,
    )
    from podium.spec.views.workload import RefusalView


_TOLD = ("start_time", "impossible_type", "impossible_size")
"""Whose sentence says all about when."""


def explain(
    ref: options.Ref, project: options.Project = None, json_output: options.Json = False
) -> None:
    """Say why a workload is not running, and what would let it start.

    What is offered was tried: with it the scheduler would start the workload now, without taking
    the place of anyone who starts now. Each comes with the command that does it.

    Examples:
      podium explain digits
      podium explain w-01k2x5e8g7h3m9qz --json
    """
    with connect(project) as client:
        answer = client.workloads.explain(ref)
    if json_output:
        terminal.document(answer)
        return
    show_explanation(answer, datetime.now(UTC))


def show_explanation(answer: ExplanationView, now: datetime) -> None:
    from rich.text import Text

    style = f"bold {state_colour(answer.state)}".strip()
    terminal.paragraph(Text(plain(answer.headline), style=style))
    waiting = answer.waiting
    if waiting is None:
        if answer.remedy:
            show_remedy(answer.remedy)
        if answer.hold_up is not None:
            show_hold_up(answer.hold_up, now, said=answer.headline)
        show_history(answer.events)
        return
    if waiting.message and waiting.message not in answer.headline:
        terminal.paragraph(Text(plain(waiting.message)))
    if waiting.remedy and not answer.changes:
        terminal.paragraph(Text(f"→ {plain(waiting.remedy)}"), hanging=2)
    if answer.looked_at is None:
        _evidence(waiting)
    terminal.write("")
    terminal.show_facts(_facts(answer, waiting, now))
    show_nodes(answer.groups)
    show_holders(answer.holders, answer.holders_in_all, now)
    show_giving_way(answer.giving_way)
    show_quotas(answer.quotas)
    _changes(answer)


def _facts(
    answer: ExplanationView, waiting: RefusalView, now: datetime
) -> list[tuple[str, str | Text]]:
    place = ""
    if answer.queue_position is not None and answer.queue_length is not None:
        place = f"{answer.queue_position:,} of {answer.queue_length:,}"
    if answer.position is not None:
        place = place_words(answer.position)
    expected = eta_words(answer.eta, now)
    known = answer.starts_now or answer.kept_from is not None
    if not expected and answer.looked_at is not None and not known:
        expected = "" if waiting.reason in _TOLD else "nobody can say yet"
    kept = ""
    if answer.kept:
        kept = "yes"
        if answer.kept_from is not None:
            kept += f", it is expected to fit at {moment(answer.kept_from, now)}"
    return [
        ("Reason", cause_words(waiting.reason)),
        ("Since", f"{clock(waiting.since)} ({ago(waiting.since, now)})"),
        ("Place in the queue", place),
        ("Starts", expected),
        ("Nodes are kept for it", kept),
    ]


def place_words(position: PlaceInLineView) -> str:
    """`"3 of 12, 2 of 4 in its project; after train-a and 2 more"`."""
    words = f"{position.overall:,} of {position.waiting:,}"
    if position.project_waiting < position.waiting:
        words += f", {position.in_project:,} of {position.project_waiting:,} in its project"
    if position.ahead:
        words += f"; after {plain(position.ahead[-1].name)}"
        others = len(position.ahead) - 1 + position.ahead_hidden
        words += f" and {plural(others, 'other')}" if others else ""
    elif position.ahead_hidden:
        words += "; after work of other projects"
    return words


def _evidence(waiting: RefusalView) -> None:
    if not waiting.evidence:
        return
    terminal.write("")
    columns = (Column("SUBJECT"), Column("FACT"), Column("VALUE", right=True))
    terminal.show_table(
        columns,
        [
            (evidence.subject or "–", cause_words(evidence.fact), evidence.value)
            for evidence in waiting.evidence
        ],
    )


def _changes(answer: ExplanationView) -> None:
    from rich.text import Text

    if not answer.changes:
        return
    terminal.write("")
    terminal.heading("It would start now")
    for number, each in enumerate(answer.changes, start=1):
        sentence = plain(each.sentence)
        if each.delays:
            sentence += f" {plural(each.delays, 'workload')} with nodes kept would start later."
        terminal.paragraph(Text(f"{number}. {sentence}"), hanging=3)
        command = command_of(answer.workload_id, each)
        if command:
            # Not wrapped, so that it can be copied.
            terminal.console().print(Text(f"   {command}", style="cyan"), soft_wrap=True)


def command_of(workload_id: str, change: OfferedChangeView) -> str:
    """What does it; empty where no one command can."""
    if change.how == "quota":
        if any(each.level is None for each in change.quota):
            return ""
        return " && ".join(_quota_command(each) for each in change.quota)
    if change.how == "change":
        words = ["podium", "set", workload_id]
        for each in change.fields:
            words += [f"--{each.field.replace('_', '-')}", str(each.value)]
        return shlex.join(words)
    if not all(map(_is_settable, change.fields)):
        return ""
    words = ["podium", "clone", workload_id, "--replace"]
    for each in change.fields:
        words += ["--set", setting_of(each)]
    return shlex.join(words)


def setting_of(change: FieldChangeView) -> str:
    """`"resources.gpus=2"`, as `--set` reads it."""
    value = change.value
    if value is None:
        return f"{change.field}=null"
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{change.field}={text}"


def _is_settable(change: FieldChangeView) -> bool:
    """A label with a dot in its name cannot be named by dots."""
    labels = "resources.nodes."
    return not change.field.startswith(labels) or "." not in change.field.removeprefix(labels)


def _quota_command(each: QuotaEditView) -> str:
    assert each.level is not None
    assert each.to_amount is not None
    words = ["podium", "quota", "set", each.level.value]
    if each.level.value != "organisation":
        words.append(each.name or "")
    if each.counted is not None:
        return shlex.join([*words, *ceiling_option(each.counted, each.to_amount)])
    option = f"--{each.kind.replace('_', '-')}"
    return shlex.join([*words, option, f"{each.gpu_type}={format_milli(each.to_amount)}"])
