"""Fixtures of the journeys: real servers, each with its own home; their logs kept on failure."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

import podium
from journeys import cluster
from journeys.browser import ARGUMENTS, PATIENCE_MS, Open, Window, window_open
from journeys.serving import ENDS, Server
from podium.client.filters import Filter
from requirement import require

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


@pytest.fixture(scope="session")
def console() -> None:
    """Tests that need it are passed over where the console was not built."""
    index = Path(podium.__file__).parent / "webroot" / "index.html"
    require("the built console (make install)", index.is_file())


# Not longer than a module: while Playwright is there, no other event loop can run.
@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, headless=True, args=list(ARGUMENTS)
        )
        yield opened
        opened.close()


@pytest.fixture
def window(browser: Browser, console: None) -> Iterator[Open]:
    """Opens windows that complain of nothing: `with window(size, scheme=...) as opened`."""
    opened: list[Window] = []
    expect.set_options(timeout=PATIENCE_MS)
    yield partial(window_open, browser, opened)
    complaints = [each for one in opened for each in one.complaints]
    assert complaints == [], "\n".join(complaints)


@pytest.fixture(scope="session")
def busy_cluster(make_server: Callable[..., Server]) -> Iterator[Server]:
    """A server over three racks of machines in the middle of a working day, with a machine of its
    own beside them."""
    server = make_server(
        "cluster", start=False, options=("--virtual-gpus", "4", "--node-name", "dev-01")
    )
    cluster.cluster_fill(server.home)
    with cluster.cluster_reported(server.home):
        server.start()
        for gpu_type, price in (("H100", "2.40"), ("A100", "1.35"), ("L40S", "0.80")):
            server.client_kept.prices.set(gpu_type, price)
        yield server
        # What "runs" on the machines of the cluster would never be seen to end.
        for each in list(server.client().workloads.list(Filter(project="default"))):
            if each.state not in ENDS:
                server.client_kept.workloads.cancel(each.id)
                server.ended(each.id)
        server.stop()


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
