"""Turns a launch into what the API server is given: a pod, and a secret where one is needed.

The pod is pinned to its node by required affinity, so that the cluster's own scheduler still binds
volumes and checks that it fits. What the work is told beside its own environment is here too.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from podium.domain.data import SourceKind
from podium.domain.errors import PermanentError
from podium.domain.workload import GitSource
from podium.engines.contract import DataMount, Launch
from podium.engines.kubernetes import names
from podium.engines.kubernetes.grants import (
    VISIBLE,
    counts_of,
    has_plugin_memory,
    note_of,
    visible_devices,
)
from podium.engines.kubernetes.site import ClusterSite
from podium.engines.kubernetes.source import container_of
from podium.engines.kubernetes.tenancy import RUNNER

HOME = "/podium"
WORK = f"{HOME}/work"
SECRETS = f"{HOME}/secrets"
SCRIPT = f"{HOME}/program/script"
SAVED = f"{HOME}/saved"
_SECRET_BYTES_MAX = 1000 * 1000  # the API server takes 1 MiB with all around it


@dataclass(frozen=True, slots=True)
class Manifest:
    """`secret` is None where the work has nothing that must not be read in its pod."""

    namespace: str
    pod: dict[str, Any]
    secret: dict[str, Any] | None


def manifest_of(launch: Launch, site: ClusterSite, *, master: str = "") -> Manifest:
    """`master` is where the replicas of a gang meet. Raises PermanentError for what a pod can
    never be."""
    image = launch.program.image or site.image
    if not image:
        raise PermanentError(
            f"It names no image, and the cluster {site.cluster} has none for such work. Set "
            "`image` in the spec."
        )
    _check_words(launch)
    namespace = site.namespace(launch.project)
    secret = _secret(launch, namespace, site)
    work = _container(launch, site, image, master, secret is not None)
    metadata = {
        "name": launch.allocation_id,
        "namespace": namespace,
        "labels": labels_of(launch, site),
        "annotations": {names.DEVICES: ",".join(map(note_of, launch.devices))},
        "finalizers": [names.KEPT],
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": max(1, launch.grace_seconds),
            "serviceAccountName": RUNNER,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            # Or work that handles no SIGTERM would never hear it, as the first of its processes.
            "shareProcessNamespace": True,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": site.user,
                "runAsGroup": site.user,
                "fsGroup": site.user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "affinity": pinned(site.own_name(launch.node)),
            "tolerations": [{"key": names.GPU, "operator": "Exists"}],
            "initContainers": [container_of(work)] if launch.archive_path else [],
            "containers": [work],
            "volumes": _volumes(launch, site, secret is not None),
        },
    }
    return Manifest(namespace, pod, secret)


def labels_of(launch: Launch, site: ClusterSite) -> dict[str, str]:
    return {
        names.MANAGED_BY: names.MANAGER,
        names.NAME: launch.name[:63].rstrip("-"),
        names.OWNER: site.owner,
        names.ALLOCATION: launch.allocation_id,
        names.WORKLOAD: launch.workload_id,
        names.PROJECT: launch.project,
        names.RANK: str(launch.rank),
        names.GENERATION: str(launch.attempt),
    }


def _check_words(launch: Launch) -> None:
    pairs = [word for pair in (*launch.env, *launch.secrets) for word in pair]
    words = [*launch.program.command, launch.program.script, *pairs]
    if any("\0" in word for word in words):
        raise PermanentError("Its command or environment has a NUL character, which none may have.")
    if sum(map(len, words)) > _SECRET_BYTES_MAX:
        raise PermanentError(
            "Its command and environment are larger than Kubernetes takes (1 MB together)."
        )
    if isinstance(launch.program.source, GitSource):
        raise PermanentError(
            "Code from a Git host is not brought into pods yet: submit the folder (--source), or "
            "put it into the image."
        )


def pinned(node: str) -> dict[str, Any]:
    """The affinity that lets a pod stand on this node alone."""
    here = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchFields": [here]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _container(
    launch: Launch, site: ClusterSite, image: str, master: str, has_secret: bool
) -> dict[str, Any]:
    program = launch.program
    command = [SCRIPT] if program.script.startswith("#!") else ["/bin/sh", "-c", program.script]
    mounts: list[dict[str, Any]] = [
        {"name": "podium", "mountPath": HOME},
        {"name": "work", "mountPath": WORK},
    ]
    if not has_plugin_memory(launch.devices):
        mounts += [{"name": "memory", "mountPath": "/dev/shm"}]  # noqa: S108 - of the pod
    if program.script.startswith("#!"):
        mounts += [{"name": "program", "mountPath": f"{HOME}/program", "readOnly": True}]
    if launch.secret_files:
        mounts += [{"name": "secrets", "mountPath": SECRETS, "readOnly": True}]
    mounts += [
        {"name": f"data-{n}", "mountPath": each.path, "readOnly": not each.write}
        for n, each in enumerate(launch.data)
    ]
    mounts += [
        {
            "name": f"volume-{n}",
            "mountPath": f"{WORK}/volumes/{each.name}",
            "readOnly": each.read_only,
        }
        for n, each in enumerate(program.volumes)
    ]
    made: dict[str, Any] = {
        "name": names.CONTAINER,
        "image": image,
        "command": [_literal(word) for word in program.command or command],
        "workingDir": WORK,
        "env": _environment(launch, site, master),
        "resources": _resources(launch),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }
    if has_secret and launch.secrets:
        made["env"] += [
            {
                "name": name,
                "valueFrom": {"secretKeyRef": {"name": launch.allocation_id, "key": f"env.{n}"}},
            }
            for n, (name, _) in enumerate(launch.secrets)
            if name != VISIBLE
        ]
    return made


def _environment(launch: Launch, site: ClusterSite, master: str) -> list[dict[str, Any]]:
    env = {
        "HOME": WORK,
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",  # people follow what it says line by line
        "OMP_NUM_THREADS": str(max(1, launch.cpu_milli // 1000)),
        **dict(launch.env),
        "PODIUM_ALLOCATION_ID": launch.allocation_id,
        "PODIUM_SAVED_FILE": SAVED,
        "PODIUM_CLUSTER": site.cluster,
    }
    env.pop(VISIBLE, None)
    env |= visible_devices(launch.devices)
    if launch.secret_files:
        env["PODIUM_SECRETS_DIR"] = SECRETS
        env |= {each.variable: f"{SECRETS}/{each.name}" for each in launch.secret_files}
    env |= {each.variable: each.path for each in launch.data}
    made: list[dict[str, Any]] = [
        {"name": name, "value": _literal(value)} for name, value in env.items()
    ]
    if master and "MASTER_ADDR" in env:
        made = [each for each in made if each["name"] != "MASTER_ADDR"]
        if launch.rank == 0:  # what it says to itself needs no way round by the service
            field = {"fieldRef": {"fieldPath": "status.podIP"}}
            made.append({"name": "MASTER_ADDR", "valueFrom": field})
        else:
            made.append({"name": "MASTER_ADDR", "value": master})
        _meet_at(made, dict(launch.env), master)
    return made


def _literal(word: str) -> str:
    """Kubernetes puts variables in place of `$(NAME)`, and one dollar in place of two."""
    return word.replace("$", "$$")


def _meet_at(made: list[dict[str, Any]], env: Mapping[str, str], master: str) -> None:
    """An elastic gang has its meeting place in one word with the port."""
    for each in made:
        if each["name"] == "PET_RDZV_ENDPOINT":
            each["value"] = f"{master}:{env['MASTER_PORT']}"


def _resources(launch: Launch) -> dict[str, Any]:
    requests = {"cpu": f"{launch.cpu_milli}m"}
    limits: dict[str, str] = {}
    if launch.memory_bytes:
        requests["memory"] = limits["memory"] = str(launch.memory_bytes)
    counts = counts_of(launch.devices)
    limits |= {name: str(count) for name, count in counts.items()}
    return {"requests": requests | {name: limits[name] for name in counts}, "limits": limits}


def _volumes(launch: Launch, site: ClusterSite, has_secret: bool) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {"name": "podium", "emptyDir": {}},
        {"name": "work", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory"}},
    ]
    if has_secret and launch.program.script.startswith("#!"):
        items = [{"key": "script", "path": "script"}]
        secret = {"secretName": launch.allocation_id, "items": items, "defaultMode": 0o555}
        made.append({"name": "program", "secret": secret})
    if launch.secret_files:
        items = [
            {"key": f"file.{n}", "path": each.name} for n, each in enumerate(launch.secret_files)
        ]
        secret = {"secretName": launch.allocation_id, "items": items, "defaultMode": 0o440}
        made.append({"name": "secrets", "secret": secret})
    made += [{"name": f"data-{n}", **_data(each, site)} for n, each in enumerate(launch.data)]
    made += [
        {"name": f"volume-{n}", "hostPath": {"path": _folder(each.path, each.name, site)}}
        for n, each in enumerate(launch.program.volumes)
    ]
    return made


def _data(mount: DataMount, site: ClusterSite) -> dict[str, Any]:
    location = dict(mount.location)
    if mount.kind is SourceKind.FOLDER:
        return {"hostPath": {"path": _folder(location["path"], mount.source, site)}}
    if mount.kind is SourceKind.NFS:
        export = {"server": location["server"], "path": location["export"]}
        return {"nfs": {**export, "readOnly": not mount.write}}
    if mount.kind is SourceKind.PVC:
        claim = {"claimName": location["claim"], "readOnly": not mount.write}
        return {"persistentVolumeClaim": claim}
    raise PermanentError(
        f"The data source {mount.source} is an S3 bucket, which is not brought into pods yet: use "
        "a claim of the cluster's S3 driver."
    )


def _folder(path: str, name: str, site: ClusterSite) -> str:
    """Any folder of a node would be a way to all that is on it."""
    parts = path.split("/")
    inside = any(path == root or path.startswith(root.rstrip("/") + "/") for root in site.folders)
    if not inside or ".." in parts:
        raise PermanentError(
            f"{name} is the folder {path} of a node, which the cluster {site.cluster} does not "
            "offer to work. An operator can allow folders of nodes (podium up --data-root)."
        )
    return path


def _secret(launch: Launch, namespace: str, site: ClusterSite) -> dict[str, Any] | None:
    values = {f"env.{n}": value.encode() for n, (_, value) in enumerate(launch.secrets)}
    values |= {f"file.{n}": each.content for n, each in enumerate(launch.secret_files)}
    if launch.program.script.startswith("#!"):
        values["script"] = launch.program.script.encode()
    if not values:
        return None
    if sum(map(len, values.values())) > _SECRET_BYTES_MAX:
        raise PermanentError("Its secrets are larger than Kubernetes takes (1 MB together).")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": launch.allocation_id,
            "namespace": namespace,
            "labels": labels_of(launch, site),
        },
        "data": {key: base64.b64encode(value).decode() for key, value in values.items()},
    }
