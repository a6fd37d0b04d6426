"""The images that pods of the lab run, made of what this machine has, with no registry.

cluster.py makes them as archives, and each node imports them: `localhost/pause:1`, which a pod's
network hangs on, and `localhost/work:1` with busybox and the Python that runs the lab.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path

from lab.kubernetes.packages import program

PAUSE = "localhost/pause:1"
WORK = "localhost/work:1"

_SKIPPED = {
    "ensurepip",
    "idlelib",
    "lib2to3",
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n"
_GROUP = "root:x:0:\nnogroup:x:65534:\n"


def make(folder: Path) -> list[Path]:
    """Writes both archives into `folder`, where they are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    pause, work = folder / "pause.tar", folder / "work.tar"
    if not pause.exists():
        layer = Layer(folder / "pause.layer")
        layer.busybox(["sleep"])
        layer.archive(pause, PAUSE, ["/bin/sleep", "2147483647"])
    if not work.exists():
        layer = Layer(folder / "work.layer")
        layer.busybox(_applets())
        layer.python()
        layer.archive(work, WORK, ["/bin/sh"])
    return [pause, work]


class Layer:
    """The one layer of an image while it is written at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._held: set[str] = set()
        for name, mode in (("tmp", 0o1777), ("var/tmp", 0o1777), ("root", 0o755), ("etc", 0o755)):
            self._folder(Path("/", name), mode)
        self._text("/etc/passwd", _PASSWD)
        self._text("/etc/group", _GROUP)

    def busybox(self, applets: list[str]) -> None:
        self.file(Path(program("busybox")), Path("/bin/busybox"))
        for applet in applets:
            self.link(Path("/bin", applet), Path("/bin/busybox"))

    def python(self) -> None:
        """The interpreter that runs this, found at the same paths as here, and on the PATH."""
        binary = Path(sys.executable).resolve()
        self.file(binary)
        libraries = {binary}
        for standard in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
            base = Path(standard)
            if not base.is_relative_to(sys.base_prefix):
                continue  # the environment's own, which holds what is installed
            for path in _library(base):
                self.file(path)
                if path.suffix == ".so":
                    libraries.add(path)
        self.libraries(libraries)
        name = f"python{sys.version_info.major}.{sys.version_info.minor}"
        for alias in ("python", "python3", name):
            self.link(Path("/usr/bin", alias), binary)
        if sys.prefix != sys.base_prefix:
            self._environment(binary, name)

    def libraries(self, binaries: set[Path]) -> None:
        """What these load of the system."""
        for path in sorted(_linked(binaries)):
            self.file(path.resolve(), path)

    def file(self, source: Path, target: Path | None = None) -> None:
        """A copy that anyone may read, and run where someone may here."""
        target = target or source
        facts = self._facts(target)
        if facts is None:
            return
        status = source.stat()
        facts.mode = 0o755 if status.st_mode & 0o111 else 0o644
        facts.mtime = int(status.st_mtime)  # compiled modules name the time of their source
        facts.size = status.st_size
        with source.open("rb") as content:
            self._tar.addfile(facts, content)

    def link(self, name: Path, target: Path) -> None:
        facts = self._facts(name)
        if facts is None:
            return
        facts.type = tarfile.SYMTYPE
        facts.linkname = str(target)
        self._tar.addfile(facts)

    def archive(self, path: Path, name: str, command: list[str], **settings: object) -> None:
        """Ends the layer and writes the archive around it, in the form of `docker save`. `settings`
        are more of its configuration, by the names of images."""
        self._tar.close()
        with self.path.open("rb") as written:
            layer = hashlib.file_digest(written, "sha256").hexdigest()
        machine = platform.machine()
        config = json.dumps(
            {
                "architecture": _ARCHITECTURES.get(machine, machine),
                "os": "linux",
                "config": {
                    "Cmd": command,
                    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
                    **settings,
                },
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer}"]},
            }
        ).encode()
        described = f"{hashlib.sha256(config).hexdigest()}.json"
        manifest = [{"Config": described, "RepoTags": [name], "Layers": ["layer.tar"]}]
        unfinished = path.with_suffix(".unfinished")
        with tarfile.open(unfinished, "w") as tar:
            for inner, content in (
                (described, config),
                ("manifest.json", json.dumps(manifest).encode()),
            ):
                facts = tarfile.TarInfo(inner)
                facts.size = len(content)
                tar.addfile(facts, io.BytesIO(content))
            tar.add(self.path, "layer.tar")
        unfinished.rename(path)
        self.path.unlink()

    def _environment(self, binary: Path, name: str) -> None:
        """The virtual environment's paths, so that commands made of `sys.executable` work."""
        prefix = Path(sys.prefix)
        self.file(prefix / "pyvenv.cfg")
        for alias in {"python", "python3", name, Path(sys.executable).name}:
            self.link(prefix / "bin" / alias, binary)
        self._folder(prefix / "lib" / name / "site-packages", 0o755)

    def _text(self, name: str, text: str) -> None:
        facts = self._facts(Path(name))
        assert facts is not None
        facts.size = len(text)
        facts.mode = 0o644
        self._tar.addfile(facts, io.BytesIO(text.encode()))

    def _folder(self, path: Path, mode: int) -> None:
        facts = self._facts(path)
        if facts is not None:
            facts.type = tarfile.DIRTYPE
            facts.mode = mode
            self._tar.addfile(facts)

    def _facts(self, path: Path) -> tarfile.TarInfo | None:
        """The head of an entry, its folders written before it; None when it is there already."""
        name = os.path.normpath(path).lstrip("/")
        if not name or name in self._held:
            return None
        self._folder(Path("/", name).parent, 0o755)
        self._held.add(name)
        return tarfile.TarInfo(name)


def _applets() -> list[str]:
    told = subprocess.run(
        [program("busybox"), "--list"], capture_output=True, text=True, check=True
    )
    # Debian's static busybox is ended by a fault in its wget, whatever the address.
    return [name for name in told.stdout.split() if name not in ("busybox", "wget")]


def _library(base: Path) -> Iterator[Path]:
    """The files of the standard library, compiled ones without those of other settings."""
    for folder, below, names in os.walk(base):
        below[:] = sorted(
            name for name in below if name not in _SKIPPED and not name.startswith("config-")
        )
        for name in sorted(names):
            if not re.search(r"\.opt-\d\.pyc$|\.a$|\.exe$", name):
                yield Path(folder, name)


def _linked(binaries: set[Path]) -> set[Path]:
    """The shared libraries that any of these needs, and the loader, by the names they ask for."""
    told = subprocess.run(
        [program("ldd"), *sorted(binaries)], capture_output=True, text=True, check=False
    )
    found = {Path(each) for each in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", told.stdout, re.M)}
    # Asked for by name when a thread is ended; no binary lists it.
    for library in list(found):
        if library.name == "libc.so.6" and (library.parent / "libgcc_s.so.1").exists():
            found.add(library.parent / "libgcc_s.so.1")
    return found
