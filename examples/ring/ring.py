"""A gang whose replicas really talk: they meet at rank 0, then sum a vector around a ring.

Reads RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, as torchrun and every data-parallel trainer
do, and needs nothing but Python. `ring.yaml` runs four of it on Podium.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from array import array
from dataclasses import dataclass

MEETING_SECONDS_MAX = 60.0
NUMBER_BYTES = 8


@dataclass(frozen=True)
class Ring:
    """The two neighbours of a rank: it sends to the next and receives from the previous."""

    rank: int
    size: int
    next: socket.socket
    previous: socket.socket

    def exchange(self, numbers: array[int], expected: int) -> array[int]:
        """Sends `numbers` on and returns the `expected` numbers that come in meanwhile."""
        # All ranks send at once: without a thread, full socket buffers would stop the ring.
        sender = threading.Thread(target=self.next.sendall, args=(numbers.tobytes(),))
        sender.start()
        received = array("q")
        received.frombytes(receive_bytes(self.previous, expected * NUMBER_BYTES))
        sender.join()
        return received


def receive_bytes(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise ConnectionError("a neighbour left the ring before the sum was done")
        parts += part
    return bytes(parts)


def connect(address: str, port: int) -> socket.socket:
    """Connects, waiting for a replica that has not come so far."""
    deadline = time.monotonic() + MEETING_SECONDS_MAX
    while True:
        try:
            connection = socket.create_connection((address, port), timeout=MEETING_SECONDS_MAX)
        except OSError as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody answers at {address}:{port}: {error}") from error
            time.sleep(0.05)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection


def listen(address: str, port: int = 0) -> socket.socket:
    """Listens on the one address that the gang uses, at a free port unless one is given."""
    listener = socket.create_server((address, port))
    listener.settimeout(MEETING_SECONDS_MAX)
    return listener


def meet(rank: int, size: int, master: str, port: int) -> Ring:
    """Every rank tells rank 0 where it listens, learns where all listen, and joins the ring."""
    if rank == 0:
        meeting = listen(master, port)
        listener = listen(master)
        places: list[tuple[str, int]] = [(master, listener.getsockname()[1])] * size
        arrivals = []
        for _ in range(size - 1):
            connection, (address, _) = meeting.accept()
            arrival = json.loads(connection.makefile("r").readline())
            places[arrival["rank"]] = (address, arrival["port"])
            arrivals.append(connection)
            print(f"rank {arrival['rank']} came from {address}", flush=True)
        for connection in arrivals:
            connection.sendall(json.dumps(places).encode() + b"\n")
            connection.close()
        meeting.close()
    else:
        connection = connect(master, port)
        listener = listen(connection.getsockname()[0])
        mine = {"rank": rank, "port": listener.getsockname()[1]}
        connection.sendall(json.dumps(mine).encode() + b"\n")
        places = json.loads(connection.makefile("r").readline())
        connection.close()

    address, following = places[(rank + 1) % size]
    next_ = connect(address, following)
    previous, _ = listener.accept()
    previous.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.close()
    return Ring(rank, size, next_, previous)


def all_reduce(ring: Ring, vector: array[int]) -> array[int]:
    """The sum of all ranks' vectors, on every rank: each sends 2 (n-1)/n of its size."""
    part = len(vector) // ring.size
    parts = [vector[i * part : (i + 1) * part] for i in range(ring.size)]
    for step in range(ring.size - 1):
        received = ring.exchange(parts[(ring.rank - step) % ring.size], part)
        target = (ring.rank - step - 1) % ring.size
        parts[target] = array("q", map(int.__add__, parts[target], received))
    for step in range(ring.size - 1):
        received = ring.exchange(parts[(ring.rank + 1 - step) % ring.size], part)
        parts[(ring.rank - step) % ring.size] = received
    return array("q", b"".join(each.tobytes() for each in parts))


def main() -> None:
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    rounds, length = int(os.environ.get("ROUNDS", "20")), 4096 * size
    print(f"rank {rank} of {size} looks for rank 0", flush=True)
    ring = meet(rank, size, os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
    print(f"rank {rank} stands in the ring", flush=True)

    started = time.monotonic()
    for turn in range(1, rounds + 1):
        # Rank r holds r + turn + 0, r + turn + 1, …, so that what must come out is known.
        mine = array("q", range(rank + turn, rank + turn + length))
        total = all_reduce(ring, mine)
        base = size * (size - 1) // 2 + size * turn
        if total != array("q", range(base, base + size * length, size)):
            sys.exit(f"rank {rank}: round {turn} gave a wrong sum")
        if turn % 5 == 0:
            print(f"rank {rank}: round {turn}/{rounds} sums to {sum(total)}", flush=True)
    seconds = time.monotonic() - started
    ring.next.close()
    ring.previous.close()
    print(
        f"ring of {size}: {rounds} sums of {length} numbers in {seconds:.2f} s, all right",
        flush=True,
    )


if __name__ == "__main__":
    main()
