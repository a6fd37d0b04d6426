"""Fixtures of the journeys: real servers, each with its own home; their logs kept on failure."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from journeys.serving import Server

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "journeys"
_LIVE: list[Server] = []


@pytest.fixture(scope="session", autouse=True)
def own_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Sign-ins of the person who runs the tests are neither used nor changed."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PODIUM_SERVER", "PODIUM_TOKEN", "PODIUM_PROJECT"):
            patch.delenv(name, raising=False)
        patch.setenv("PODIUM_CONFIG", str(tmp_path_factory.mktemp("client") / "config.json"))
        yield


@pytest.fixture(scope="session")
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Makes servers that are stopped, each by its own process id, when the tests are over."""
    made: list[Server] = []

    def make(name: str, *, start: bool = True, **how: object) -> Server:
        server = Server(tmp_path_factory.mktemp(name) / "home", **how)  # type: ignore[arg-type]
        made.append(server)
        _LIVE.append(server)
        return server.start() if start else server

    yield make
    for server in made:
        if server.process is not None and server.process.poll() is None:
            server.end_work()
        server.stop()
        _LIVE.remove(server)


@pytest.fixture(scope="session")
def server(make_server: Callable[..., Server]) -> Server:
    """One for everything that leaves it as it was. It has four virtual GPUs."""
    return make_server("shared", options=("--virtual-gpus", "4"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[pytest.TestReport]:
    report: pytest.TestReport = yield  # type: ignore[misc, assignment]
    if report.failed and "journeys" in str(item.path):
        folder = ARTIFACTS / item.name.replace("/", "_")
        for each in _LIVE:
            report.sections.append((f"log of {each.home.parent.name}", each.log_tail()))
            if each.log.exists():
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(each.log, folder / f"{each.home.parent.name}.log")
    return report  # type: ignore[return-value]
