"""What a MIG manager's configurations are called, and how nodes show which one stands."""

from __future__ import annotations

from collections import Counter

import pytest

from podium.domain.layouts import placed_of
from podium.domain.mig import BOARDS, Board, is_legal
from podium.domain.node import Device
from podium.engines.contract import DeviceGrant
from podium.engines.kubernetes.devices import Sight, devices_of
from podium.engines.kubernetes.grants import note_of, resource_of
from podium.engines.kubernetes.layouts import configs_of

H100 = "NVIDIA-H100-80GB-HBM3"


def labels(strategy: str = "mixed", product: str = H100, **more: str) -> dict[str, str]:
    found = {
        "gpu.product": product,
        "gpu.memory": "81559",
        "mig.strategy": strategy,
        "mig.config": "all-1g.10gb",
        "mig.config.state": "success",
        **more,
    }
    return {f"nvidia.com/{name}": value for name, value in found.items()}


def listed(
    allocatable: dict[str, str], notes: dict[str, str], others: dict[str, int] | None = None,
    ours: tuple[str, ...] = (),
) -> tuple[Device, ...]:  # fmt: skip
    named = {f"nvidia.com/{name}": value for name, value in allocatable.items()}
    taken = {f"nvidia.com/{name}": value for name, value in (others or {}).items()}
    return devices_of(
        Sight(name="e.n", allocatable=named, labels=notes, annotations={}, others=taken, ours=ours)
    )


@pytest.mark.parametrize("board", BOARDS.values(), ids=str)
def test_each_configuration_is_legal_and_unlike_the_others(board: Board) -> None:
    configs = configs_of(board)
    kinds = [frozenset(profile for profile, _ in each) for each in configs.values()]
    assert len(set(kinds)) == len(kinds)
    for instances in configs.values():
        placed = placed_of(board, instances)
        assert len(placed) == len(instances)
        assert is_legal(board, placed)


def test_configurations_have_the_names_and_numbers_of_the_makers_file() -> None:
    counts = {
        name: dict(Counter(profile for profile, _ in instances))
        for name, instances in configs_of(BOARDS["H100-80GB"]).items()
    }
    assert counts == {
        "all-disabled": {},
        "all-1g.10gb": {"1g.10gb": 7},
        "all-1g.10gb.me": {"1g.10gb+me": 1},
        "all-1g.20gb": {"1g.20gb": 4},
        "all-2g.20gb": {"2g.20gb": 3},
        "all-3g.40gb": {"3g.40gb": 2},
        "all-4g.40gb": {"4g.40gb": 1},
        "all-7g.80gb": {"7g.80gb": 1},
        "all-balanced": {"1g.10gb": 2, "2g.20gb": 1, "3g.40gb": 1},
    }
    a30 = configs_of(BOARDS["A30-24GB"])["all-balanced"]
    assert Counter(profile for profile, _ in a30) == {"1g.6gb": 2, "2g.12gb": 1}


@pytest.mark.parametrize(
    ("strategy", "product", "resource"),
    [
        ("mixed", H100, "mig-1g.10gb"),
        ("single", f"{H100}-MIG-1g.10gb", "gpu"),
    ],
)
def test_gpus_that_are_cut_alike_are_gpus_with_instances(
    strategy: str, product: str, resource: str
) -> None:
    # In the strategy "single" the labels tell of an instance.
    size = "81559" if strategy == "mixed" else "9984"
    notes = labels(strategy, product, **{"gpu.memory": size})
    found = listed({resource: "14"}, notes)
    assert [(each.id, each.board, each.pinned) for each in found] == [
        ("e.n-gpu-0", "H100-80GB", True),
        ("e.n-gpu-1", "H100-80GB", True),
    ]
    slots = [(each.profile, each.start) for each in found[0].instances]
    assert slots == [("1g.10gb", start) for start in range(7)]
    given = DeviceGrant(0, found[1].uuid, 125, 1, mig=True, virtual=False, mig_profile="1g.10gb",
                        mig_start=6)  # fmt: skip
    assert resource_of(given) == f"nvidia.com/{resource}"
    assert note_of(given) == found[1].instances[6].uuid
    busy = listed({resource: "14"}, notes, {resource: 2}, (note_of(given),))
    used = [each.uuid for device in busy for each in device.instances if each.busy]
    assert used == [each.uuid for each in found[1].instances[4:6]]
    ill = listed({resource: "13"}, notes)
    assert [len(each.instances) for each in ill] == [7, 6]


@pytest.mark.parametrize(
    ("allocatable", "notes"),
    [
        ({"mig-1g.10gb": "7"}, labels(**{"mig.config": "ours"})),
        ({"mig-1g.10gb": "7", "gpu": "1"}, labels()),
        ({"mig-1g.10gb": "7", "mig-3g.40gb": "2"}, labels()),
        ({"mig-1g.10gb": "14"}, labels(**{"mig-1g.10gb.replicas": "2"})),
        ({"mig-1g.10gb": "7"}, labels("none")),
        ({"mig-1g.99gb": "7"}, labels()),
    ],
)
def test_what_is_not_cut_alike_stands_for_itself(
    allocatable: dict[str, str], notes: dict[str, str]
) -> None:
    assert not any(each.board for each in listed(allocatable, notes))


def test_instances_are_no_gpus_while_labels_lag_behind() -> None:
    notes = labels("single", **{"gpu.count": "2"})
    assert [each.healthy for each in listed({"gpu": "2"}, notes)] == [True] * 2
    assert not any(each.healthy for each in listed({"gpu": "14"}, notes))
