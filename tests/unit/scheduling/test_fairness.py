"""The tree of shares: order, guarantees, limits, and what is due."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from podium.scheduling.order.entitlements import entitlements, poured
from podium.scheduling.order.fairness import Fairness, Limit
from podium.scheduling.order.share_faults import faults
from podium.scheduling.snapshot import Share

CAPACITY = {"A100": 16_000, "H100": 8_000}
CPU_MILLI = 256_000
MEMORY_BYTES = 2**41
HALF_LIFE_MS = 7 * 24 * 3_600_000


def fairness(*shares: Share) -> Fairness:
    return Fairness(shares, CAPACITY, CPU_MILLI, MEMORY_BYTES, HALF_LIFE_MS)


def team(name: str, **promise: object) -> Share:
    return Share(name=name, parent="organisation", **promise)  # type: ignore[arg-type]


def project(above: str, name: str, **promise: object) -> Share:
    return Share(name=f"{above}/{name}", parent=above, project=name, **promise)  # type: ignore[arg-type]


ROOT = Share(name="organisation")


class TestOrder:
    def test_idle_comes_before_busy(self) -> None:
        tree = fairness(ROOT, team("t"), project("t", "a"), project("t", "b"))
        tree.add("a", (("H100", 1000),), 1000, 2**30)
        assert tree.key("b") < tree.key("a")

    def test_teams_are_compared_before_projects(self) -> None:
        tree = fairness(ROOT, team("t"), team("u"), *_two("t"), *_two("u"))
        tree.add("t1", (("H100", 2000),), 0, 0)
        tree.add("u1", (("H100", 1000),), 0, 0)
        # u1 is busier than the idle t2, but its team has had less.
        assert sorted(["t1", "t2", "u1", "u2"], key=tree.key) == ["u2", "u1", "t2", "t1"]

    def test_the_scarcest_part_counts(self) -> None:
        tree = fairness(ROOT, team("t"), *_two("t"))
        tree.add("t1", (("A100", 4000),), 0, 0)  # a quarter of them
        tree.add("t2", (("H100", 4000),), 0, 0)  # half of them
        assert tree.key("t1") < tree.key("t2")
        tree.add("t1", (), CPU_MILLI * 3 // 4, 0)
        assert tree.key("t2") < tree.key("t1")

    def test_the_past_counts_and_fades_into_the_present(self) -> None:
        used = (("h100", 4000 * HALF_LIFE_MS),)
        tree = fairness(ROOT, team("t"), project("t", "a", used=used), project("t", "b"))
        tree.add("b", (("H100", 3999),), 0, 0)
        assert tree.key("b") < tree.key("a")
        tree.add("b", (("H100", 2),), 0, 0)
        assert tree.key("a") < tree.key("b")

    def test_weight_divides(self) -> None:
        tree = fairness(ROOT, team("t", weight=3), team("u"), *_two("t"), *_two("u"))
        tree.add("t1", (("H100", 2900),), 0, 0)
        tree.add("u1", (("H100", 1000),), 0, 0)
        assert tree.key("t1") < tree.key("u1")

    def test_no_weight_is_served_last(self) -> None:
        tree = fairness(ROOT, team("t", weight=0), team("u"), *_two("t"), *_two("u"))
        tree.add("u1", (("H100", 8000),), 0, 0)
        assert tree.key("u1") < tree.key("t1")

    def test_projects_without_a_share_stand_at_the_root(self) -> None:
        tree = fairness(ROOT, team("t"), project("t", "a"))
        tree.add("stray", (("H100", 1000),), 0, 0)
        assert tree.key("a") < tree.key("stray")
        assert tree.key("stray")[1] == "stray"
        assert fairness().key("stray") == (0, "stray")

    def test_a_type_that_left_the_inventory_moves_nobody(self) -> None:
        tree = fairness(ROOT, team("t"), *_two("t"))
        tree.add("t1", (("V100", 4000),), 0, 0)
        assert tree.key("t1")[2] == 0
        tree.remove("t1", (("V100", 4000),), 0, 0)
        assert tree.key("t1") < tree.key("t2")


class TestGuarantees:
    def test_inside_until_it_is_used_up(self) -> None:
        tree = fairness(ROOT, team("t"), project("t", "a", guarantees=(("H100", 2000),)))
        assert tree.within_guarantee("a", ("h100",), 2000)
        assert not tree.within_guarantee("a", ("H100",), 2001)
        assert not tree.within_guarantee("a", ("A100",), 1)
        assert tree.headroom("a", ()) == (2000, 0)
        assert tree.headroom("a", ("h100", "A100")) == (2000, 0)
        tree.add("a", (("H100", 2000),), 0, 0)
        assert not tree.within_guarantee("a", (), 1)

    def test_over_all_types(self) -> None:
        tree = fairness(ROOT, team("t", guarantees=(("", 3000),)), *_two("t"))
        tree.add("t1", (("A100", 1000), ("H100", 1000)), 0, 0)
        assert tree.headroom("t2", ("A100",)) == (0, 1000)
        assert not tree.within_guarantee("t2", ("A100",), 1001)

    def test_without_gpus_nothing_is_guaranteed_and_nothing_limited(self) -> None:
        tree = fairness(ROOT, team("t", guarantees=(("", 3000),), limits=(("", 0),)), *_two("t"))
        assert not tree.within_guarantee("t1", (), 0)
        assert tree.over_limit("t1", (), 0) is None
        assert tree.open_types("t1", (), 0) is None

    def test_the_team_serves_those_beyond_their_own(self) -> None:
        a = project("t", "a", guarantees=(("H100", 2000),))
        tree = fairness(ROOT, team("t", guarantees=(("H100", 4000),)), a, project("t", "b"))
        tree.add("a", (("H100", 2000),), 0, 0)
        assert tree.within_guarantee("a", ("H100",), 2000)
        assert tree.within_guarantee("b", ("H100",), 2000)
        assert not tree.within_guarantee("b", ("H100",), 2001)

    def test_a_project_keeps_its_own_when_the_team_is_beyond(self) -> None:
        a = project("t", "a", guarantees=(("H100", 2000),))
        tree = fairness(
            ROOT,
            team("t", guarantees=(("H100", 4000),)),
            a,
            project("t", "b"),
            team("u"),
            *_two("u"),
        )
        tree.add("b", (("H100", 4000),), 0, 0)
        tree.add("u1", (("H100", 4000),), 0, 0)
        assert tree.within_guarantee("a", ("H100",), 2000)
        # What the team has borrowed out inside it comes back from inside it.
        assert tree.may_reclaim_from("a", "b", "H100", 2000)
        assert not tree.may_reclaim_from("a", "u1", "H100", 2000)

    def test_reclaim_between_teams(self) -> None:
        tree = fairness(
            ROOT,
            team("t", guarantees=(("H100", 4000),)),
            *_two("t"),
            team("u", guarantees=(("H100", 2000),)),
            project("u", "u1", guarantees=(("H100", 2000),)),
            project("u", "u2"),
        )
        tree.add("u1", (("H100", 2000),), 0, 0)
        tree.add("u2", (("H100", 6000),), 0, 0)
        assert tree.surplus("u1", "H100") == 0
        assert tree.surplus("u2", "H100") == 6000
        assert tree.may_reclaim_from("t1", "u2", "H100", 4000)
        assert not tree.may_reclaim_from("t1", "u2", "H100", 5000)
        assert tree.may_reclaim_from("t1", "u2", "H100", 4000, 6000)
        assert not tree.may_reclaim_from("t1", "u2", "H100", 4000, 6001)
        assert not tree.may_reclaim_from("t1", "u1", "H100", 1000)
        assert not tree.may_reclaim_from("u1", "t1", "H100")
        assert not tree.may_reclaim_from("t1", "u2", "A100", 1000)

    def test_what_is_the_teams_is_safe_from_others_only(self) -> None:
        a = project("t", "a", guarantees=(("", 2000),))
        tree = fairness(ROOT, team("t", guarantees=(("", 6000),)), a, project("t", "b"), team("u"))
        tree.add("b", (("A100", 5000),), 0, 0)
        assert tree.surplus("b", "A100") == 0
        assert tree.surplus("b", "A100", taker="a") == 5000
        assert tree.may_reclaim_from("a", "b", "A100", 2000)


class TestLimits:
    def test_the_first_from_the_project_up(self) -> None:
        tree = fairness(
            ROOT,
            team("t", limits=(("", 6000),)),
            project("t", "a", limits=(("H100", 2000),)),
            project("t", "b"),
        )
        tree.add("a", (("H100", 1000),), 0, 0)
        assert tree.over_limit("a", ("h100",), 1000) is None
        assert tree.over_limit("a", ("h100",), 2000) == Limit("t/a", "H100", 2000, 1000)
        assert tree.over_limit("a", (), 5000) is None
        assert tree.open_types("a", (), 5000) == ("A100",)
        assert tree.open_types("a", (), 1000) is None
        tree.add("b", (("A100", 4000),), 0, 0)
        assert tree.over_limit("a", ("A100",), 2000) == Limit("t", "", 6000, 5000)

    def test_two_places_may_close_all_types_together(self) -> None:
        tree = fairness(
            ROOT, team("t", limits=(("A100", 0),)), project("t", "a", limits=(("H100", 0),))
        )
        assert tree.open_types("a", ("H100", "A100"), 500) == ()
        assert tree.over_limit("a", ("H100", "A100"), 500) == Limit("t", "A100", 0, 0)

    def test_types_that_do_not_exist_meet_the_limit_over_all(self) -> None:
        tree = Fairness((ROOT, project("organisation", "a", limits=(("", 1000),))), {}, 1, 1, 1)
        assert tree.over_limit("a", (), 2000) == Limit("organisation/a", "", 1000, 0)
        assert tree.over_limit("a", ("X",), 2000) == Limit("organisation/a", "", 1000, 0)
        assert tree.over_limit("a", ("X",), 1000) is None


class TestEntitlements:
    def test_guarantees_first_then_weight(self) -> None:
        tree = fairness(
            ROOT,
            team("t", weight=2),
            project("t", "a"),
            team("u"),
            project("u", "b", guarantees=(("H100", 1000),)),
            team("v", guarantees=(("H100", 2000),)),
        )
        tree.add("b", (("H100", 5000),), 0, 0)
        found = {
            (each.share, each.gpu_type): each
            for each in entitlements(tree, {"a": {"H100": 8000, "": 1000}, "b": {}})
        }
        # Nobody in v wants anything; t and u share eight as two to one.
        assert found["t", "H100"].fair_milli == 5333 + 1
        assert found["u", "H100"].fair_milli == 2666
        assert found["v", "H100"].fair_milli == 0
        assert found["u/b", "H100"].borrowed_milli == 4000
        assert found["u", "H100"].borrowed_milli == 4000  # as of its project
        assert found["organisation", "H100"].borrowed_milli == 4000
        assert found["t/a", ""].waiting_milli == 9000
        assert found["t/a", "H100"].waiting_milli == 8000
        assert found["organisation", "H100"].used_milli == 5000

    def test_what_the_team_is_guaranteed_is_not_borrowed(self) -> None:
        tree = fairness(ROOT, team("t", guarantees=(("", 3000),)), *_two("t"))
        tree.add("t1", (("H100", 2000),), 0, 0)
        tree.add("t2", (("A100", 2000),), 0, 0)
        found = {(each.share, each.gpu_type): each for each in entitlements(tree, {})}
        for share in ("t", "t/t1"):
            assert found[share, "H100"].borrowed_milli == tree.surplus("t1", "H100") == 1000
        assert found["t", ""].borrowed_milli == 1000

    @given(
        amount=st.integers(0, 100),
        rows=st.lists(
            st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(0, 4)), max_size=6
        ),
    )
    def test_pouring_gives_all_that_is_wanted_and_no_more(
        self, amount: int, rows: list[tuple[int, int, int]]
    ) -> None:
        wants = [row[0] for row in rows]
        guarantees = [row[1] for row in rows]
        parts = poured(amount, wants, guarantees, [row[2] for row in rows])
        assert sum(parts) == min(amount, sum(wants))
        assert all(0 <= part <= want for part, want in zip(parts, wants, strict=True))
        if sum(guarantees) <= amount:
            for part, want, guarantee in zip(parts, wants, guarantees, strict=True):
                assert part >= min(want, guarantee)


class TestFaults:
    def test_a_sound_tree_has_none(self) -> None:
        tree = (ROOT, team("t", guarantees=(("h100", 8000),), limits=(("", 9000),)), *_two("t"))
        assert faults(tree, CAPACITY) == []

    @pytest.mark.parametrize(
        ("shares", "share", "field", "words"),
        [
            ((team("t", weight=-1),), "t", "weight", "-1"),
            ((team("t", guarantees=(("H100", -5),)),), "t", "guarantees.H100", "less than none"),
            ((team("t", limits=(("", -5),)),), "t", "limits.all", "less than none"),
            ((team("t", limits=(("B200", 5),)),), "t", "limits.B200", "A100 and H100"),
            (
                (team("t", guarantees=(("H100", 1), ("h100", 2))),),
                "t",
                "guarantees.h100",
                "given twice",
            ),
            (
                (
                    team("t", guarantees=(("H100", 2000),)),
                    project("t", "a", guarantees=(("H100", 3000),)),
                ),
                "t",
                "guarantees.H100",
                "3 H100 GPUs",
            ),
            (
                (
                    team("t", guarantees=(("", 2000),)),
                    project("t", "a", guarantees=(("H100", 3000),)),
                ),
                "t",
                "guarantees.all",
                "3 GPUs",
            ),
            (
                (team("t", guarantees=(("H100", 8000),)), team("u", guarantees=(("H100", 1000),))),
                "organisation",
                "guarantees.H100",
                "9 H100 GPUs would be guaranteed in all, but the cluster has 8",
            ),
            (
                (team("t", guarantees=(("H100", 2000),), limits=(("H100", 1000),)),),
                "t",
                "limits.H100",
                "2 H100 GPUs",
            ),
            (
                (team("t", limits=(("", 1000),)), project("t", "a", guarantees=(("A100", 2000),))),
                "t",
                "limits.all",
                "2 GPUs",
            ),
            ((Share(name="x", parent="nobody"),), "x", "parent", "no share 'nobody'"),
            (
                (Share(name="x", parent="y"), Share(name="y", parent="x")),
                "x",
                "parent",
                "below itself",
            ),
            (
                (team("t"), project("t", "a"), Share(name="x", parent="t", project="a")),
                "x",
                "project",
                "'t/a' already",
            ),
            ((team("t"), team("t")), "t", "name", "two shares"),
            ((team("t"), project("t", "a"), team("x")), None, "", ""),
        ],
    )
    def test_each_names_the_share_and_the_field(
        self, shares: tuple[Share, ...], share: str | None, field: str, words: str
    ) -> None:
        found = faults((ROOT, *shares), CAPACITY)
        if share is None:
            assert found == []
            return
        matching = [each for each in found if each.share == share and each.field == field]
        assert matching, found
        assert words in matching[0].message
        assert matching[0].message.endswith(".")


def _two(above: str) -> tuple[Share, Share]:
    return project(above, f"{above}1"), project(above, f"{above}2")


# -- random trees

TYPES = ("A100", "H100")
PROJECTS = ("a1", "a2", "b1", "b2", "c1")
amounts = st.integers(0, 5).map(lambda gpus: gpus * 500)
promises = st.dictionaries(st.sampled_from(("", *TYPES)), amounts, max_size=2)
use = st.lists(
    st.tuples(st.sampled_from(PROJECTS), st.sampled_from(TYPES), st.integers(1, 4)), max_size=25
)


@st.composite
def trees(draw: st.DrawFn) -> tuple[Share, ...]:
    """Sound ones: their guarantees fit each other and the inventory."""
    shares = [ROOT]
    for name in "abc":
        shares.append(team(name, weight=draw(st.integers(0, 3)), **_drawn(draw, scale=2)))
        shares += [
            project(name, each, weight=draw(st.integers(0, 3)), **_drawn(draw))
            for each in PROJECTS
            if each.startswith(name)
        ]
    assume(not faults(shares, CAPACITY))
    return tuple(shares)


def _drawn(draw: st.DrawFn, scale: int = 1) -> dict[str, object]:
    found = {name: milli * scale for name, milli in draw(promises).items()}
    return {"guarantees": tuple(found.items())}


@given(tree=trees(), moves=use, back=st.data())
def test_parts_make_the_whole(
    tree: tuple[Share, ...], moves: list[tuple[str, str, int]], back: st.DataObject
) -> None:
    shared = fairness(*tree)
    kept = []
    for name, gpu_type, count in moves:
        shared.add(name, ((gpu_type, count * 250),), count * 1000, count * 2**30)
        kept.append((name, gpu_type, count))
    for _ in range(back.draw(st.integers(0, len(kept)))):
        name, gpu_type, count = kept.pop()
        shared.remove(name, ((gpu_type, count * 250),), count * 1000, count * 2**30)
    for place in shared.places:
        below = [each for each in shared.places if each.parent is place]
        if below:
            assert place.use == [
                sum(column) for column in zip(*(each.use for each in below), strict=True)
            ]
    again = fairness(*tree)
    for name, gpu_type, count in kept:
        again.add(name, ((gpu_type, count * 250),), count * 1000, count * 2**30)
    assert [again.key(name) for name in PROJECTS] == [shared.key(name) for name in PROJECTS]


@given(tree=trees(), moves=use, name=st.sampled_from(PROJECTS), more=st.sampled_from(TYPES))
def test_more_use_never_comes_sooner(
    tree: tuple[Share, ...], moves: list[tuple[str, str, int]], name: str, more: str
) -> None:
    shared = fairness(*tree)
    for each, gpu_type, count in moves:
        shared.add(each, ((gpu_type, count * 250),), 0, 0)
    before = shared.key(name)
    shared.add(name, ((more, 250),), 500, 2**30)
    assert shared.key(name) >= before


@given(moves=use, name=st.sampled_from(PROJECTS), weights=st.tuples(*[st.integers(0, 9)] * 2))
def test_more_weight_never_comes_later(
    moves: list[tuple[str, str, int]], name: str, weights: tuple[int, int]
) -> None:
    keys = []
    for weight in sorted(weights):
        shared = fairness(ROOT, team("t", weight=weight), project("t", name, weight=weight))
        for each, gpu_type, count in moves:
            shared.add(each, ((gpu_type, count * 250),), 0, 0)
        keys.append(shared.key(name))
    assert keys[0] >= keys[1]


@given(tree=trees(), moves=use)
@settings(max_examples=200)
def test_guarantees_can_always_be_reached(
    tree: tuple[Share, ...], moves: list[tuple[str, str, int]]
) -> None:
    """Who is below its guarantee is inside with what is missing, and when the cluster is full,
    somebody holds what it may take back."""
    shared = fairness(*tree)
    free = dict(CAPACITY)
    for name, gpu_type, count in moves:
        milli = min(count * 1000, free[gpu_type])
        if milli:
            free[gpu_type] -= milli
            shared.add(name, ((gpu_type, milli),), 0, 0)
    typed_only = all(name for share in tree for name, _ in share.guarantees)
    for share in tree:
        for gpu_type, milli in share.guarantees:
            if share.project is None or not gpu_type:
                continue
            leaf = next(place for place in shared.places if place.name == share.name)
            missing = milli - leaf.use[3 + TYPES.index(gpu_type)]
            if missing <= 0:
                continue
            assert shared.within_guarantee(share.project, (gpu_type,), missing)
            if typed_only and missing > free[gpu_type]:
                takers = [
                    other
                    for other in PROJECTS
                    if shared.may_reclaim_from(share.project, other, gpu_type, missing)
                ]
                assert takers, (share, tree)


@given(tree=trees(), moves=use, gpu_type=st.sampled_from(TYPES))
@settings(max_examples=200)
def test_nobody_reclaims_inside_a_guarantee(
    tree: tuple[Share, ...], moves: list[tuple[str, str, int]], gpu_type: str
) -> None:
    shared = fairness(*tree)
    for name, each, count in moves:
        shared.add(name, ((each, count * 500),), 0, 0)
    column = 3 + TYPES.index(gpu_type)
    for victim in PROJECTS:
        leaf = next(place for place in shared.places if place.project == victim)
        typed, overall = leaf.guarantees.get(column, 0), leaf.guarantees.get(0, 0)
        safe = leaf.use[column] <= typed or (0 in leaf.guarantees and leaf.use[0] <= overall)
        for taker in PROJECTS:
            if not shared.may_reclaim_from(taker, victim, gpu_type, 250):
                continue
            assert not safe
            assert 0 < shared.surplus(victim, gpu_type, taker=taker) <= leaf.use[column] - typed
            # Never both ways, or the two would take turns for ever.
            assert not shared.may_reclaim_from(victim, taker, gpu_type, 250)


_PRINT = """
from podium.scheduling.order.fairness import Fairness
from podium.scheduling.snapshot import Share
shares = [Share(name="o")] + [Share(name=n, parent="o", weight=i) for i, n in enumerate("tuvw")]
limits = (("H100", 2000),)
shares += [Share(name=f"{n}/p", parent=n, project=f"{n}p", limits=limits) for n in "tuvw"]
f = Fairness(shares, {"H100": 8000, "A100": 8000, "L4": 500}, 1000, 1000, 1000)
for i, name in enumerate(["up", "vp", "stray", "tp"]):
    f.add(name, (("H100", 500 * i), ("L4", 5), ("new", 3)), i, i)
print([(n, f.key(n)) for n in ("tp", "up", "vp", "wp", "stray")], f.open_types("tp", (), 1000))
"""


def test_the_hash_seed_changes_nothing() -> None:
    outputs = [
        subprocess.run(
            [sys.executable, "-c", _PRINT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1] != ""
