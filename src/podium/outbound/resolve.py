"""Resolves a name once and checks what it stands for; whoever connects uses the answer, so that a
name cannot mean something else a moment later."""

from __future__ import annotations

import socket

from podium.domain.errors import TemporaryError
from podium.domain.outbound import Outbound, check_host, refused

_RETRY_SECONDS = 10.0


def resolve(outbound: Outbound, host: str, port: int) -> list[str]:
    """The addresses to connect to, at least one. Blocks while it asks. Raises OutboundError where
    none may be reached, and TemporaryError for a name that cannot be resolved now."""
    name = check_host(host)
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "not a name"
        raise TemporaryError(
            f"The name {host[:100]} cannot be resolved: {why}.", retry_after_seconds=_RETRY_SECONDS
        ) from None
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    reasons = {each: outbound.refusal(each) for each in addresses}
    open_ones = [each for each in addresses if reasons[each] is None]
    if not open_ones:
        shown = addresses[0] if addresses[0] != name else ""
        why = str(reasons[addresses[0]])
        raise refused(host, f"({shown}) {why}" if shown else why)
    return open_ones
