"""A process of its own that rebuilds one recorded cycle, and decides it again or writes it down;
`control/replaying` starts it and says what to do, in one line of JSON before the bytes."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, BinaryIO

from podium.scheduling.replay.anonymous import anonymised_record
from podium.scheduling.replay.coding import RecordError
from podium.scheduling.replay.record import Record, packed, rebuilt, replayed

_NICE = 10


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """Answers one line of JSON, and with the order `record` the bytes of one after it."""
    order = json.loads(source.readline())
    answer: dict[str, Any] = {}
    data = b""
    try:
        record = _rebuilt(order, source)
        if order["order"] == "replay":
            begun = time.monotonic()
            again = replayed(record)
            answer = {
                "same": again.same,
                "digest": again.digest,
                "difference": again.difference,
                "took_ms": (time.monotonic() - begun) * 1000,
            }
        else:
            data = packed(anonymised_record(record) if order["anonymise"] else record)
    except RecordError as error:
        answer = {"error": str(error)}
    sink.write(json.dumps(answer).encode() + b"\n" + data)
    sink.flush()


def _rebuilt(order: dict[str, Any], source: BinaryIO) -> Record:
    keyframe, plan, *steps = (source.read(size) for size in order["sizes"])
    return rebuilt(keyframe, steps, plan, **order["cycle"])


if __name__ == "__main__":
    os.nice(_NICE)
    main(sys.stdin.buffer, sys.stdout.buffer)
