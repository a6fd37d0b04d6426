"""GPUs as device plugins count them and GPU Feature Discovery describes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.node import Device, Node
from podium.domain.resources import MPS_LABEL, Isolation
from podium.engines.contract import DeviceGrant, MisplacedError
from podium.engines.kubernetes import objects
from podium.engines.kubernetes.devices import Sight, devices_of
from podium.engines.kubernetes.grants import (
    check_given,
    counts_of,
    has_plugin_memory,
    note_of,
    resource_of,
    visible_devices,
)
from podium.engines.kubernetes.inventory import amount, node_of
from podium.engines.kubernetes.site import ClusterSite

LABELS = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}
SHARED = {
    **LABELS,
    "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-SHARED",
    "nvidia.com/gpu.replicas": "4",
    "nvidia.com/gpu.sharing-strategy": "time-slicing",
}
BY_MPS = {**SHARED, "nvidia.com/gpu.sharing-strategy": "mps"}
EXACT = {**LABELS, "podium.io/devices": "exact", "nvidia.com/gpu.count": "4"}
SITE = ClusterSite(cluster="east", owner="podium-1")
UUIDS = [f"GPU-0000000{n}-0000-0000-0000-000000000000" for n in range(3)]


def grant(uuid: str, *, milli: int = 1000, mig: bool = False) -> DeviceGrant:
    return DeviceGrant(0, uuid, milli, 1 << 30, mig=mig, virtual=False)


def granted(device: Device) -> DeviceGrant:
    """As the scheduler gives it: all of it, or the one share that there is."""
    return grant(device.uuid, milli=device.share_milli or 1000, mig=bool(device.mig_profile))


def listed(
    allocatable: Mapping[str, str],
    labels: Mapping[str, str],
    others: Mapping[str, int] | None = None,
    ours: Collection[str] = (),
    **annotations: str,
) -> tuple[Device, ...]:
    notes = {f"podium.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return devices_of(
        Sight(
            name="east.gpu-1",  # a name that looks like a device's
            allocatable=allocatable,
            labels=labels,
            annotations=notes,
            others=others or {},
            ours=ours,
        )
    )


def as_node(labels: Mapping[str, str], allocatable: Mapping[str, str]) -> Node:
    metadata = objects.Metadata(name="n1", labels=dict(labels))
    seen = objects.Node(metadata=metadata, status=objects.NodeStatus(allocatable=dict(allocatable)))
    return node_of(seen, SITE, "kubernetes/east", Counter())


def test_whole_gpus_have_the_type_that_people_ask_for() -> None:
    found = listed({"nvidia.com/gpu": "8", "cpu": "2", "nvidia.com/gpumem": "9"}, LABELS)
    assert len(found) == 8
    assert {each.type for each in found} == {"H100"}
    assert found[0].memory_bytes == 81559 << 20
    assert len({each.id for each in found}) == 8
    assert {each.share_milli for each in found} == {1000}


def test_instances_of_both_strategies() -> None:
    mixed = {"nvidia.com/gpu": "6", "nvidia.com/mig-1g.10gb": "4", "nvidia.com/mig-3g.40gb": "2"}
    labels = {**LABELS, "nvidia.com/mig-3g.40gb.memory": "40448"}
    found = listed({**mixed, "nvidia.com/mig-1g.10gb.me": "1"}, labels)
    assert Counter(each.mig_profile for each in found) == {
        None: 6,
        "1g.10gb": 4,
        "1g.10gb+me": 1,
        "3g.40gb": 2,
    }
    by_profile = {each.mig_profile: each for each in found}
    assert by_profile["3g.40gb"].memory_bytes == 40448 << 20
    assert by_profile["1g.10gb"].memory_bytes == 10 << 30
    assert counts_of(map(granted, found)) == {**{k: int(v) for k, v in mixed.items()},
                                              "nvidia.com/mig-1g.10gb.me": 1}  # fmt: skip
    single = {**LABELS, "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb"}
    (one, _) = listed({"nvidia.com/gpu": "2"}, single)
    assert (one.type, one.mig_profile) == ("A100", "1g.5gb")
    assert resource_of(granted(one)) == "nvidia.com/gpu"


@given(count=st.integers(0, 16), taken=st.integers(0, 20), ours=st.sets(st.integers(0, 15)))
def test_what_others_use_is_never_free(count: int, taken: int, ours: set[int]) -> None:
    allocatable, others = {"nvidia.com/gpu": str(count)}, {"nvidia.com/gpu": taken}
    plain = listed(allocatable, LABELS)
    mine = {each.uuid for each in plain if each.index in ours}
    found = listed(allocatable, LABELS, others, mine)
    free = [each for each in found if each.healthy and each.uuid not in mine]
    assert len(free) == max(0, count - taken - len(mine))
    assert [each.index for each in found] == list(range(count))


@pytest.mark.parametrize("suffix", ["", ".shared"])
@pytest.mark.parametrize("labels", [SHARED, BY_MPS])
def test_a_shared_gpu_gives_one_size_of_share(labels: dict[str, str], suffix: str) -> None:
    resource = f"nvidia.com/gpu{suffix}"
    found = listed({resource: "8"}, labels)
    assert [(each.id, each.share_milli, each.type) for each in found] == [
        ("east.gpu-1-gpu-0", 250, "H100"),
        ("east.gpu-1-gpu-1", 250, "H100"),
    ]
    assert found[0].memory_bytes == 81559 << 20
    assert counts_of([granted(found[1])]) == {resource: 1}
    # The plugin's MPS has memory of its own at /dev/shm.
    assert has_plugin_memory([granted(found[0])]) == (labels is BY_MPS)
    (_, last) = listed({resource: "8"}, labels, {resource: 1})
    assert not last.healthy


def test_what_shares_it_is_said_by_a_label_that_nobody_can_forge() -> None:
    plugin = {"nvidia.com/gpu": "4"}
    forged = {**SHARED, MPS_LABEL[0]: MPS_LABEL[1]}
    assert MPS_LABEL not in as_node(forged, plugin).labels
    assert MPS_LABEL not in as_node({**BY_MPS, "nvidia.com/gpu.replicas": "1"}, plugin).labels
    assert MPS_LABEL in as_node(BY_MPS, plugin).labels


def test_what_is_shared_without_saying_how_is_not_given() -> None:
    silent = {key: value for key, value in SHARED.items() if key != "nvidia.com/gpu.replicas"}
    assert {each.healthy for each in listed({"nvidia.com/gpu": "4"}, silent)} == {False}
    assert {each.healthy for each in listed({"nvidia.com/gpu.shared": "4"}, {})} == {False}
    sliced = {**LABELS, "nvidia.com/mig-1g.10gb.replicas": "2"}
    found = listed({"nvidia.com/mig-1g.10gb": "14"}, sliced)
    assert [(each.mig_profile, each.healthy) for each in found] == [("1g.10gb", False)] * 7


def test_exact_devices_are_named_by_number_or_uuid() -> None:
    numbered = listed({}, EXACT)
    assert [each.share_milli for each in numbered] == [0] * 4
    some = [grant(numbered[3].uuid), grant(numbered[1].uuid)]
    assert visible_devices(some)["NVIDIA_VISIBLE_DEVICES"] == "3,1"
    assert counts_of(some) == {}
    found = listed({"nvidia.com/gpu": "3"}, EXACT, gpu_uuids=", ".join(UUIDS))
    assert [each.uuid for each in found] == UUIDS
    env = visible_devices([grant(UUIDS[2], milli=500)])
    assert (env["NVIDIA_VISIBLE_DEVICES"], env["PODIUM_GPU_MILLI"]) == (UUIDS[2], "500")


@pytest.mark.parametrize(
    "wrong",
    [
        {"gpu_uuids": "0,1"},
        {"gpu_uuids": f"{UUIDS[0]},{UUIDS[0]}"},
        {"others": {"nvidia.com/gpu": 1}},
        {"ours": ["east.gpu-1-gpu-0"]},
        {"ours": ["submitted"]},
        {"allocatable": {"nvidia.com/mig-1g.10gb": "7"}},
    ],
)
def test_exact_devices_are_given_only_while_nobody_else_gives_them(wrong: dict[str, Any]) -> None:
    found = listed(**{"allocatable": {"nvidia.com/gpu": "4"}, "labels": EXACT, **wrong})
    assert found
    assert not any(each.healthy for each in found)


def test_a_plugin_gives_nothing_while_named_gpus_are_in_use() -> None:
    for note in ("east.gpu-1-index-2", UUIDS[0]):
        assert not any(
            each.healthy for each in listed({"nvidia.com/gpu": "4"}, LABELS, ours=[note])
        )


def test_nothing_is_started_on_what_has_become_something_else() -> None:
    plugin = {"nvidia.com/gpu": "4"}
    whole, shared = as_node(LABELS, plugin), as_node(SHARED, plugin)
    by_mps, exact = as_node(BY_MPS, plugin), as_node(EXACT, plugin)
    nodes = {"whole": whole, "shared": shared, "by_mps": by_mps, "exact": exact}
    for given_by, node in nodes.items():
        one = [granted(node.devices[0])]
        check_given(one, Isolation.NONE, node)
        for other_name, other in nodes.items():
            if other_name != given_by:
                with pytest.raises(MisplacedError):
                    check_given(one, Isolation.NONE, other)
    with pytest.raises(MisplacedError, match="MPS"):
        check_given([granted(shared.devices[0])], Isolation.MPS, shared)
    half = replace(granted(whole.devices[0]), gpu_milli=500)
    with pytest.raises(MisplacedError):
        check_given([half], Isolation.NONE, whole)


def test_work_without_gpus_sees_none() -> None:
    assert visible_devices([])["NVIDIA_VISIBLE_DEVICES"] == "void"
    assert note_of(grant("east.n1-gpu-0")) == "east.n1-gpu-0"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("cpu", "1500m", 1500),
        ("cpu", "2", 2000),
        ("cpu", "0.1", 100),
        ("memory", "24684092Ki", 24684092 << 10),
        ("memory", "1G", 10**9),
        ("memory", "128974848000m", 128974848),
        ("nvidia.com/gpu", "8", 8),
    ],
)
def test_quantities(name: str, text: str, value: int) -> None:
    assert amount(name, text) == value
