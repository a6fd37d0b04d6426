"""Brings a job's code into its working folder: an uploaded archive or a Git repository.

Called in the job's own process before it becomes the command, so that a stop ends it like any
job. Its imports wait for the process that needs them: the others stay small.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from podium.engines.local.processes import die_with_parent

if TYPE_CHECKING:
    import tarfile

_GIT_PROTOCOLS = "https:http:ssh:git"
_GIT_WORDS_BYTES_MAX = 64 * 1024
_SHALLOW_REFUSED = ("remote ref", "not our ref", "unadvertised", "shallow")
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
            _git(str(source["url"]), str(source["ref"]), work)
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
    import zlib

    if not hasattr(tarfile, "data_filter"):
        raise PrepareError("source_failed", "Uploaded code needs Python 3.11.4 on the node.")
    try:
        with (
            os.fdopen(source["archive"], "rb") as file,
            tarfile.open(fileobj=file) as archive,
        ):
            archive.extractall(work, members=_checked(archive, source), filter="data")
    except tarfile.FilterError as error:
        raise PrepareError(
            "source_failed", f"The uploaded archive reaches outside the working folder: {error}."
        ) from None
    except (tarfile.TarError, zlib.error, EOFError, UnicodeError) as error:
        raise PrepareError(
            "source_failed",
            f"The uploaded code is not a whole tar archive ({error}). Submit the work again.",
        ) from None


def _checked(archive: tarfile.TarFile, limits: dict[str, Any]) -> Iterator[tarfile.TarInfo]:
    """Members as they come, until one is above a limit: a bomb is noticed before it is unpacked."""
    unpacked_bytes = 0
    for count, member in enumerate(archive, 1):
        unpacked_bytes += max(0, member.size)
        if count > limits["members_max"]:
            raise PrepareError(
                "source_failed",
                f"The uploaded archive holds more than {limits['members_max']} files.",
            )
        if unpacked_bytes > limits["bytes_max"]:
            raise PrepareError(
                "source_failed",
                f"The uploaded archive unpacks to more than {limits['bytes_max'] >> 20} MiB.",
            )
        yield member


def _git(url: str, ref: str, work: str) -> None:
    shown = re.sub(r"://[^/@]*@", "://", url)
    if url.startswith("-") or ref.startswith("-"):
        raise PrepareError("source_failed", f"{shown} at {ref} is not a Git address.")
    _git_run(shown, ref, ["init", "--quiet", work])
    fetch = ["-C", work, "fetch", "--quiet", "--no-tags"]
    try:
        _git_run(shown, ref, [*fetch, "--depth=1", "--", url, ref])
        wanted = "FETCH_HEAD"
    except PrepareError as error:
        if not any(word in str(error) for word in _SHALLOW_REFUSED):
            raise
        # Not every host gives out a bare commit, or a shallow one; all of it has what there is.
        _git_run(shown, ref, [*fetch, "--", url, "+refs/*:refs/podium/*"])
        wanted = _git_resolve(shown, ref, work)
    _git_run(shown, ref, ["-C", work, "checkout", "--quiet", "--detach", wanted, "--"])


def _git_resolve(url: str, ref: str, work: str) -> str:
    for name in (f"refs/podium/heads/{ref}", f"refs/podium/tags/{ref}", ref):
        try:
            _git_run(
                url, ref, ["-C", work, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"]
            )
        except PrepareError:
            continue
        return name
    raise PrepareError(
        "source_failed", f"{url} has no branch, tag or commit {ref}. Name one that is pushed."
    )


def _git_run(url: str, ref: str, arguments: list[str]) -> None:
    """One git command whose words go to the person when it fails. Raises PrepareError."""
    parent = os.getpid()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            die_with_parent(parent)
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            os.execvpe("git", ["git", *arguments], _git_environment())  # noqa: S606
        except OSError as error:
            os.write(2, str(error.strerror).encode())
        finally:
            os._exit(127)
    os.close(writer)
    said = b""
    while data := os.read(reader, 4096):
        said = (said + data)[-_GIT_WORDS_BYTES_MAX:]
    os.close(reader)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code == 127:
        raise PrepareError("source_failed", "The node has no git, which the source needs.")
    if code != 0:
        lines = said.decode(errors="replace").strip().splitlines() or [f"exit code {code}"]
        words = re.sub(r"://[^/@\s]*@", "://", lines[-1])[:300]
        raise PrepareError("source_failed", f"{url} at {ref} could not be fetched. Git: {words}")


def _git_environment() -> dict[str, str]:
    """The node's own Git set-up counts, as an operator made it for private hosts; nothing asks."""
    kept = {name: os.environ[name] for name in ENVIRONMENT_KEPT if name in os.environ}
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": _GIT_PROTOCOLS,
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        "GIT_HTTP_LOW_SPEED_LIMIT": "1000",
        "GIT_HTTP_LOW_SPEED_TIME": "60",
        "LC_ALL": "C",
    }
