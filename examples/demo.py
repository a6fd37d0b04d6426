"""The main job, start to end, on a server of its own: `make demo` runs it.

Two teams submit a training job, a gang, an array, a job that fails and one that must wait; a live
table shows them, and at the end stands what came out, what each used and why the last one waits.
Ends with code 0 only when all of it went as expected.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import yaml
from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

import podium
from benchmarks.server import OwnServer, ServerError, own_server
from podium.domain.errors import NotFoundError, PodiumError
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.rights import DEVELOPER
from podium.spec.views.workload import ReplicaView, WorkloadView

HERE = Path(__file__).parent
SECONDS_MAX = 180.0
PRIMES_BELOW_TEN_MILLION = 664_579
COLOURS = {"running": "green", "succeeded": "blue", "failed": "red", "queued": "yellow"}


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a team, with the files that they submit to their project."""

    username: str
    team: str
    project: str
    files: tuple[str, ...]


MEMBERS = (
    Member("ana", "vision", "digits", ("train.yaml", "ring.yaml", "greedy.yaml")),
    Member("ben", "speech", "primes", ("sweep.yaml", "broken.yaml")),
)


@dataclass(slots=True)
class Entry:
    """A submitted workload and the latest that is known of it."""

    id: str
    member: Member
    client: podium.Client
    view: WorkloadView
    replicas: list[ReplicaView] = field(default_factory=list)
    last_line: str = ""

    @property
    def ended(self) -> bool:
        return self.view.state in WORKLOAD_ENDS

    def refresh(self) -> None:
        if self.ended:
            return
        detail = self.client.workloads.get(self.id)
        self.view, self.replicas = detail, detail.replica_list
        if detail.started_at is not None:
            lines = self.client.workloads.logs(self.id, tail=1).split("\n")
            self.last_line = next((line for line in reversed(lines) if line.strip()), "")
            if self.view.replicas.total > 1:
                self.last_line = self.last_line.partition("] ")[2] or self.last_line

    @property
    def progress(self) -> tuple[int, int]:
        """How much is done of how much: what the last line says (`epoch 3/60`), or replicas."""
        counts = self.view.replicas
        ended = counts.succeeded + counts.failed + counts.cancelled
        said = re.search(r"\b(\d+)/(\d+)\b", self.last_line)
        if said and not self.ended and not self.view.array:
            return int(said[1]), int(said[2])
        return ended, counts.total

    @property
    def devices(self) -> str:
        """The GPUs that it holds or held; virtual ones are called so."""
        shares = {share.index: share for replica in self.replicas for share in replica.devices}
        if not shares:
            return ""
        numbers = ", ".join(str(index) for index in sorted(shares))
        virtual = " virtual" if any(share.virtual for share in shares.values()) else ""
        return f"#{numbers}{virtual}"

    @property
    def seconds(self) -> float:
        if self.view.started_at is None:
            return 0.0
        end = self.view.ended_at.timestamp() if self.view.ended_at else time.time()
        return max(0.0, end - self.view.started_at.timestamp())


