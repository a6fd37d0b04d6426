"""A Kubernetes cluster for the tests here: the lab's own, or another that is named.

`PODIUM_TEST_KUBECONFIG` names another, whose nodes are left alone: tests that break them are
skipped there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kubernetes.harness import KubernetesHarness, kubernetes_harness
from lab.kubernetes import binaries
from lab.kubernetes.cluster import Cluster
from lab.kubernetes.packages import TO_RUN, missing
from requirement import require

OTHER = "PODIUM_TEST_KUBECONFIG"
FIRST_NODE = os.environ.get("PODIUM_TEST_NODE", "node-a")


@pytest.fixture(scope="session")
def laboratory() -> None:
    """What a cluster of the lab needs of the machine."""
    require("root, to make networks and control groups", os.geteuid() == 0)
    packages = missing(TO_RUN)
    require(f"Debian's packages {', '.join(packages)}", not packages)
    require("Kubernetes' programs, which make test-kubernetes builds", binaries.built())


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory, laboratory: None) -> Iterator[Cluster]:
    """Two real nodes, which a test may break and must mend."""
    if os.environ.get(OTHER):
        pytest.skip(f"breaks nodes, and {OTHER} names a cluster that is not the lab's")
    with Cluster(tmp_path_factory.mktemp("cluster"), nodes=2, virtual_gpus=8) as started:
        yield started


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """An administrator's, of whichever cluster these tests run on."""
    other = os.environ.get(OTHER)
    if other:
        return Path(other)
    started: Cluster = request.getfixturevalue("cluster")
    return started.kubeconfig


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Where pods see it, too: they are no user of this machine, and nodes have a /run of their
    own."""
    shared = Path(tempfile.mkdtemp(prefix="podium-test-", dir="/var/tmp"))
    shared.chmod(0o777)
    yield shared
    shutil.rmtree(shared)


@pytest.fixture
async def harness(
    kubeconfig: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[KubernetesHarness]:
    """A Podium of its own on the cluster's first node."""
    home = tmp_path_factory.mktemp("podium")
    made = kubernetes_harness(home, tmp_path, kubeconfig.read_text(), FIRST_NODE)
    await made.open()
    yield made
    await made.close()
