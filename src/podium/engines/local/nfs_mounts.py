"""Exports of NFS servers, mounted once for all jobs that use them; each job then sees its own part.
The engine calls it before it starts a job, in a thread."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from podium.domain.errors import PermanentError, TemporaryError
from podium.domain.outbound import Outbound
from podium.outbound.resolve import resolve

_SECONDS = 60
_PORT = 2049
_ALWAYS = ("nosuid", "nodev")


def nfs_mount(orders: Iterable[dict[str, Any]], outbound: Outbound) -> None:
    """Mounts what is not mounted. Raises PermanentError, TemporaryError and OutboundError."""
    for order in orders:
        if order["kind"] == "nfs" and not os.path.ismount(order["root"]):
            _mount(order, outbound)


def _mount(order: dict[str, Any], outbound: Outbound) -> None:
    source, location = order["source"], order["location"]
    if os.geteuid() != 0:
        raise PermanentError(
            f"The data source {source} is on NFS, which only a server that runs as root mounts."
        )
    address = resolve(outbound, location["server"], _PORT)[0]
    host = f"[{address}]" if ":" in address else address
    options = [each for each in location.get("options", "").split(",") if each]
    Path(order["root"]).mkdir(mode=0o700, parents=True, exist_ok=True)
    command = ["mount", "-t", "nfs", "-o", ",".join([*options, *_ALWAYS]),
               f"{host}:{location['export']}", order["root"]]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except FileNotFoundError:
        raise PermanentError("The node has no mount command.") from None
    except subprocess.TimeoutExpired:
        raise TemporaryError(
            f"The NFS server of data source {source} does not answer.", retry_after_seconds=30
        ) from None
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise PermanentError(
            f"The data source {source} could not be mounted: {(words or ['no reason told'])[-1]}"
        )
