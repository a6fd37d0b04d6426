"""Pretended nodes: node objects that one program keeps alive through the real API, and whose pods
it calls running although nothing runs.

cluster.py starts it as a program of its own. They cost next to nothing, and show how scheduling and
bookkeeping bear many nodes; for how kubelets behave there are hollow.py and node.py.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

import lab
from lab.kubernetes.daemon import Daemon

# A pod with this annotation ends well after so many seconds; others run until they are deleted.
SECONDS = "podium-lab/seconds"
# Far below the 40 s after which a silent node is missed.
_BEAT_SECONDS = 10.0
_AT_ONCE = 16
_WATCH_SECONDS = 300
_AGAIN_SECONDS = 1.0
_PODS = "/api/v1/pods"
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_RESOURCES = {"cpu": "96", "memory": "1Ti", "pods": "110", "ephemeral-storage": "1Ti"}

_MERGE = {"Content-Type": "application/strategic-merge-patch+json"}


class PretendedNodes:
    """The program that keeps the nodes of `names`, with its log and process id in `folder`."""

    def __init__(self, names: Iterable[str], folder: Path) -> None:
        self.names = tuple(names)
        self._folder = folder

    def start(self, address: str, authority: Path, token: str) -> None:
        """Returns at once; the nodes are ready some seconds later."""
        self._folder.mkdir(parents=True, exist_ok=True)
        order = self._folder / "order.json"
        order.touch(mode=0o600)
        order.write_text(
            json.dumps(
                {
                    "address": address,
                    "authority": str(authority),
                    "token": token,
                    "names": self.names,
                }
            )
        )
        self._daemon([sys.executable, "-m", __name__, str(order)]).start()

    def stop(self) -> None:
        self._daemon(()).kill()

    def _daemon(self, command: Iterable[str]) -> Daemon:
        above = str(Path(lab.__path__[0]).parent)
        return Daemon("pretended", self._folder, tuple(command), environment={"PYTHONPATH": above})


class Keeper:
    """Keeps the nodes of `names` ready, and their pods as if a kubelet had started them."""

    def __init__(self, client: httpx.AsyncClient, names: Iterable[str]) -> None:
        self._client = client
        self._names = frozenset(names)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._begun: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await asyncio.gather(*(self._register(name) for name in sorted(self._names)))
        await asyncio.gather(self._beat(), self._follow())

    async def _register(self, name: str) -> None:
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
        }
        metadata = {"name": name, "labels": labels}
        await self._send("POST", "/api/v1/nodes", {"metadata": metadata})
        now = stamp()
        words = {"lastHeartbeatTime": now, "lastTransitionTime": now, "reason": "Pretended"}
        pressures = ("MemoryPressure", "DiskPressure", "PIDPressure")
        conditions = [
            {"type": "Ready", "status": "True", **words},
            *({"type": pressure, "status": "False", **words} for pressure in pressures),
        ]
        addresses = [{"type": "Hostname", "address": name}]
        status = {
            "capacity": _RESOURCES,
            "allocatable": _RESOURCES,
            "conditions": conditions,
            "addresses": addresses,
        }
        await self._send("PATCH", f"/api/v1/nodes/{name}/status", {"status": status})

    async def _beat(self) -> None:
        while True:
            await asyncio.gather(*(self._renew(name) for name in sorted(self._names)))
            await asyncio.sleep(_BEAT_SECONDS)

    async def _renew(self, name: str) -> None:
        spec = {
            "holderIdentity": name,
            "leaseDurationSeconds": 40,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        answer = await self._send("PATCH", f"{_LEASES}/{name}", {"spec": spec})
        if answer is None or answer.status_code == httpx.codes.NOT_FOUND:
            await self._send("POST", _LEASES, {"metadata": {"name": name}, "spec": spec})

    async def _follow(self) -> None:
        while True:
            try:
                async for pod in self._pods():
                    self._attend(pod)
            except (httpx.HTTPError, json.JSONDecodeError, KeyError):
                pass  # the API server was stopped, or forgot where the watch was
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _pods(self) -> AsyncIterator[dict[str, Any]]:
        """The bound pods of all nodes as they are now, and then each that changes."""
        chosen = {"fieldSelector": "spec.nodeName!="}
        listed = (await self._client.get(_PODS, params=chosen)).json()
        for pod in listed["items"]:
            yield pod
        watching = {
            **chosen,
            "watch": "true",
            "resourceVersion": listed["metadata"]["resourceVersion"],
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        quiet = httpx.Timeout(10, read=_WATCH_SECONDS + 10)
        async with self._client.stream("GET", _PODS, params=watching, timeout=quiet) as answer:
            async for line in answer.aiter_lines():
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                if event["type"] == "DELETED":
                    self._begun.discard(event["object"]["metadata"]["uid"])
                else:
                    yield event["object"]

    def _attend(self, pod: dict[str, Any]) -> None:
        if pod["spec"]["nodeName"] not in self._names:
            return
        uid = pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            self._go(self._forget(pod))
        elif uid not in self._begun and pod["status"].get("phase") == "Pending":
            self._begun.add(uid)
            self._go(self._play(pod))

    def _go(self, deed: Awaitable[None]) -> None:
        async def doing() -> None:
            await deed

        task = asyncio.create_task(doing())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, pod: dict[str, Any]) -> None:
        started = stamp()
        if not await self._tell(pod, "Running", {"running": {"startedAt": started}}, started):
            self._begun.discard(pod["metadata"]["uid"])
            return
        seconds = pod["metadata"].get("annotations", {}).get(SECONDS)
        if seconds is not None:
            await asyncio.sleep(float(seconds))
            ended = {"exitCode": 0, "startedAt": started, "finishedAt": stamp()}
            await self._tell(pod, "Succeeded", {"terminated": ended}, started)

    async def _tell(
        self, pod: dict[str, Any], phase: str, state: dict[str, Any], started: str
    ) -> bool:
        """Whether the API server heard it."""
        runs = phase == "Running"
        containers = [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "containerID": f"pretended://{pod['metadata']['uid']}",
                "ready": runs,
                "started": runs,
                "restartCount": 0,
                "state": state,
            }
            for container in pod["spec"]["containers"]
        ]
        kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
        status = {
            "phase": phase,
            "startTime": started,
            "containerStatuses": containers,
            "conditions": [{"type": kind, "status": "True"} for kind in kinds],
        }
        heard = await self._send("PATCH", f"{path_of(pod)}/status", {"status": status})
        return heard is not None

    async def _forget(self, pod: dict[str, Any]) -> None:
        precise = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        await self._send("DELETE", path_of(pod), precise)

    async def _send(self, method: str, path: str, document: object) -> httpx.Response | None:
        """None when nobody answered; what is lost so is sent again by the next list or beat."""
        headers = _MERGE if method == "PATCH" else {"Content-Type": "application/json"}
        async with self._turns:
            try:
                return await self._client.request(
                    method, path, content=json.dumps(document), headers=headers
                )
            except httpx.HTTPError:
                return None


def path_of(pod: dict[str, Any]) -> str:
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def stamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def keep(order: dict[str, Any]) -> None:
    async with httpx.AsyncClient(
        base_url=order["address"],
        verify=ssl.create_default_context(cafile=order["authority"]),
        headers={"Authorization": f"Bearer {order['token']}"},
        timeout=10,
        trust_env=False,
        limits=httpx.Limits(max_connections=_AT_ONCE + 4),
    ) as client:
        await Keeper(client, order["names"]).run()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.kubernetes.pretended")
    parser.add_argument("order", type=Path, help="what cluster.py wrote")
    asyncio.run(keep(json.loads(parser.parse_args().order.read_text())))


if __name__ == "__main__":
    main()
