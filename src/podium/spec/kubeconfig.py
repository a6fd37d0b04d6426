"""The one cluster, account and address that a kubeconfig's context names, with everything in it
that the file names elsewhere. The CLI reads files into it before it sends it; a server opens none.

What would run programs on the server, or trust just any server, is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from podium.domain.cluster import KUBECONFIG_CHARACTERS_MAX
from podium.domain.errors import FieldFault, PodiumError, UserError
from podium.spec.documents import load_documents

_FIELD = "kubeconfig"
_FILE = "Give the file that kubectl uses, often ~/.kube/config."
_ACCOUNT = "Make a service account in the cluster and give a kubeconfig with its token."
_PROXIED = "Take it out; an operator sets HTTPS_PROXY for the server."
_KEPT = ("token", "username", "password", "client-certificate-data", "client-key-data")

Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeconfig:
    """`text` has one context and names no file. `ca` are the certificates (PEM) that the server is
    verified with; empty takes those of the machine. `certificate` and `key` (PEM) say who asks."""

    text: str = field(repr=False)
    context: str
    server: str
    ca: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)


def read_kubeconfig(text: str, context: str = "", read: Read | None = None) -> Kubeconfig:
    """The context of that name, or the current one. `read` gives the bytes of a file that the
    kubeconfig names; without it such a name is refused. Raises UserError, which names the field."""
    if len(text) > KUBECONFIG_CHARACTERS_MAX and read is None:
        limit = KUBECONFIG_CHARACTERS_MAX // 1024
        raise _wrong(f"is longer than {limit} KiB, the limit.", "Leave one context in it.")
    document = _document(text)
    contexts = _named(document, "contexts", "context")
    name = context or _text(document, "current-context", "current-context")
    known = ", ".join(sorted(contexts)[:10])
    if not name:
        raise UserError(
            FieldFault(
                "context", "is missing; the kubeconfig has no current one.", f"Name {known}."
            )
        )
    if name not in contexts:
        remedy = f"Name one of: {known}." if known else _FILE
        raise UserError(FieldFault("context", f"'{name[:100]}' is not in the kubeconfig.", remedy))
    chosen = contexts[name]
    cluster = _chosen(document, "cluster", chosen, name)
    user = _chosen(document, "user", chosen, name)
    server = _server(cluster)
    kept_cluster = {"server": server, **_authority(cluster, read)}
    kept_user = _account(user, name, read)
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": kept_cluster}],
        "users": [{"name": name, "user": kept_user}],
    }
    return Kubeconfig(
        text=json.dumps(whole, indent=1),  # which is YAML, too
        context=name,
        server=server,
        ca=_decoded(kept_cluster.get("certificate-authority-data", "")),
        certificate=_decoded(kept_user.get("client-certificate-data", "")),
        key=_decoded(kept_user.get("client-key-data", "")),
    )


def _document(text: str) -> Mapping[str, object]:
    try:
        documents = load_documents(text.encode())
    except UserError as error:
        raise _wrong(f"cannot be read as YAML: {error.faults[0].message}", _FILE) from None
    except PodiumError as error:
        raise _wrong(f"cannot be read: {error.message}", _FILE) from None
    if len(documents) != 1 or "clusters" not in documents[0]:
        raise _wrong("is no kubeconfig.", _FILE)
    return documents[0]


def _named(document: Mapping[str, object], plural: str, key: str) -> dict[str, dict[str, object]]:
    """The entries of one of a kubeconfig's lists, by name."""
    listed = document.get(plural) or []
    found: dict[str, dict[str, object]] = {}
    for each in listed if isinstance(listed, list) else [None]:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str | int):
            raise _wrong(f"has an entry without a name in {plural}.", _FILE)
        value = each.get(key) or {}
        if not isinstance(value, dict):
            raise _wrong(f"has no {key} in the entry '{each['name']}' of {plural}.", _FILE)
        found[str(each["name"])] = value
    return found


