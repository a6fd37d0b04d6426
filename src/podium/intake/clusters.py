"""Clusters that Podium works on: added, changed, removed and tried out by administrators.
`control/fleet` finds what is written here and works on it."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from podium.domain.cluster import RESERVED_LABELS, Cluster, ClusterFindings, Labels
from podium.domain.errors import ConflictError, FieldFault, UserError
from podium.domain.identity import name_fault, name_suggestion
from podium.domain.outbound import Outbound, OutboundError, check_host, is_address
from podium.domain.rights import Action
from podium.domain.tenancy import Identity
from podium.intake.office import Office, authorise, told
from podium.outbound.http import trust
from podium.outbound.resolve import resolve
from podium.spec.faults import FieldError, under
from podium.spec.fields import read_labels
from podium.spec.kubeconfig import Kubeconfig, read_kubeconfig
from podium.store import clusters
from podium.store.audit import AuditEntry
from podium.store.clusters import Forgotten
from podium.store.database import Transaction

CLUSTERS_MAX = 100
CHECKED = "cluster:check"
HINTS = ("clusters",)
"""Who has to look again after a change."""

Probe = Callable[[str | None, str], Awaitable[ClusterFindings]]
"""Asks a cluster by the text of a kubeconfig, None from inside it, and a context."""

_PORTS = {"http": 80, "https": 443}


async def cluster_add(
    office: Office,
    identity: Identity,
    *,
    name: str,
    kubeconfig: str | None = None,
    context: str = "",
    in_cluster: bool = False,
    region: str = "",
    labels: Mapping[str, str] | None = None,
    image: str = "",
    groups_prefix: str = "",
) -> Cluster:
    """Adding the same once more changes nothing. Raises UserError with the fields that are wrong,
    and ConflictError where another cluster has the name."""
    authorise(identity, Action.CLUSTER_MANAGE)
    fault = name_fault(name)
    if fault is not None:
        raise UserError(FieldFault("name", f"{fault}.", f"Try '{name_suggestion(name)}'."))
    access = access_read(office.outbound, kubeconfig, context, in_cluster=in_cluster)
    now_ms = office.database.now_ms()
    cluster = Cluster(
        name=name,
        region=region,
        labels=_labels(labels or {}),
        image=_image(image),
        context=access.context if access else "",
        server=access.server if access else "",
        in_cluster=in_cluster,
        groups_prefix=_groups_prefix(groups_prefix),
        added_at_ms=now_ms,
        added_by=identity.username,
        updated_at_ms=now_ms,
    )
    known = await office.database.read(lambda tx: clusters.cluster_find(tx, name))
    if known is not None and _same(known, cluster) and await _keeps(office, name, access):
        return known

    def write(tx: Transaction) -> AuditEntry:
        if clusters.cluster_find(tx, name) is not None:
            raise ConflictError(
                f"There is a cluster {name}. Change it with `podium cluster set {name}`, or choose "
                "another name."
            )
        if len(clusters.cluster_list(tx)) >= CLUSTERS_MAX:
            raise ConflictError(f"There are {CLUSTERS_MAX} clusters, the limit. Remove one first.")
        clusters.cluster_put(tx, cluster, access.text if access else None, office.sealer, now_ms)
        return _entry(identity, name, None, cluster, kubeconfig=access is not None)

    await told(office, write)
    office.hints.wake(*HINTS)
    return cluster


async def cluster_change(
    office: Office,
    identity: Identity,
    *,
    name: str,
    kubeconfig: str | None = None,
    context: str | None = None,
    in_cluster: bool | None = None,
    region: str | None = None,
    labels: Mapping[str, str] | None = None,
    image: str | None = None,
    groups_prefix: str | None = None,
) -> Cluster:
    """What is None stays. A change is taken up within seconds, and what runs goes on. Raises
    UserError with the fields that are wrong, and NotFoundError."""
    authorise(identity, Action.CLUSTER_MANAGE)
    if context is not None and kubeconfig is None:
        raise UserError(
            FieldFault("context", "goes with a kubeconfig.", "Give the kubeconfig again, too.")
        )
    access = None
    if kubeconfig is not None or in_cluster:
        access = access_read(
            office.outbound, kubeconfig, context or "", in_cluster=bool(in_cluster)
        )
    chosen_labels = None if labels is None else _labels(labels)
    chosen_image = None if image is None else _image(image)
    chosen_prefix = None if groups_prefix is None else _groups_prefix(groups_prefix)
    text_changes = access is not None and not await _keeps(office, name, access)
    now_ms = office.database.now_ms()
    made: Cluster | None = None

    def write(tx: Transaction) -> AuditEntry:
        nonlocal made
        before = clusters.cluster_fetch(tx, name)
        if in_cluster is False and before.in_cluster and access is None:
            raise UserError(
                FieldFault("kubeconfig", "is missing.", "Give one, or leave in_cluster as it is.")
            )
        after = replace(
            before,
            region=before.region if region is None else region,
            labels=before.labels if chosen_labels is None else chosen_labels,
            image=before.image if chosen_image is None else chosen_image,
            groups_prefix=before.groups_prefix if chosen_prefix is None else chosen_prefix,
        )
        if access is not None:
            after = replace(after, in_cluster=False, context=access.context, server=access.server)
        elif in_cluster:
            after = replace(after, in_cluster=True, context="", server="")
        if after != before or text_changes:
            # Fleets tell by it that something changed.
            after = replace(after, updated_at_ms=max(now_ms, before.updated_at_ms + 1))
            text = access.text if access is not None and text_changes else None
            clusters.cluster_put(tx, after, text, office.sealer, now_ms)
        made = after
        return _entry(identity, name, before, after, kubeconfig=text_changes)

    await told(office, write)
    office.hints.wake(*HINTS)
    assert made is not None
    return made


async def cluster_remove(
    office: Office, identity: Identity, name: str, *, force: bool = False
) -> Forgotten:
    """With its nodes. Raises NotFoundError, and ConflictError while Podium's work is placed there,
    unless that is given up by `force`."""
    authorise(identity, Action.CLUSTER_MANAGE)
    now_ms = office.database.now_ms()
    gone: Forgotten | None = None

    def write(tx: Transaction) -> AuditEntry:
        nonlocal gone
        before = clusters.cluster_fetch(tx, name)
        gone = clusters.cluster_delete(tx, name, now_ms, force=force, actor=identity.username)
        counts = {"nodes": gone.nodes, "replicas": gone.replicas, "workloads": gone.workloads}
        return _entry(identity, name, before, None, force=force, **counts)

    await told(office, write)
    office.hints.wake(*HINTS, "schedule", "events")
    assert gone is not None
    return gone


async def cluster_check(
    office: Office,
    identity: Identity,
    probe: Probe,
    *,
    kubeconfig: str | None,
    context: str = "",
    in_cluster: bool = False,
) -> tuple[Kubeconfig | None, ClusterFindings]:
    """Try to reach a cluster, and keep nothing. Raises UserError, which says what is wrong with the
    kubeconfig or what came of asking."""
    authorise(identity, Action.CLUSTER_MANAGE)
    access = access_read(office.outbound, kubeconfig, context, in_cluster=in_cluster)
    server = access.server if access else "in-cluster"
    try:
        if access is not None:
            await reach_check(office.outbound, access.server)
        found = await probe(access.text if access else None, access.context if access else "")
    except Exception as error:
        fault = getattr(error, "message", type(error).__name__)
        await told(office, lambda _: _checked(identity, server, fault))
        raise
    await told(office, lambda _: _checked(identity, server, "", missing=list(found.missing)))
    return access, found


def access_read(
    outbound: Outbound, kubeconfig: str | None, context: str, *, in_cluster: bool
) -> Kubeconfig | None:
    """None from inside the cluster. Raises UserError."""
    if in_cluster:
        if kubeconfig is not None:
            raise UserError(
                FieldFault("in_cluster", "does not go with a kubeconfig.", "Give one of them.")
            )
        return None
    if not kubeconfig:
        raise UserError(
            FieldFault(
                "kubeconfig", "is missing.", "Give one, or say that Podium runs in the cluster."
            )
        )
    access = read_kubeconfig(kubeconfig, context)
    _check_server(outbound, access.server)
    _check_certificates(access)
    return access


async def reach_check(outbound: Outbound, server: str) -> None:
    """Whether the address of a cluster may be connected to, its name resolved. Raises UserError,
    and TemporaryError for a name that cannot be resolved now."""
    url = urlsplit(server)
    port = url.port or _PORTS[url.scheme]
    try:
        await asyncio.to_thread(resolve, outbound, url.hostname or "", port)
    except OutboundError as error:
        raise _as_kubeconfigs(error) from None


def _check_server(outbound: Outbound, server: str) -> None:
    """What can be seen without asking for the name."""
    url = urlsplit(server)
    try:
        host = check_host(url.hostname or "")
    except OutboundError as error:
        raise _as_kubeconfigs(error) from None
    why = outbound.refusal(host) if is_address(host) else None
    if why is not None:
        raise UserError(
            FieldFault(
                "kubeconfig",
                f"names the server {host[:100]}, which {why}, so Podium does not connect to it.",
                "Name another address of it, or ask an operator about --allow-outbound of "
                "`podium up`.",
            )
        )
    if url.scheme != "https" and not (is_address(host) and outbound.names(host)):
        raise UserError(
            FieldFault(
                "kubeconfig",
                "names a server without TLS: credentials would be read on the way.",
                "Use its https:// address.",
            )
        )


def _check_certificates(access: Kubeconfig) -> None:
    if access.ca:
        try:
            trust(access.ca)
        except (ssl.SSLError, ValueError):
            remedy = "Give the cluster's certificate as PEM, in base64."
            raise UserError(
                FieldFault("kubeconfig", "has a certificate-authority that is none.", remedy)
            ) from None
    if access.certificate:
        with tempfile.NamedTemporaryFile("w") as file:  # only its owner may read it
            file.write(f"{access.certificate}\n{access.key}\n")
            file.flush()
            try:
                # With a password, or OpenSSL would ask whoever started the server for one.
                ssl.create_default_context().load_cert_chain(file.name, password="")
            except (ssl.SSLError, ValueError, OSError):
                remedy = "Give both as PEM, in base64; the key without a password."
                raise UserError(
                    FieldFault(
                        "kubeconfig", "has a client certificate or key that is none.", remedy
                    )
                ) from None


def _as_kubeconfigs(error: OutboundError) -> OutboundError:
    return OutboundError(*(replace(each, field="kubeconfig") for each in error.faults))


def _labels(labels: Mapping[str, str]) -> Labels:
    try:
        found = read_labels(dict(labels))
    except FieldError as error:
        raise UserError(*under("labels", error.faults)) from None
    for key, _ in found:
        if key in RESERVED_LABELS:
            raise UserError(
                FieldFault(
                    f"labels.{key}",
                    "is set by Podium itself.",
                    "Leave it out." if key != "region" else "Give the region instead.",
                )
            )
    return found


def _groups_prefix(prefix: str) -> str:
    if not prefix.isprintable() or prefix.startswith("system:"):
        raise UserError(
            FieldFault(
                "groups_prefix",
                "is not one that sign-in puts before groups.",
                "Give what the API server is told as --oidc-groups-prefix, such as 'oidc:'.",
            )
        )
    return prefix


def _image(image: str) -> str:
    text = image.strip()
    if any(each.isspace() or not each.isprintable() for each in text) or text.startswith("-"):
        raise UserError(
            FieldFault("image", "is no name of an image.", "Write it like example.com/ai/base:1.")
        )
    return text


async def _keeps(office: Office, name: str, access: Kubeconfig | None) -> bool:
    """Whether this is the kubeconfig that is kept already. Raises KeysError."""
    sealed = await office.database.read(lambda tx: clusters.kubeconfig_find(tx, name))
    if sealed is None or access is None:
        return sealed is None and access is None
    return clusters.kubeconfig_opened(sealed, name, office.sealer) == access.text


def _same(known: Cluster, wanted: Cluster) -> bool:
    as_made = replace(
        wanted,
        added_at_ms=known.added_at_ms,
        added_by=known.added_by,
        updated_at_ms=known.updated_at_ms,
    )
    return known == as_made


def _checked(
    identity: Identity, server: str, fault: str, missing: list[str] | None = None
) -> AuditEntry:
    detail = {"ok": not fault, "fault": fault, "missing": missing or []}
    return AuditEntry(actor=identity.username, action=CHECKED, subject=server, detail=detail)


def _entry(
    identity: Identity,
    name: str,
    before: Cluster | None,
    after: Cluster | None,
    **detail: object,
) -> AuditEntry:
    return AuditEntry(
        actor=identity.username,
        action=Action.CLUSTER_MANAGE,
        subject=name,
        detail={"before": _told(before), "after": _told(after), **detail},
    )


def _told(cluster: Cluster | None) -> dict[str, object] | None:
    if cluster is None:
        return None
    return {
        "server": cluster.server,
        "context": cluster.context,
        "in_cluster": cluster.in_cluster,
        "region": cluster.region,
        "labels": dict(cluster.labels),
        "image": cluster.image,
        "groups_prefix": cluster.groups_prefix,
    }
