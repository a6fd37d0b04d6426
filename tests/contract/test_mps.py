"""MPS is seen where its daemon lives, and bounds every share of a GPU there."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.harness import Harness
from podium.domain.resources import MPS_LABEL, Isolation
from podium.engines.contract import DeviceGrant
from podium.engines.local.mps import PIPES_VARIABLE, pipe_directory

pytestmark = pytest.mark.anyio

_GONE = 2**22 + 1  # above every process id
SHARE = DeviceGrant(0, "GPU-a", 250, 20 << 30, mig=False, virtual=False)


@pytest.fixture
def pipes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mps-") as name:  # a socket's path must be short
        monkeypatch.setenv(PIPES_VARIABLE, name)
        yield Path(name)


@pytest.fixture
def daemon(pipes: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(pipes / "control"))
        listening.listen()
        yield listening


def test_a_daemon_is_known_by_its_process_or_its_answer(pipes: Path, daemon: socket.socket) -> None:
    assert pipe_directory() == str(pipes)
    (pipes / "nvidia-cuda-mps-control.pid").write_text(f"{os.getpid()}\n")
    daemon.close()
    assert pipe_directory() == str(pipes)
    (pipes / "nvidia-cuda-mps-control.pid").write_text(str(_GONE))
    assert pipe_directory() is None
    (pipes / "nvidia-cuda-mps-control.pid").unlink()
    assert pipe_directory() is None, "nobody listens at the socket any more"


def test_a_file_of_that_name_is_no_daemon(pipes: Path) -> None:
    assert pipe_directory() is None
    (pipes / "control").touch()
    assert pipe_directory() is None


async def test_shares_are_bounded_where_it_lives(
    local: Harness, pipes: Path, daemon: socket.socket
) -> None:
    (node,) = await local.engine.inventory()
    assert MPS_LABEL in node.labels
    for isolation in (Isolation.MPS, Isolation.NONE):
        end = await local.finish("env", devices=(SHARE,), isolation=isolation)
        env = dict(line.split("=", 1) for line in await local.texts(end.allocation_id))
        assert env[PIPES_VARIABLE] == str(pipes)
        assert env["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] == "25"
        assert env["CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"] == "0=20480M"
    end = await local.finish("env")
    assert not any("MPS" in line for line in await local.texts(end.allocation_id))
    daemon.close()
    (node,) = await local.engine.inventory()
    assert MPS_LABEL not in node.labels
