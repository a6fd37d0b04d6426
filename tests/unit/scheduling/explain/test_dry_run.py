"""What would become of work that is not submitted yet."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.scheduling.decide import decide
from podium.scheduling.explain.dry_run import dry_run
from podium.scheduling.order.queue import queue_order
from podium.scheduling.snapshot import Share, Snapshot
from unit.scheduling.cases import NOW_MS, demand, request, snapshot
from unit.scheduling.explain.test_explanation import FOUR, N1, running, waiting_behind
from unit.scheduling.explain.worlds import worlds


def test_it_fits_now() -> None:
    found = dry_run(snapshot([N1], [], [FOUR]), demand("new", request(4)), NOW_MS)
    assert (found.starts_now, found.places, found.impossible) == (True, (("n1", 1),), False)
    assert found.explanation.sentence == "It starts now."


def test_it_never_fits() -> None:
    found = dry_run(snapshot([N1], [], []), demand("new", request(9)), NOW_MS)
    assert found.impossible
    assert found.explanation.refusal is not None
    assert found.explanation.refusal.remedy.startswith("Ask for gpus: 8 or fewer.")
    assert found.explanation.changes[0].after == "8 GPUs"


def test_after_whom_and_when() -> None:
    at = waiting_behind()
    new = demand("new", request(4), queued_at_ms=NOW_MS)
    found = dry_run(at, new, NOW_MS, eta_most=10)
    assert not found.starts_now
    assert found.explanation.position.overall == 3
    assert found.explanation.position.project_waiting == 2
    assert found.explanation.position.ahead == ("big", "w")
    assert found.eta is not None
    assert found.eta.likely_ms > NOW_MS
    assert dry_run(at, new, NOW_MS).eta is None


def test_who_would_have_to_give_way() -> None:
    old = running(N1, list(range(8)), "old", preemptible=True, project="q")
    shares = (Share(name="p", project="p", guarantees=(("", 8000),)), Share(name="q", project="q"))
    at = replace(snapshot([N1], [], [old]), shares=shares)
    found = dry_run(at, demand("new", request(8)), NOW_MS)
    assert [each.workload_id for each in found.giving_way] == ["old"]
    assert not found.starts_now
    assert found.explanation.sentence.startswith("Room is being made for it")


def test_who_would_start_without_it() -> None:
    other = demand("other", request(8), queued_at_ms=NOW_MS)
    new = demand("new", request(8), priority=90, queued_at_ms=NOW_MS)
    found = dry_run(snapshot([N1], [other], []), new, NOW_MS)
    assert found.starts_now
    assert found.loses == ("other",)


@given(worlds(), st.data())
@settings(max_examples=100, deadline=None)
def test_it_is_what_would_be_decided(at: Snapshot, data: st.DataObject) -> None:
    new = replace(data.draw(st.sampled_from(at.demands)), workload_id="new")
    found = dry_run(at, new, NOW_MS)
    plan = decide(replace(at, demands=queue_order([*at.demands, new])), NOW_MS, 0)
    places = sorted(each.node for each in plan.placements if each.workload_id == "new")
    assert sorted(name for name, count in found.places for _ in range(count)) == places
    reasons = {name: each.refusal.reason for each in plan.refusals for name in each.workload_ids}
    told = found.explanation.refusal
    assert (None if told is None else told.reason) == reasons.get("new")
