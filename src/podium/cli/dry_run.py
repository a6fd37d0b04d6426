"""What `submit --dry-run` and `run --dry-run` print: what would become of work that is not
submitted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from podium.cli import terminal
from podium.cli.explain import place_words, setting_of
from podium.cli.failure import ExitCode
from podium.cli.foretold import show_giving_way, show_holders, show_nodes, show_quotas
from podium.cli.wording import clock, cost_words, eta_words, plain, plural

if TYPE_CHECKING:
    from rich.text import Text

    from podium.client.client import Client
    from podium.spec.views.budget import BudgetOutlook
    from podium.spec.views.explain import DryRunView, ForecastCostView

_STYLES = {"starts": "green", "waits": "yellow", "impossible": "red"}


def dry_run(
    client: Client, specs: Sequence[dict[str, Any]], *, defaults: bool, as_json: bool
) -> ExitCode:
    """FAILED when one of them can never start here. `defaults`: also as they are understood."""
    sent = [without_path(spec) for spec in specs]
    found = client.workloads.dry_run_many(sent)
    for number, (spec, view) in enumerate(zip(specs, found, strict=True)):
        told = view.model_copy(update={"resolved": {**view.resolved, **_source_of(spec)}})
        if as_json:
            terminal.document(told)
            continue
        if number:
            terminal.write("")
        show_dry_run(told, datetime.now(UTC))
        if defaults:
            _show_document(told.resolved)
    impossible = any(view.verdict == "impossible" for view in found)
    return ExitCode.FAILED if impossible else ExitCode.OK


def show_dry_run(view: DryRunView, now: datetime) -> None:
    from rich.text import Text

    head = Text(plain(view.name), style="bold") + Text("  ")
    head.append(plain(view.headline), style=_STYLES.get(view.verdict, ""))
    terminal.paragraph(head)
    if view.remedy and not view.changes:
        terminal.paragraph(Text(f"→ {plain(view.remedy)}"), hanging=2)
    facts: list[tuple[str, str | Text]] = []
    if view.verdict == "waits":
        facts.append(("Starts", eta_words(view.eta, now) or "nobody can say yet"))
        if view.position is not None:
            facts.append(("Place in the queue", place_words(view.position)))
    facts += [
        ("Cost", _cost(view.cost)),
        *(("Budget", _budget(each)) for each in view.budgets),
        ("Others", _others(view)),
    ]
    if any(value for _, value in facts):
        terminal.show_facts(facts)
    if view.verdict != "starts":
        show_nodes(view.groups)
        show_holders(view.holders, view.holders_in_all, now)
    show_giving_way(view.giving_way)
    show_quotas(view.quotas)
    if not view.changes:
        return
    terminal.write("")
    terminal.heading("It would start now")
    for number, each in enumerate(view.changes, start=1):
        terminal.paragraph(Text(f"{number}. {plain(each.sentence)}"), hanging=3)
        settings = "  ".join(f"--set {setting_of(field)}" for field in each.fields)
        if settings:
            terminal.console().print(Text(f"   {settings}", style="cyan"), soft_wrap=True)


def _budget(budget: BudgetOutlook) -> str:
    unit = budget.currency or "GPU-hours"
    words = (
        f"{budget.name} of {budget.whose}: {budget.left:,f} {unit} left ({budget.percent} % spent)"
    )
    if budget.blocks:
        return f"{words}; it is spent, so nothing new starts"
    words += f", this takes {budget.per_hour:,f} an hour"
    if budget.runs_out_at is None:
        return words
    return f"{words}; spent {clock(budget.runs_out_at)} with it"


def _cost(cost: ForecastCostView | None) -> str:
    if cost is None:
        return ""
    parts = [f"{cost_words(cost.per_hour)} an hour"]
    if cost.likely is not None:
        parts.append(f"likely {cost_words(cost.likely)}")
    if cost.most is not None:
        parts.append(f"{cost_words(cost.most)} at most")
    return ", ".join(parts)


def _others(view: DryRunView) -> str:
    parts = []
    if view.displaces:
        parts.append(f"{plural(view.displaces, 'workload')} would not start now because of it")
    if view.delays:
        parts.append(f"{plural(view.delays, 'workload')} with nodes kept would start later")
    return "; ".join(parts)


def without_path(spec: dict[str, Any]) -> dict[str, Any]:
    """A check uploads nothing: a local folder is stood in for by a hash of the right form."""
    source = spec.get("source")
    if isinstance(source, dict) and "path" in source:
        rest = {key: value for key, value in source.items() if key != "path"}
        return {**spec, "source": {**rest, "upload": "0" * 64}}
    return spec


def _source_of(spec: dict[str, Any]) -> dict[str, Any]:
    """A local folder is shown as it was written, not as what stood in for it."""
    source = spec.get("source")
    return {"source": source} if isinstance(source, dict) and "path" in source else {}


def _show_document(resolved: dict[str, Any]) -> None:
    import yaml

    terminal.write("---")
    terminal.write(yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True).rstrip())
