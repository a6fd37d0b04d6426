"""Brings uploaded code into a pod before its work begins.

A first container waits for it, in the image of the work and as its user; the server sends the
archive through the API server, as `kubectl cp` does, so pods need no way to Podium. Where the
archive lies is written down before the pod is made: the next server goes on with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from podium.domain.errors import TemporaryError
from podium.engines.kubernetes import names
from podium.engines.kubernetes.connection import Connection
from podium.engines.kubernetes.objects import Pod

_PLACE = "/podium/source"
_PIECE_BYTES = 256 * 1024


def container_of(work: dict[str, Any]) -> dict[str, Any]:
    """The one that waits, out of the one that works."""
    wait = f"until [ -e {_PLACE}/ready ]; do sleep 0.2; done"
    kept = ("image", "resources", "securityContext")
    mounts = [each for each in work["volumeMounts"] if each["name"] in ("podium", "work")]
    return {
        **{key: work[key] for key in kept},
        "name": names.SOURCE,
        "command": ["/bin/sh", "-c", wait],
        "volumeMounts": mounts,
    }


def awaits_source(pod: Pod) -> bool:
    """Whether its first container is ready to take the code."""
    return not pod.metadata.deletion_timestamp and any(
        each.name == names.SOURCE and each.state.running is not None
        for each in pod.status.init_container_statuses
    )


async def source_send(connection: Connection, pod: Pod, archive: Path) -> str:
    """Returns "" when the code stands, else why the pod could not take it. Raises
    TemporaryError."""
    meta = pod.metadata
    path = f"/api/v1/namespaces/{meta.namespace}/pods/{meta.name}"
    try:
        size = archive.stat().st_size
    except OSError as error:
        return f"The uploaded code is not on this server any more: {error.strerror}."
    unpack = (
        f"mkdir -p {_PLACE} && [ ! -e {_PLACE}/ready ] || exit 0; "
        f"head -c {size} | tar -xzf - -C /podium/work && touch {_PLACE}/ready"
    )
    told = await connection.feed(path, ["/bin/sh", "-c", unpack], names.SOURCE, _pieces(archive))
    return f"The code could not be unpacked in its image: {told}" if told else ""


def _pieces(archive: Path) -> Iterator[bytes]:
    try:
        with archive.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except OSError as error:
        raise TemporaryError(f"The uploaded code cannot be read: {error.strerror}.") from error
