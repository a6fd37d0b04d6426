"""Budgets, as those set them who answer for the money."""

from __future__ import annotations

from podium.domain.budget import Budget, BudgetLevel
from podium.domain.errors import FieldFault, NotFoundError, UserError
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.metering import DAY_MS
from podium.domain.rights import Action
from podium.domain.tariff import MICROS, Tariff
from podium.domain.tenancy import WHOLE, Identity
from podium.intake.office import Office, authorise, told
from podium.spec.views.budget import BudgetRequest
from podium.store import budgets, prices, projects, users
from podium.store.audit import AuditEntry, audit_append
from podium.store.database import Transaction

HINTS = ("budgets", "schedule")
"""Who has to look again after a change."""


async def budget_set(
    office: Office, identity: Identity, name: str, request: BudgetRequest
) -> Budget:
    """Make it, or put it in the place of what has this name; the same again changes nothing.

    Raises UserError with every field that is wrong, NotFoundError for a team or project that the
    person may not know of, and ForbiddenError for whom it is not theirs to limit.
    """
    now_ms = office.database.now_ms()
    await office.database.read(lambda tx: _authorise(tx, identity, request.level, request.target))

    def write(tx: Transaction) -> Budget:
        before = budgets.budget_find(tx, name)
        if before is not None:
            _authorise(tx, identity, before.budget.level, before.budget.target)
        tariff = prices.tariff_fetch(tx)
        faults = _faults(tx, name, request, tariff)
        if faults:
            raise UserError(*faults)
        wanted = _budget(name, request, tariff, _since_ms(before, request, now_ms))
        if before is None or before.budget != wanted:
            budgets.budget_set(tx, wanted, now_ms, identity.username)
        earlier = None if before is None else before.budget
        audit_append(tx, [_entry(identity, earlier, wanted)], now_ms)
        return wanted

    found = await office.database.write(write)
    office.hints.wake(*HINTS)
    return found


async def budget_remove(office: Office, identity: Identity, name: str) -> None:
    """Raises NotFoundError."""

    def write(tx: Transaction) -> AuditEntry:
        before = visible_budget(tx, identity, name).budget
        _authorise(tx, identity, before.level, before.target)
        budgets.budget_remove(tx, name)
        return _entry(identity, before, None)

    await told(office, write)
    office.hints.wake(*HINTS)


def visible_budget(tx: Transaction, identity: Identity, name: str) -> budgets.Kept:
    """Raises NotFoundError, also for one whose spending this person may not see."""
    found = budgets.budget_find(tx, name)
    if found is None or not may_see(identity, found.budget):
        raise NotFoundError(f"There is no budget {name} that you can see.")
    return found


def may_see(identity: Identity, budget: Budget) -> bool:
    """Who may see what was spent sees the budget; everyone sees that for themselves."""
    if identity.may(Action.USAGE_READ):
        return True
    if budget.level is BudgetLevel.PROJECT:
        return identity.may(Action.USAGE_READ, budget.target)
    if budget.level is BudgetLevel.TEAM:
        return identity.may(Action.USAGE_READ, team=budget.target)
    return budget.level is BudgetLevel.USER and budget.target == identity.username


def _authorise(tx: Transaction, identity: Identity, level: BudgetLevel, target: str) -> None:
    """Who is limited by a budget does not set it: that of a project is set by who may do so for
    its team, all others by who may for the organisation."""
    if level is BudgetLevel.PROJECT and not identity.may(Action.BUDGET_SET):
        team = projects.project_fetch(tx, identity.known, target).team
        if identity.may(Action.BUDGET_SET, team=team):
            return
    authorise(identity, Action.BUDGET_SET)


def _budget(name: str, request: BudgetRequest, tariff: Tariff, since_ms: int) -> Budget:
    money = request.money is not None
    amount = request.money if money else request.gpu_hours
    assert amount is not None, "checked before"
    return Budget(
        name=name,
        level=request.level,
        target=request.target,
        amount=int(amount * (MICROS if money else 1000)),
        currency=(request.currency or tariff.currency) if money else None,
        period=request.period,
        gpu_types=tuple(sorted(set(request.gpu_types))),
        thresholds=tuple(sorted(set(request.thresholds))),
        when_spent=request.when_spent,
        since_ms=since_ms,
        note=request.note.strip(),
    )


