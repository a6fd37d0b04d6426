"""The warden: a small fork server that the engine starts as `python -I -S warden.py`.

It reads commands as JSON lines from standard input, forks one shim for each, and writes what it
hears of them (`claimed`, `running`, `failed`, `exited`) to standard output. When the server is
gone it ends; the shims live on.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import traceback

if __name__ == "__main__":  # isolated: nothing but the standard library and this package
    sys.path.insert(0, os.path.abspath(f"{os.path.dirname(__file__)}/../../.."))

from podium.engines.local.shim import supervise

_COMMAND_BYTES_MAX = 64 * 1024
_DESCRIPTORS_MAX = 1 << 20


class Warden:
    """The loop of the fork server. Single-threaded, so that forks are safe."""

    def __init__(self) -> None:
        self.shims: dict[int, str] = {}
        self.commands = b""
        self.wake, wake_writer = os.pipe()
        self.hints, self.hint_writer = os.pipe()
        for descriptor in (self.wake, wake_writer, self.hints, self.hint_writer):
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        self.own = (0, 1, self.wake, wake_writer, self.hints)

    def run(self) -> None:
        poll = select.poll()
        for descriptor in (0, self.wake, self.hints):
            poll.register(descriptor, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self.hints in ready:  # before exits, so that a claim is heard before its end
                self._pass_hints()
            if self.wake in ready:
                self._reap()
            if 0 in ready and not self._read_commands():
                return

    def _read_commands(self) -> bool:
        data = os.read(0, _COMMAND_BYTES_MAX)
        *lines, self.commands = (self.commands + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            self._fork(command["id"], command["folder"], command["secrets"])
        return bool(data)

    def _fork(self, allocation_id: str, folder: str, secrets: list[list[str]]) -> None:
        masked = {signal.SIGTERM, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, masked)
        try:
            pid = os.fork()
        except OSError as error:
            self._say({"event": "failed", "id": allocation_id, "text": str(error.strerror)})
            return
        else:
            if pid == 0:
                self._become_shim(allocation_id, folder, secrets)
            self.shims[pid] = allocation_id
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, masked)

    def _become_shim(self, allocation_id: str, folder: str, secrets: list[list[str]]) -> None:
        code = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in self.own:
                if descriptor < 2:
                    os.dup2(nothing, descriptor)
                else:
                    os.close(descriptor)
            os.close(nothing)
            self.shims, self.commands = {}, b""

            def hint(event: str, text: str) -> None:
                told = json.dumps({"event": event, "id": allocation_id, "text": text[:500]})
                with contextlib.suppress(OSError):  # the warden is gone, or does not listen
                    os.write(self.hint_writer, told.encode() + b"\n")

            supervise(folder, secrets, hint)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _pass_hints(self) -> None:
        """Each hint was written at once and is below PIPE_BUF, so lines never mix."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self.hints, _COMMAND_BYTES_MAX):
                while not data.endswith(b"\n"):
                    data += os.read(self.hints, _COMMAND_BYTES_MAX)
                _write(data)

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake, 4096)
        ended = []
        with contextlib.suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                ended.append(self.shims.pop(pid))
        if ended:
            self._pass_hints()
            for allocation_id in ended:
                self._say({"event": "exited", "id": allocation_id, "text": ""})

    @staticmethod
    def _say(event: dict[str, str]) -> None:
        _write(json.dumps(event).encode() + b"\n")


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def main() -> None:
    # What the server's event loop left open here would pass to every shim, and the server would
    # never see the end of the warden's output.
    os.closerange(3, _DESCRIPTORS_MAX)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # ends with the server, not before it
    warden = Warden()
    gc.collect()
    gc.freeze()  # shims share these objects for as long as nothing touches them
    with contextlib.suppress(BrokenPipeError):
        warden.run()


if __name__ == "__main__":
    main()
