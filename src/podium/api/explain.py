"""What the scheduler would do: why a workload waits, and what would become of one that is not
submitted yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from podium.api.answers import answer, body_of
from podium.api.budget_outlook import budget_outlooks
from podium.api.context import Context, Ctx, Who
from podium.api.explained import (
    Teller,
    dry_run_told,
    eta_told,
    group_told,
    ids_named,
)
from podium.api.holdups import remedy_words, workload_hold_up_view
from podium.api.parameters import WorkloadId
from podium.api.render import event_view, refusal_view
from podium.api.workloads import SPEC_BODY, documents_of
from podium.control.schedule import SEED, Sight
from podium.domain.errors import BusyError, FieldFault, TemporaryError, UserError
from podium.domain.headline import headline
from podium.domain.lifecycle import ReplicaState, WorkloadState
from podium.domain.policies import Policies
from podium.domain.pool import sole_pool
from podium.domain.tenancy import Identity, Scope
from podium.domain.workload import Workload
from podium.intake.workloads import workload_wished
from podium.scheduling.evolution import evolved
from podium.scheduling.explain.dry_run import dry_run
from podium.scheduling.explain.explanation import explanation
from podium.scheduling.explain.taken import Taken, gpus_taken
from podium.scheduling.explain.values import DryRun, Explanation
from podium.scheduling.snapshot import Demand
from podium.scheduling.view import view_of
from podium.spec.views.base import utc, utc_or_none
from podium.spec.views.explain import DryRunsView, ExplanationView
from podium.spec.workload import SPEC_BYTES_MAX
from podium.store import etas, events, holdups, policies, prices, queue, workloads
from podium.store.database import Transaction
from podium.store.wished import wished
from podium.store.workloads import NewWorkload

router = APIRouter(prefix="/workloads", tags=["workloads"])

DOCUMENTS_MAX = 50
_EVENTS = 20
_ETA_MOST = 20
_ETA_SIZE_MAX = 2_000
"""Of a larger cluster a forecast for a work that is not there takes too long to wait for."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store says of a workload that is to be explained."""

    workload: Workload
    counts: dict[ReplicaState, int]
    view: ExplanationView
    priority_max: int


@router.get("/{workload_id}/explain", response_model=ExplanationView)
async def explain(workload_id: WorkloadId, context: Ctx, who: Who) -> Response:
    """Why it is not running, or what it is doing instead: one sentence, the evidence, and the
    smallest changes with which it would start now, each of which was tried."""
    known = await context.database.read(lambda tx: _known(tx, who.scope, workload_id))
    if known.view.waiting is None:
        return answer(known.view)

    def place(tx: Transaction) -> ExplanationView:
        """Counts all that wait, which takes a while where that is much."""
        if known.workload.state is not WorkloadState.QUEUED:
            return known.view
        position, length = queue.queue_position(tx, workload_id)
        return known.view.model_copy(update={"queue_position": position, "queue_length": length})

    def play(sight: Sight) -> tuple[Explanation, int] | None:
        if workload_id not in view_of(sight.snapshot).demands:
            return None
        found = explanation(
            sight.snapshot,
            sight.plan,
            workload_id,
            sight.now_ms,
            SEED,
            priority_max=known.priority_max,
        )
        return found, sight.now_ms

    try:
        played = await context.foresight.ask(play)
    except BusyError:
        raise
    except TemporaryError:
        played = None  # what the store says stands, without more
    if played is None:
        return answer(await context.database.read(place))
    found, at_ms = played
    return answer(await context.database.read(lambda tx: _told(tx, who.scope, known, found, at_ms)))


def _known(tx: Transaction, scope: Scope, workload_id: str) -> _Known:
    workload = workloads.workload_fetch(tx, scope, workload_id)
    counts = workloads.replica_counts_many(tx, [workload_id])[workload_id]
    latest = events.event_list(tx, scope, workload_id, limit=_EVENTS, newest=True)
    view = ExplanationView(
        workload_id=workload_id,
        state=workload.state,
        headline=headline(workload, counts),
        waiting=refusal_view(workload, counts, scope),
        hold_up=workload_hold_up_view(holdups.workload_hold_up(tx, scope, workload_id)),
        remedy=remedy_words(workload),
        events=[event_view(each) for each in latest],
    )
    policy = policies.policies_fetch(tx).of(
        workload.kind, workload.project, sole_pool(workload.request.pools)
    )
    return _Known(workload, counts, view, policy.priority_max)


