"""An image of Podium's server, made of what is installed here: it stands in for what
`deploy/container/Dockerfile` makes where there is no container engine.

The same layout as far as the chart can see: user 10001, `podium` as the entry point, home in
/var/lib/podium, nothing else written to. Tests run it in a cluster.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

from lab.kubernetes.images import Layer
from lab.kubernetes.packages import LabError

SERVER = "localhost/podium:lab"
USER = 10001
HOME = Path("/var/lib/podium")

_ROOT = Path(__file__).parents[2]
_LOCK = _ROOT / "locks" / "podium.txt"
_SECONDS_MAX = 300.0


def make_server(folder: Path) -> Path:
    """Writes its archive into `folder`. Raises LabError where the console is not built."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "podium.tar"
    with tempfile.TemporaryDirectory(dir=folder) as work:
        wheel = _wheel(Path(work))
        layer = Layer(folder / "podium.layer")
        layer.python()
        packages = Path(sysconfig.get_path("purelib"))
        needed = _needed()
        for path in needed:
            layer.file(path)
        layer.libraries({path for path in needed if ".so" in path.suffixes})
        with zipfile.ZipFile(wheel) as built:
            if not any(name.startswith("podium/webroot/assets/") for name in built.namelist()):
                raise LabError("the console is not built: run make install")
            built.extractall(Path(work, "podium"))
        for path in sorted(Path(work, "podium").rglob("*")):
            if path.is_file():
                layer.file(path, packages / path.relative_to(Path(work, "podium")))
        layer.archive(
            archive,
            SERVER,
            ["up"],
            Entrypoint=[sys.executable, "-m", "podium.main"],
            User=f"{USER}:{USER}",
            WorkingDir=str(HOME),
            Env=[
                "PATH=/usr/local/bin:/usr/bin:/bin",
                f"PODIUM_HOME={HOME}",
                "PODIUM_HOST=0.0.0.0",
                "PODIUM_LOCAL=false",
                "PYTHONDONTWRITEBYTECODE=1",
            ],
        )
    return archive


def _wheel(place: Path) -> Path:
    """Podium as it is released."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*command, "--no-build-isolation", "--wheel-dir", place, _ROOT],
        capture_output=True,
        text=True,
        timeout=_SECONDS_MAX,
        check=False,
    )
    if done.returncode:
        raise LabError(f"Podium's wheel was not built: {done.stderr.strip()}")
    return next(place.glob("podium-*.whl"))


def _needed() -> list[Path]:
    """The files of the packages that Podium's lock names."""
    found = []
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", _LOCK.read_text(), re.M):
        try:
            packed = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another system than this one
        for entry in packed.files or ():
            path = Path(str(packed.locate_file(entry)))
            inside = path.is_relative_to(sys.prefix) and ".." not in path.parts
            if inside and path.is_file():
                found.append(path)
    return found
