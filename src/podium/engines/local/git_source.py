"""Fetches a Git repository for a job, in the job's own process; called by `source`.

The address is a person's, and git is a large program: only the ways and the hosts that are open are
left to it. The name is resolved here and pinned, redirects are looked at before they are followed,
and no credentials helper of the node is asked.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from podium.domain.errors import TemporaryError
from podium.domain.outbound import (
    Outbound,
    OutboundError,
    check_host,
    is_address,
    outbound_read,
    refused,
)
from podium.engines.local.processes import die_with_parent
from podium.engines.local.source import ENVIRONMENT_KEPT, PrepareError
from podium.outbound.resolve import resolve

_ENCRYPTED = ("https", "ssh")
_PLAIN = ("http", "git")
_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}
# So strict that git and this module cannot read two different hosts from one address.
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://([A-Za-z0-9._~%!$&*+=-]+@)?"
    r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?/[^\s\\#]*"
)
_SCP = re.compile(r"((?P<user>[A-Za-z0-9._-]+)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>.+)")
_WORDS_BYTES_MAX = 64 * 1024
_SHALLOW_REFUSED = ("remote ref", "not our ref", "unadvertised", "shallow")
_REDIRECTED = ("error: 301", "error: 302", "error: 303", "error: 307", "error: 308")
_REDIRECTS_MAX = 3
_ANSWER_SECONDS = 20.0
# Of what a repository, or a node's configuration, could make git do beside fetching.
_SETTINGS = (
    "credential.helper=",
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "core.fsmonitor=false",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "http.followRedirects=false",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a repository is: the address for git, and the host that it connects to. `addresses` are
    empty where a proxy of the operator's resolves the name."""

    url: str
    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]


def git_fetch(source: dict[str, Any], work: str) -> None:
    """Raises PrepareError."""
    url, ref = str(source["url"]), str(source["ref"])
    outbound = outbound_read(source["allowed"], source["reach"])
    shown = _shown(url)
    try:
        place = git_place(url, outbound)
    except (OutboundError, TemporaryError) as error:
        raise PrepareError("source_failed", f"{shown} cannot be fetched. {error.message}") from None
    if ref.startswith("-"):
        raise PrepareError("source_failed", f"{shown} at {ref} is not a Git address.")
    for _ in range(_REDIRECTS_MAX):
        try:
            _fetch(place, shown, ref, work)
        except PrepareError as error:
            if place.scheme != "https" or not any(word in str(error) for word in _REDIRECTED):
                raise
            place = _followed(place, outbound, shown)
        else:
            return
    raise PrepareError("source_failed", f"{shown} is redirected again and again.")


def git_place(url: str, outbound: Outbound) -> Place:
    """Raises OutboundError for what is not open, and TemporaryError for a name that cannot be
    resolved now."""
    address = url.removeprefix("git+")
    found = (_URL if "://" in address else _SCP).fullmatch(address)
    if found is None or "::" in address.partition("/")[0]:
        raise refused(_shown(url), "is no address of a Git repository")
    said = found.groupdict()
    scheme, host, port = said.get("scheme") or "ssh", said["host"], int(said.get("port") or 0)
    if scheme not in (*_ENCRYPTED, *_PLAIN):
        raise refused(_shown(url), f"is reached by {scheme[:20]}, which is not open")
    name, at = check_host(host), port or _PORTS[scheme]
    if _proxied(scheme, name):
        why = outbound.refusal(name)
        if why is not None and is_address(name):
            raise refused(name, why)
        return Place(url=address, scheme=scheme, host=name, port=at, addresses=())
    addresses = resolve(outbound, name, at)
    if scheme in _PLAIN and not all(outbound.names(each) for each in addresses):
        raise refused(name, f"is reached by {scheme}, which others on the way can change")
    return Place(url=address, scheme=scheme, host=name, port=at, addresses=tuple(addresses))


def git_command(place: Place) -> list[str]:
    """The beginning of each git command."""
    settings = list(_SETTINGS)
    if not place.addresses:
        settings[-1] = "http.followRedirects=initial"  # the proxy decides what is reached
    elif place.scheme in ("https", "http"):
        pinned = ",".join(f"[{each}]" if ":" in each else each for each in place.addresses)
        settings.append(f"http.curloptResolve={place.host}:{place.port}:{pinned}")
    return ["git", *(word for each in settings for word in ("-c", each))]


def git_environment(place: Place) -> dict[str, str]:
    """Whatever else the node's own Git and SSH set-up says counts; nothing asks."""
    kept = {name: os.environ[name] for name in ENVIRONMENT_KEPT if name in os.environ}
    ssh = ["ssh", "-o", "BatchMode=yes", "-o", "ClearAllForwardings=yes"]
    ssh += ["-o", "PermitLocalCommand=no"]
    if place.scheme == "ssh" and place.addresses:
        ssh += ["-o", f"HostName={place.addresses[0]}", "-o", f"HostKeyAlias={_known_as(place)}"]
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": place.scheme,
        "GIT_SSH_COMMAND": shlex.join(ssh),
        "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
        "GIT_HTTP_LOW_SPEED_TIME": "60",
        "LC_ALL": "C",
    }