def _chosen(
    document: Mapping[str, object], key: str, context: Mapping[str, object], name: str
) -> dict[str, object]:
    wanted = _text(context, key, f"{key} of context {name}")
    found = _named(document, f"{key}s", key)
    if not wanted or wanted not in found:
        raise _wrong(
            f"has no {key} for context {name}.", "Name another context, or complete the file."
        )
    return found[wanted]


def _server(cluster: Mapping[str, object]) -> str:
    server = _text(cluster, "server", "server").rstrip("/")
    try:
        url = urlsplit(server)
        usable = url.scheme in ("https", "http") and bool(url.hostname) and url.port != 0
    except ValueError:
        usable = False
    if not usable or url.username or url.query:
        raise _wrong("has no usable address as the server.", "It is like https://10.0.0.1:6443.")
    if cluster.get("insecure-skip-tls-verify"):
        raise _wrong(
            "says insecure-skip-tls-verify: anybody could pose as the cluster.",
            "Put the cluster's certificate into certificate-authority-data instead.",
        )
    if cluster.get("proxy-url"):
        raise _wrong("names a proxy.", _PROXIED)
    if cluster.get("tls-server-name"):
        raise _wrong(
            "names another host for its certificate (tls-server-name).",
            "Write that host as the server's address.",
        )
    return server


def _authority(cluster: Mapping[str, object], read: Read | None) -> dict[str, str]:
    data = _data(cluster, "certificate-authority", read)
    if data and "-----BEGIN CERTIFICATE-----" not in _decoded(data):
        raise _wrong("has no certificate in certificate-authority-data.", "Give it as PEM.")
    return {"certificate-authority-data": data} if data else {}


def _account(user: Mapping[str, object], name: str, read: Read | None) -> dict[str, str]:
    if user.get("exec"):
        raise _wrong(
            f"has a program (exec) that makes the credentials of context {name}, which would run "
            "on the server.",
            _ACCOUNT,
        )
    if user.get("auth-provider"):
        raise _wrong(
            f"has an auth-provider in context {name}, which Podium does not know.", _ACCOUNT
        )
    if any(user.get(each) for each in ("as", "as-groups", "as-uid", "as-user-extra")):
        raise _wrong(f"poses as somebody else in context {name} (as).", _ACCOUNT)
    kept = {key: _text(user, key, key) for key in _KEPT}
    for key in ("client-certificate", "client-key"):
        kept[f"{key}-data"] = _data(user, key, read)
    file = _text(user, "tokenFile", "tokenFile")
    if file:
        kept["token"] = _read(file, "tokenFile", read).decode("utf-8", "replace").strip()
    kept = {key: value for key, value in kept.items() if value}
    if ("client-certificate-data" in kept) != ("client-key-data" in kept):
        raise _wrong("has a client certificate without its key, or a key without it.", _ACCOUNT)
    if not kept.keys() & {"token", "client-certificate-data", "password"}:
        raise _wrong(f"has no credentials for context {name}.", _ACCOUNT)
    return kept


def _data(entry: Mapping[str, object], key: str, read: Read | None) -> str:
    """What stands in KEY-data, or in the file that KEY names; in base64."""
    data, file = _text(entry, f"{key}-data", f"{key}-data"), _text(entry, key, key)
    if data:
        try:
            base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise _wrong(f"has a {key}-data that is no base64.", _FILE) from None
        return data
    return base64.b64encode(_read(file, key, read)).decode() if file else ""


def _read(file: str, key: str, read: Read | None) -> bytes:
    if read is None:
        raise _wrong(
            f"names a file as its {key}: {file[:200]}. The server does not open it.",
            "Use the command line, which reads it, or `kubectl config view --flatten --raw`.",
        )
    return read(file)


def _text(entry: Mapping[str, object], key: str, what: str) -> str:
    value = entry.get(key)
    if value is None:
        return ""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise _wrong(f"has something else than text as the {what}.", _FILE)
    return str(value).strip()


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode("ascii", "replace")


def _wrong(message: str, remedy: str) -> UserError:
    return UserError(FieldFault(_FIELD, message, remedy))
