"""Turns the data of a `Launch` into orders for its job, and says where each can be on this node.
`order` calls it."""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Sequence
from typing import Any

from podium.domain.data import SourceKind
from podium.domain.errors import PermanentError
from podium.engines.contract import DataMount, Launch

SECRET = "data"  # noqa: S105 - what these travel as


def data_orders(
    launch: Launch, *, folder: str, home: str, work: str, roots: Sequence[str], walls: bool
) -> list[dict[str, Any]]:
    """Raises PermanentError for what this node can never do."""
    if launch.classification.bound and not walls:
        raise PermanentError(
            f"It uses {launch.classification} data, and this node keeps projects apart by nothing "
            "(isolation none). Start the server with --isolation users or namespaces."
        )
    return [_order(launch, each, folder, home, work, roots) for each in launch.data]


def _order(
    launch: Launch, mount: DataMount, folder: str, home: str, work: str, roots: Sequence[str]
) -> dict[str, Any]:
    location = dict(mount.location)
    name = mount.source.rpartition("/")[2]
    order: dict[str, Any] = {
        "source": mount.source,
        "kind": mount.kind.value,
        "target": mount.path,
        "link": f"{work}/data/{name}",
        "variable": mount.variable,
        "write": mount.write,
        "below": "",
    }
    if mount.kind is SourceKind.FOLDER:
        root, path = location["root"], location["path"]
        if root not in roots:
            raise PermanentError(
                f"The folder of data source {mount.source} is in {root}, which this node does not "
                f"offer (--data-root {root})."
            )
        return {**order, "root": root, "below": path.removeprefix(root).strip("/")}
    if mount.kind is SourceKind.NFS:
        return {**order, "root": nfs_place(home, location), "location": location}
    if mount.kind is SourceKind.S3:
        digest = _digest(location["endpoint"], location["bucket"], location.get("prefix", ""))
        place = f"{home}/data/s3/{launch.project}/{mount.source.replace('/', '@')}-{digest}"
        if mount.write:  # the job writes there, so no other may find it later
            place = f"{folder}/data/{name}"
        return {
            **order,
            "root": f"{place}/files",
            "place": place,
            "location": location,
            "packages": sysconfig.get_path("platlib"),  # which a shim does not look into
        }
    raise PermanentError(
        f"The data source {mount.source} is a volume claim of Kubernetes; this node runs plain "
        "processes."
    )


def nfs_place(home: str, location: dict[str, str]) -> str:
    """Where an export is mounted on this node, once for all who use it."""
    digest = _digest(location["server"], location["export"], location.get("options", ""))
    return f"{home}/data/nfs/{digest}"


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]
