"""The job's own process, from the shim's fork to the command: code, volumes, then exec.

The shim calls `become` in the child. One pipe tells it how that went: `E` just before exec, then
nothing when it worked; or a JSON object with cause and message.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH101, PTH103, PTH110, PTH112, PTH114, PTH211

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
from typing import Any, NoReturn

from podium.engines.local import data_mounts, secret_files
from podium.engines.local import folder as names
from podium.engines.local.confinement import confine, rooms_make
from podium.engines.local.processes import die_with_parent
from podium.engines.local.source import PrepareError, source_open, source_prepare

ABOUT_TO_EXEC = b"E"
_OOM_SCORE_ADJUSTMENT = b"500"  # when the machine runs out, the kernel takes jobs, not the server


def become(
    order: dict[str, Any],
    secrets: list[list[str]],
    folder: str,
    *,
    parent: int,
    out: int,
    err: int,
    report: int,
) -> NoReturn:
    """Turns this forked process into the job. Never returns."""
    try:
        _detach(parent, out, err)
        variables, files = secret_files.unpacked(secrets)
        env = {**dict(order["env"]), **variables}
        source = source_open(order["source"])
        _data_fetch(order["data"], secrets, order["walls"])
        _enter(order["walls"], folder, parent, order["data"])
        argv = _prepare(order, source, folder)
        if order["secrets_place"]:
            secret_files.write(order["secrets_place"], files)
        os.write(report, ABOUT_TO_EXEC)
        try:
            os.execvpe(argv[0], argv, env)  # noqa: S606 - the job asks for exactly this
        except (OSError, ValueError) as error:
            raise _exec_fault(argv[0], env.get("PATH", ""), error) from error
    except PrepareError as error:
        _tell(report, error.cause, str(error))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        _tell(
            report,
            "out_of_disk" if full else "start_failed",
            "The disk of the node was full while the work was prepared."
            if full
            else f"The work could not be prepared: {error.strerror or error}.",
        )
    except BaseException as error:
        _tell(report, "start_failed", f"The work could not be prepared: {error!r}.")
    os._exit(1)


def _detach(parent: int, out: int, err: int) -> None:
    signal.set_wakeup_fd(-1)
    for number in (
        signal.SIGTERM,
        signal.SIGCHLD,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGPIPE,
        signal.SIGXFSZ,
    ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.setsid()
    die_with_parent(parent)
    os.umask(0o077)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(descriptor, target)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            score = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
            os.write(score, _OOM_SCORE_ADJUSTMENT)
            os.close(score)


def _enter(
    walls: dict[str, Any] | None, folder: str, parent: int, data: list[dict[str, Any]]
) -> None:
    """Makes the job's folders and goes behind its walls. Raises PrepareError."""
    rooms_make(walls, folder)
    if walls is None:
        return
    data_mounts.check_tops(data, root=walls["uid"] is not None)
    try:
        confine(walls, folder, data)
    except OSError as error:
        raise PrepareError(
            "start_failed",
            "The node could not keep the work apart from that of others, so it was not started: "
            f"{error}.",
        ) from error
    data_mounts.check_access(data)
    if not walls["own_pids"]:  # no keeper, and the kernel forgot that with the change of user
        die_with_parent(parent)
    if walls["uid"] is not None:  # the server's user has its own, which this one cannot read
        os.environ["HOME"] = f"{folder}/{names.TEMPORARY}"


def _prepare(order: dict[str, Any], source: dict[str, Any] | None, folder: str) -> list[str]:
    """Fills the working folder, enters it and returns what to execute. Raises PrepareError."""
    work = f"{folder}/{names.WORK}"
    os.chdir(work)
    if source is not None:
        os.environ["PODIUM_ALLOCATION_ID"] = str(order["id"])
        source_prepare(source, work)
    _volumes(order["volumes"], work)
    if order["walls"] is None:
        data_mounts.linked(order["data"], work)
    if not order["script"]:
        return [str(word) for word in order["command"]]
    script = f"{folder}/{names.SCRIPT}"
    names.write_whole(script, str(order["script"]).encode())
    if str(order["script"]).startswith("#!"):
        os.chmod(script, 0o700)
        return [script]
    return ["/bin/bash" if os.access("/bin/bash", os.X_OK) else "/bin/sh", "-e", script]


def _data_fetch(
    data: list[dict[str, Any]], secrets: list[list[str]], walls: dict[str, Any] | None
) -> None:
    """What lies in object storage is fetched as the server's user, which alone has the keys for
    it. Raises PrepareError."""
    remote = [each for each in data if each["kind"] == "s3"]
    if remote:
        from podium.engines.local.s3_transfer import fetch

        keys = secret_files.unpacked_data(secrets)
        for each in remote:
            fetch(each, keys.get(each["source"], ""), None if walls is None else walls["uid"])


def _volumes(volumes: list[dict[str, str]], work: str) -> None:
    if not volumes:
        return
    shelf = f"{work}/volumes"
    if os.path.islink(shelf):
        raise PrepareError("source_failed", "The code holds a link named volumes; rename it.")
    os.makedirs(shelf, 0o700, exist_ok=True)
    for volume in volumes:
        name, path = volume["name"], volume["path"]
        if not os.path.isdir(path):
            raise PrepareError(
                "volume_missing",
                f"The folder {path} of volume {name} does not exist on this node, "
                "or may not be read.",
            )
        try:
            os.symlink(path, f"{shelf}/{name}")
        except FileExistsError:
            raise PrepareError(
                "source_failed", f"The code holds volumes/{name}, where volume {name} belongs."
            ) from None


def _exec_fault(command: str, path: str, error: OSError | ValueError) -> PrepareError:
    if isinstance(error, ValueError):
        return PrepareError("start_failed", "The command or environment holds a NUL character.")
    found = _find(command, path)
    if error.errno == errno.E2BIG:
        return PrepareError(
            "start_failed",
            "The command and its environment together are larger than the system takes.",
        )
    if error.errno == errno.EAGAIN:
        return PrepareError(
            "start_failed",
            "The project already runs as many processes on this node as it may.",
        )
    if error.errno == errno.ENOEXEC:
        return PrepareError(
            "command_not_executable",
            f"The file {command} is no program, and its first line does not name one (#!…).",
        )
    if found is not None and error.errno in (errno.ENOENT, errno.ENOTDIR):
        return PrepareError(
            "command_not_found",
            f"The program that the first line of {command} names (#!…) was not found.",
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        hint = "It is neither a path in the working folder nor in a folder of PATH."
        if "/" not in command and os.path.exists(command):
            hint = f"A file of that name is in the working folder: write ./{command}."
        return PrepareError("command_not_found", f"The command {command} was not found. {hint}")
    if os.path.isdir(command):
        return PrepareError(
            "command_not_executable", f"The command {command} is a folder, not a program."
        )
    return PrepareError(
        "command_not_executable",
        f"The command {command} may not be executed: {error.strerror}. "
        "Does the file have the permission to execute (chmod +x)?",
    )


def _find(command: str, path: str) -> str | None:
    places = [command] if "/" in command else [f"{each}/{command}" for each in path.split(":")]
    return next((place for place in places if os.access(place, os.X_OK)), None)


def _tell(report: int, cause: str, message: str) -> None:
    os.write(report, json.dumps({"cause": cause, "message": message[:600]}).encode())
