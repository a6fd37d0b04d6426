"""The shim: one small process that supervises one allocation from start to end.

Forked by the warden, it outlives server and warden. It holds the allocation's lock, forks the
job, keeps its log, enforces stops and the memory limit, and records the end when no process of
the job is left.
"""

# Paths are plain strings: a shim holds in memory what it imports, and pathlib is large
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from podium.engines.local import folder as names
from podium.engines.local import job, processes, secret_files
from podium.engines.local.keeper import keeper_dismiss, keeper_start
from podium.engines.local.memory import MemoryWatch
from podium.engines.local.page import Status, page_create, page_write
from podium.engines.logs.writer import LineSplitter, LogWriter

LINGER_MS = 2_000  # what a job leaves behind may finish in this time
_HEARTBEAT_MS = 10_000
_KILL_AGAIN_MS = 50
_READ_BYTES = 64 * 1024
_DRAIN_READS_MAX = 256

Hint = Callable[[str, str], None]


def supervise(folder: str, secrets: list[list[str]], hint: Hint) -> None:
    """Runs the allocation in `folder` to its end, unless another has started it.

    `hint(event, text)` tells the warden: `claimed`, `running`, or `failed` with a message.
    """
    lock = names.lock_acquire(folder)
    if lock is None or names.is_claimed(folder):
        return
    wake = _install_signals()
    try:
        with open(f"{folder}/{names.LAUNCH}", "rb") as file:
            order = json.load(file)
        page = page_create(f"{folder}/{names.STATUS}")
        keeper = 0 if order["walls"] is None else keeper_start(order["walls"])
        shim = Shim(folder, order, secrets, hint, page=page, wake=wake, keeper=keeper)
        shim.record("starting")
        names.claim_make(folder)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        hint("failed", "its disk is full" if full else str(error.strerror))
        return
    hint("claimed", "")
    shim.run(lock)


def _install_signals() -> int:
    """The descriptor that becomes readable on SIGTERM and SIGCHLD."""
    reader, writer = os.pipe()
    for descriptor in (reader, writer):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return reader