def _since_ms(before: budgets.Kept | None, request: BudgetRequest, now_ms: int) -> int:
    """A total counts from the midnight before it was made, and goes on when it is changed."""
    if before is not None and before.budget.period is request.period:
        return before.budget.since_ms
    return now_ms // DAY_MS * DAY_MS


def _faults(tx: Transaction, name: str, request: BudgetRequest, tariff: Tariff) -> list[FieldFault]:
    found: list[FieldFault] = []
    fault = name_fault(name)
    if fault is not None:
        found.append(FieldFault("name", f"{fault}.", f"Try '{name_suggestion(name)}'."))
    if (request.money is None) == (request.gpu_hours is None):
        wrong = "cannot go together with money." if request.money is not None else "is missing."
        found.append(FieldFault("gpu_hours", wrong, "Give one of gpu_hours and money."))
    if request.money is not None:
        found += _of_currency(request, tariff)
    elif request.currency is not None:
        found.append(
            FieldFault("currency", "says nothing about GPU-hours.", "Leave it out, or give money.")
        )
    found += _of_target(tx, request)
    known = set(prices.gpu_types(tx))
    found += [
        FieldFault(
            "gpu_types",
            f"There is no GPU type {each}.",
            f"Write one of: {', '.join(sorted(known))}." if known else "Leave it out.",
        )
        for each in request.gpu_types
        if each not in known
    ]
    return found


def _of_currency(request: BudgetRequest, tariff: Tariff) -> list[FieldFault]:
    if tariff.currency is None:
        return [
            FieldFault(
                "money",
                "nothing has a price yet.",
                "Set prices first (podium price set), or give gpu_hours.",
            )
        ]
    if request.currency in (None, tariff.currency):
        return []
    return [
        FieldFault(
            "currency",
            f"'{request.currency}' is not the currency of the prices.",
            f"Write {tariff.currency}, or leave it out.",
        )
    ]


def _of_target(tx: Transaction, request: BudgetRequest) -> list[FieldFault]:
    level, target = request.level, request.target
    if level is BudgetLevel.ORGANISATION:
        return [FieldFault("target", "is named for the organisation.", "Leave it out.")] * bool(
            target
        )
    if not target:
        return [FieldFault("target", "is missing.", f"Name the {level.value.replace('-', ' ')}.")]
    match level:
        case BudgetLevel.TEAM:
            there = projects.team_find(tx, target) is not None
        case BudgetLevel.PROJECT:
            there = bool(projects.projects_there(tx, WHOLE, [target]))
        case BudgetLevel.COST_CENTRE:
            known = budgets.cost_centre_list(tx)
            if target in known:
                return []
            choice = f"Write one of: {', '.join(known[:20])}." if known else "Give a team one."
            return [FieldFault("target", f"No team or project is billed to '{target}'.", choice)]
        case BudgetLevel.USER:
            there = users.user_find(tx, target) is not None
    if there:
        return []
    noun = "person" if level is BudgetLevel.USER else level.value
    return [FieldFault("target", f"There is no {noun} {target}.", f"Name a {noun} that exists.")]


def _entry(identity: Identity, before: Budget | None, after: Budget | None) -> AuditEntry:
    budget = after or before
    assert budget is not None
    return AuditEntry(
        actor=identity.username,
        action=Action.BUDGET_SET,
        subject=budget.name,
        project=budget.target if budget.level is BudgetLevel.PROJECT else None,
        detail={"before": _said(before), "after": _said(after)},
    )


def _said(budget: Budget | None) -> dict[str, object] | None:
    if budget is None:
        return None
    return {
        "whose": budget.whose,
        "amount": str(budget.decimal_amount),
        "currency": budget.currency,
        "period": budget.period.value,
        "gpu_types": [*budget.gpu_types],
        "thresholds": [*budget.thresholds],
        "when_spent": budget.when_spent.value,
        "note": budget.note,
    }