def _told(
    tx: Transaction, scope: Scope, known: _Known, found: Explanation, at_ms: int
) -> ExplanationView:
    teller = Teller(tx, scope, ids_named(found))
    workload, queued = known.workload, known.workload.state is WorkloadState.QUEUED
    waiting, sentence = known.view.waiting, known.view.headline
    if found.refusal is not None:
        before = workload.refusal
        same = before is not None and before.reason is found.refusal.reason
        fresh = replace(
            workload,
            refusal=found.refusal,
            refused_since_ms=workload.refused_since_ms if same else at_ms,
        )
        waiting = refusal_view(fresh, known.counts, scope)
    if queued:
        sentence = found.sentence
    said = etas.etas_of(tx, scope, [workload.id]).get(workload.id) if queued else None
    entitled = (teller.entitled(each) for each in found.entitled)
    return known.view.model_copy(
        update={
            "headline": sentence,
            "waiting": waiting,
            "queue_position": found.position.overall if queued else None,
            "queue_length": found.position.waiting if queued else None,
            "looked_at": utc(at_ms),
            "starts_now": found.starts_now,
            "constraint": found.constraint,
            "groups": [group_told(each) for each in found.groups],
            "nodes_considered": sum(each.count for each in found.groups),
            "holders": [teller.holder(each) for each in found.holders],
            "holders_in_all": found.holders_in_all,
            "position": teller.position(found.position),
            "quotas": [each for each in entitled if each is not None],
            "eta": eta_told(said),
            "kept": found.kept,
            "kept_from": utc_or_none(found.kept_from_ms),
            "giving_way": teller.giving_way(found.giving_way),
            "changes": [teller.change(each) for each in found.changes],
        }
    )


@router.post("/dry-run", response_model=DryRunsView, openapi_extra=SPEC_BODY)
async def dry_run_many(request: Request, context: Ctx, who: Who) -> Response:
    """What would become of work if it were submitted now: where it starts, or after whom and when;
    what it costs, and what it leaves of quotas. Nothing is stored.

    Takes what a submission takes, also that of many; YAML may hold several documents.
    """
    body = await body_of(request, SPEC_BYTES_MAX, "The spec")
    documents = _each(documents_of(request, body))
    if len(documents) > DOCUMENTS_MAX:
        raise UserError(
            FieldFault(
                "body",
                f"holds {len(documents)} specs.",
                f"Send at most {DOCUMENTS_MAX}, or use an array.",
            )
        )
    new = await workload_wished(context.office, who, documents)
    return answer(await _dry_run(context, who, new))


def _each(documents: list[dict[str, object]]) -> list[dict[str, object]]:
    """Those of `{"workloads": […]}` where that is what was sent."""
    if len(documents) != 1 or set(documents[0]) != {"workloads"}:
        return documents
    specs = documents[0]["workloads"]
    if not isinstance(specs, list) or not all(isinstance(each, dict) for each in specs):
        raise UserError(FieldFault("workloads", "must be a list of specs."))
    return specs


@dataclass(frozen=True, slots=True)
class _Tried:
    demand: Demand
    found: DryRun
    taken: tuple[Taken, ...]


async def _dry_run(context: Context, who: Identity, new: Sequence[NewWorkload]) -> DryRunsView:
    sight = await context.foresight.look()
    holds, demands = await context.database.read(
        lambda tx: _demands(tx, new, context.database.now_ms(), sight)
    )
    highest = [
        holds.of(each.wish.kind, each.wish.project, sole_pool(each.wish.request.pools)).priority_max
        for each in new
    ]
    at_ms, tried = await context.foresight.ask(
        lambda sight: (sight.now_ms, _tried(sight, demands, highest))
    )

    def tell(tx: Transaction) -> DryRunsView:
        named = {name for each in tried for name in ids_named(each.found.explanation)}
        teller = Teller(tx, who.scope, named)
        tariff, now_ms = prices.tariff_fetch(tx), context.database.now_ms()
        return DryRunsView(
            items=[
                dry_run_told(
                    each.found,
                    one,
                    each.demand,
                    each.taken,
                    tariff,
                    teller,
                    budget_outlooks(tx, who, one.wish.project, each.taken, tariff, now_ms),
                    at_ms,
                )
                for one, each in zip(new, tried, strict=True)
            ],
            looked_at=utc(at_ms),
        )

    return await context.database.read(tell)


def _demands(
    tx: Transaction, new: Sequence[NewWorkload], now_ms: int, sight: Sight
) -> tuple[Policies, tuple[Demand, ...]]:
    holds = policies.policies_fetch(tx)
    return holds, wished(tx, new, now_ms, holds, sight.learnt, sight.snapshot.nodes)


def _tried(sight: Sight, demands: Sequence[Demand], highest: Sequence[int]) -> list[_Tried]:
    """One after another, each as if those before it waited already."""
    snapshot, plan = sight.snapshot, sight.plan
    size = len(snapshot.nodes) + len(snapshot.holds) + len(snapshot.demands)
    found = []
    for number, demand in enumerate(demands):
        one = dry_run(
            snapshot,
            demand,
            sight.now_ms,
            SEED,
            plan=plan if number == 0 else None,
            priority_max=highest[number],
            eta_most=_ETA_MOST if size <= _ETA_SIZE_MAX else 0,
        )
        nodes = [name for name, _ in one.places]
        found.append(_Tried(demand, one, gpus_taken(view_of(snapshot), demand, nodes)))
        if number + 1 < len(demands):
            snapshot = evolved(snapshot, waiting=(demand,))
    return found