class Shim:
    """The state of one supervision. Times are milliseconds on the clock that does not jump."""

    def __init__(
        self,
        folder: str,
        order: dict[str, Any],
        secrets: list[list[str]],
        hint: Hint,
        *,
        page: int,
        wake: int,
        keeper: int,
    ) -> None:
        self.folder = folder
        self.order = order
        self.secrets = secrets
        self.written = [each for each in order["data"] if each["kind"] == "s3" and each["write"]]
        self.data_keys: dict[str, str] = {}
        self.hint = hint
        self.page = page
        self.wake = wake
        self.keeper = keeper  # 0 where the job has no process ids of its own
        self.log = LogWriter(
            folder,
            segment_bytes_max=order["log_segment_bytes"],
            segments_max=order["log_segments"],
        )
        self.memory = MemoryWatch(order["memory_bytes"], keeper=keeper)
        self.outputs: dict[int, LineSplitter] = {}
        self.poll = select.poll()
        self.report: int | None = None
        self.reported = b""
        self.main_pid = 0
        self.main_status: int | None = None
        self.started_ms: int | None = None
        self.cpu_time_ms = 0
        self.rss_peak_bytes = 0
        self.stop_seen = False
        self.kill_at_ms: int | None = None
        self.heartbeat_at_ms = 0

    def run(self, lock: int) -> None:
        processes.become_subreaper()
        self._start(lock)
        alive = True
        while alive:
            for descriptor, _ in self.poll.poll(self._timeout_ms()):
                if descriptor == self.wake:
                    self._woken()
                elif descriptor == self.report:
                    self._read_report()
                elif descriptor in self.outputs:
                    self._read_output(descriptor)
            alive = self._reap()
            self._watch(processes.boottime_ms())
        self._finish()

    def record(self, phase: str, **facts: Any) -> None:
        """Writes the status page. Raises OSError."""
        status: Status = {
            "phase": phase,
            "shim_pid": os.getpid(),
            "keeper_pid": self.keeper,
            "pid": self.main_pid,
            "started_boottime_ms": self.started_ms,
            "runtime_ms": self._runtime_ms(),
            "cpu_time_ms": self.cpu_time_ms,
            "memory_peak_bytes": max(self.memory.peak_bytes, self.rss_peak_bytes),
            **facts,
        }
        page_write(self.page, status)

    def _start(self, lock: int) -> None:
        if self.order["image"]:
            self.log.note(
                f"image {self.order['image']} is not used: this node runs processes, "
                "not containers."
            )
        out, out_writer = os.pipe()
        err, err_writer = os.pipe()
        self.report, report_writer = os.pipe()
        shim_pid = os.getpid()
        masked = {signal.SIGTERM, signal.SIGCHLD}
        signal.pthread_sigmask(signal.SIG_BLOCK, masked)  # no handler of ours in the child
        self.main_pid = os.fork()
        if self.main_pid == 0:
            os.close(lock)
            job.become(
                self.order,
                self.secrets,
                self.folder,
                parent=shim_pid,
                out=out_writer,
                err=err_writer,
                report=report_writer,
            )
        signal.pthread_sigmask(signal.SIG_UNBLOCK, masked)
        self.data_keys = secret_files.unpacked_data(self.secrets) if self.written else {}
        self.secrets = []
        for descriptor in (out_writer, err_writer, report_writer):
            os.close(descriptor)
        self.outputs = {out: LineSplitter(b"o"), err: LineSplitter(b"e")}
        for descriptor in (self.wake, self.report, out, err):
            os.set_blocking(descriptor, False)
            self.poll.register(descriptor, select.POLLIN)
        self.heartbeat_at_ms = processes.boottime_ms() + _HEARTBEAT_MS

    def _timeout_ms(self) -> int:
        due = [self.heartbeat_at_ms]
        if self.kill_at_ms is not None:
            due.append(self.kill_at_ms)
        if self.memory.limit_bytes:
            due.append(self.memory.due_ms)
        if not processes.LINUX and self.main_status is not None:
            due.append(processes.boottime_ms() + 100)
        return max(0, min(due) - processes.boottime_ms())

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if signal.SIGTERM in os.read(self.wake, 4096):
                self._stop()

    def _stop(self) -> None:
        """SIGTERM to the group once; the shortest grace that was ever asked for counts."""
        try:
            with open(f"{self.folder}/{names.STOP}", "rb") as file:
                grace_ms = int(json.load(file)["grace_seconds"] * 1000)
        except (OSError, ValueError, KeyError):
            grace_ms = self.order["grace_seconds"] * 1000
        self._read_report()
        if self.started_ms is None:
            grace_ms = 0
        if not self.stop_seen and grace_ms and self.main_status is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.main_pid, signal.SIGTERM)
        self.stop_seen = True
        self._kill_by(processes.boottime_ms() + grace_ms)

    def _kill_by(self, at_ms: int) -> None:
        self.kill_at_ms = at_ms if self.kill_at_ms is None else min(self.kill_at_ms, at_ms)

    def _read_report(self) -> None:
        """The job became its command when the report ends right after `E`."""
        if self.report is None:
            return
        try:
            while data := os.read(self.report, 4096):
                self.reported += data
        except BlockingIOError:
            return
        self.poll.unregister(self.report)
        os.close(self.report)
        self.report = None
        if self.reported == job.ABOUT_TO_EXEC:
            self.started_ms = processes.boottime_ms()
            self._record_or_not("running")
            self.hint("running", "")

    def _read_output(self, descriptor: int) -> bool:
        """One read. False when there is nothing to read now or ever."""
        try:
            data = os.read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return False
        if data:
            self.log.write(self.outputs[descriptor].feed(data))
            return True
        self.log.write(self.outputs.pop(descriptor).end())
        self.poll.unregister(descriptor)
        os.close(descriptor)
        return False

    def _reap(self) -> bool:
        """Collects the dead. False when no process of the job is left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return not processes.LINUX and _group_is_alive(self.main_pid)
            if pid == 0:
                return True
            self.cpu_time_ms += round((usage.ru_utime + usage.ru_stime) * 1000)
            unit = 1024 if sys.platform == "linux" else 1
            self.rss_peak_bytes = max(self.rss_peak_bytes, usage.ru_maxrss * unit)
            if pid == self.main_pid:
                self.main_status = status
                self._kill_by(processes.boottime_ms() + LINGER_MS)
                if self.keeper:
                    keeper_dismiss(self.keeper)
            elif pid == self.keeper:
                self.keeper = 0

    def _watch(self, now_ms: int) -> None:
        if self.kill_at_ms is not None and now_ms >= self.kill_at_ms:
            self._kill()
            self.kill_at_ms = now_ms + _KILL_AGAIN_MS
        if self.memory.limit_bytes and now_ms >= self.memory.due_ms:
            self.memory.measure(now_ms)
            if self.memory.exceeded_bytes:
                self._kill_by(now_ms)
        if now_ms >= self.heartbeat_at_ms:
            self.heartbeat_at_ms = now_ms + _HEARTBEAT_MS
            self._record_or_not("running" if self.started_ms is not None else "starting")

    def _kill(self) -> None:
        if self.keeper:  # the kernel ends all of its processes with it, however fast they fork
            os.kill(self.keeper, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.main_status is None or not processes.LINUX:
                os.killpg(self.main_pid, signal.SIGKILL)
        if self.main_status is None:
            os.kill(self.main_pid, signal.SIGKILL)  # also before it has a group of its own
        processes.kill_descendants(os.getpid())

    def _finish(self) -> None:
        """All are dead: the last output, then the end, however long a broken disk takes."""
        self._read_report()
        for descriptor in list(self.outputs):
            for _ in range(_DRAIN_READS_MAX):
                if not self._read_output(descriptor):
                    break
        for splitter in self.outputs.values():  # a stranger holds the other end
            self.log.write(splitter.end())
        facts = self._written_back(self._end())
        if self.order["secrets_place"]:
            secret_files.remove(self.order["secrets_place"])
        self.log.close()
        while not self._record_or_not("ended", log_end=self.log.end_offset, **facts):
            time.sleep(1.0)

    def _written_back(self, facts: dict[str, Any]) -> dict[str, Any]:
        """What became of it once its object storage has what it made."""
        if self.started_ms is None or not self.written:
            return facts
        from podium.engines.local.s3_transfer import write_back

        grace_ms = int(self.order["grace_seconds"]) * 1000
        until_ms: int | None = None

        def over() -> bool:
            nonlocal until_ms
            self._woken()
            if self.stop_seen and until_ms is None:
                until_ms = processes.boottime_ms() + grace_ms
            return until_ms is not None and processes.boottime_ms() >= until_ms

        for each in self.written:
            fault = write_back(each, self.data_keys.get(each["source"], ""), over=over)
            self.log.note(fault or f"{each['source']}: what was made is written back.")
            if fault and facts["cause"] == "completed":
                facts = {**facts, "cause": "data_failed", "message": fault}
        return facts

    def _end(self) -> dict[str, Any]:
        assert self.main_status is not None
        code = os.waitstatus_to_exitcode(self.main_status)
        told = self.reported.removeprefix(job.ABOUT_TO_EXEC)
        if told:
            facts: dict[str, Any] = json.loads(told)
            return facts
        if self.started_ms is None:
            if self.stop_seen:
                return {"cause": "cancelled", "message": "It was stopped before it started."}
            return {
                "cause": "start_failed",
                "message": "Its process ended while the work was being prepared.",
            }
        facts = {"exit_code": code} if code >= 0 else {"signal": -code}
        if code == 0:
            facts["stop_seen"] = self.stop_seen
            return {**facts, "cause": "completed", "message": "It ended by itself."}
        if self.memory.exceeded_bytes:
            return {**facts, "cause": "out_of_memory", "message": self.memory.sentence()}
        if self.stop_seen:
            return {**facts, "cause": "cancelled", "message": "It was stopped."}
        if code > 0:
            return {**facts, "cause": "exit_code", "message": f"It ended with exit code {code}."}
        try:
            word = f" ({signal.Signals(-code).name})"
        except ValueError:
            word = ""
        message = f"It was ended by signal {-code}{word}, which Podium did not send."
        return {**facts, "cause": "signal", "message": message}

    def _runtime_ms(self) -> int:
        return 0 if self.started_ms is None else processes.boottime_ms() - self.started_ms

    def _record_or_not(self, phase: str, **facts: Any) -> bool:
        try:
            self.record(phase, **facts)
        except OSError:
            return False
        return True


def _group_is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
