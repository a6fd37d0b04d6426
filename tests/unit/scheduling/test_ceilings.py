"""Limits of CPU, memory, MIG slices, workspaces and of each person: no state exceeds one, and who
waits for one hears which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from podium.domain.quota import Counted, mig_slices
from podium.domain.reason import Refusal, WaitReason
from podium.domain.resources import Isolation, ReplicaCount
from podium.domain.workload import Kind
from podium.scheduling.decide import decide
from podium.scheduling.limits_kept import LimitsKept
from podium.scheduling.plan import Placement, Plan
from podium.scheduling.snapshot import Demand, Hold, Share, Snapshot
from podium.scheduling.verify import verify
from podium.simulation.world import Job, World
from unit.scheduling.cases import GIB, NOW_MS, demand, gpus, hold, mig, node, request, sliced
from unit.scheduling.cases import snapshot as plain

ROOT = Share(name="all")


def tree(*projects: Share, team: Share | None = None, root: Share = ROOT) -> tuple[Share, ...]:
    above = team or Share(name="team", parent="all")
    return (root, above, *(replace(each, parent="team") for each in projects))


def project(name: str = "p", **changes: object) -> Share:
    return Share(name=f"team/{name}", project=name, **changes)  # type: ignore[arg-type]


def told(plan: Plan) -> dict[str, Refusal]:
    return {key: each.refusal for each in plan.refusals for key in each.workload_ids}


def placed(plan: Plan) -> list[str]:
    return sorted({each.workload_id for each in plan.placements})


def decided(at: Snapshot, *shares: Share) -> Plan:
    at = replace(at, shares=shares)
    plan = decide(at, NOW_MS, 0)
    assert not verify(at, plan).rejected
    return plan


def test_cpu_and_memory_of_a_team_are_limited() -> None:
    at = plain([node("n1", 4)], [demand(f"w{i}", request(0, 8, 4 * GIB)) for i in range(3)])
    plan = decided(at, *tree(project(), team=Share(
        name="team", parent="all", ceilings=((Counted.CPU, 16_000),))))  # fmt: skip
    assert placed(plan) == ["w0", "w1"]
    assert told(plan)["w2"].reason is WaitReason.QUOTA
    assert "team may use 16 CPUs and uses 16" in told(plan)["w2"].message
    plan = decided(at, *tree(project(ceilings=((Counted.MEMORY, 3 * GIB),))))
    assert placed(plan) == []
    assert "may use 3 GiB of memory, and this alone is 4 GiB" in told(plan)["w0"].message


def test_workspaces_are_counted_by_workload_and_others_go_on() -> None:
    work = [demand(f"s{i}", request(0), kind=Kind.WORKSPACE) for i in range(2)]
    at = plain([node("n1", 0)], [*work, demand("t", request(0))])
    plan = decided(at, *tree(project(ceilings=((Counted.WORKSPACES, 1),))))
    assert placed(plan) == ["s0", "t"]
    assert "may have 1 workspace at once and has 1" in told(plan)["s1"].message


def test_mig_slices_of_every_profile_are_counted() -> None:
    wants = [request(0, mig_profile="3g.40gb", mig_count=1)] * 2
    wants += [request(0, mig_profile="1g.10gb", mig_count=1)]
    at = plain([node("n1", sliced("n1", 2))], [demand(f"w{i}", w) for i, w in enumerate(wants)])
    plan = decided(at, *tree(project(ceilings=((Counted.MIG_SLICES, 4),))))
    assert placed(plan) == ["w0", "w2"]
    assert "may use 4 MIG slices and uses 3." in told(plan)["w1"].message
    assert [mig_slices(each) for each in ("1g.10gb", "1g.10gb+me", "7g.80gb", "1c.3g.40gb", "x")
            ] == [1, 1, 7, 3, 1]  # fmt: skip


def test_a_cap_for_each_person_lets_others_pass() -> None:
    work = [demand(f"a{i}", request(1), owner="ada") for i in range(3)]
    at = plain([node("n1", 4)], [*work, demand("b", request(1), owner="bob", queued_at_ms=NOW_MS)])
    plan = decided(at, *tree(project(per_user=(("A100", 2000),))))
    assert placed(plan) == ["a0", "a1", "b"]
    refusal = told(plan)["a2"]
    assert refusal.reason is WaitReason.QUOTA
    assert "ada may hold 2 A100 GPUs at once in team/p and holds 2." in refusal.message
    assert "an administrator can raise the cap" in refusal.remedy


def test_a_cap_closes_one_type_and_leaves_the_other() -> None:
    machine = node("n1", [*gpus("n1", 2), *gpus("n1", 1, "L4", 24 * GIB)])
    at = plain([machine], [demand(f"w{i}", request(1), owner="ada") for i in range(3)])
    plan = decided(at, *tree(project(per_user=(("a100", 1000),))))
    assert sorted(each.devices[0].device_id for each in plan.placements) == [
        "n1-A100-0", "n1-L4-0",
    ]  # fmt: skip


def test_a_stale_plan_does_not_go_over_a_limit() -> None:
    at = plain([node("n1", 4)], [demand("w0", request(2)), demand("w1", request(2))])
    plan = decide(at, NOW_MS, 0)
    assert placed(plan) == ["w0", "w1"]
    for limit in (
        project(limits=(("A100", 3000),)),
        project(ceilings=((Counted.CPU, 1000),)),
    ):
        verdict = verify(replace(at, shares=tree(limit)), plan)
        assert {each.workload_id for each in verdict.accepted} == {"w0"}
        assert verdict.rejected == (("w1", "it would go over a limit of team/p"),)


# -- every history

_TYPES = ("A100", "L4", "H100", "")
_milli = st.sampled_from([0, 250, 500, 1000, 2000, 3000])
_amounts = st.dictionaries(st.sampled_from(_TYPES), _milli, max_size=2)
_ceilings = st.fixed_dictionaries(
    {},
    optional={
        Counted.CPU: st.integers(0, 8).map(lambda n: n * 1000),
        Counted.MEMORY: st.integers(0, 8).map(lambda n: n * GIB),
        Counted.MIG_SLICES: st.integers(0, 6),
        Counted.WORKSPACES: st.integers(0, 2),
    },
)


@st.composite
def limits(draw: st.DrawFn, plain: Share) -> Share:
    return replace(
        plain,
        limits=tuple(sorted(draw(_amounts).items())),
        per_user=tuple(sorted(draw(_amounts).items())),
        ceilings=tuple((str(key), amount) for key, amount in sorted(draw(_ceilings).items())),
    )


@st.composite
def trees(draw: st.DrawFn) -> tuple[Share, ...]:
    return (
        draw(limits(ROOT)),
        draw(limits(Share(name="team", parent="all"))),
        draw(limits(Share(name="team/p", parent="team", project="p"))),
        draw(limits(Share(name="team/q", parent="team", project="q"))),
    )


_requests = st.sampled_from(
    [
        request(0, 2),
        request(1),
        request(2),
        request(1, gpu_types=("L4", "A100")),
        request(0, gpu_milli=250),
        request(0, gpu_share_bytes=20 * GIB),
        request(0, mig_profile="1g.10gb", mig_count=2),
        request(0, mig_profile="3g.40gb", mig_count=1),
        request(0, gpu_milli=250, isolation=Isolation.MIG),
        request(0, gpu_share_bytes=9 * GIB, isolation=Isolation.MIG),
    ]
)
_replicas = st.sampled_from(
    [ReplicaCount(1, 1), ReplicaCount(2, 2), ReplicaCount(1, 3), ReplicaCount(1, 3, array=True)]
)
_jobs = st.lists(
    st.builds(
        lambda at, runs, wants, replicas, where, owner, kind, priority, elastic: Job(
            workload_id="", submitted_at_ms=at, runtime_ms=runs, request=wants, replicas=replicas,
            project=where, owner=owner, kind=kind, priority=priority, preemptible=True,
            elastic=elastic and not replicas.array,
        ),
        at=st.integers(0, 20), runs=st.integers(1, 30), wants=_requests, replicas=_replicas,
        where=st.sampled_from(["p", "q"]), owner=st.sampled_from(["ada", "bob"]),
        kind=st.sampled_from([Kind.TRAINING, Kind.WORKSPACE]),
        priority=st.sampled_from([10, 50]), elastic=st.booleans(),
    ),
    max_size=12,
)  # fmt: skip


def machines() -> list[object]:
    return [
        node("n1", [*gpus("n1", 3), *mig("n1", 2, first=3)], cpu_milli=16_000),
        node("n2", [*sliced("n2", 1), *gpus("n2", 2, "L4", 24 * GIB)], cpu_milli=16_000),
    ]


def assert_no_limit_exceeded(
    at: Snapshot, held: Iterable[Hold | Placement], whose: dict[str, Demand | Hold]
) -> None:
    """Counted apart from everything else: for each share, all that stands below it."""
    devices = {device.id: device for node in at.nodes for device in node.devices}
    below = {share.name: share for share in at.shares}
    sums: dict[str, Counter[object]] = {name: Counter() for name in below}
    for one in held:
        work = whose[one.workload_id]
        share: Share | None = next(each for each in at.shares if each.project == work.project)
        while share is not None:
            of = sums[share.name]
            of[Counted.CPU] += one.cpu_milli
            of[Counted.MEMORY] += one.memory_bytes
            if work.kind is Kind.WORKSPACE and not of["ws", one.workload_id]:
                of["ws", one.workload_id] = 1
                of[Counted.WORKSPACES] += 1
            for each in one.devices:
                device = devices[each.device_id]
                for name in (device.type, ""):
                    of["gpu", name] += each.gpu_milli
                    of["gpu", name, work.owner] += each.gpu_milli
                profile = each.mig_profile or device.mig_profile
                of[Counted.MIG_SLICES] += int(profile[0]) if profile else 0
            share = below.get(share.parent or "")
    for share in at.shares:
        of = sums[share.name]
        assert all(of["gpu", name] <= most for name, most in share.limits)
        assert all(of[Counted(name)] <= most for name, most in share.ceilings)
        for owner in ("ada", "bob"):
            assert all(of["gpu", name, owner] <= most for name, most in share.per_user)


@settings(max_examples=120, deadline=None)
@given(shares=trees(), jobs=_jobs)
def test_no_history_exceeds_a_limit(shares: Sequence[Share], jobs: list[Job]) -> None:
    def checked(at: Snapshot, now_ms: int, seed: int) -> Plan:
        plan = decide(at, now_ms, seed)
        verdict = verify(at, plan)
        assert not verdict.rejected, "decide and verify count alike"
        whose: dict[str, Demand | Hold] = {each.workload_id: each for each in at.demands}
        whose |= {each.workload_id: each for each in at.holds}
        after = [*at.holds, *verdict.accepted]
        assert_no_limit_exceeded(at, after, whose)
        holds = []
        for each in verdict.accepted:
            work = whose[each.workload_id]
            holds.append(hold(each, work.project, kind=work.kind, owner=work.owner))
        assert not LimitsKept(replace(at, holds=(*at.holds, *holds))).exceeded()
        return plan

    named = [replace(job, workload_id=f"w{number}") for number, job in enumerate(jobs)]
    world = World(machines(), named, policy=checked, shares=shares)  # type: ignore[arg-type]
    world.run(200)
