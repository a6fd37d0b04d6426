"""Why an API server cannot be reached, in plain words with what helps: the errors of networks say
it in many ways. `connection.py` and `check.py` ask."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from podium.domain.errors import TemporaryError

_TECHNICAL = re.compile(r"\[[A-Z]+: \w+\]|\(_ssl\.c:\d+\)|\[Errno -?\d+\]")
_REACH = "See whether this server's machine reaches it, through firewalls and by this address."
_CERTIFICATE = (
    "Put the certificate that signed it into certificate-authority-data, and use the name that it "
    "stands for."
)


@dataclass(frozen=True, slots=True)
class Away:
    """`why` fits after a colon; `remedy` is a sentence. `untrusted`: it answers, and its
    certificate is refused."""

    why: str
    remedy: str
    untrusted: bool = False


class AwayError(TemporaryError):
    """The API server does not answer; its message holds what `away` says."""

    code = "cluster_away"

    def __init__(self, server: str, away: Away) -> None:
        self.away = away
        what = "is not trusted" if away.untrusted else "does not answer"
        super().__init__(f"The cluster at {server} {what}: {away.why}. {away.remedy}")


def away_of(server: str, error: BaseException) -> Away:
    """By the error of a request to `server`, with its causes."""
    chain = list(_causes(error))
    words = " ".join(map(str, chain))
    host = urlsplit(server).hostname or server
    if "CERTIFICATE_VERIFY_FAILED" in words or _has(chain, ssl.SSLCertVerificationError):
        return Away(_plain(words), _CERTIFICATE, untrusted=True)
    if _has(chain, socket.gaierror) or "name resolution" in words or "not known" in words:
        remedy = "Check the server's address in the kubeconfig, and the name service here."
        return Away(f"no machine is known by the name {host}", remedy)
    if _has(chain, ConnectionRefusedError) or "refused" in words:
        return Away(
            "nothing listens there", "Check its port, and whether its API server runs. " + _REACH
        )
    if (
        _has(chain, (TimeoutError, httpx2.TimeoutException))
        or "imeout" in words
        or "timed out" in words
    ):
        return Away("nothing came back in time", _REACH)
    if "unreachable" in words or "No route" in words:
        return Away("there is no way to it from here", _REACH)
    if _has(chain, ssl.SSLError):
        remedy = "Check that its address begins as the server speaks: https, or http."
        return Away(f"no secure connection comes about ({_plain(words)})", remedy)
    if _has(chain, ConnectionResetError) or "disconnected" in words or "closed" in words:
        remedy = "It is tried again; if this lasts, see whether its API server is well."
        return Away("it broke off the connection", remedy)
    return Away(_plain(str(error)) or "nothing came back", _REACH)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _has(
    chain: list[BaseException], kind: type[BaseException] | tuple[type[BaseException], ...]
) -> bool:
    return any(isinstance(each, kind) for each in chain)


def _plain(words: str) -> str:
    """Without what only programmers read: `[SSL: …]` and where in OpenSSL it came about."""
    found = re.search(r"certificate verify failed: ([^(\[]+)", words)
    if found:
        return found[1].strip(" .")
    return " ".join(_TECHNICAL.sub("", words).split())[:300].strip(" .")
