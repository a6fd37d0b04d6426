"""What the scheduler says of one workload, or would say → the documents of `spec/views/explain`.

Names stand only where the reader may see them: work of other projects is counted, and what quotas
others have is not told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from podium.domain.quantity import format_milli
from podium.domain.quota import ORGANISATION, QuotaLevel
from podium.domain.tariff import Cost, GpuTime, Tariff
from podium.domain.tenancy import Scope
from podium.domain.workload import Workload
from podium.scheduling.explain.raises import raised_words
from podium.scheduling.explain.taken import Taken
from podium.scheduling.explain.values import (
    Axis,
    Change,
    Constraint,
    DryRun,
    Entitled,
    Explanation,
    FieldValue,
    Holder,
    NodeGroup,
    Position,
    QuotaChange,
    QuotaKind,
)
from podium.scheduling.forecast.eta import Eta
from podium.scheduling.plan import Preemption
from podium.scheduling.reasons.limits import gpu_words
from podium.scheduling.reasons.wording import counted
from podium.scheduling.snapshot import Demand
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.budget import BudgetOutlook
from podium.spec.views.explain import (
    DryRunView,
    EntitledView,
    FieldChangeView,
    ForecastCostView,
    GivingWayView,
    HeldByView,
    NamedWorkloadView,
    NodeGroupView,
    OfferedChangeView,
    OfferedPlaceView,
    PlaceInLineView,
    QuotaAfterView,
    QuotaEditView,
)
from podium.spec.views.workload import CostView, EtaView
from podium.store import pools, workloads
from podium.store.database import Transaction
from podium.store.workloads import NewWorkload

ALL = "all"
_HOUR_MS = 3_600_000
_SOON_MS = 60_000
_CHANGED = (Axis.PRIORITY, Axis.MAX_RUNTIME)
"""What can be changed while it waits, so that it keeps its age in the queue."""

_NUMBERS = ("resources.gpus", "resources.cpus")


class Teller:
    """Reads the names that a document needs once. `ids` are those of workloads that it may name."""

    def __init__(self, tx: Transaction, scope: Scope, ids: Collection[str]) -> None:
        self._scope = scope
        self._workloads: Mapping[str, Workload] = workloads.workload_fetch_many(tx, scope, set(ids))
        self._teams: Collection[str] = set(pools.teams_seen(tx, scope).values())

    # -- names

    def named(self, workload_id: str) -> NamedWorkloadView | None:
        found = self._workloads.get(workload_id)
        if found is None:
            return None
        return NamedWorkloadView(
            id=found.id, name=found.name, project=found.project, owner=found.owner
        )

    def all_named(self, ids: Iterable[str]) -> list[NamedWorkloadView]:
        return [view for each in ids if (view := self.named(each)) is not None]

    def _share(self, name: str) -> tuple[QuotaLevel, str] | None:
        """What people call a share of the tree; None where this reader may not see it."""
        if name == ORGANISATION:
            return QuotaLevel.ORGANISATION, QuotaLevel.ORGANISATION.value
        team, slash, project = name.partition("/")
        if slash:
            return (QuotaLevel.PROJECT, project) if self._scope.admits(project) else None
        seen = self._scope.projects is None or team in self._teams
        return (QuotaLevel.TEAM, team) if seen else None

    # -- parts

    def holder(self, each: Holder) -> HeldByView:
        return HeldByView(
            workload=self.named(each.workload_id),
            gpu_milli=each.gpu_milli,
            cpu_milli=each.cpu_milli,
            replicas=each.replicas,
            until=utc_or_none(each.until_ms),
            sure=each.sure,
            ending=each.ending,
            starts_now=each.starts_now,
        )

    def position(self, each: Position) -> PlaceInLineView:
        ahead = self.all_named(each.ahead)
        return PlaceInLineView(
            in_project=each.in_project,
            project_waiting=each.project_waiting,
            overall=each.overall,
            waiting=each.waiting,
            turn=each.turn,
            ahead=ahead,
            ahead_hidden=len(each.ahead) - len(ahead),
        )

    def giving_way(self, preemptions: Sequence[Preemption]) -> list[GivingWayView]:
        return [
            GivingWayView(
                workload=self.named(each.workload_id),
                replicas=len(each.ranks),
                why=each.justification,
            )
            for each in preemptions
        ]

    def entitled(self, each: Entitled) -> EntitledView | None:
        share = self._share(each.share)
        if share is None:
            return None
        return EntitledView(
            level=share[0],
            name=share[1],
            gpu_type=each.gpu_type or ALL,
            guarantee_milli=each.guarantee_milli,
            limit_milli=each.limit_milli,
            used_milli=each.used_milli,
        )

    def quotas_after(
        self, entitled: Sequence[Entitled], taken: Sequence[Taken]
    ) -> list[QuotaAfterView]:
        """What may be of one type or another counts in the sum over all types alone."""
        sums = {"": sum(max(milli for _, milli in each) for each in taken)}
        for each in taken:
            if len(each) == 1:
                gpu_type, milli = each[0]
                sums[gpu_type] = sums.get(gpu_type, 0) + milli
        found = []
        for one in entitled:
            view = self.entitled(one)
            if view is not None:
                after = one.used_milli + sums.get(one.gpu_type, 0)
                found.append(QuotaAfterView(**dict(view), after_milli=after))
        return found

    def change(self, each: Change) -> OfferedChangeView:
        before, after, sentence = each.before, each.after, each.sentence
        if each.axis is Axis.QUOTA:
            before, after, sentence = self._quota_words(each)
        how = "change" if each.axis in _CHANGED else "resubmit"
        return OfferedChangeView(
            axis=each.axis,
            how="quota" if each.axis is Axis.QUOTA else how,
            before=before,
            after=after,
            sentence=sentence,
            fields=fields_told(each.fields),
            quota=[self._quota_edit(one) for one in each.quota],
            places=places_told(each.places),
            delays=len(each.delays),
            exact=each.exact,
        )

    def _quota_edit(self, each: QuotaChange) -> QuotaEditView:
        share = self._share(each.share)
        return QuotaEditView(
            level=None if share is None else share[0],
            name=None if share is None else share[1],
            kind=each.kind.value,
            gpu_type=None if each.counted else each.gpu_type or ALL,
            counted=each.counted,
            owner=each.owner or None,
            from_amount=None if share is None else each.from_amount,
            to_amount=None if share is None else each.to_amount,
        )

    def _quota_words(self, change: Change) -> tuple[str, str, str]:
        """As people call shares, and without the names of those that the reader may not see."""
        first = change.quota[0]
        if first.kind is not QuotaKind.GUARANTEE:
            return raised_words(change.quota, self._called)
        own, after = self._called(first.share), gpu_words(first.to_amount, first.gpu_type)
        sentence = f"If {own} is guaranteed {after} instead of {format_milli(first.from_amount)}"
        for each in change.quota[1:]:
            given = format_milli(each.from_amount - each.to_amount)
            sentence += f", of which {self._called(each.share)} gives up {given} that it does "
            sentence += "not use"
        before = f"{own} is guaranteed {gpu_words(first.from_amount, first.gpu_type)}"
        return before, f"{own} is guaranteed {after}", f"{sentence}, it starts now."

    def _called(self, name: str) -> str:
        share = self._share(name)
        if share is None:
            return "another project" if "/" in name else "another team"
        level, word = share
        return ORGANISATION if level is QuotaLevel.ORGANISATION else f"{level} {word}"


def ids_named(each: Explanation) -> set[str]:
    """Those of whom an explanation speaks."""
    return {
        *(holder.workload_id for holder in each.holders),
        *each.position.ahead,
        *(one.workload_id for one in each.giving_way),
    }


def group_told(each: NodeGroup) -> NodeGroupView:
    return NodeGroupView(fell=each.fell, words=each.words, count=each.count, nodes=list(each.nodes))


def places_told(places: Iterable[tuple[str, int]]) -> list[OfferedPlaceView]:
    return [OfferedPlaceView(node=node, replicas=count) for node, count in places]


def eta_told(eta: Eta | None) -> EtaView | None:
    if eta is None:
        return None
    return EtaView(early=utc(eta.early_ms), likely=utc(eta.likely_ms), late=utc(eta.late_ms))


def fields_told(fields: Iterable[tuple[str, FieldValue]]) -> list[FieldChangeView]:
    """Numbers as numbers, and the parts of what a spec may also write as one word together."""
    told: dict[str, object] = {}
    for field, value in fields:
        if field.startswith("resources.mig."):
            known = told.setdefault("resources.mig", {})
            assert isinstance(known, dict)
            known[field.rpartition(".")[2]] = value
        elif field in _NUMBERS and isinstance(value, str):
            told[field] = int(value) if value.isdecimal() else float(value)
        else:
            told[field] = list(value) if isinstance(value, tuple) else value
    return [FieldChangeView(field=field, value=value) for field, value in told.items()]


def dry_run_told(
    found: DryRun,
    new: NewWorkload,
    demand: Demand,
    taken: Sequence[Taken],
    tariff: Tariff,
    teller: Teller,
    budgets: list[BudgetOutlook],
    now_ms: int,
) -> DryRunView:
    why = found.explanation
    verdict = "starts" if found.starts_now else "impossible" if found.impossible else "waits"
    refusal = None if found.starts_now else why.refusal
    eta = found.eta
    if eta is not None and why.constraint is Constraint.TURN and eta.late_ms <= now_ms + _SOON_MS:
        eta = None  # it does not start now: the forecast is no better than that
    return DryRunView(
        name=new.wish.name,
        project=new.wish.project,
        kind=new.wish.kind,
        verdict=verdict,
        headline=_starts(found) if refusal is None else refusal.message,
        remedy="" if refusal is None else refusal.remedy,
        places=places_told(found.places),
        eta=eta_told(eta),
        position=None if found.starts_now else teller.position(why.position),
        constraint=None if refusal is None else why.constraint,
        groups=[] if refusal is None else [group_told(each) for each in why.groups],
        nodes_considered=sum(each.count for each in why.groups),
        holders=[] if refusal is None else [teller.holder(each) for each in why.holders],
        holders_in_all=0 if refusal is None else why.holders_in_all,
        giving_way=teller.giving_way(found.giving_way),
        delays=len(found.delays),
        displaces=len(found.loses),
        cost=_cost(taken, demand, tariff, now_ms),
        quotas=teller.quotas_after(why.entitled, taken),
        budgets=budgets,
        changes=[teller.change(each) for each in why.changes],
        resolved=new.resolved,
    )


def _starts(found: DryRun) -> str:
    replicas = sum(count for _, count in found.places)
    if len(found.places) == 1:
        node = found.places[0][0]
        return (
            f"It starts now on {node}."
            if replicas == 1
            else (f"It starts now: {counted(replicas, 'replica')} on {node}.")
        )
    where = counted(len(found.places), "node")
    return f"It starts now: {counted(replicas, 'replica')} on {where}."


def _cost(
    taken: Sequence[Taken], demand: Demand, tariff: Tariff, now_ms: int
) -> ForecastCostView | None:
    if not taken:
        return None

    def over(length_ms: int) -> CostView | None:
        total = 0
        currency = ""
        for each in taken:
            costs = [
                tariff.cost(
                    [GpuTime(gpu_type=gpu_type, rate_ms=now_ms, gpu_milli_ms=milli * length_ms)]
                )
                for gpu_type, milli in each
            ]
            known = [cost for cost in costs if cost is not None]
            if len(known) < len(costs):
                return None
            dearest = max(known, key=lambda cost: cost.micro_milli_ms)
            total += dearest.micro_milli_ms
            currency = dearest.currency
        cost = Cost(micro_milli_ms=total, currency=currency)
        return CostView(amount=cost.amount, currency=cost.currency)

    per_hour = over(_HOUR_MS)
    if per_hour is None:
        return None
    expected, limit_ms = demand.expected, demand.limit_ms
    return ForecastCostView(
        gpu_types=sorted({gpu_type for each in taken for gpu_type, _ in each}),
        per_hour=per_hour,
        likely=None if expected is None else over(expected.likely_ms),
        most=None if limit_ms is None else over(limit_ms),
    )
