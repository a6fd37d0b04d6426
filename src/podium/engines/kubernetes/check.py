"""Asks a cluster what it is and what Podium may do there, for `podium cluster check` and for the
page that shows clusters. Nothing in the cluster is changed."""

from __future__ import annotations

import asyncio
import re
import ssl

import msgspec
from lightkube.config.kubeconfig import SingleConfig
from msgspec import Struct

from podium.domain.cluster import ClusterFindings
from podium.domain.errors import FieldFault, PermanentError, TemporaryError, UserError
from podium.engines.kubernetes import names, objects
from podium.engines.kubernetes.connection import Connection, ForbiddenError, config_of

_FIELD = "kubeconfig"
_PAGE = 500
_PAGES_MAX = 40
_AT_ONCE = 8
_TECHNICAL = re.compile(r"\[[A-Z]+: \w+\]|\(_ssl\.c:\d+\)|\[Errno -?\d+\]")
_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

# What the engine asks of a cluster: group, resource with its part, verbs. The chart in
# deploy/helm grants this and no more: tests/kubernetes/test_deploy.py.
RIGHTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("", "nodes", ("list", "watch", "patch")),
    ("", "namespaces", ("list", "watch", "create", "patch", "delete")),
    ("", "nodes/proxy", ("get",)),
    ("", "pods", ("get", "list", "watch", "create", "patch", "delete")),
    ("", "pods/log", ("get",)),
    ("", "pods/exec", ("create",)),
    ("", "pods/portforward", ("create",)),
    ("", "events", ("list", "watch", "create")),
    ("", "secrets", ("create", "patch", "delete")),
    ("", "services", ("create", "patch", "delete")),
    ("", "serviceaccounts", ("create", "patch")),
    ("", "resourcequotas", ("create", "patch")),
    ("", "limitranges", ("create", "patch")),
    ("", "persistentvolumeclaims", ("list", "watch", "create", "patch", "delete")),
    ("networking.k8s.io", "networkpolicies", ("create", "patch")),
    ("rbac.authorization.k8s.io", "rolebindings", ("create", "patch")),
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
    except ForbiddenError as error:
        remedy = "Renew its token or certificate, or name another account."
        raise _wrong(f"is not let in by its cluster. {error.message}", remedy) from error
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
    return ClusterFindings(version=version, nodes=nodes, gpus=gpus, missing=missing)


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
    return sum(
        int(amount)
        for name, amount in node.status.allocatable.items()
        if (name == names.GPU or name.startswith(names.MIG_PREFIX)) and amount.isdigit()
    )


def _unreached(config: SingleConfig, error: TemporaryError) -> UserError:
    server = config.cluster.server
    cause: BaseException | None = error
    while cause is not None:
        words = str(cause)
        if isinstance(cause, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in words:
            return _wrong(
                f"names {server}, whose certificate is refused: {_plain(words)}.",
                "Put the certificate that signed it into certificate-authority-data, and use the "
                "name that it stands for.",
            )
        cause = cause.__cause__
    return _wrong(
        f"names {server}, which does not answer: {_plain(error.message)}.",
        "See whether this server's machine reaches it, through firewalls and by this address.",
    )


def _plain(words: str) -> str:
    """Without what only programmers read: `[SSL: …]` and where in OpenSSL it came about."""
    plain = _TECHNICAL.sub("", words.rpartition("does not answer: ")[2]).strip(" .")
    return plain.removeprefix("certificate verify failed: ") or "nothing came back"


def _wrong(message: str, remedy: str) -> UserError:
    return UserError(FieldFault(_FIELD, message, remedy))
