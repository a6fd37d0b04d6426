"""Asks a cluster what it is and what Podium may do there, for `podium cluster check` and for the
page that shows clusters. Nothing in the cluster is changed."""

from __future__ import annotations

import asyncio

import msgspec
from lightkube.config.kubeconfig import SingleConfig
from msgspec import Struct

from podium.domain.cluster import ClusterFindings
from podium.domain.errors import (
    FieldFault,
    NotFoundError,
    PermanentError,
    TemporaryError,
    UserError,
)
from podium.engines.kubernetes import objects
from podium.engines.kubernetes.away import AwayError
from podium.engines.kubernetes.connection import Connection, ForbiddenError, SignInError, config_of
from podium.engines.kubernetes.devices import Sight, devices_of

_FIELD = "kubeconfig"
_PAGE = 500
_PAGES_MAX = 40
_AT_ONCE = 8
_SIGN_IN = "Renew its token or certificate, or name another account."
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

# What the engine asks of a cluster: group, resource with its part, verbs. The chart in
# deploy/helm grants this and no more: tests/kubernetes/test_deploy.py.
RIGHTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("", "nodes", ("list", "watch", "patch")),
    ("", "namespaces", ("list", "watch", "create", "patch", "delete")),
    ("", "nodes/proxy", ("get",)),
    ("", "pods", ("get", "list", "watch", "create", "patch", "delete")),
    ("", "pods/log", ("get",)),
    ("", "pods/binding", ("create",)),
    ("", "pods/exec", ("create",)),
    ("", "pods/portforward", ("create",)),
    ("", "events", ("list", "watch", "create")),
    ("", "secrets", ("create", "patch", "delete")),
    ("", "services", ("create", "patch", "delete")),
    ("", "serviceaccounts", ("get", "create", "patch")),
    ("", "resourcequotas", ("get", "create", "patch")),
    ("", "limitranges", ("get", "create", "patch")),
    ("", "persistentvolumeclaims", ("list", "watch", "create", "patch", "delete")),
    ("networking.k8s.io", "networkpolicies", ("get", "list", "create", "patch")),
    ("rbac.authorization.k8s.io", "roles", ("get", "create", "patch")),
    ("rbac.authorization.k8s.io", "rolebindings", ("get", "create", "patch")),
)


class _Version(Struct, frozen=True, rename="camel"):
    git_version: str = ""


class _Nodes(Struct, kw_only=True, frozen=True):
    metadata: objects.ListMetadata = objects.ListMetadata()
    items: tuple[objects.Node, ...] = ()


class _ReviewStatus(Struct, frozen=True):
    allowed: bool = False


class _Review(Struct, frozen=True):
    status: _ReviewStatus = _ReviewStatus()


async def cluster_probe(kubeconfig: str | None, context: str = "") -> ClusterFindings:
    """As `kubeconfig` allows it; None is the account of the pod that this runs in. Raises
    UserError, which says what is wrong and what helps."""
    config = _config(kubeconfig, context)
    try:
        connection = Connection(config)
    except PermanentError as error:
        raise _wrong(error.message, "Give certificates and keys as kubectl has them.") from error
    try:
        version = msgspec.json.decode(await connection.get("/version"), type=_Version).git_version
        lacking = await _lacking(connection)
        unseen = "list" in lacking.get("nodes", ())
        nodes, gpus = (0, 0) if unseen else await _stock(connection)
        claims = await _has(connection, "/apis/resource.k8s.io")
    except SignInError as error:
        fault = "is not let in by its cluster: its token or certificate is refused."
        raise _wrong(fault, _SIGN_IN) from error
    except ForbiddenError as error:
        raise _wrong(f"is not let in by its cluster. {error.message}", _SIGN_IN) from error
    except TemporaryError as error:
        raise _unreached(config, error) from error
    except msgspec.DecodeError as error:
        server = config.cluster.server
        raise _wrong(
            f"names {server}, which answers, but is no Kubernetes.", "Check its address and port."
        ) from error
    finally:
        await connection.close()
    missing = tuple(f"{', '.join(verbs)} {resource}" for resource, verbs in lacking.items())
    return ClusterFindings(version=version, nodes=nodes, gpus=gpus, missing=missing, claims=claims)


def _config(kubeconfig: str | None, context: str) -> SingleConfig:
    try:
        return config_of(kubeconfig, context)
    except (PermanentError, KeyError) as error:
        if kubeconfig is None:
            raise UserError(
                FieldFault(
                    "in_cluster",
                    "does not hold here: this server runs in no pod with a service account.",
                    "Give a kubeconfig.",
                )
            ) from error
        message = error.message if isinstance(error, PermanentError) else str(error)
        raise _wrong(f"cannot be used: {message}", "Give the file that kubectl uses.") from error


async def _lacking(connection: Connection) -> dict[str, list[str]]:
    """By resource the verbs that are not allowed, in the order of RIGHTS."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def lacks(group: str, resource: str, verb: str) -> bool:
        name, _, part = resource.partition("/")
        asked = {"group": group, "resource": name, "subresource": part, "verb": verb}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        async with turn:
            answer = msgspec.json.decode(await connection.post(_REVIEWS, review), type=_Review)
        return not answer.status.allowed

    asked = [(group, resource, verb) for group, resource, verbs in RIGHTS for verb in verbs]
    answers = await asyncio.gather(*(lacks(*each) for each in asked))
    found: dict[str, list[str]] = {}
    for (_, resource, verb), lacking in zip(asked, answers, strict=True):
        if lacking:
            found.setdefault(resource, []).append(verb)
    return found


async def _stock(connection: Connection) -> tuple[int, int]:
    """How many nodes, and GPUs with MIG instances, the cluster has."""
    nodes, gpus, following = 0, 0, ""
    for _ in range(_PAGES_MAX):
        params = {"limit": str(_PAGE)} | ({"continue": following} if following else {})
        page = msgspec.json.decode(await connection.get("/api/v1/nodes", **params), type=_Nodes)
        nodes += len(page.items)
        gpus += sum(_gpus(node) for node in page.items)
        following = page.metadata.next
        if not following:
            break
    return nodes, gpus


def _gpus(node: objects.Node) -> int:
    sight = Sight(
        name=node.metadata.name,
        allocatable=node.status.allocatable,
        labels=node.metadata.labels,
        annotations=node.metadata.annotations,
        others={},
    )
    return len(devices_of(sight))


async def _has(connection: Connection, path: str) -> bool:
    try:
        await connection.get(path)
    except NotFoundError:
        return False
    return True


def _unreached(config: SingleConfig, error: TemporaryError) -> UserError:
    server = config.cluster.server
    if not isinstance(error, AwayError):
        return _wrong(f"names {server}, which does not answer. {error.message}", "Try it again.")
    away = error.away
    what = "whose certificate is refused" if away.untrusted else "which does not answer"
    return _wrong(f"names {server}, {what}: {away.why}.", away.remedy)


def _wrong(message: str, remedy: str) -> UserError:
    return UserError(FieldFault(_FIELD, message, remedy))
