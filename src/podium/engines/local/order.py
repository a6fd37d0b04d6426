"""Turns a `Launch` into the order that a shim reads from `launch.json`, without its secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from podium.domain.errors import PermanentError
from podium.domain.outbound import Outbound
from podium.domain.workload import GitSource, UploadSource
from podium.engines.contract import Launch
from podium.engines.local import folder as names
from podium.engines.local import secret_files
from podium.engines.local.data_orders import data_orders
from podium.engines.local.environment import environment
from podium.engines.local.mps import pipe_directory
from podium.engines.local.nfs_mounts import nfs_mount
from podium.engines.local.walls import Walls


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds each allocation of a local engine."""

    log_segment_bytes: int = 64 << 20
    log_segments: int = 4
    archive_bytes_max: int = 4 << 30
    archive_members_max: int = 200_000
    processes_max: int = 16_384  # of a project with a Unix user of its own
    outbound: Outbound = field(default_factory=Outbound)  # where Git sources and data may be
    data_roots: tuple[str, ...] = ()  # folders of data sources are below one of them

    def __post_init__(self) -> None:
        assert self.log_segment_bytes > 0
        assert self.log_segments > 0


def order_of(
    launch: Launch,
    *,
    folder: str,
    path: str,
    limits: Limits,
    walls: Walls | None = None,
    shelf: str | None = None,
    home: str = "",
) -> bytes:
    """`shelf` is for files with secrets where there are no walls. Raises PermanentError for what
    this engine can never do, and OSError."""
    program = launch.program
    for volume in program.volumes:
        if volume.read_only:
            raise PermanentError(
                f"program.volumes: volume {volume.name} is read-only, which a node that runs "
                "plain processes cannot keep. Leave out read_only, or use a cluster that runs "
                "containers."
            )
        if "/" in volume.name or volume.name in ("", ".", ".."):
            raise PermanentError(f"program.volumes: {volume.name!r} is not a name of a folder.")
    pipes = pipe_directory()
    work = f"{folder}/{names.WORK}"
    behind = None if walls is None else walls.order(launch, pipes, limits.processes_max)
    data = data_orders(
        launch,
        folder=folder,
        home=home,
        work=work,
        roots=limits.data_roots,
        walls=behind is not None,
    )
    nfs_mount(data, limits.outbound)
    for each in data:
        if each["kind"] == "s3":
            each |= _reach(limits)  # noqa: PLW2901 - its dictionary
    env = environment(
        launch,
        work=work,
        temporary=f"{folder}/{names.TEMPORARY}" if behind is None else "/tmp",  # noqa: S108
        saved=f"{folder}/{names.SAVED}",
        path=path,
        pipes=pipes,
        user="" if behind is None else behind["user"],
    )
    place = secret_files.place_of(shelf if behind is None else None, folder)
    if behind is not None:
        behind["secrets"] = bool(launch.secret_files)
    return json.dumps(
        {
            "version": 1,
            "id": launch.allocation_id,
            "workload_id": launch.workload_id,
            "command": list(program.command),
            "script": program.script,
            "image": program.image,
            "env": {
                **env,
                **_told(data, walls=behind is not None),
                **secret_files.paths_told(launch, place),
            },
            "secrets_place": place if launch.secret_files else None,
            "walls": behind,
            "data": data,
            "source": _source(launch, limits),
            "volumes": [{"name": each.name, "path": each.path} for each in program.volumes],
            "cpu_milli": launch.cpu_milli,
            "memory_bytes": launch.memory_bytes,
            "devices": [
                {
                    "uuid": each.uuid,
                    "gpu_milli": each.gpu_milli,
                    "virtual": each.virtual,
                    "gpu": each.gpu,
                }
                for each in launch.devices
            ],
            "grace_seconds": launch.grace_seconds,
            "log_segment_bytes": limits.log_segment_bytes,
            "log_segments": limits.log_segments,
        }
    ).encode()


def _told(data: list[dict[str, Any]], *, walls: bool) -> dict[str, str]:
    """The variables that tell the work where its data is."""
    return {each["variable"]: each["target"] if walls else each["link"] for each in data}


def _reach(limits: Limits) -> dict[str, Any]:
    """Where the job's own first steps may connect to."""
    return {
        "reach": "private" if limits.outbound.private else "public",
        "allowed": [str(each) for each in limits.outbound.allowed],
    }


def _source(launch: Launch, limits: Limits) -> dict[str, object] | None:
    match launch.program.source:
        case None:
            return None
        case GitSource(url=url, ref=ref):
            return {
                "kind": "git",
                "url": url,
                "ref": ref,
                **_reach(limits),
            }
        case UploadSource():
            if launch.archive_path is None:
                raise PermanentError("The uploaded code is not stored. Submit the work again.")
            return {
                "kind": "archive",
                "path": launch.archive_path,
                "bytes_max": limits.archive_bytes_max,
                "members_max": limits.archive_members_max,
            }
