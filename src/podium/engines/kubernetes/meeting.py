"""Where the replicas of a gang meet: a service with an address of its own in front of rank 0, which
is known before any of them has one."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podium.domain.errors import ConflictError, TemporaryError
from podium.engines.contract import Launch
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.objects import Pod
from podium.engines.kubernetes.site import ClusterSite


class _Spec(Struct):
    clusterIP: str = ""  # noqa: N815 - as Kubernetes spells it


class _Service(Struct):
    spec: _Spec


async def meeting_open(connection: Connection, launch: Launch, site: ClusterSite) -> str:
    """Its address, the same for every replica of an attempt."""
    namespace = site.namespace(launch.project)
    name = _name(launch.workload_id, str(launch.attempt))
    gang = {names.WORKLOAD: launch.workload_id, names.GENERATION: str(launch.attempt)}
    port = int(dict(launch.env).get("MASTER_PORT", "29500"))
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {names.MANAGED_BY: names.MANAGER, names.OWNER: site.owner, **gang},
        },
        "spec": {
            "selector": {**gang, names.RANK: "0"},
            "publishNotReadyAddresses": True,
            "ports": [{"name": "meeting", "port": port, "protocol": "TCP"}],
        },
    }
    path = f"/api/v1/namespaces/{namespace}/services/{name}"
    try:
        answer = await connection.apply(path, service)
    except ConflictError:  # another replica made it in the same moment
        answer = await connection.apply(path, service)
    address = msgspec.json.decode(answer, type=_Service).spec.clusterIP
    if not address:
        raise TemporaryError("The cluster gave the gang's service no address yet.")
    return address


async def meeting_close(connection: Connection, pod: Pod) -> None:
    """With its rank 0: no other replica goes on without it."""
    labels = pod.metadata.labels
    if labels.get(names.RANK) == "0":
        name = _name(labels.get(names.WORKLOAD, ""), labels.get(names.GENERATION, ""))
        await connection.delete(f"/api/v1/namespaces/{pod.metadata.namespace}/services/{name}")


def _name(workload_id: str, attempt: str) -> str:
    return f"{workload_id}-{attempt}"
