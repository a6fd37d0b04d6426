"""Higher limits as a change: which, whose, from what to what, and no less would do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from podium.domain.quota import Counted
from podium.domain.reason import WaitReason
from podium.domain.resources import Request
from podium.domain.workload import Kind
from podium.scheduling.decide import decide
from podium.scheduling.explain.explanation import explanation
from podium.scheduling.explain.raises import shares_with
from podium.scheduling.explain.values import Axis, Change, Explanation
from podium.scheduling.plan import Plan
from podium.scheduling.snapshot import Demand, Hold, Share, Snapshot
from unit.scheduling.cases import GIB, NOW_MS, demand, holding, request
from unit.scheduling.test_eta_limits import ROOM, clusters, seen, share


def asks(name: str = "w", wants: Request | None = None, **changes: object) -> Demand:
    return demand(name, wants or request(0, 2), owner="ben", **changes)  # type: ignore[arg-type]


def explain(at: Snapshot, name: str = "w") -> Explanation:
    return explanation(at, None, name, NOW_MS)


def raised(found: Explanation) -> Change:
    return next(change for change in found.changes if change.axis is Axis.QUOTA)


def runs(name: str, gpus: int, **changes: object) -> Hold:
    plain = holding(ROOM, list(range(gpus)), name, cpus=3)
    return replace(plain, owner="ben", **changes)  # type: ignore[arg-type]


SLICE = request(0, mig_profile="3g.40gb", mig_count=1)
A100 = request(1, gpu_types=("A100",))


@pytest.mark.parametrize(
    ("limit", "wants", "kind", "words"),
    [
        (
            share(ceilings=((Counted.CPU, 4000),)),
            request(0, 2),
            Kind.TRAINING,
            "If p may use 5 CPUs instead of 4, it starts now.",
        ),
        (
            share(ceilings=((Counted.MEMORY, GIB),)),
            request(0, 2, GIB // 2),
            Kind.TRAINING,
            "If p may use 1.5 GiB of memory instead of 1 GiB, it starts now.",
        ),
        (
            share(ceilings=((Counted.MIG_SLICES, 2),)),
            SLICE,
            Kind.TRAINING,
            "If p may use 3 MIG slices instead of 2, it starts now.",
        ),
        (
            share(ceilings=((Counted.WORKSPACES, 0),)),
            request(0, 2),
            Kind.WORKSPACE,
            "If p may have 1 workspace at once instead of 0, it starts now.",
        ),
        (
            share(per_user=(("a100", 2000),)),
            A100,
            Kind.TRAINING,
            (
                "If ben may hold 3 A100 GPUs at once in p instead of 2, it starts now; "
                "the cap is the same for each person there."
            ),
        ),
        (
            share(per_user=(("", 2000),), limits=(("A100", 2000),)),
            A100,
            Kind.TRAINING,
            (
                "If p may use 3 A100 GPUs instead of 2 and ben may hold 3 GPUs at once in p "
                "instead of 2, it starts now; the cap is the same for each person there."
            ),
        ),
    ],
)
def test_what_would_have_to_be_higher(limit: Share, wants: Request, kind: Kind, words: str) -> None:
    found = explain(seen([asks(wants=wants, kind=kind)], [runs("r", 2)], limit))
    assert found.refusal is not None
    assert found.refusal.reason is WaitReason.QUOTA
    change = raised(found)
    assert change.sentence == words
    assert change.exact
    if kind is Kind.TRAINING and wants is not SLICE:
        assert [each.workload_id for each in found.holders] == ["r"]


def test_limits_on_every_level_are_raised_at_once() -> None:
    team = Share(name="team", ceilings=((Counted.CPU, 1000),))
    mine = Share(
        name="team/p", parent="team", project="p",
        ceilings=((Counted.CPU, 1000), (Counted.MEMORY, 0)),
    )  # fmt: skip
    change = raised(explain(seen([asks()], [], team, mine)))
    assert [(each.share, each.counted, each.from_amount, each.to_amount) for each in change.quota
            ] == [
        ("team/p", Counted.CPU, 1000, 2000), ("team/p", Counted.MEMORY, 0, GIB),
        ("team", Counted.CPU, 1000, 2000),
    ]  # fmt: skip


def test_those_before_it_at_the_same_limit_get_theirs_first() -> None:
    work = [asks(f"w{at}", A100, queued_at_ms=at) for at in range(4)]
    other = demand("x", A100, owner="ada", queued_at_ms=0)
    at = seen([*work, other], [], share(per_user=(("A100", 1000),)))
    change = raised(explain(at, "w3"))
    assert change.sentence.startswith("If ben may hold 4 A100 GPUs at once in p instead of 1,")
    assert change.exact


def test_those_before_it_that_stay_too_large_get_nothing() -> None:
    large = asks("large", request(0, 8), queued_at_ms=0)
    small = asks("small", request(0, 1), queued_at_ms=1)
    at = seen([large, small, asks(wants=request(0, 1))], [], share(ceilings=((Counted.CPU, 0),)))
    change = raised(explain(at))
    assert change.sentence == "If p may use 2 CPUs instead of 0, it starts now."
    assert not change.exact, "another limit may hold one back"


@settings(max_examples=60, deadline=None)
@given(clusters(), st.data())
def test_it_starts_then_and_not_with_less(at: Snapshot, data: st.DataObject) -> None:
    """With all that a limit is raised by, and for no limit with one less."""
    before = decide(at, NOW_MS, 0)
    names = [
        name
        for each in before.refusals
        if each.refusal.reason is WaitReason.QUOTA
        for name in each.workload_ids
        if name not in {placed.workload_id for placed in before.placements}
    ]
    if not names:
        return
    name = data.draw(st.sampled_from(sorted(names)))
    changes = [each for each in explain(at, name).changes if each.axis is Axis.QUOTA]
    event(f"{len(changes)} offered")

    def starts(changed: tuple[Share, ...]) -> bool:
        after = decide(replace(at, shares=changed), NOW_MS, 0)
        return name in placed_by(after) and placed_by(before) <= placed_by(after)

    for change in changes:
        assert starts(shares_with(at.shares, change.quota))
        if not change.exact or others_may_take_some(at, name):
            continue
        for less in change.quota:
            step = 1 if less.counted in (Counted.MIG_SLICES, Counted.WORKSPACES) else 1000
            fewer = [
                replace(each, to_amount=each.to_amount - step) if each is less else each
                for each in change.quota
            ]
            assert not starts(shares_with(at.shares, fewer))


def placed_by(plan: Plan) -> set[str]:
    return {each.workload_id for each in plan.placements}


def others_may_take_some(at: Snapshot, name: str) -> bool:
    """Then less may do as well, where these are served after it."""
    return any(each.workload_id != name and each.minimum < len(each.pending_ranks)
               for each in at.demands)  # fmt: skip
