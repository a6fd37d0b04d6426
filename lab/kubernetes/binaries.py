"""Kubernetes' own programs, built once from Debian's source package and kept in a cache.

`python -m lab.kubernetes binaries` builds them, cluster.py runs them. Debian ships only kubectl
as a binary package, but its source package is the whole tree with all that it imports.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lab.kubernetes.packages import TO_BUILD, LabError, program, require

VERSION = "1.20.2"
COMMIT = "faecb196815e248d3ecfb03c680a4507229c2a56"
NAMES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kubemark",
)
_SOURCE = "kubernetes"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Two compilers at once stay below 3 GB; the linker alone takes more than one of them.
_COMPILERS = 2

Say = Callable[[str], None]


def folder() -> Path:
    """Where the programs are or will be: `PODIUM_CACHE`, or ~/.cache/podium, says where."""
    cache = os.environ.get("PODIUM_CACHE") or str(Path.home() / ".cache" / "podium")
    return Path(cache).absolute() / f"kubernetes-{VERSION}"


def built() -> bool:
    return all((folder() / name).is_file() for name in NAMES)


def build(say: Say) -> Path:
    """The folder of the programs, which are built first where they are missing.

    Takes ten to thirty minutes on two cores, and some gigabytes of disk and less than 3 GB of
    memory for that time. Others that ask meanwhile wait for this build. Raises LabError."""
    target = folder()
    if built():
        return target
    require(TO_BUILD)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target.parent / f".{target.name}.lock", say):
        if built():
            return target
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=".building-", dir=target.parent) as work:
            place = Path(work)
            tree = _source(place, say)
            say(f"building {', '.join(NAMES)} {VERSION}; this takes ten minutes or more…")
            made = _make(tree, place)
            finished = place / target.name
            finished.mkdir()
            for name in NAMES:
                (made / name).rename(finished / name)
            if target.exists():
                shutil.rmtree(target)
            finished.rename(target)
        minutes = (time.monotonic() - begun) / 60
        say(f"built in {minutes:.1f} minutes: {target}")
    return target


def _source(place: Path, say: Say) -> Path:
    """The unpacked and patched source tree, fetched from the mirror that this machine uses."""
    say(f"fetching Debian's source package of Kubernetes {VERSION}…")
    begun = time.monotonic()
    sources = place / "sources.list"
    sources.write_text("".join(f"{line}\n" for line in _source_lines()))
    apt = _own_apt(place, sources)
    log = place / "apt.log"
    _run([program("apt-get"), *apt, "update"], place, log)
    _run([program("apt-get"), *apt, "source", "--download-only", _SOURCE], place, log)
    described = next(iter(sorted(place.glob(f"{_SOURCE}_*.dsc"))), None)
    if described is None or VERSION not in described.name:
        found = described.name if described else "none"
        raise LabError(
            f"this Debian's source package of Kubernetes is {found}, not {VERSION}; "
            f"build on Debian 12, or put the programs of {VERSION} into {folder()}"
        )
    tree = place / "tree"
    _run([program("dpkg-source"), "--no-check", "-x", str(described), str(tree)], place, log)
    say(f"fetched and unpacked in {time.monotonic() - begun:.0f} s")
    return tree


def _source_lines() -> list[str]:
    """A `deb-src` line for each place that this machine takes Debian's packages from."""
    told = subprocess.run(
        [
            program("apt-get"),
            "indextargets",
            "--format",
            "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    signed = f"[signed-by={_KEYRING}] " if _KEYRING.exists() else ""
    lines: dict[str, None] = {}
    for line in told.stdout.splitlines():
        origin, address, release, component = line.split("|")
        # Before the first update apt knows no origin, and writes the name of the field.
        if origin in ("Debian", "$(ORIGIN)") and component == "main":
            lines[f"deb-src {signed}{address} {release} {component}"] = None
    if not lines:
        raise LabError("apt-get knows no Debian mirror; run apt-get update first")
    return list(lines)


def _own_apt(place: Path, sources: Path) -> list[str]:
    """Options that keep apt's lists and cache in `place`, apart from the system's."""
    lists, cache = place / "lists", place / "cache"
    for each in (lists, cache):
        (each / "partial").mkdir(parents=True)
    facts = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": lists,
        "Dir::Cache": cache,
        "APT::Sandbox::User": "root",  # the folder is readable for its owner alone
        "APT::Get::Only-Source": "true",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    return ["-q", *(f"-o{name}={value}" for name, value in facts.items())]


def _make(tree: Path, place: Path) -> Path:
    """Builds the programs; the folder with them."""
    temporary = place / "tmp"
    temporary.mkdir()
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place),
        "TMPDIR": str(temporary),
        "GOCACHE": str(place / "compiled"),
        "GO111MODULE": "off",
        "GOFLAGS": f"-p={_COMPILERS}",
        "GOMAXPROCS": str(_COMPILERS),
        "CGO_ENABLED": "0",
        "KUBE_GIT_VERSION": f"v{VERSION}",
        "KUBE_GIT_COMMIT": COMMIT,
        "KUBE_GIT_TREE_STATE": "clean",
        "KUBE_GIT_MAJOR": "1",
        "KUBE_GIT_MINOR": "20",
    }
    # All in one call of the compiler: what the programs share is compiled once.
    what = " ".join(f"cmd/{name}" for name in NAMES)
    command = [program("make"), f"WHAT={what}", f"GOFLAGS=-p={_COMPILERS}"]
    _run(command, tree, place / "make.log", environment)
    return next(tree.glob("_output/local/bin/*/*/kubelet")).parent


def _run(
    command: list[str], cwd: Path, log: Path, environment: Mapping[str, str] | None = None
) -> None:
    """Raises LabError with the end of what the command said."""
    with log.open("ab") as output:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise LabError(f"{' '.join(command[:3])} ended with code {done.returncode}:\n{tail}")


@contextlib.contextmanager
def _alone(lock: Path, say: Say) -> Iterator[None]:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another build of the same programs…")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
