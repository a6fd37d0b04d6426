"""What a project's place in a cluster has to be, before any cluster is asked."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.domain.errors import PermanentError
from podium.engines.contract import Tenant
from podium.engines.kubernetes.check import RIGHTS
from podium.engines.kubernetes.inventory import amount
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.tenancy import (
    Piece,
    changed_fields,
    counts_parts,
    digest_of,
    room_of,
)
from unit.house import node

SITE = ClusterSite(cluster="east", owner="podium-1")
TENANT = Tenant(project="vision", viewers=("ml",), log_readers=("ml",), registries='{"auths":{}}')

limits = st.none() | st.integers(0, 2**50)
tenants = st.builds(
    Tenant,
    project=st.just("vision"),
    gpu_milli=limits,
    cpu_milli=limits,
    memory_bytes=limits,
    viewers=st.lists(st.text(min_size=1), max_size=4).map(tuple),
    log_readers=st.lists(st.text(min_size=1), max_size=4).map(tuple),
    registries=st.sampled_from(["", '{"auths":{}}']),
)
documents = st.recursive(
    st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abc"), documents, max_size=3)


def by_thing(tenant: Tenant | None, site: ClusterSite = SITE) -> dict[str, Piece]:
    return {each.thing: each for each in room_of("vision", site, tenant)}


@given(tenants)
def test_the_quota_never_refuses_what_podium_may_place(tenant: Tenant) -> None:
    hard = by_thing(tenant)["ResourceQuota podium"].manifest["spec"]["hard"]
    for name, most in (
        ("requests.cpu", tenant.cpu_milli),
        ("requests.memory", tenant.memory_bytes),
        ("requests.nvidia.com/gpu", tenant.gpu_milli),
    ):
        assert (name in hard) == (most is not None)
        if most is None:
            continue
        # As Podium counts what a node has: thousandths of CPUs, bytes, devices.
        unit = 1000 if name == "requests.nvidia.com/gpu" else 1
        allowed = amount(name.removeprefix("requests."), hard[name]) * unit
        assert allowed >= 2 * most, "once for what is placed, once for what is not seen to be over"


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({}, False),
        ({"mig_profile": "1g.10gb", "uuid": "east.n1-mig-1g.10gb-0"}, False),
        ({"share_milli": 250}, True),
        ({"uuid": "east.n1-single-0"}, True),
    ],
)
def test_no_quota_of_gpus_where_a_part_would_count_as_a_whole_one(
    changes: dict[str, Any], parts: bool
) -> None:
    machine = node(gpus=2)
    device = replace(machine.devices[0], **{"uuid": "east.n1-gpu-0", **changes})
    assert counts_parts([replace(machine, devices=(device,)), node(gpus=0)]) is parts
    tenant = replace(TENANT, gpu_milli=2000, cpu_milli=1000)
    room = {each.thing: each for each in room_of("vision", SITE, tenant, parts=parts)}
    hard = room["ResourceQuota podium"].manifest["spec"]["hard"]
    assert hard["requests.cpu"] == "2000m"
    assert hard.get("requests.nvidia.com/gpu") == (None if parts else "4")


@given(tenants)
def test_the_namespace_comes_first_and_all_is_in_it_and_podiums(tenant: Tenant) -> None:
    first, *rest = room_of("vision", SITE, tenant)
    assert first.thing == "Namespace podium-vision"
    assert all(each.path.split("/namespaces/")[1].startswith("podium-vision/") for each in rest)
    for each in (first, *rest):
        labels = each.manifest["metadata"]["labels"]
        assert labels["podium.io/owner"] == "podium-1"
        assert labels["podium.io/project"] == "vision"
        assert digest_of(each.manifest)


def test_without_the_tenant_nothing_that_depends_on_it_is_touched() -> None:
    assert by_thing(None).keys() == {
        "Namespace podium-vision",
        "LimitRange podium",
        "NetworkPolicy podium",
        "ServiceAccount podium-work",
    }


def test_work_needs_no_more_than_its_wall() -> None:
    needed = {each.thing for each in room_of("vision", SITE, TENANT) if not each.beside}
    assert needed == by_thing(None).keys()


def test_people_get_no_right_that_podium_has_not() -> None:
    """The API server lets nobody give more than they have."""
    mine = {(group, resource): set(verbs) for group, resource, verbs in RIGHTS}
    for name in ("Role podium-view", "Role podium-logs"):
        for rule in by_thing(TENANT)[name].manifest["rules"]:
            assert set(rule["verbs"]) <= {"get", "list", "watch"}
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    assert resource != "secrets"
                    assert set(rule["verbs"]) <= mine[group, resource]


@given(tenants)
def test_groups_of_the_cluster_itself_are_never_bound(tenant: Tenant) -> None:
    risky = replace(tenant, viewers=(*tenant.viewers, "system:masters", "system:authenticated"))
    for name, groups in (("podium-view", tenant.viewers), ("podium-logs", tenant.log_readers)):
        bound = by_thing(risky)[f"RoleBinding {name}"].manifest["subjects"]
        plain = sorted(each for each in groups if not each.startswith("system:"))
        assert [each["name"] for each in bound] == plain


def test_groups_are_named_as_the_api_server_knows_them() -> None:
    tenant = replace(TENANT, viewers=("ml", "tem:masters"))
    for prefix, bound in (("oidc:", ["oidc:ml", "oidc:tem:masters"]), ("sys", ["sysml"])):
        room = by_thing(tenant, replace(SITE, groups_prefix=prefix))
        subjects = room["RoleBinding podium-view"].manifest["subjects"]
        assert [each["name"] for each in subjects] == bound


def test_what_opens_registries_is_in_the_secret_alone() -> None:
    room = by_thing(TENANT)
    data = room["Secret podium-registries"].manifest["data"]
    assert base64.b64decode(data[".dockerconfigjson"]).decode() == TENANT.registries
    account = room["ServiceAccount podium-work"].manifest
    assert account["imagePullSecrets"] == [{"name": "podium-registries"}]
    assert "auths" not in repr(TENANT)
    without = by_thing(replace(TENANT, registries=""))
    assert "Secret podium-registries" not in without
    assert "imagePullSecrets" not in without["ServiceAccount podium-work"].manifest


@given(tenants, tenants)
def test_the_digest_tells_whether_podium_wants_something_else(one: Tenant, two: Tenant) -> None:
    before, after = by_thing(one), by_thing(two)
    for thing in before.keys() & after.keys():
        same = before[thing].manifest == after[thing].manifest
        assert same == (digest_of(before[thing].manifest) == digest_of(after[thing].manifest))


def test_a_name_that_no_namespace_can_have() -> None:
    with pytest.raises(PermanentError, match="63 characters"):
        room_of("v" * 63, SITE, None)


def test_folders_of_nodes_lower_what_the_namespace_enforces() -> None:
    for site, level in ((SITE, "restricted"), (replace(SITE, folders=("/data",)), "privileged")):
        labels = by_thing(None, site)["Namespace podium-vision"].manifest["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == level


def holds(path: str, document: Mapping[str, Any]) -> Any:
    found: Any = document
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


@given(objects, objects, objects)
def test_only_what_podium_wants_counts_as_changed(
    wanted: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    found = changed_fields(wanted, before, after)
    assert len(set(found)) == len(found)
    for path in found:
        assert holds(path, before) != holds(path, after)
        assert path.split(".")[0] in wanted
    assert changed_fields(wanted, after, after) == []
    if not found:
        for key, inner in wanted.items():
            assert holds(key, before) == holds(key, after) or isinstance(inner, dict)
