"""Starts the fetching of object storage before a job, as a process of its own, and the writing back
after it. The job's first steps and the shim call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from podium.engines.local.source import PrepareError

FAILED = "data_failed"
_PROGRAM = "podium.engines.local.s3_objects"
_WORDS_MAX = 500


def fetch(order: Mapping[str, Any], keys: str, uid: int | None) -> None:
    """Fills the folder that the job will see. `keys` are KEY_ID:KEY, or empty. Told on standard
    output, which is the job's log. Raises PrepareError."""
    os.makedirs(order["place"], 0o700, exist_ok=True)  # noqa: PTH103 - as its neighbours
    running = _start(order, keys, uid)
    words = _words(running)
    if running.wait() != 0:
        raise PrepareError(FAILED, f"The data source {order['source']} could not be read. {words}")


def write_back(order: Mapping[str, Any], keys: str, *, over: Callable[[], bool]) -> str:
    """Writes what is new or changed, until `over` says that it has to end. What went wrong, in
    words, or ""."""
    if order["packages"] not in sys.path:
        sys.path.append(order["packages"])
    from podium.engines.local.s3_objects import attempt
    from podium.engines.local.s3_objects import write_back as write

    words = attempt(lambda: write({**order, "keys": keys}, over))[:_WORDS_MAX]
    if not words:
        return ""
    return f"What was made could not be written back to data source {order['source']}. {words}"


def _start(order: Mapping[str, Any], keys: str, uid: int | None) -> subprocess.Popen[bytes]:
    config = {**order, "keys": keys, "uid": uid}
    running = subprocess.Popen(
        [sys.executable, "-I", "-m", _PROGRAM, "fetch"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
    )
    assert running.stdin is not None
    try:
        running.stdin.write(json.dumps(config).encode())
        running.stdin.close()
    except BrokenPipeError:
        pass
    return running


def _words(running: subprocess.Popen[bytes]) -> str:
    """The last line that it told of an error."""
    assert running.stderr is not None
    with running.stderr as told:
        said = told.read().decode(errors="replace").strip().splitlines()
    return said[-1][:_WORDS_MAX] if said else ""
