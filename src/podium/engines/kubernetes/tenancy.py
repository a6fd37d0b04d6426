"""A project's place in a cluster: its namespace, what may reach its pods, and what they may do.

`room_of` says what there has to be. It is applied before the first pod of a project and again and
again, so that what somebody changed is as it was, and is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podium.engines.kubernetes import names
from podium.engines.kubernetes.site import ClusterSite

_RESTRICTED = "pod-security.kubernetes.io"
RUNNER = "podium-work"


def room_of(project: str, site: ClusterSite) -> list[tuple[str, Mapping[str, Any]]]:
    """Path and manifest of each object, in the order in which to apply them."""
    namespace = site.namespace(project)
    below = f"/api/v1/namespaces/{namespace}"
    labels = {
        names.MANAGED_BY: names.MANAGER,
        names.OWNER: site.owner,
        names.PROJECT: project,
    }
    level = "privileged" if site.folders else "restricted"  # folders of nodes need it
    security = {f"{_RESTRICTED}/{mode}": level for mode in ("enforce", "audit", "warn")}

    def named(name: str) -> dict[str, Any]:
        return {"name": name, "namespace": namespace, "labels": labels}

    policies = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    return [
        (
            f"/api/v1/namespaces/{namespace}",
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": namespace, "labels": labels | security},
            },
        ),
        (
            f"{below}/serviceaccounts/{RUNNER}",
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": named(RUNNER),
                "automountServiceAccountToken": False,
            },
        ),
        (
            f"{below}/limitranges/podium",
            {
                "apiVersion": "v1",
                "kind": "LimitRange",
                "metadata": named("podium"),
                "spec": {
                    "limits": [
                        {
                            "type": "Container",
                            "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
                        }
                    ]
                },
            },
        ),
        (f"{policies}/podium", _policy(named("podium"))),
    ]


def _policy(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Nobody from outside the project reaches its pods; they reach each other, names, and what is
    not in the cluster."""
    inside: dict[str, Any] = {"podSelector": {}}
    dns = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [inside]}],
            "egress": [
                {"to": [inside]},
                {"to": [{"namespaceSelector": {}}], "ports": dns},
                {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": _PRIVATE}}]},
            ],
        },
    }


_PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"]
"""Where clusters, their nodes and clouds' metadata services are."""
