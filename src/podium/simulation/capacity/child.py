"""A process of its own that makes one capacity plan: `control/planning` starts it, writes it the
question, and reads a line of JSON for each step and the answer as the last."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import asdict
from typing import BinaryIO

from podium.scheduling.capacity import Question
from podium.scheduling.replay.record import unpacked_value
from podium.simulation.capacity.search import TimeUpError, answered

_NICE = 15
_MEMORY_BYTES_MAX = 4 * 2**30
_SAY_SECONDS = 0.5


def main(source: BinaryIO, sink: BinaryIO) -> None:
    """Lines are `{"doing", "progress"}`, and at the end `{"answer"}` or `{"error"}`."""
    question = unpacked_value(Question, source.read())
    begun = time.monotonic()
    said = 0.0

    def write(line: dict[str, object]) -> None:
        sink.write(json.dumps(line).encode() + b"\n")
        sink.flush()

    def say(doing: str, progress: float) -> None:
        nonlocal said
        if time.monotonic() - said >= _SAY_SECONDS:
            said = time.monotonic()
            write({"doing": doing, "progress": round(progress, 3)})

    def tick() -> None:
        if time.monotonic() - begun > question.seconds_max:
            raise TimeUpError

    try:
        write({"answer": asdict(answered(question, say, tick))})
    except TimeUpError:
        write({"error": "One replay alone takes too long. Ask for fewer days."})
    except MemoryError:
        write({"error": "It takes too much memory. Ask for fewer days."})


if __name__ == "__main__":
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    main(sys.stdin.buffer, sys.stdout.buffer)
