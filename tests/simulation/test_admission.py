"""Queues with quotas on virtual time: what a generator becomes, and what a run counts."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from podium.cli.app import execute
from podium.domain.errors import UserError
from podium.domain.policy import Preempt
from podium.domain.resources import Topology, TopologyLevel
from podium.main import app
from podium.scheduling.decide import decide
from podium.scheduling.plan import Plan, Preemption
from podium.scheduling.snapshot import Snapshot
from podium.simulation.admission.generator import read_generator
from podium.simulation.admission.model import GPU_TYPE, Model, model_of
from podium.simulation.admission.published import Figure, read_published
from podium.simulation.admission.run import Admission

GENERATOR = """\
cohorts:
- className: cohort
  count: 2
  queuesSets:
  - className: cq
    count: 3
    nominalQuota: 20
    borrowingLimit: 100
    reclaimWithinCohort: Any
    withinClusterQueue: LowerPriority
    workloadsSets:
    - count: 30
      creationIntervalMs: 100
      workloads:
      - {className: small, runtimeMs: 200, priority: 50, request: 1}
    - count: 4
      creationIntervalMs: 700
      workloads:
      - {className: large, runtimeMs: 1000, priority: 200, request: 20}
"""
PLACED = """\
topology:
  name: default
  levels:
  - {name: block, count: 2, nodeLabel: example/block}
  - {name: rack, count: 2, nodeLabel: example/rack}
  - name: node
    count: 3
    nodeLabel: example/node
    capacity: {cpu: "8", memory: 32Gi}
cohorts:
- className: cohort
  queuesSets:
  - className: cq
    count: 2
    nominalQuota: "10"
    reclaimWithinCohort: Any
    workloadsSets:
    - count: 5
      creationIntervalMs: 100
      workloads:
      - {className: near, runtimeMs: 300, request: 500m, podCount: 4, tasConstraint: required,
         tasLevel: example/rack}
      - {className: nearer, runtimeMs: 300, request: "1", podCount: 2, tasConstraint: balanced,
         tasLevel: example/block, sliceSize: 2}
      - {className: far, runtimeMs: 300, request: 250m}