class Demo:
    """`python` is an interpreter that has what the training example needs."""

    def __init__(self, server: OwnServer, console: Console, python: str) -> None:
        self.server = server
        self.console = console
        self.python = python
        self.faults: list[str] = []
        self.entries: dict[str, Entry] = {}
        self.passwords: dict[str, str] = {}
        self.clients: dict[str, podium.Client] = {}

    def expect(self, fact: bool, otherwise: str) -> None:
        if not fact:
            self.faults.append(otherwise)

    def run(self) -> None:
        self.welcome()
        for member in MEMBERS:
            for file in member.files:
                self.submit(member, file)
        self.show_walls()
        self.watch()
        self.show_results()
        self.show_waiting()
        self.show_usage()

    def welcome(self) -> None:
        """Makes teams, projects and people, each with a password of their own."""
        with self.server.administrator() as administrator:
            about = administrator.server.about()
            nodes = list(administrator.nodes.list())
            for node in nodes:
                gpus = [f"{d.type}{' (virtual)' if d.virtual else ''}" for d in node.devices]
                kinds = ", ".join(f"{gpus.count(kind)} × {kind}" for kind in sorted(set(gpus)))
                self.console.print(
                    f"Podium {about.version} on {self.server.url}: node {node.name} with "
                    f"{node.cpu_milli / 1000:g} CPUs, {node.memory_bytes / 2**30:.1f} GiB, "
                    f"{kinds or 'no GPU'}"
                )
            if about.virtual_gpus:
                self.console.print(
                    "No GPU was found here, so these GPUs are virtual: they are scheduled, shared "
                    "and counted, but nothing computes on them."
                )
            self.expect(bool(nodes), "the server knows no node")
            with urllib.request.urlopen(self.server.url) as page:
                served = page.headers.get_content_type() == "text/html"
            self.expect(served, "the server does not serve the console")
            for member in MEMBERS:
                created = administrator.users.create(member.username)
                administrator.projects.create(member.project, team=member.team)
                administrator.projects.set_member(member.project, member.username, DEVELOPER)
                self.clients[member.username] = self.first_sign_in(
                    member, created.one_time_password or ""
                )
                self.console.print(
                    f"{member.username} works in project {member.project} of team {member.team}"
                )

    def first_sign_in(self, member: Member, one_time: str) -> podium.Client:
        """As a person does it: with the one-time password, then with one that they chose."""
        chosen = f"{member.username}-chose-this-{self.server.port}"
        client = self.server.sign_in(member.username, one_time)
        client.auth.set_password(one_time, chosen)
        client.close()
        self.passwords[member.username] = chosen
        return self.server.sign_in(member.username, chosen)

    def submit(self, member: Member, file: str) -> None:
        client = self.clients[member.username]
        spec = yaml.safe_load((HERE / file).read_text())
        spec["project"] = member.project
        if "source" in spec:
            upload = client.uploads.upload_folder(HERE / spec["source"]["path"], member.project)
            spec["source"] = {"upload": upload.sha256}
        if spec["name"] == "digits":
            spec["env"] = {**spec.get("env", {}), "PYTHON": self.python}
        made = client.workloads.submit(spec)
        view = client.workloads.get(made.id)
        self.entries[made.name] = Entry(made.id, member, client, view)
        self.console.print(f"{member.username} submitted {file}: {made.id}")

    def show_walls(self) -> None:
        """Neither team sees anything of the other's."""
        for entry in self.entries.values():
            other = next(m for m in MEMBERS if m is not entry.member)
            client = self.clients[other.username]
            try:
                client.workloads.get(entry.id)
                self.faults.append(f"{other.username} can read {entry.view.name}")
            except NotFoundError:
                pass
            listed = {view.id for view in client.workloads.list()}
            self.expect(entry.id not in listed, f"{other.username} finds {entry.view.name}")
        self.console.print("Neither of them can see the other's work: every try is 'not found'.\n")

    def watch(self) -> None:
        """Until all have ended but the one that must wait."""
        deadline = time.monotonic() + SECONDS_MAX
        told: dict[str, str] = {}
        live = self.console.is_terminal
        with Live(console=self.console, refresh_per_second=8, transient=True) as screen:
            while True:
                for entry in self.entries.values():
                    entry.refresh()
                    state = f"{entry.view.state}, {entry.view.replicas.succeeded} succeeded"
                    if not live and told.get(entry.id) != state:
                        told[entry.id] = state
                        self.console.print(f"{entry.view.name}: {state}  {entry.last_line}")
                if live:
                    screen.update(self.table())
                if all(e.ended for name, e in self.entries.items() if name != "greedy"):
                    break
                if time.monotonic() > deadline:
                    self.faults.append(f"not all had ended after {SECONDS_MAX:g} s")
                    break
                time.sleep(0.2)
        self.console.print(self.table())

    def table(self) -> Table:
        table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
        for title in ("team", "workload", "state", "progress", "GPUs"):
            table.add_column(title, no_wrap=True)
        table.add_column("seconds", no_wrap=True, justify="right")
        table.add_column("last line", no_wrap=True, ratio=1, overflow="ellipsis")
        for entry in self.entries.values():
            done, total = entry.progress
            bar = "━" * round(6 * done / max(total, 1))
            state = str(entry.view.state)
            waiting = entry.view.waiting
            table.add_row(
                entry.member.team,
                entry.view.name,
                Text(state, style=COLOURS.get(state, "")),
                Text.assemble((f"{bar:─<6}", COLOURS.get(state, "")), f" {done}/{total}"),
                entry.devices,
                f"{entry.seconds:.1f}" if entry.seconds else "",
                entry.last_line or (waiting.message if waiting else entry.view.message),
            )
        return table

    def show_results(self) -> None:
        for name, wanted in (
            ("digits", WorkloadState.SUCCEEDED),
            ("ring", WorkloadState.SUCCEEDED),
            ("sweep", WorkloadState.SUCCEEDED),
            ("broken", WorkloadState.FAILED),
            ("greedy", WorkloadState.QUEUED),
        ):
            view = self.entries[name].view
            self.expect(
                view.state == wanted,
                f"{name} is {view.state}, not {wanted}: {view.message}\n{self.log(name)[-2000:]}",
            )

        accuracy = re.search(r"^accuracy ([0-9.]+) on (\d+)", self.log("digits"), re.MULTILINE)
        self.expect(
            accuracy is not None and float(accuracy[1]) > 0.9, "digits reports no good accuracy"
        )
        ring = re.findall(r"^ring of 4: .*all right$", self.log("ring"), re.MULTILINE)
        self.expect(len(ring) == 4, f"{len(ring)} of 4 replicas of ring report a right sum")
        counts = re.findall(r"^task \d+ of 20: (\d+) primes", self.log("sweep"), re.MULTILINE)
        primes = sum(map(int, counts))
        self.expect(
            primes == PRIMES_BELOW_TEN_MILLION,
            f"sweep counted {primes} primes in {len(counts)} tasks, not 664579 in 20",
        )
        error = re.search(r"^ValueError: .*$", self.log("broken"), re.MULTILINE)
        self.expect(error is not None, "the log of broken lacks its error")

        self.console.print()
        if accuracy:
            self.console.print(
                f"digits  learned to read: accuracy {accuracy[1]} on {accuracy[2]} unseen digits"
            )
        if ring:
            self.console.print(f"ring    four replicas met and agreed: {ring[0]}")
        self.console.print(f"sweep   {len(counts)} tasks found {primes:,} primes below 10,000,000")
        broken = self.entries["broken"].view
        self.console.print(f"broken  {broken.message} ({error[0] if error else 'no error found'})")

    def log(self, name: str) -> str:
        """All lines of all ranks, one rank after the other."""
        entry = self.entries[name]
        return "\n".join(
            entry.client.workloads.logs(entry.id, rank=rank)
            for rank in range(entry.view.replicas.total)
            if entry.view.started_at is not None
        )

    def show_waiting(self) -> None:
        entry = self.entries["greedy"]
        waiting = entry.client.workloads.explain(entry.id).waiting
        if waiting is None:
            self.faults.append("greedy waits without a reason")
            return
        self.expect(waiting.reason.value != "new", "nobody looked at greedy")
        self.console.print(
            f"greedy  waits ({waiting.reason}): {waiting.message} {waiting.remedy}\n"
        )

    def show_usage(self) -> None:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in ("team", "workload used"):
            table.add_column(title)
        for title in ("GPU-seconds", "CPU-seconds", "CPU-seconds held", "memory peak"):
            table.add_column(title, justify="right")
        for entry in self.entries.values():
            usage = entry.client.workloads.usage(entry.id)
            table.add_row(
                entry.member.team,
                entry.view.name,
                f"{usage.gpu_seconds:.2f}",
                f"{usage.cpu_seconds_used:.2f}",
                f"{usage.cpu_seconds_allocated:.2f}",
                f"{usage.memory_peak_bytes / 2**20:.0f} MiB",
            )
            if entry.view.name in ("digits", "ring"):
                self.expect(usage.gpu_seconds > 0, f"{entry.view.name} used no GPU-seconds")
            if entry.view.name in ("digits", "sweep"):
                self.expect(usage.cpu_seconds_used > 0, f"{entry.view.name} used no CPU-seconds")
        notes = []
        if any(
            share.virtual for e in self.entries.values() for r in e.replicas for share in r.devices
        ):
            notes.append(Text("The GPUs are virtual: held and counted, not computed on.", "dim"))
        self.console.print(Group(table, *notes))

    def close(self) -> None:
        for client in self.clients.values():
            client.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="interpreter for the training job")
    parser.add_argument("--keep", action="store_true", help="keep the server until Ctrl-C")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    begun = time.monotonic()
    faults: list[str]
    try:
        console.print("starting a server…")
        with own_server() as server:
            # Not resolved: the link is what tells Python of its environment.
            demo = Demo(server, console, str(Path(options.python).absolute()))
            try:
                demo.run()
                faults, seconds = demo.faults, time.monotonic() - begun
                if options.keep:
                    _keep(console, server, demo.passwords)
            finally:
                demo.close()
    except KeyboardInterrupt:
        console.print("stopped")
        return 130
    except (ServerError, PodiumError) as error:
        faults = [str(error)]
    if faults:
        console.print("\nThe demo did not go as expected:")
        for fault in faults:
            console.print(f"- {fault}", markup=False)
        return 1
    console.print(
        f"\nAll went as expected, in {seconds:.0f} s. The server has stopped.\n"
        "To see it in the console: make demo ARGS=--keep\n"
        "For a server of your own: .venv/bin/podium up, then open http://127.0.0.1:8470 and sign "
        "in with what it prints."
    )
    return 0


def _keep(console: Console, server: OwnServer, passwords: Mapping[str, str]) -> None:
    console.print(f"\nThe console is at {server.url}; sign in as")
    for username, password in ((("admin", server.password)), *passwords.items()):
        console.print(f"  {username} with {password}")
    console.print("Ctrl-C stops the server and removes its data.")
    while server.process.poll() is None:
        try:
            time.sleep(0.5)
        except KeyboardInterrupt:
            break


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
