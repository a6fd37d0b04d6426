"""Turns a `Launch` into the order that a shim reads from `launch.json`, without its secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from podium.domain.errors import PermanentError
from podium.domain.outbound import Outbound
from podium.domain.workload import GitSource, UploadSource
from podium.engines.contract import Launch
from podium.engines.local import folder as names
from podium.engines.local import secret_files
from podium.engines.local.environment import environment
from podium.engines.local.mps import pipe_directory
from podium.engines.local.walls import Walls


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds each allocation of a local engine."""

    log_segment_bytes: int = 64 << 20
    log_segments: int = 4
    archive_bytes_max: int = 4 << 30
    archive_members_max: int = 200_000
    processes_max: int = 16_384  # of a project with a Unix user of its own
    outbound: Outbound = field(default_factory=Outbound)  # where Git sources may be

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
    behind = None if walls is None else walls.order(launch, pipes, limits.processes_max)
    env = environment(
        launch,
        work=f"{folder}/{names.WORK}",
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
            "env": {**env, **secret_files.paths_told(launch, place)},
            "secrets_place": place if launch.secret_files else None,
            "walls": behind,
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


def _source(launch: Launch, limits: Limits) -> dict[str, object] | None:
    match launch.program.source:
        case None:
            return None
        case GitSource(url=url, ref=ref):
            return {
                "kind": "git",
                "url": url,
                "ref": ref,
                "reach": "private" if limits.outbound.private else "public",
                "allowed": [str(each) for each in limits.outbound.allowed],
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
