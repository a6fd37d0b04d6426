"""Brings a job's code into its working folder: an uploaded archive or a Git repository.

Called in the job's own process before it becomes the command, so that a stop ends it like any
job. Its imports wait for the process that needs them: the others stay small.
"""

from __future__ import annotations

import errno
import os
from typing import Any

# What the processes under the engine keep of the server's environment: for Git, never for jobs.
ENVIRONMENT_KEPT = (
    "PATH",
    "HOME",
    "PODIUM_ALLOCATION_ID",
    "SSH_AUTH_SOCK",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


class PrepareError(Exception):
    """The job cannot start. `cause` is a value of `domain.reason.Cause`; the text is for people."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause


def source_open(source: dict[str, Any] | None) -> dict[str, Any] | None:
    """The source with its archive opened, which the job itself may not be able to. Raises
    PrepareError."""
    if source is None or source["kind"] != "archive":
        return source
    try:
        archive = os.open(source["path"], os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise PrepareError(
            "source_failed",
            "The uploaded code is no longer stored. Submit the work again."
            if error.errno == errno.ENOENT
            else f"The uploaded code cannot be read: {error.strerror}.",
        ) from None
    return {**source, "archive": archive}


def source_prepare(source: dict[str, Any], work: str) -> None:
    """Fills `work` from an opened source. Raises PrepareError."""
    try:
        if source["kind"] == "git":
            from podium.engines.local.git_source import git_fetch

            git_fetch(source, work)
        else:
            _archive(source, work)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PrepareError(
                "out_of_disk", "The disk of the node was full while the code was unpacked."
            ) from error
        raise PrepareError(
            "source_failed", f"The code could not be put in place: {error.strerror or error}."
        ) from error


def _archive(source: dict[str, Any], work: str) -> None:
    import tarfile

    from podium.spec.archive import ArchiveError, ArchiveLimits, archive_members, archive_open

    if not hasattr(tarfile, "data_filter"):
        raise PrepareError("source_failed", "Uploaded code needs Python 3.11.4 on the node.")
    limits = ArchiveLimits(bytes_max=source["bytes_max"], members_max=source["members_max"])
    try:
        with os.fdopen(source["archive"], "rb") as file:
            packed_bytes = os.fstat(file.fileno()).st_size
            with archive_open(file, limits, packed_bytes=packed_bytes) as archive:
                members = archive_members(archive, limits)
                archive.extractall(work, members=members, filter="data")
    except ArchiveError as error:
        raise PrepareError("source_failed", f"The uploaded code cannot be used. {error}") from None
    except tarfile.FilterError as error:
        raise PrepareError(
            "source_failed", f"The uploaded archive reaches outside the working folder: {error}."
        ) from None
    except (tarfile.TarError, EOFError, ValueError, KeyError) as error:
        raise PrepareError(
            "source_failed",
            f"The uploaded code is not a whole tar archive ({error}). Submit the work again.",
        ) from None
