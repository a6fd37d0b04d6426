"""One task of an array: counts the primes in its share of the numbers below a limit.

Reads PODIUM_TASK_INDEX and PODIUM_TASK_COUNT. `sweep.yaml` runs twenty of it; their counts add up
to the number of primes below ten million, 664,579.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path


def primes_up_to(limit: int) -> list[int]:
    sieve = bytearray([1]) * (limit + 1)
    sieve[:2] = b"\0\0"
    for number in range(2, math.isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit + 1, number)))
    return [number for number, prime in enumerate(sieve) if prime]


def count_primes(first: int, end: int) -> int:
    """How many primes p there are with first <= p < end, by a sieve over that window."""
    first = max(first, 2)
    window = bytearray([1]) * max(end - first, 0)
    for prime in primes_up_to(math.isqrt(max(end - 1, 0))):
        start = max(prime * prime, -(-first // prime) * prime) - first
        if start < len(window):
            window[start::prime] = bytes(len(range(start, len(window), prime)))
    return sum(window)


def main() -> None:
    index = int(os.environ["PODIUM_TASK_INDEX"])
    count = int(os.environ["PODIUM_TASK_COUNT"])
    limit = int(os.environ.get("LIMIT", "10000000"))
    first, end = limit * index // count, limit * (index + 1) // count
    found = count_primes(first, end)
    output = Path(os.environ.get("PODIUM_OUTPUT", "."))
    output.mkdir(parents=True, exist_ok=True)
    (output / f"part-{index}.json").write_text(
        json.dumps({"first": first, "end": end, "primes": found}) + "\n"
    )
    print(f"task {index} of {count}: {found} primes from {first} to {end - 1}", flush=True)


if __name__ == "__main__":
    main()