def _known_as(place: Place) -> str:
    """As `known_hosts` has it."""
    return place.host if place.port == _PORTS["ssh"] else f"[{place.host}]:{place.port}"


def _fetch(place: Place, shown: str, ref: str, work: str) -> None:
    url = place.url
    if place.scheme == "git":  # what it is told is the address alone
        pinned = place.addresses[0]
        host = f"[{pinned}]" if ":" in pinned else pinned
        url = urlunsplit(urlsplit(url)._replace(netloc=f"{host}:{place.port}"))
    _run(place, shown, ref, ["init", "--quiet", work])
    fetch = ["-C", work, "fetch", "--quiet", "--no-tags", "--upload-pack=git-upload-pack"]
    try:
        _run(place, shown, ref, [*fetch, "--depth=1", "--", url, ref])
        wanted = "FETCH_HEAD"
    except PrepareError as error:
        if not any(word in str(error) for word in _SHALLOW_REFUSED):
            raise
        # Not every host gives out a bare commit, or a shallow one; all of it has what there is.
        _run(place, shown, ref, [*fetch, "--", url, "+refs/*:refs/podium/*"])
        wanted = _resolved(place, shown, ref, work)
    _run(place, shown, ref, ["-C", work, "checkout", "--quiet", "--detach", wanted, "--"])


def _resolved(place: Place, shown: str, ref: str, work: str) -> str:
    for name in (f"refs/podium/heads/{ref}", f"refs/podium/tags/{ref}", ref):
        look = ["-C", work, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
        with contextlib.suppress(PrepareError):
            _run(place, shown, ref, look)
            return name
    raise PrepareError(
        "source_failed", f"{shown} has no branch, tag or commit {ref}. Name one that is pushed."
    )


def _followed(place: Place, outbound: Outbound, shown: str) -> Place:
    """Where the host says that the repository is. Raises PrepareError."""
    asked = place.url.rstrip("/") + _SMART
    location = _location(place, asked)
    target = urljoin(asked, location) if location else ""
    if not target.startswith("https://") or not target.endswith(_SMART):
        raise PrepareError("source_failed", f"{shown} is redirected to what is no repository.")
    try:
        return git_place(target.removesuffix(_SMART), outbound)
    except (OutboundError, TemporaryError) as error:
        raise PrepareError(
            "source_failed", f"{shown} is redirected and cannot be fetched. {error.message}"
        ) from None


_SMART = "/info/refs?service=git-upload-pack"


def _location(place: Place, url: str) -> str:
    """What the host answers as the new address; empty when it does not."""
    import http.client
    import socket
    import ssl

    class Pinned(http.client.HTTPSConnection):
        def connect(self) -> None:
            made = socket.create_connection((place.addresses[0], place.port), _ANSWER_SECONDS)
            self.sock = ssl.create_default_context().wrap_socket(made, server_hostname=place.host)

    connection = Pinned(place.host, place.port, timeout=_ANSWER_SECONDS)
    try:
        parts = urlsplit(url)
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"User-Agent": "git/2"})
        return connection.getresponse().headers.get("Location", "")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def _run(place: Place, shown: str, ref: str, arguments: list[str]) -> None:
    """One git command whose words go to the person when it fails. Raises PrepareError."""
    parent = os.getpid()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent(parent)
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            command = [*git_command(place), *arguments]
            os.execvpe("git", command, git_environment(place))  # noqa: S606
        except OSError as error:
            os.write(2, str(error.strerror).encode())
        finally:
            os._exit(127)
    os.close(writer)
    said = b""
    while data := os.read(reader, 4096):
        said = (said + data)[-_WORDS_BYTES_MAX:]
    os.close(reader)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code == 127:
        raise PrepareError("source_failed", "The node has no git, which the source needs.")
    if code != 0:
        lines = said.decode(errors="replace").strip().splitlines() or [f"exit code {code}"]
        words = re.sub(r"://[^/@\s]*@", "://", lines[-1])[:300]
        raise PrepareError("source_failed", f"{shown} at {ref} could not be fetched. Git: {words}")


def _shown(url: str) -> str:
    """Without a name or a password."""
    return re.sub(r"://[^/@]*@", "://", url)


def _proxied(scheme: str, host: str) -> bool:
    """Whether git goes through a proxy that the operator set for this node."""
    names = {"https": ("HTTPS_PROXY", "https_proxy"), "http": ("http_proxy",)}.get(scheme, ())
    if not any(os.environ.get(name) for name in names):
        return False
    without = os.environ.get("NO_PROXY", "") or os.environ.get("no_proxy", "")
    parts = [each.strip().lstrip(".").lower() for each in without.split(",") if each.strip()]
    return not any(part in ("*", host) or host.endswith(f".{part}") for part in parts)
