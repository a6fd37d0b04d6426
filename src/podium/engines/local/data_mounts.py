"""Data sources as a job sees them: folders opened below the roots that the operator allows, and
shown at their paths. The job's own first steps call it, the engine makes their orders with it.

Each step of the way is opened by itself and must be no link, so that nothing put in the way after
the source was set up leads elsewhere; what is shown is what was opened.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH103, PTH112, PTH114, PTH211

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from podium.engines.local import kernel
from podium.engines.local.source import PrepareError

FAILED = "data_failed"
_PATH_ONLY = getattr(os, "O_PATH", os.O_RDONLY)
_QUIET = kernel.NO_SETUID | kernel.NO_DEVICES

Order = Mapping[str, Any]
"""`source`, `root`, `below` (inside of the root, "" for itself), `target`, `link`, `write`."""


def tops(orders: Iterable[Order]) -> list[str]:
    """The folders at the top of the tree that the targets are in; they are covered for the job."""
    return sorted({"/" + str(each["target"]).split("/")[1] for each in orders})


def check_tops(orders: Iterable[Order], *, root: bool) -> None:
    """Raises PrepareError for one that is not there and that only root could make."""
    for path in tops(orders):
        if not os.path.isdir(path) and not root:
            raise PrepareError(
                FAILED,
                f"The node has no folder {path}, below which data is to be mounted. Write a path "
                f"below /mnt, or ask an operator to make {path}.",
            )


def opened(order: Order) -> int:
    """The source's folder, for the caller to close. Raises PrepareError."""
    source = order["source"]
    flags = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | _PATH_ONLY
    try:
        at = os.open(order["root"], flags)
    except OSError as error:
        raise _cannot(source, error) from None
    for part in str(order["below"]).split("/"):
        if not part:
            continue
        if part in (".", ".."):
            os.close(at)
            raise PrepareError(FAILED, f"The path of data source {source} is not whole.")
        try:
            inner = os.open(part, flags, dir_fd=at)
        except OSError as error:
            raise _cannot(source, error) from None
        finally:
            os.close(at)
        at = inner
    return at


def shown(orders: Sequence[Order], descriptors: Sequence[int]) -> None:
    """Shows each at its target, in mounts that are this process's own. Raises OSError."""
    for order, descriptor in zip(orders, descriptors, strict=True):
        target = str(order["target"])
        os.makedirs(target, exist_ok=True)
        kernel.bind(descriptor, target)
        kernel.restrict_tree(target, _QUIET | (0 if order["write"] else kernel.READ_ONLY))
        os.close(descriptor)


def check_access(orders: Iterable[Order]) -> None:
    """As the job's user, behind its walls. Raises PrepareError."""
    for order in orders:
        wanted = os.R_OK | os.X_OK | (os.W_OK if order["write"] else 0)
        if not os.access(order["target"], wanted):
            how = "written" if order["write"] else "read"
            raise PrepareError(
                FAILED,
                f"The files of data source {order['source']} may not be {how} by the Unix user "
                f"{os.getuid()}, which this project's work has on the node.",
            )


def linked(orders: Iterable[Order], work: str) -> None:
    """Without walls: links in the working folder. Raises PrepareError."""
    for order in orders:
        os.close(opened(order))
        shelf = f"{work}/data"
        if os.path.islink(shelf):
            raise PrepareError("source_failed", "The code holds a link named data; rename it.")
        os.makedirs(shelf, 0o700, exist_ok=True)
        below = str(order["below"])
        try:
            os.symlink(f"{order['root']}/{below}" if below else order["root"], order["link"])
        except FileExistsError:
            raise PrepareError(
                "source_failed", f"The code holds {order['link']}, where data belongs."
            ) from None


def _cannot(source: str, error: OSError) -> PrepareError:
    why = {
        errno.ENOENT: "is not there any more",
        errno.ELOOP: "is a link by now, which is not followed",
        errno.ENOTDIR: "is a link or a file by now, and no folder",
        errno.EACCES: "may not be read by the server",
    }.get(error.errno or 0, f"cannot be opened ({error.strerror})")
    return PrepareError(FAILED, f"The folder of data source {source} {why}.")
