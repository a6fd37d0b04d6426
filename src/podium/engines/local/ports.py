"""Free ports for the masters of gangs, below the range that the system hands to clients."""

from __future__ import annotations

import random
import socket
import time
from collections import OrderedDict

from podium.domain.errors import TemporaryError

_FIRST, _LAST = 20_000, 29_999
_TRIES = 200
_KEPT_SECONDS = 120.0


class Ports:
    """Gives out no port twice within two minutes: a gang takes a while to listen on its own."""

    def __init__(self) -> None:
        self._given: OrderedDict[int, float] = OrderedDict()
        self._random = random.SystemRandom()

    def free(self, address: str) -> int:
        """Raises TemporaryError when none was found."""
        now = time.monotonic()
        while self._given and next(iter(self._given.values())) < now - _KEPT_SECONDS:
            self._given.popitem(last=False)
        for _ in range(_TRIES):
            port = self._random.randint(_FIRST, _LAST)
            if port not in self._given and _is_free(address, port):
                self._given[port] = now
                return port
        raise TemporaryError("The node has no free port for the gang's master now.")


def _is_free(address: str, port: int) -> bool:
    for host in (address, "0.0.0.0"):  # noqa: S104 - held for an instant, never listened on
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
