"""Workload documents on a cluster from a file: what is told of each, and which faults are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.cli.app import execute
from podium.domain.errors import UserError
from podium.domain.policy import Order, Preempt
from podium.main import app
from podium.simulation.admission.generator import read_generator
from podium.simulation.cluster.inventory import Cluster, read_cluster
from podium.simulation.cluster.workloads import read_workloads

EXAMPLES = Path(__file__).parents[2] / "examples" / "cluster"

CLUSTER = """\
nodes:
  - {name: big, count: 4, gpus: 2, gpu_type: H100, cpus: 16, memory: 64GiB, racks: 2, blocks: 1}
  - {name: small, gpus: 1, gpu_type: L4, gpu_memory: 24GiB, cpus: 8, memory: 32GiB}
teams:
  - name: red
    weight: 3
    guarantee: {H100: 4}
    projects:
      - {name: one, limit: 6}
      - {name: two, guarantee: {H100: 2}}
  - name: blue
    guarantee: {H100: 2}
    projects:
      - name: three
policy: {order: fifo, preempt: never, patience: 1m}
"""
WORKLOADS = """\
{name: first, project: one, resources: {gpus: 2, gpu_type: H100}, replicas: 4, runs_for: 1h}
---
name: second
project: two
resources: {gpus: 1, gpu_type: H100}
at: 10m
runs_for: 30m
---
{name: third, project: two, depends_on: [second], at: 20m, runs_for: 1h, max_runtime: 15m}
---
{name: fourth, project: free, resources: {gpus: 8, gpu_type: L4}, at: 20m, runs_for: 1s}
"""

Simulate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Simulate:
    def simulated(cluster: str, workloads: str, *words: str) -> tuple[int, str, str]:
        (tmp_path / "c.yaml").write_text(cluster)
        (tmp_path / "w.yaml").write_text(workloads)
        files = ["--cluster", str(tmp_path / "c.yaml"), "--workloads", str(tmp_path / "w.yaml")]
        code = execute(app, ["simulate", *files, *words])
        shown = capsys.readouterr()
        return code, shown.out, " ".join(shown.err.split())

    return simulated


def test_each_workload_has_its_story(run: Simulate) -> None:
    cluster = CLUSTER.replace("{name: one, limit: 6}", "{name: one}")
    code, out, err = run(cluster, WORKLOADS, "--json")
    assert code == 0, err
    document = json.loads(out)
    assert (document["nodes"], document["gpus"], document["policy"]) == (5, 9, "podium")
    first, second, third, fourth = document["workloads"]
    assert (first["waited_s"], first["ran_s"], first["ended_s"]) == (0, 3600, 3600)
    assert [stay["node"] for stay in first["stays"]] == ["big-0", "big-1", "big-2", "big-3"]
    assert {tuple(stay["gpus"]) for stay in first["stays"]} == {(0, 1)}
    assert first["reasons"] == []
    assert (second["started_s"], second["waited_s"]) == (3600, 3000)
    assert second["reasons"][0]["since_s"] == 600
    assert second["reasons"][0]["reason"] in ("capacity", "priority", "quota")
    assert second["reasons"][0]["message"]
    assert third["started_s"] == second["ended_s"] == 5400
    assert third["reasons"][-1]["reason"] == "dependency"
    assert (third["ran_s"], third["stopped_at_limit"]) == (900, True)
    assert (fourth["started_s"], fourth["ended_s"]) == (None, None)
    assert fourth["reasons"][-1]["reason"] == "impossible_size"
    totals = document["totals"]
    assert totals["jobs"] == 4
    assert totals["unfinished"] == ["fourth"]
    assert totals["makespan_s"] == 6300
    assert totals["utilisation"] == pytest.approx((8 * 3600 + 1800) / (9 * 6300))
    assert totals["groups"] == 2
    assert run(cluster, WORKLOADS, "--json")[1] == out


def test_what_gave_way_is_told(run: Simulate) -> None:
    """`two` is guaranteed two GPUs, and `free` is guaranteed none: it has to give them back."""
    cluster = CLUSTER.replace("preempt: never", "preempt: guarantee, minimum_runtime: 1m")
    workloads = """\
{name: large, project: free, resources: {gpus: 2, gpu_type: H100}, replicas: 4, runs_for: 5h}
---
{name: own, project: two, resources: {gpus: 1, gpu_type: H100}, at: 10m, runs_for: 1h}
"""
    code, out, err = run(cluster, workloads, "--json")
    assert code == 0, err
    large, own = json.loads(out)["workloads"]
    assert own["started_s"] < 3600
    (stop,) = large["gave_way"]
    assert (stop["in_favour_of"], stop["ranks"]) == ("own", [0, 1, 2, 3])
    assert large["ended_s"] > own["ended_s"]
    assert json.loads(out)["totals"]["preemptions"] == 1
    assert "gave way to own" in run(cluster, workloads)[1]


def test_a_gang_of_unlike_groups_starts_whole_or_not_at_all(run: Simulate) -> None:
    workloads = """\
