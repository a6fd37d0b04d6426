"""How budgets stand, and what a spent one holds back. The scheduler, the budget loop and the API
ask; what was spent comes from `store/spending`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from podium.domain.budget import Budget, BudgetLevel, Fastest, Span, Standing
from podium.domain.metering import Dimension
from podium.domain.quantity import GPU_MILLI
from podium.domain.reason import Evidence, Refusal, WaitReason
from podium.domain.resources import Isolation, Request
from podium.spec.calendar import span_of
from podium.spec.views.base import utc
from podium.store import tables
from podium.store.budgets import Kept, budgets_spent
from podium.store.database import Transaction
from podium.store.metering import cost_centre
from podium.store.prices import tariff_fetch
from podium.store.spending import Account, spent

_PARTS_MAX = 8
"""No GPU is cut into more MIG instances."""
_MILLI_MAX = _PARTS_MAX * GPU_MILLI
_DIMENSIONS = {
    BudgetLevel.ORGANISATION: Dimension.ORGANISATION,
    BudgetLevel.TEAM: Dimension.TEAM,
    BudgetLevel.PROJECT: Dimension.PROJECT,
    BudgetLevel.COST_CENTRE: Dimension.COST_CENTRE,
    BudgetLevel.USER: Dimension.USER,
}


def standings(tx: Transaction, budgets: Sequence[Budget], now_ms: int) -> list[Standing]:
    """One for each, in their order; what runs counts up to now."""
    if not budgets:
        return []
    spans = [span_of(each, now_ms) for each in budgets]
    accounts = [
        Account(
            level=_DIMENSIONS[budget.level],
            name=budget.target,
            gpu_types=budget.gpu_types,
            since_ms=span.since_ms,
            until_ms=now_ms + 1 if span.until_ms is None else span.until_ms,
        )
        for budget, span in zip(budgets, spans, strict=True)
    ]
    found = []
    for budget, span, had in zip(budgets, spans, spent(tx, accounts, now_ms), strict=True):
        if budget.currency is None:
            found.append(_standing(budget, span, now_ms, had.gpu_milli_ms, had.gpu_milli))
        elif had.cost is None or had.cost.currency != budget.currency:
            found.append(_standing(budget, span, now_ms, None, 0))
        else:
            rate = (had.micros_per_hour or 0) * 1000
            found.append(_standing(budget, span, now_ms, had.cost.micro_milli_ms, rate))
    return found


def fastest(tx: Transaction) -> Fastest:
    """With every device held at the dearest price, and every slice of it as if it were one."""
    devices = tx.scalar(sa.select(sa.func.count()).select_from(tables.devices)) or 0
    prices = tariff_fetch(tx).dearest_micros
    return Fastest(gpu_milli=devices * _MILLI_MAX, micros_per_hour=devices * _PARTS_MAX * prices)


def _standing(budget: Budget, span: Span, now_ms: int, exactly: int | None, rate: int) -> Standing:
    return Standing(budget=budget, span=span, at_ms=now_ms, exactly=exactly, rate=rate)


class Blocks:
    """The budgets that let nothing new start now, and whose work each holds back."""

    def __init__(
        self,
        kept: Sequence[Kept] = (),
        teams: Mapping[str, str] | None = None,
        cost_centres: Mapping[str, str] | None = None,
        gpu_types: Sequence[str] = (),
    ) -> None:
        self._kept = tuple(kept)
        self._teams, self._cost_centres = teams or {}, cost_centres or {}
        self._gpu_types = tuple(gpu_types)
        self._known: dict[tuple[str, str], tuple[Kept, ...]] = {}
        self._afforded: dict[tuple[str, str, Request], tuple[Request, Refusal | None]] = {}

    def afforded(
        self, project: str, owner: str, request: Request
    ) -> tuple[Request, Refusal | None]:
        """The request without the GPU types that may not be spent on any more, and why it must
        wait where that leaves none. Work without GPUs spends nothing."""
        if not self._kept or not request.wants_gpu:
            return request, None
        key = (project, owner, request)
        found = self._afforded.get(key)
        if found is None:
            found = self._afforded[key] = self._without(self.of(project, owner), request)
        return found

    def holds(self, project: str, owner: str, gpu_type: str) -> bool:
        """Whether a GPU of this type, as prices name it, is spent of one of them."""
        folded = gpu_type.casefold()
        return any(
            not each.budget.gpu_types
            or folded in {name.casefold() for name in each.budget.gpu_types}
            for each in self.of(project, owner)
        )

    def of(self, project: str, owner: str) -> tuple[Kept, ...]:
        """Those that count what this person spends in this project."""
        found = self._known.get((project, owner))
        if found is None:
            found = tuple(each for each in self._kept if self._is_of(each.budget, project, owner))
            self._known[project, owner] = found
        return found

    def _without(self, kept: Sequence[Kept], request: Request) -> tuple[Request, Refusal | None]:
        types = request.gpu_types or self._gpu_types
        left = types
        for each in kept:
            left = tuple(name for name in left if not _counts(each.budget, name, request))
            if not left and (types or not each.budget.gpu_types):
                return request, _refusal(each)
        return (request if left == types else replace(request, gpu_types=left)), None

    def _is_of(self, budget: Budget, project: str, owner: str) -> bool:
        match budget.level:
            case BudgetLevel.ORGANISATION:
                return True
            case BudgetLevel.TEAM:
                return self._teams.get(project) == budget.target
            case BudgetLevel.PROJECT:
                return project == budget.target
            case BudgetLevel.COST_CENTRE:
                return self._cost_centres.get(project) == budget.target
            case BudgetLevel.USER:
                return owner == budget.target


NOTHING = Blocks()


def blocks_fetch(tx: Transaction, now_ms: int) -> Blocks:
    return blocks_of(tx, budgets_spent(tx, now_ms))


def blocks_of(tx: Transaction, kept: Sequence[Kept]) -> Blocks:
    """As if these were spent."""
    if not kept:
        return NOTHING
    project, team, device = tables.projects, tables.teams, tables.devices
    rows = tx.execute(
        sa.select(project.c.name, project.c.team, cost_centre()).select_from(
            sa.join(project, team, team.c.name == project.c.team)
        )
    ).all()
    types = sa.select(device.c.type).distinct().order_by(device.c.type)
    return Blocks(
        kept,
        {name: team_name for name, team_name, _ in rows},
        {name: centre for name, _, centre in rows},
        tx.scalars(types).all(),
    )


def _counts(budget: Budget, gpu_type: str, request: Request) -> bool:
    """Whether what the request takes of this type is spent of the budget. A MIG instance has a
    price of its own; which one a share will stand on is not known before."""
    if not budget.gpu_types:
        return True
    folded = gpu_type.casefold()
    wanted = {each.casefold() for each in budget.gpu_types}
    if request.mig_profile is not None:
        return f"{folded} {request.mig_profile.casefold()}" in wanted
    if request.isolation is Isolation.MIG:
        return any(each == folded or each.startswith(f"{folded} ") for each in wanted)
    return folded in wanted


def _refusal(kept: Kept) -> Refusal:
    budget = kept.budget
    until = "" if kept.until_ms is None else f" until {utc(kept.until_ms):%Y-%m-%d %H:%M} UTC"
    whole = "Wait until then, or ask" if until else "Ask"
    return Refusal(
        WaitReason.BUDGET,
        f"The budget {budget.name} of {budget.whose} is spent{until}.",
        f"{whole} {kept.updated_by}, who set it, for more.",
        (Evidence("budget", budget.name), Evidence("whose", budget.whose)),
    )