"""


def written(folder: Path, text: str, name: str = "g.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def model(folder: Path, text: str = GENERATOR) -> Model:
    return model_of(read_generator(written(folder, text)))


def quiet(admitted: int, total: int) -> None:
    assert admitted <= total


def test_cohorts_are_teams_and_queues_are_projects(tmp_path: Path) -> None:
    """The largest request is 20 CPU: that is one GPU, so a quota of 20 is one GPU."""
    found = model(tmp_path)
    assert found.cpu_milli_of_gpu == 20_000
    assert found.quota_milli == 2 * 3 * 1000
    assert found.policy.preempt is Preempt.PRIORITY
    assert found.policy.minimum_runtime_ms == 0
    _, team, queue = found.shares[:3]
    assert (team.name, team.guarantees, team.limits) == (
        "cohort-0", ((GPU_TYPE, 3000),), ((GPU_TYPE, 3000),),
    )  # fmt: skip
    assert (queue.parent, queue.project) == ("cohort-0", "cohort-0-cq-0")
    assert (queue.guarantees, queue.limits) == (((GPU_TYPE, 1000),), ((GPU_TYPE, 6000),))
    assert len(found.shares) == 1 + 2 * (1 + 3)
    assert len(found.arrivals) == 2 * 3 * 34
    assert {one.demand.request.gpu_milli for one in found.arrivals} == {50, 1000}
    times = [one.at_ms for one in found.arrivals]
    assert times == sorted(times)
    assert times[-1] == 2900
    assert sum(len(node.devices) for node in found.nodes) == 24


def test_levels_become_racks_and_blocks(tmp_path: Path) -> None:
    found = model(tmp_path, PLACED)
    assert found.cpu_milli_of_gpu == 1000
    assert len(found.nodes) == 2 * 2 * 3
    assert all(len(node.devices) == 8 for node in found.nodes)
    assert len({node.block for node in found.nodes}) == 2
    assert len({node.rack for node in found.nodes}) == 4
    assert found.policy.preempt is Preempt.GUARANTEE
    topologies = {one.class_name: one.demand.topology for one in found.arrivals}
    assert topologies["near"] == Topology(within=TopologyLevel.RACK)
    assert topologies["nearer"] == Topology(prefer=TopologyLevel.BLOCK)
    assert topologies["far"] == Topology()
    queue = found.shares[2]
    assert (queue.guarantees, queue.limits) == (((GPU_TYPE, 10_000),), ())


@pytest.mark.parametrize("text", [GENERATOR, PLACED])
def test_everything_is_admitted_inside_its_limits(tmp_path: Path, text: str) -> None:
    found = model(tmp_path, text)
    outcome = Admission(found).run(quiet)
    assert outcome.admitted == outcome.workloads == len(found.arrivals)
    assert outcome.over == ""
    assert sum(len(waits) for waits in outcome.waits_ms.values()) == len(found.arrivals)
    assert all(wait >= 0 for waits in outcome.waits_ms.values() for wait in waits)
    assert 0 < outcome.used_share <= 1
    assert outcome.computing_seconds > 0
    again = Admission(found).run(quiet)
    assert again.waits_ms == outcome.waits_ms
    assert again.evictions == outcome.evictions


@pytest.mark.parametrize("text", [GENERATOR, PLACED])
def test_what_changed_makes_the_same_plan_as_all_anew(tmp_path: Path, text: str) -> None:
    def policy(snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
        anew = Snapshot(
            nodes=snapshot.nodes,
            holds=snapshot.holds,
            demands=snapshot.demands,
            shares=snapshot.shares,
            policy=snapshot.policy,
        )
        plan = decide(snapshot, now_ms, seed)
        assert plan.digest() == decide(anew, now_ms, seed).digest()
        return plan

    outcome = Admission(model(tmp_path, text), interval_ms=70, policy=policy).run(quiet)
    assert outcome.admitted == outcome.workloads


def test_lent_quota_is_taken_back(tmp_path: Path) -> None:
    """The first queue fills the whole cohort for a minute; the second gets its own at once."""
    queue = """\
  - className: {name}
    nominalQuota: 4
    borrowingLimit: 4
    reclaimWithinCohort: Any
    withinClusterQueue: LowerPriority
    workloadsSets:
    - {{count: {count}, creationIntervalMs: {interval}, workloads: [{work}]}}
"""
    long = "{className: long, runtimeMs: 60000, request: 1}"
    late = "{className: late, runtimeMs: 1000, request: 1}"
    found = model(
        tmp_path,
        "cohorts:\n- className: cohort\n  queuesSets:\n"
        + queue.format(name="a", count=8, interval=0, work=long)
        + queue.format(name="b", count=2, interval=500, work=late),
    )
    outcome = Admission(found).run(quiet)
    assert outcome.admitted == 10
    assert outcome.evictions in (1, 2)
    assert max(outcome.waits_ms["late"]) < 1000
    assert outcome.over == ""


def test_what_is_evicted_waits_and_runs_again(tmp_path: Path) -> None:
    found = model(tmp_path, PLACED)
    stopped: list[str] = []

    def policy(snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
        if now_ms >= 100 and not stopped and snapshot.holds:
            hold = snapshot.holds[0]
            stopped.append(hold.workload_id)
            ranks = tuple(one.rank for one in snapshot.holds if one.workload_id == stopped[0])
            return Plan(preemptions=(Preemption(hold.workload_id, ranks, "other", "a test"),))
        return decide(snapshot, now_ms, seed)

    outcome = Admission(found, policy=policy).run(quiet)
    assert outcome.evictions >= 1
    assert outcome.admitted == len(found.arrivals)
    assert sum(len(waits) for waits in outcome.waits_ms.values()) == len(found.arrivals)


def test_cycles_keep_their_distance(tmp_path: Path) -> None:
    found = model(tmp_path)
    times: list[int] = []

    def policy(snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
        times.append(now_ms)
        return decide(snapshot, now_ms, seed)

    outcome = Admission(found, interval_ms=250, policy=policy).run(quiet)
    assert all(late - early >= 250 for early, late in pairwise(times))
    assert outcome.admitted == len(found.arrivals)


def test_what_can_never_start_ends_the_run(tmp_path: Path) -> None:
    def policy(snapshot: Snapshot, now_ms: int, seed: int) -> Plan:
        return Plan(next_wake_ms=now_ms + 1000)

    outcome = Admission(model(tmp_path), policy=policy).run(quiet)
    assert outcome.admitted == 0


def test_a_charged_cycle_takes_time(tmp_path: Path) -> None:
    outcome = Admission(model(tmp_path), charged=True).run(quiet)
    assert outcome.admitted == outcome.workloads
    assert min(wait for waits in outcome.waits_ms.values() for wait in waits) >= 1


def test_published_means_stand_beside_or_above_their_limits(tmp_path: Path) -> None:
    text = """\