name: large
project: free
resources: {gpus: 2, gpu_type: H100}
replicas: 4
runs_for: 1h
---
name: rl
project: free
at: 10m
runs_for: 30m
groups:
  - {name: actor, replicas: 3, resources: {cpus: 2}}
  - {name: learner, resources: {gpus: 2, gpu_type: H100}}
"""
    code, out, err = run(CLUSTER, workloads, "--json")
    assert code == 0, err
    _, gang = json.loads(out)["workloads"]
    assert (gang["started_s"], gang["ended_s"]) == (3600, 5400), "the actors alone had room"
    assert gang["replicas"] == 4
    assert gang["request"].startswith("3 × (2 CPU · 512 MiB) + 1 × (2 × H100 · ")
    assert [(stay["rank"], len(stay["gpus"])) for stay in gang["stays"]] == [
        (0, 0), (1, 0), (2, 0), (3, 2),
    ]  # fmt: skip
    faulty = workloads.replace("replicas: 3,", "replicas: 0,")
    code, _, err = run(CLUSTER, faulty)
    assert code != 0
    assert "groups.0.replicas" in err


BOOKINGS = """\
bookings:
  - {name: firmware, nodes: [big-0, big-1, big-2, big-3], from: 30m, until: 1h}
  - {name: paper, nodes: [small-0], until: 2h, project: two}
