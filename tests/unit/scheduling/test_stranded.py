"""How much of what is free the recent requests cannot use."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from podium.domain.node import NodeState
from podium.domain.resources import DeviceShare, Isolation
from podium.scheduling.placing.stranded import Stock, stocks
from unit.scheduling.cases import GIB, gpus, holding, node, request, sliced


def stock(free: int, stranded: int, split: int = 0, kind: str = "A100", pool: str = "") -> Stock:
    return Stock(
        gpu_type=kind, pool=pool, free_milli=free, stranded_milli=stranded, split_milli=split
    )


def test_without_requests_whole_gpus_are_what_is_of_use() -> None:
    at = node("n1", 4)
    holds = [holding(at, [0], milli=400)]
    assert stocks([at], holds, []) == [stock(3600, 600, 600)]
    assert stocks([at], holds, [(request(0), 7)]) == [stock(3600, 600, 600)]


def test_too_few_together() -> None:
    nodes = [node(name, 4) for name in ("n1", "n2", "n3")]
    holds = [holding(nodes[0], [0], "a"), holding(nodes[1], [0, 1], "b")]
    of_four, of_two = request(4), request(2)
    # Free are 3, 2 and 4: a request for four finds room on the last, one for two leaves one over.
    assert stocks(nodes, holds, [(of_four, 1)]) == [stock(9000, 5000)]
    assert stocks(nodes, holds, [(of_two, 1)]) == [stock(9000, 1000)]
    assert stocks(nodes, holds, [(of_two, 3), (of_four, 1)]) == [stock(9000, 2000)]


def test_too_little_beside() -> None:
    at = node("n1", 8, cpu_milli=20_000)
    assert stocks([at], [], [(request(1, cpus=4), 1)]) == [stock(8000, 3000)]


def test_each_type_and_pool_for_itself() -> None:
    nodes = [
        node("n1", [*gpus("n1", 2), *gpus("n1", 2, "L4", 24 * GIB)]),
        node("n2", 4, pool="fast"),
        node("n3", 4, state=NodeState.CORDONED),
    ]
    only_fast = request(2, gpu_types=("A100",), pools=("fast",))
    holds = [holding(nodes[1], [3])]
    # Nothing of the mix may use the GPUs of n1, so whole ones count; on n2 one is left over.
    assert stocks(nodes, holds, [(only_fast, 1)]) == [
        stock(2000, 0),
        stock(2000, 0, kind="L4"),
        stock(3000, 1000, pool="fast"),
    ]


def test_what_is_left_of_a_cut_gpu() -> None:
    at = node("n1", sliced("n1", 1))
    share = DeviceShare(at.devices[0].id, 125, 10 * GIB, "1g.10gb", 0)
    held = replace(holding(at, []), devices=(share,))
    half = request(0, mig_profile="3g.40gb", mig_count=1, isolation=Isolation.MIG)
    (found,) = stocks([at], [held], [(half, 1)])
    # Seven of eight slices are free; one instance of four still fits.
    assert (found.free_milli, found.stranded_milli, found.split_milli) == (875, 375, 875)


@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(0, 8)), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(1, 8), st.integers(1, 9)), max_size=4),
)
def test_never_more_than_is_free(
    machines: list[tuple[int, int]], mix: list[tuple[int, int]]
) -> None:
    nodes = [node(f"n{at}", count) for at, (count, _) in enumerate(machines)]
    holds = [
        holding(each, list(range(min(held, count))), f"h{at}")
        for at, (each, (count, held)) in enumerate(zip(nodes, machines, strict=True))
        if held
    ]
    (found,) = stocks(nodes, holds, [(request(wanted), count) for wanted, count in mix])
    assert found.free_milli == sum(1000 * max(0, count - held) for count, held in machines)
    assert 0 <= found.stranded_milli <= found.free_milli
    if all(wanted == 1 for wanted, _ in mix):
        assert found.stranded_milli == 0
