"""What `podium cancel` and `podium set` share: which workloads, whether it is meant, what came of
it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from podium.cli import terminal
from podium.cli.failure import ExitCode
from podium.cli.wording import plural, state_words
from podium.domain.errors import FieldFault, UserError
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState

if TYPE_CHECKING:
    from podium.client.client import Client
    from podium.client.workloads import Filter
    from podium.spec.views.workload import ActionView, WorkloadView

SHOWN_MAX = 10
LIVING = tuple(state for state in WorkloadState if state not in WORKLOAD_ENDS)


def check_choice(refs: Sequence[str] | None, where: Filter, *, everything: bool) -> None:
    """Either names or filters. A project alone is too much to mean by accident."""
    from podium.client.workloads import Filter

    filtered = everything or replace(where, project=None) != Filter()
    if refs and filtered:
        raise typer.BadParameter("goes either with names or with filters, not with both.")
    if not refs and not filtered:
        raise typer.BadParameter(
            "needs the names of workloads, or filters such as --label; --all takes all that live."
        )


def confirmed(verb: str, living: Sequence[WorkloadView], total: int) -> bool:
    """Shows some of them and asks."""
    for view in living[:SHOWN_MAX]:
        terminal.say(f"  {state_words(view.state)}  {view.name}  {view.id}")
    if total > SHOWN_MAX:
        terminal.say(f"  … and {total - SHOWN_MAX:,} more")
    if typer.confirm(f"{verb} {plural(total, 'workload')}?", err=True):
        return True
    terminal.say("Nothing was changed.")
    return False


def meant(client: Client, verb: str, where: Filter, *, yes: bool) -> Filter | None:
    """The filter for what of it lives; None when there is nothing, or it was not meant."""
    states = tuple(state for state in where.states if state in LIVING) if where.states else LIVING
    living = replace(where, states=states)
    page = client.workloads.page(living, limit=SHOWN_MAX) if states else None
    if page is None or not page.items:
        terminal.say("Nothing that lives matches.")
        return None
    if yes:
        return living
    if not terminal.interactive():
        raise UserError(
            FieldFault("--yes", "is needed for filters where nobody can be asked.", "Add --yes.")
        )
    return living if confirmed(verb, page.items, page.total) else None


def told(done: str, view: ActionView, *, as_json: bool) -> ExitCode:
    """Says what an action did."""
    if as_json:
        terminal.document(view)
    else:
        left = f", {view.unchanged:,} left as they were" if view.unchanged else ""
        terminal.write(f"{plural(view.done, 'workload')} {done}{left}.")
        for fault in view.faults[:SHOWN_MAX]:
            terminal.say(f"  {fault.id}: {fault.detail}")
        if view.fault_count > SHOWN_MAX:
            terminal.say(f"  … and {view.fault_count - SHOWN_MAX:,} more that could not be")
    return ExitCode.FAILED if view.fault_count else ExitCode.OK
