"""GPUs as device plugins count them and GPU Feature Discovery describes them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.errors import PermanentError
from podium.engines.contract import DeviceGrant
from podium.engines.kubernetes.devices import devices_of, resource_of, visible_devices
from podium.engines.kubernetes.inventory import amount
from podium.engines.kubernetes.site import ClusterSite

LABELS = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}
SITE = ClusterSite(cluster="east", owner="podium-1")
EXACT = ClusterSite(cluster="east", owner="podium-1", exact_devices=True)


def grant(uuid: str, *, milli: int = 1000, mig: bool = False) -> DeviceGrant:
    return DeviceGrant(0, uuid, milli, 1 << 30, mig=mig, virtual=False)


def test_whole_gpus_have_the_type_that_people_ask_for() -> None:
    found = devices_of("east.n1", {"nvidia.com/gpu": "8", "cpu": "2"}, LABELS, {})
    assert len(found) == 8
    assert {each.type for each in found} == {"H100"}
    assert found[0].memory_bytes == 81559 << 20
    assert len({each.id for each in found}) == 8


def test_instances_of_both_strategies() -> None:
    mixed = {"nvidia.com/gpu": "6", "nvidia.com/mig-1g.10gb": "4", "nvidia.com/mig-3g.40gb": "2"}
    labels = {**LABELS, "nvidia.com/mig-3g.40gb.memory": "40448"}
    found = devices_of("east.n1", mixed, labels, {})
    assert Counter(each.mig_profile for each in found) == {None: 6, "1g.10gb": 4, "3g.40gb": 2}
    by_profile = {each.mig_profile: each for each in found}
    assert by_profile["3g.40gb"].memory_bytes == 40448 << 20
    assert by_profile["1g.10gb"].memory_bytes == 10 << 30
    asked = resource_of(grant(by_profile["1g.10gb"].uuid, mig=True), SITE)
    assert asked == "nvidia.com/mig-1g.10gb"
    single = {**LABELS, "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb"}
    (one, _) = devices_of("east.n1", {"nvidia.com/gpu": "2"}, single, {})
    assert (one.type, one.mig_profile) == ("A100", "1g.5gb")
    assert resource_of(grant(one.uuid, mig=True), SITE) == "nvidia.com/gpu"


@given(count=st.integers(0, 16), taken=st.integers(0, 20))
def test_what_others_use_is_never_free(count: int, taken: int) -> None:
    found = devices_of("n", {"nvidia.com/gpu": str(count)}, LABELS, {"nvidia.com/gpu": taken})
    assert sum(each.healthy for each in found) == max(0, count - taken)
    assert [each.index for each in found] == list(range(count))


def test_a_share_is_never_silently_a_whole_one() -> None:
    with pytest.raises(PermanentError, match="whole GPUs"):
        resource_of(grant("east.n1-gpu-3", milli=500), SITE)
    assert resource_of(grant("east.n1-gpu-3", milli=500), EXACT) == ""
    env = visible_devices([grant("east.n1-gpu-3", milli=500)], EXACT)
    assert (env["NVIDIA_VISIBLE_DEVICES"], env["PODIUM_GPU_MILLI"]) == ("3", "500")


def test_work_without_gpus_sees_none() -> None:
    assert visible_devices([], SITE)["NVIDIA_VISIBLE_DEVICES"] == "void"


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
