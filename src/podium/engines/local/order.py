"""Turns a `Launch` into the order that a shim reads from `launch.json`, without its secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass

from podium.domain.errors import PermanentError
from podium.domain.workload import GitSource, UploadSource
from podium.engines.contract import Launch
from podium.engines.local import folder as names
from podium.engines.local.environment import environment
from podium.engines.local.mps import pipe_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds each allocation of a local engine."""

    log_segment_bytes: int = 64 << 20
    log_segments: int = 4
    archive_bytes_max: int = 4 << 30
    archive_members_max: int = 200_000

    def __post_init__(self) -> None:
        assert self.log_segment_bytes > 0
        assert self.log_segments > 0


def order_of(launch: Launch, *, folder: str, path: str, limits: Limits) -> bytes:
    """Raises PermanentError for what this engine can never do."""
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
    env = environment(
        launch,
        work=f"{folder}/{names.WORK}",
        temporary=f"{folder}/{names.TEMPORARY}",
        saved=f"{folder}/{names.SAVED}",
        path=path,
        pipes=pipe_directory(),
    )
    return json.dumps(
        {
            "version": 1,
            "id": launch.allocation_id,
            "workload_id": launch.workload_id,
            "command": list(program.command),
            "script": program.script,
            "image": program.image,
            "env": dict(env),
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


def _source(launch: Launch, limits: Limits) -> dict[str, str | int] | None:
    match launch.program.source:
        case None:
            return None
        case GitSource(url=url, ref=ref):
            return {"kind": "git", "url": url, "ref": ref}
        case UploadSource():
            if launch.archive_path is None:
                raise PermanentError("The uploaded code is not stored. Submit the work again.")
            return {
                "kind": "archive",
                "path": launch.archive_path,
                "bytes_max": limits.archive_bytes_max,
                "members_max": limits.archive_members_max,
            }