# measured on two machines
cmd:
  # Average value 1234.5 (+/- 2%), and some room
  maxWallMs: 2_000
other:
  cq: 50 #%
wlClassesMaxAvgTimeToAdmissionMs:
  # mean=70ms
  tiny: 90
  small: 110  # mean=80ms
  medium: 1_200      # 1000 / 15 / 1.5%
  large: 300
"""
    found = read_published(written(tmp_path, text))
    assert found.wall_ms == Figure(2000, 1234.5)
    assert found.to_admission_ms == {
        "tiny": Figure(90, 70),
        "small": Figure(110, 80),
        "medium": Figure(1200, 1000),
        "large": Figure(300, None),
    }
    assert found.to_admission_ms["large"].best == 300


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("nominalQuota: 20", "nominalQuota: -1",
         "g.yaml, line 7, cohorts.0.queuesSets.0.nominalQuota:"),
        ("priority: 50", "prio: 50",
         "line 15, cohorts.0.queuesSets.0.workloadsSets.0.workloads.0.prio: is not a known"),
        ("    nominalQuota: 20\n", "", "cohorts.0.queuesSets.0.nominalQuota: is missing"),
        ("runtimeMs: 200", "runtimeMs: soon", "workloads.0.runtimeMs: is the text 'soon'"),
        ("Any", "Sometimes", "reclaimWithinCohort: is the text 'Sometimes'"),
        ("count: 30", "count: 0", "line 12, cohorts.0.queuesSets.0.workloadsSets.0.count"),
        ("cohorts:", "cohorts: []\nother:", "cohorts: is an empty list"),
        ("request: 1}", "request: 1, tasConstraint: required, tasLevel: rack}", "tasLevel: of 'sm"),
        ("LowerPriority", "LowerOrNewerEqualPriority", "have no counterpart here"),
        ("request: 20}", "request: 20001m}", "request: range from 1000m"),
    ],
)  # fmt: skip
def test_a_generator_that_cannot_be_right(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    assert before in GENERATOR
    with pytest.raises(UserError) as caught:
        model(tmp_path, GENERATOR.replace(before, after, 1))
    assert told in caught.value.message


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GENERATOR)
    limits = written(
        tmp_path,
        "cmd:\n  maxWallMs: 4_000\nwlClassesMaxAvgTimeToAdmissionMs:\n  small: 5_000\n",
        "r.yaml",
    )
    words = ["bench", "admission", "--generator", str(path), "--published", str(limits)]
    assert execute(app, [*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["admitted"] == 204
    assert document["cpus_of_gpu"] == 20
    assert document["published_admissions_per_second"] == 51
    assert document["admissions_per_second"] > 0
    assert document["classes"]["small"]["published_s"] == 5
    assert document["classes"]["large"]["published_s"] is None
    assert execute(app, words) == 0
    shown = capsys.readouterr().out
    assert "204 of 204 admitted" in shown
    assert "5.0 s" in shown


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, GENERATOR)
    missing = str(tmp_path / "none.yaml")
    assert execute(app, ["bench", "admission", "--generator", missing]) == 1
    assert "none.yaml: cannot be read" in capsys.readouterr().err.replace("\n", "")
    words = ["bench", "admission", "--generator", str(path), "--published", str(path)]
    assert execute(app, words) == 1
    assert "has no wlClassesMaxAvgTimeToAdmissionMs" in capsys.readouterr().err
