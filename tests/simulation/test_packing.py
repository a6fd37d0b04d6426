"""The packing experiment: what it reads, what it counts, and that its policies are what they are
called."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from podium.domain.errors import UserError
from podium.scheduling.placing.offers import Offers
from podium.simulation.packing import experiment
from podium.simulation.packing.command import packing
from podium.simulation.packing.fgd import Fragmentation
from podium.simulation.packing.policy import NAMES, policy_named
from podium.simulation.packing.trace import (
    TraceNode,
    TracePod,
    read_nodes,
    read_order,
    read_pods,
)

MODELS = ("P100", "T4", "V100")


def node(cpus: int = 64, gpus: int = 4, model: str = "T4") -> TraceNode:
    return TraceNode(
        name="n", cpu_milli=cpus * 1000, memory_mib=cpus * 4096, gpus=gpus, model=model
    )


def pod(cpus: int = 4, gpus: int = 1, milli: int = 1000, models: tuple[str, ...] = ()) -> TracePod:
    return TracePod(
        cpu_milli=cpus * 1000,
        memory_mib=cpus * 2048,
        gpus=gpus,
        gpu_milli=milli if gpus else 0,
        models=models,
    )


def some_nodes(draw: random.Random, size: int = 12) -> list[TraceNode]:
    return [
        node(draw.choice((16, 64, 96)), draw.choice((0, 2, 4, 8)), draw.choice(MODELS))
        for _ in range(size - 1)
    ] + [node()]


def some_pods(draw: random.Random, size: int = 60) -> list[TracePod]:
    kinds = [
        pod(draw.choice((1, 4, 8)), 1, draw.choice((150, 460, 810, 1000))) for _ in range(8)
    ] + [pod(8, 2), pod(32, 8), pod(6, 0), pod(4, 1, 500, ("T4",)), pod(4, 1, 1000, MODELS[:2])]
    return [kinds[0], *(draw.choice(kinds) for _ in range(size - 1))]


def an_experiment(seed: int, policy: str) -> experiment.Outcome:
    draw = random.Random(seed)
    nodes, pods = some_nodes(draw), some_pods(draw)
    capacity = sum(each.gpus for each in nodes) * 1000
    arrivals = experiment.arrivals_drawn(pods, capacity, 1.3, seed)
    return experiment.run(nodes, pods, arrivals, policy=policy, seed=seed)


@pytest.mark.parametrize("policy", NAMES)
@pytest.mark.parametrize("seed", range(4))
def test_every_policy_stays_within_capacity_and_leaves_nothing_that_fits(
    policy: str, seed: int
) -> None:
    draw = random.Random(seed)
    nodes, pods = some_nodes(draw), some_pods(draw)
    cluster = experiment.cluster_of(nodes, pods)
    counts = np.bincount(cluster.class_of_pod, minlength=len(cluster.requests))
    room, requests = cluster.room, cluster.requests
    choice = experiment.Placing(policy_named(policy)(room, requests, counts, seed), requests)
    free_milli = int(room.devices.sum())
    for index in cluster.class_of_pod:
        milli = int(requests.gpu_milli[index])
        fits = any(
            requests.allowed[index, room.kind[row]]
            and room.cpu_milli[row] >= requests.cpu_milli[index]
            and room.memory[row] >= requests.memory[index]
            and (room.devices[row] >= max(milli, 1)).sum() >= requests.gpus[index]
            for row in range(len(nodes))
        )
        assert choice.place(int(index)) == fits
        free_milli -= int(requests.taken_milli[index]) * fits
        assert int(room.devices.sum()) == free_milli
        for free in (room.devices, room.cpu_milli, room.memory):
            assert (free >= 0).all()


@pytest.mark.parametrize("policy", NAMES)
def test_same_seed_same_answer(policy: str) -> None:
    first, again = an_experiment(5, policy), an_experiment(5, policy)
    assert first.allocation == again.allocation
    assert first.failed_pods == again.failed_pods


def test_the_share_is_the_mean_over_the_arrivals_that_round_to_the_load() -> None:
    # 2 GPUs; the second CPU-only pod and the third GPU pod change the mean at their load or not.
    pods = [pod(), pod(1, 0), pod(), pod(200, 0)]
    outcome = experiment.run([node(gpus=2)], pods, [0, 1, 2, 1, 3, 0], policy="podium", seed=1)
    assert outcome.allocation == {90: 50.0, 95: 50.0, 100: 100.0, 105: 100.0, 110: 100.0} | {
        120: 100.0,
        130: 100.0,
    }
    assert outcome.failed_pods == 2


def test_pods_are_shuffled_and_drawn_again_until_the_inflation() -> None:
    pods = [pod(milli=500), pod(cpus=1, gpus=0), pod(gpus=2)]
    order = experiment.arrivals_drawn(pods, 4000, 1.3, 7)
    assert sorted(order[:3]) == [0, 1, 2]
    asked = [pods[position].taken_milli for position in order]
    assert sum(asked) >= 5200
    assert sum(asked[:-1]) < 5200
    assert order == experiment.arrivals_drawn(pods, 4000, 1.3, 7)


def test_first_fit_takes_the_first_node_and_its_tightest_device() -> None:
    pods = [pod(milli=600), pod(milli=300), pod(milli=200)]
    cluster = experiment.cluster_of([node(gpus=2), node(gpus=1)], pods)
    policy = policy_named("first-fit")(cluster.room, cluster.requests, np.ones(3, np.int64), 0)
    choice = experiment.Placing(policy, cluster.requests)
    assert [choice.place(index) for index in (0, 0, 1, 2)] == [True] * 4
    assert cluster.room.devices.tolist() == [[100, 200], [1000, 0]]


@pytest.mark.parametrize("policy", NAMES)
@pytest.mark.parametrize("seed", range(2))
def test_moves_stay_within_capacity_and_allowance_and_lose_nothing(policy: str, seed: int) -> None:
    draw = random.Random(seed)
    nodes, pods = some_nodes(draw), some_pods(draw, 120)
    cluster = experiment.cluster_of(nodes, pods)
    room, requests = cluster.room, cluster.requests
    counts = np.bincount(cluster.class_of_pod, minlength=len(requests))
    placing = experiment.Placing(policy_named(policy)(room, requests, counts, seed), requests, 300)
    free = [int(each.sum()) for each in (room.devices, room.cpu_milli, room.memory)]
    needs = (requests.taken_milli, requests.cpu_milli, requests.memory)
    for number, index in enumerate(cluster.class_of_pod, start=1):
        placed = placing.place(int(index))
        assert placing.moves_made <= 300 * number // 1000
        free = [left - int(need[index]) * placed for left, need in zip(free, needs, strict=True)]
        arrays = (room.devices, room.cpu_milli, room.memory)
        assert free == [int(each.sum()) for each in arrays]
        for each in arrays:
            assert (each >= 0).all()
        assert (room.devices.sum(axis=1) <= room.capacity_milli).all()


def test_a_pod_is_moved_where_that_makes_room() -> None:
    pods = [pod(), pod(models=("T4",)), pod(gpus=2)]
    nodes = [node(gpus=1), node(gpus=1, model="V100"), node(gpus=2, model="P100")]
    arrivals = [0, 1, 2, 1]
    still = experiment.run(nodes, pods, arrivals, policy="first-fit", seed=1)
    assert (still.failed_pods, still.moves) == (2, 0)
    moved = experiment.run(nodes, pods, arrivals, policy="first-fit", seed=1, moves=1000)
    assert (moved.failed_pods, moved.moves) == (1, 1)


def fragmentation_by_its_definition(
    room: experiment.Room, row: int, pods: list[TracePod], models: list[str]
) -> float:
    """Transcribed from the paper, one node and one typical pod at a time."""
    often = Counter((each.cpu_milli, each.gpu_milli, each.gpus, each.models) for each in pods)
    typical, covered = [], 0
    for key, number in often.most_common():
        typical.append((key, number))
        covered += number
        if covered / len(pods) >= 0.95:
            break
    devices = [int(milli) for milli in room.devices[row]]
    total = 0.0
    for (cpu_milli, gpu_milli, gpus, allowed), number in typical:
        able = [milli for milli in devices if milli >= gpu_milli]
        runs = gpus > 0 and len(able) >= gpus and room.cpu_milli[row] >= cpu_milli
        if allowed and models[room.kind[row]] not in allowed:
            runs = False
        unusable = sum(milli for milli in devices if not runs or milli < gpu_milli)
        total += number / covered * unusable
    return total


@pytest.mark.parametrize("seed", range(6))
def test_fgd_prices_by_the_published_fragmentation(seed: int) -> None:
    draw = random.Random(seed)
    nodes, pods = some_nodes(draw), some_pods(draw)
    models = sorted({each.model for each in nodes})
    cluster = experiment.cluster_of(nodes, pods)
    counts = np.bincount(cluster.class_of_pod, minlength=len(cluster.requests))
    pricing = Fragmentation(cluster.requests, counts)
    offers = Offers(cluster.room, cluster.requests, pricing)
    for index in cluster.class_of_pod[:40]:
        before = [
            fragmentation_by_its_definition(offers.room, row, pods, models)
            for row in range(len(nodes))
        ]
        found = offers.best(int(index))
        if found is None:
            continue
        price = offers.prices(int(index))[found[0]]
        offers.take(int(index), *found)
        after = fragmentation_by_its_definition(offers.room, found[0], pods, models)
        score = 100 / (1 + math.exp(-(before[found[0]] - after) / 1000))
        # A score that is a whole number may come out on either side of it.
        assert -price in {int(score - 1e-9), int(score), int(score + 1e-9)}


# --- files ---------------------------------------------------------------------------------------

NODES = "name,cpu_milli,memory_mib,gpu,model\na,64000,262144,2,T4\nb,96000,1000,0,\n"
PODS = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(text)
    return path


def test_lists_are_read(tmp_path: Path) -> None:
    nodes = read_nodes(written(tmp_path, NODES))
    assert [each.gpus for each in nodes] == [2, 0]
    pods = read_pods(written(tmp_path, PODS + "p,4000,8192,1,460,V100|T4,LS\nq,1000,10,0,0,,BE\n"))
    assert pods[0].models == ("T4", "V100")
    assert [each.taken_milli for each in pods] == [460, 0]
    order = written(tmp_path, "seed_42,seed_43\n1,0\n0,1\n,1\n")
    assert read_order(order, 42, 2, every=True) == (1, 0)
    assert read_order(order, 43, 2, every=False) == (0, 1, 1)


@pytest.mark.parametrize(
    ("row", "where"),
    [
        ("p,4000,8192,x,1000,,LS", "row 3: num_gpu"),
        ("p,-1,8192,1,1000,,LS", "row 3: cpu_milli"),
        ("p,4000,,1,1000,,LS", "row 3: memory_mib"),
        ("p,4000,1e99,1,1000,,LS", "row 3: memory_mib"),
        ("p,4000,8192,1,nan,,LS", "row 3: gpu_milli"),
        ("p,4000,8192,1,1001,,LS", "row 3: gpu_milli"),
        ("p,4000,8192,1,0,,LS", "row 3: gpu_milli"),
        ("p,4000,8192,2,500,,LS", "row 3: gpu_milli"),
        ("p,4000,8192", "row 3"),
        ("p,4000,8192,1,1000,,LS,more", "row 3"),
    ],
)
def test_a_broken_pod_is_named_by_file_row_and_field(tmp_path: Path, row: str, where: str) -> None:
    path = written(tmp_path, f"{PODS}p,4000,8192,1,1000,,LS\n{row}\n")
    with pytest.raises(UserError) as caught:
        read_pods(path)
    assert caught.value.faults[0].field == f"list.csv: {where}"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name,cpu_milli,memory_mib,model\n", "list.csv: row 1: gpu"),
        ("", "list.csv: row 1: cpu_milli"),
        ("name,cpu_milli,memory_mib,gpu,model\n", "list.csv"),
        ("name,cpu_milli,memory_mib,gpu,model\na,1,1,1,\n", "list.csv: row 2: model"),
        ("name,cpu_milli,memory_mib,gpu,model\na,1,1,0,\n", "list.csv"),
    ],
)
def test_a_broken_node_list_is_named(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(UserError) as caught:
        read_nodes(written(tmp_path, text))
    assert caught.value.faults[0].field == where


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("seed_1\n0\n1\n", "list.csv: row 1: seed_42"),
        ("seed_42\n0\n2\n", "list.csv: row 3: seed_42"),
        ("seed_42\n0\n0\n", "list.csv: seed_42"),
    ],
)
def test_a_broken_order_is_named(tmp_path: Path, text: str, where: str) -> None:
    with pytest.raises(UserError) as caught:
        read_order(written(tmp_path, text), 42, 2, every=True)
    assert caught.value.faults[0].field == where


def test_what_is_no_text_is_an_error_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read"):
        read_nodes(path)


# --- the command ---------------------------------------------------------------------------------


def test_moves_go_with_prices(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        packing(nodes=tmp_path, pods=tmp_path, policy="fgd", moves=5)
    assert caught.value.faults[0].field == "--moves"


def test_the_command_says_the_same_under_two_hash_seeds(tmp_path: Path) -> None:
    draw = random.Random(3)
    nodes, pods = tmp_path / "nodes.csv", tmp_path / "pods.csv"
    nodes.write_text(
        "name,cpu_milli,memory_mib,gpu,model\n"
        + "".join(
            f"{row},{each.cpu_milli},{each.memory_mib},{each.gpus},{each.model}\n"
            for row, each in enumerate(some_nodes(draw))
        )
    )
    pods.write_text(
        PODS
        + "".join(
            f"p,{each.cpu_milli},{each.memory_mib},{each.gpus},{each.gpu_milli},"
            f"{'|'.join(each.models)},LS\n"
            for each in some_pods(draw)
        )
    )
    lists = ("--nodes", str(nodes), "--pods", str(pods))
    bench = (sys.executable, "-m", "podium.main", "bench", "packing")
    said = []
    for hash_seed in ("0", "1"):
        done = subprocess.run(
            [*bench, *lists, "--seed", "9", "--moves", "30", "--json"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        said.append(json.loads(done.stdout))
        assert said[-1].pop("seconds") >= 0
    assert said[0] == said[1]
    assert 0 <= said[0]["moves"] <= 30
    assert set(said[0]["allocation"]) == {"90", "95", "100", "105", "110", "120", "130"}