"""


def test_booked_nodes_are_kept(run: Simulate) -> None:
    """Work waits until it is over, unless it is sure to end before or is of the project."""
    workloads = """\
{name: early, project: one, resources: {gpus: 1, gpu_type: H100}, runs_for: 2h, max_runtime: 30m}
---
{name: late, project: one, resources: {gpus: 1, gpu_type: H100}, at: 20m, runs_for: 30m}
---
{name: other, project: one, resources: {gpus: 1, gpu_type: L4}, at: 1m, runs_for: 1m}
---
{name: theirs, project: two, resources: {gpus: 1, gpu_type: L4}, at: 2m, runs_for: 1m}
"""
    code, out, err = run(CLUSTER + BOOKINGS, workloads, "--json")
    assert code == 0, err
    stories = {one["name"]: one for one in json.loads(out)["workloads"]}
    assert stories["early"]["waited_s"] == 0
    assert stories["late"]["started_s"] == 5400
    assert stories["late"]["reasons"][-1]["reason"] == "reservation"
    assert stories["theirs"]["waited_s"] == 0
    assert stories["other"]["started_s"] == 7200


@pytest.mark.parametrize(
    ("bookings", "field", "words"),
    [
        ("[{name: a, nodes: [big-9], until: 1h}]", "bookings.0.nodes.0", "none of the nodes"),
        ("[{name: a, nodes: [], until: 1h}]", "bookings.0.nodes", "empty list"),
        ("[{name: a, nodes: [3], until: 1h}]", "bookings.0.nodes.0", "the name of a node"),
        ("[{name: a, nodes: [small-0]}]", "bookings.0.until", "is missing"),
        ("[{name: a, nodes: [small-0], until: 0s}]", "bookings.0.until", "from 1s"),
        (
            "[{name: a, nodes: [small-0], until: 1h}, {name: a, nodes: [big-0], until: 1h}]",
            "bookings.1.name",
            "another booking",
        ),
        (
            "[{name: a, nodes: [big-0], until: 2h}, {name: b, nodes: [big-0], until: 1h}]",
            "bookings.1.nodes",
            "booked in that time by a",
        ),
    ],
)
def test_bad_bookings(run: Simulate, bookings: str, field: str, words: str) -> None:
    code, _, err = run(f"{CLUSTER}bookings: {bookings}\n", WORKLOADS)
    assert code != 0
    assert field in err
    assert words in err


def test_a_table_for_people(run: Simulate) -> None:
    code, out, _ = run(CLUSTER.replace(", limit: 6", ""), WORKLOADS)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "c.yaml: 4 workloads on 5 nodes with 9 GPUs"
    assert lines[2].split() == ["WORKLOAD", "PROJECT", "AT", "WAITED", "RAN", "WHERE", "WHY",
                                "IT", "WAITED"]  # fmt: skip
    assert "15 min (limit)" in out
    assert "(since 20 min)" in out
    assert lines[-1].split() == ["not", "ended", "fourth"]


def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--cluster", str(EXAMPLES / "cluster.yaml"),
             "--workloads", str(EXAMPLES / "workloads.yaml")]  # fmt: skip
    assert execute(app, ["simulate", *files, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["totals"]["unfinished"] == []
    stories = {one["name"]: one for one in document["workloads"]}
    racks = {stay["node"] for stay in stories["finetune"]["stays"] if stay["completed"]}
    assert racks in ({"h100-0", "h100-1"}, {"h100-2", "h100-3"})
    assert stories["report"]["started_s"] >= stories["finetune"]["ended_s"]
    assert stories["ranking"]["stopped_at_limit"]


def test_what_a_cluster_file_says(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CLUSTER)
    cluster = read_cluster(path)
    assert [node.name for node in cluster.nodes] == ["big-0", "big-1", "big-2", "big-3", "small-0"]
    assert [node.rack for node in cluster.nodes] == [
        "big-rack-0", "big-rack-0", "big-rack-1", "big-rack-1", "",
    ]  # fmt: skip
    assert cluster.nodes[0].block == "big-block-0"
    assert cluster.nodes[4].devices[0].memory_bytes == 24 * 2**30
    assert [(share.name, share.parent, share.project) for share in cluster.shares] == [
        ("", None, None), ("red", "", None), ("red/one", "red", "one"), ("red/two", "red", "two"),
        ("blue", "", None), ("blue/three", "blue", "three"),
    ]  # fmt: skip
    _, red, one, two, *_ = cluster.shares
    assert (red.weight, red.guarantees, red.limits) == (3, (("H100", 4000),), ())
    assert one.limits == (("", 6000),)
    assert two.guarantees == (("H100", 2000),)
    assert (cluster.policy.order, cluster.policy.preempt) == (Order.FIFO, Preempt.NEVER)
    assert cluster.policy.patience_ms == 60_000


def test_pools_and_domains_of_a_cluster_file(run: Simulate) -> None:
    cluster = CLUSTER.replace("racks: 2", "nvlink_domains: 2").replace("order: fifo, ", "")
    workloads = """\
{name: gang, replicas: 2, topology: {within: nvlink}, resources: {gpus: 2}, runs_for: 1h}
---
{name: here, resources: {pool: small}, runs_for: 1h}
---
{name: there, resources: {pool: [small, big], cpus: 12}, runs_for: 1h}
"""
    code, out, err = run(cluster, workloads, "--json")
    assert code == 0, err
    found = {one["name"]: {stay["node"] for stay in one["stays"]}
             for one in json.loads(out)["workloads"]}  # fmt: skip
    assert found["gang"] in ({"big-0", "big-1"}, {"big-2", "big-3"})
    assert found["here"] == {"small-0"}
    assert found["there"] < {"big-0", "big-1", "big-2", "big-3"}


def test_what_a_workload_file_says(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CLUSTER)
    (tmp_path / "w.yaml").write_text(WORKLOADS)
    cluster = read_cluster(tmp_path / "c.yaml")
    first, second, third, _ = read_workloads(tmp_path / "w.yaml", cluster)
    assert (first.at_ms, first.runs_for_ms, first.runtime_ms) == (0, 3_600_000, 3_600_000)
    assert (second.at_ms, second.wish.project) == (600_000, "two")
    assert third.runtime_ms == 900_000


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("weight: 3", "weight: -3", "c.yaml, line 6, teams.0.weight: is -3."),
        ("guarantee: {H100: 4}", "guarantee: {H100: 40}", "line 7, teams.0.guarantee.H100: "),
        ("guarantee: {H100: 4}", "guarantee: 40", "c.yaml, line 7, teams.0.guarantee: "),
        ("guarantee: {H100: 4}", "guarantee: {A100: 1}", "teams.0.guarantee.A100: "),
        ("limit: 6", "limit: -1", "line 9, teams.0.projects.0.limit: '-1' is not a positive"),
        ("limit: 6", "limit: 6, guarantee: 7", "line 9, teams.0.projects.0.limit: "),
        ("name: three", "name: one", "line 14, teams.1.projects.0.project: "),
        ("racks: 2", "nvlink_domains: 5", "line 2, nodes.0.nvlink_domains: is 5, more than there"),
        ("racks: 2", "racks: 5", "line 2, nodes.0.racks: is 5, more than there are"),
        ("gpus: 1,", "gpu: 1,", "line 3, nodes.1.gpu: is not a known field. hint: Did you"),
        ("memory: 32GiB", "memory: lots", "line 3, nodes.1.memory: 'lots' is not an amount"),
        ("name: small", "name: big", "line 1, nodes: make two nodes of the name 'big-0'"),
        ("gpu_type: L4, ", "", "line 3, nodes.1.gpu_type: is missing. hint: Name the type"),
        ("order: fifo", "order: lifo", "line 15, policy.order: is the text 'lifo'; known are fair"),
        (CLUSTER, "- one", "c.yaml: does not begin with a map of fields."),
        (CLUSTER, "", "c.yaml: does not begin with a map of fields."),
        (CLUSTER, CLUSTER + "---\n{}\n", "c.yaml: holds 2 documents."),
        ("nodes:", "nodes: [", "c.yaml: The YAML is broken at line "),
    ],
)  # fmt: skip
def test_a_cluster_that_cannot_be(run: Simulate, before: str, after: str, told: str) -> None:
    assert before in CLUSTER
    code, out, err = run(CLUSTER.replace(before, after, 1), WORKLOADS)
    assert (code, out) == (1, "")
    assert told in err


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("runs_for: 30m", "", "w.yaml, line 3, runs_for: is missing. hint: Add how long"),
        ("runs_for: 30m", "runs_for: -5m", "w.yaml, line 7, runs_for: '-5m' is not a duration"),
        ("at: 10m", "at: noon", "line 6, at: 'noon' is not a duration"),
        ("gpus: 1,", "gpus: 1.5,", "line 5, resources.gpus: is 1.5; only less than one GPU"),
        ("name: second", "name: first", "line 3, name: is 'first', as in document 1."),
        ("[second]", "[sixth]", "line 9, depends_on: names 'sixth', which is not in this file"),
        ("project: free", "projekt: free", "line 11, projekt: is not a known field."),
        ("[second]", "[third]", "depends_on: makes a cycle: third"),
        ("name: second", "topology: {within: block}\nname: second",
         "line 3, topology.within: is block, but no node of c.yaml stands in a block. hint: "),
        ("gpus: 1,", "pool: none, gpus: 1,",
         "line 5, resources.pool: names 'none', which is no pool of c.yaml. hint: It has big"),
    ],
)  # fmt: skip
def test_workloads_that_cannot_be(run: Simulate, before: str, after: str, told: str) -> None:
    assert before in WORKLOADS
    cluster = CLUSTER.replace(", blocks: 1", "")
    code, out, err = run(cluster, WORKLOADS.replace(before, after, 1), "--json")
    assert (code, out) == (1, "")
    faults: Any = json.loads(err)["faults"]
    shown = [f"{one['field']}: {one['message']} hint: {one['remedy']}" for one in faults]
    assert any(told in one for one in shown), shown


_KEYS = st.sampled_from(
    ["nodes", "teams", "policy", "name", "count", "gpus", "gpu_type", "cpus", "memory", "racks",
     "projects", "weight", "guarantee", "limit", "labels", "H100", "order", "cohorts", "topology",
     "levels", "className", "queuesSets", "workloadsSets", "workloads", "request", "runs_for", "at"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["H100", "8", "1GiB", "fair", "500m", "1h"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(_KEYS, _VALUES, max_size=4) | _VALUES)
@settings(max_examples=150, deadline=None)
def test_no_document_stops_a_reader_otherwise_than_with_its_faults(value: object) -> None:
    some = Cluster("c.yaml", (), ())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "some.yaml"
        path.write_text(yaml.safe_dump(value))
        for read in (read_cluster, read_generator, lambda each: read_workloads(each, some)):
            with suppress(UserError):
                read(path)


@given(st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_bytes_stop_a_reader_otherwise_than_with_a_fault(body: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "some.yaml"
        path.write_bytes(body)
        for read in (read_cluster, read_generator):
            with pytest.raises(UserError):
                read(path)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--cluster", "c.yaml"], "--workloads: is missing."),
        (["--workloads", "w.yaml"], "--cluster: is missing."),
        (["--jobs", "j.csv", "--nodes", "2"], "--gpus-per-node: is missing."),
        (["--nodes", "2"], "--jobs: is missing."),
        (["--cluster", "c", "--workloads", "w", "--nodes", "2"], "--nodes: does not go together"),
    ],
)
def test_options_that_belong_together(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(app, ["simulate", *words]) == 1
    assert told in capsys.readouterr().err


def test_policies_of_traces_are_not_for_documents(run: Simulate) -> None:
    code, _, err = run(CLUSTER, WORKLOADS, "--policy", "sjf")
    assert code == 1
    assert "--policy: sjf is for traces of jobs. hint: With --cluster: podium, fifo." in err
    assert run(CLUSTER, WORKLOADS, "--policy", "fifo", "--runtimes", "unknown")[0] == 0
