"""A project's place in a cluster: its namespace, what may reach its pods, how much they may take,
and who may look. `room.py` makes it so.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from podium.domain.node import Node
from podium.domain.quantity import GPU_MILLI
from podium.engines.contract import Tenant
from podium.engines.kubernetes import names
from podium.engines.kubernetes.grants import ONE_KIND, number_of
from podium.engines.kubernetes.site import ClusterSite

RUNNER = "podium-work"
REGISTRIES = "podium-registries"
VIEW = "podium-view"
LOGS = "podium-logs"
_NAME = "podium"

_SECURITY = "pod-security.kubernetes.io"
_RBAC = "rbac.authorization.k8s.io"
_CLUSTERS_OWN = "system:"  # groups that mean everybody, or those who may do everything

_WIDER = 2
"""How much wider the quota of a namespace is than Podium's limit, which it stands behind. A pod
counts for the API server until it has seen it end, and on a lost node as long as the pod stands:
Podium may have placed as much once more by then, and what it placed must never be refused."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One object of a room. Work needs it unless it is `beside`: then a cluster that does not let
    Podium make it keeps no work from starting."""

    path: str
    manifest: Mapping[str, Any]
    beside: bool = False

    @property
    def thing(self) -> str:
        return f"{self.manifest['kind']} {self.manifest['metadata']['name']}"


def counts_parts(nodes: Iterable[Node]) -> bool:
    """Whether a quota of the cluster would count a part of a GPU as a whole one."""
    return any(
        device.share_milli > 0 or number_of(device.uuid)[0] == ONE_KIND
        for node in nodes
        for device in node.devices
    )


def room_of(
    project: str, site: ClusterSite, tenant: Tenant | None, *, parts: bool = False
) -> list[Piece]:
    """In the order in which to apply them, the namespace first. Without the tenant, what depends on
    it is left as it is. `parts` as `counts_parts` has it: then no quota can hold GPUs."""
    namespace = site.namespace(project)
    labels = {
        names.MANAGED_BY: names.MANAGER,
        names.OWNER: site.owner,
        names.PROJECT: project,
    }
    level = "privileged" if site.folders else "restricted"  # folders of nodes need it
    security = {f"{_SECURITY}/{mode}": level for mode in ("enforce", "audit", "warn")}

    def piece(
        plural: str, version: str, kind: str, name: str, *, beside: bool = False, **content: Any
    ) -> Piece:
        group = f"/apis/{version}" if "/" in version else f"/api/{version}"
        metadata = {"name": name, "namespace": namespace, "labels": labels}
        said = {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
        return Piece(f"{group}/namespaces/{namespace}/{plural}/{name}", _marked(said), beside)

    metadata = {"name": namespace, "labels": labels | security}
    made = [
        Piece(
            f"/api/v1/namespaces/{namespace}",
            _marked({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}),
        ),
        piece("limitranges", "v1", "LimitRange", _NAME, spec=_LEAST),
        piece("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy", _NAME, spec=_APART),
    ]
    account: dict[str, Any] = {"automountServiceAccountToken": False}
    if tenant is None:
        return [*made, piece("serviceaccounts", "v1", "ServiceAccount", RUNNER, **account)]
    if tenant.registries:
        content = base64.b64encode(tenant.registries.encode()).decode()
        data = {".dockerconfigjson": content}
        type_ = "kubernetes.io/dockerconfigjson"
        made.append(
            piece("secrets", "v1", "Secret", REGISTRIES, beside=True, type=type_, data=data)
        )
        account["imagePullSecrets"] = [{"name": REGISTRIES}]
    made += [
        piece("serviceaccounts", "v1", "ServiceAccount", RUNNER, **account),
        piece(
            "resourcequotas",
            "v1",
            "ResourceQuota",
            _NAME,
            beside=True,
            spec=_quota(tenant, parts),
        ),
    ]
    for name, rules, groups in (
        (VIEW, _MAY_VIEW, tenant.viewers),
        (LOGS, _MAY_READ_LOGS, tenant.log_readers),
    ):
        version = f"{_RBAC}/v1"
        role = {"apiGroup": _RBAC, "kind": "Role", "name": name}
        subjects = [
            {"apiGroup": _RBAC, "kind": "Group", "name": group}
            for group in (f"{site.groups_prefix}{each}" for each in sorted(groups))
            if not group.startswith(_CLUSTERS_OWN)
        ]
        made += [
            piece("roles", version, "Role", name, beside=True, rules=rules),
            piece(
                "rolebindings",
                version,
                "RoleBinding",
                name,
                beside=True,
                roleRef=role,
                subjects=subjects,
            ),
        ]
    return made


def digest_of(manifest: Mapping[str, Any]) -> str:
    """Of what Podium wanted when it made an object, as the object carries it."""
    return str(manifest.get("metadata", {}).get("annotations", {}).get(names.WANTED, ""))


def changed_fields(
    wanted: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Sequence[str]:
    """Fields of `wanted` that differ between what stood and what stands now that it was applied:
    both as the server writes them, so an amount in another notation is no difference."""
    found: list[str] = []
    for key in wanted:
        inner = wanted[key]
        one, two = before.get(key), after.get(key)
        if isinstance(inner, Mapping) and isinstance(one, Mapping) and isinstance(two, Mapping):
            found += [f"{key}.{each}" for each in changed_fields(inner, one, two)]
        elif one != two:
            found.append(key)
    return found


def _marked(manifest: dict[str, Any]) -> Mapping[str, Any]:
    content = msgspec.json.encode(manifest, order="sorted")
    digest = hashlib.sha256(content).hexdigest()[:16]
    metadata = manifest["metadata"] | {"annotations": {names.WANTED: digest}}
    return manifest | {"metadata": metadata}


def _quota(tenant: Tenant, parts: bool) -> Mapping[str, Any]:
    hard: dict[str, str] = {}
    if tenant.cpu_milli is not None:
        hard["requests.cpu"] = f"{_WIDER * tenant.cpu_milli}m"
    if tenant.memory_bytes is not None:
        hard["requests.memory"] = str(_WIDER * tenant.memory_bytes)
    if tenant.gpu_milli is not None and not parts:
        hard[f"requests.{names.GPU}"] = str(_WIDER * -(-tenant.gpu_milli // GPU_MILLI))
    return {"hard": hard}


_LEAST: Mapping[str, Any] = {
    "limits": [{"type": "Container", "defaultRequest": {"cpu": "100m", "memory": "128Mi"}}]
}

_PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"]
"""Where clusters, their nodes and clouds' metadata services are."""

_INSIDE: Mapping[str, Any] = {"podSelector": {}}
_APART: Mapping[str, Any] = {
    "podSelector": {},
    "policyTypes": ["Ingress", "Egress"],
    "ingress": [{"from": [_INSIDE]}],
    "egress": [
        {"to": [_INSIDE]},
        {
            "to": [{"namespaceSelector": {}}],
            "ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")],
        },
        {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": _PRIVATE}}]},
    ],
}
"""Nobody from outside the project reaches its pods; they reach each other, names, and what is not
in the cluster."""

_MAY_VIEW: Sequence[Mapping[str, Any]] = [
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch"]},
]
_MAY_READ_LOGS: Sequence[Mapping[str, Any]] = [
    {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
]
"""Nothing that writes, no secrets, and nothing that Podium itself may not: the API server lets
nobody give more than they have."""
