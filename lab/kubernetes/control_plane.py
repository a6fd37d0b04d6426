"""etcd, the API server, the controllers and the scheduler of one lab, and who may sign in.

cluster.py starts it before the nodes and stops it after them.
"""

from __future__ import annotations

import base64
import csv
import secrets
from collections.abc import Sequence
from pathlib import Path

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lab.kubernetes.api import Api
from lab.kubernetes.daemon import Daemon
from lab.kubernetes.ground import API_PORT, SERVICES, Ground
from lab.kubernetes.packages import program

ADMIN = "admin"
PODIUM = "podium"  # may do nothing but what a test's RBAC rules grant it
HOLLOW = "hollow"
_MASTERS = "system:masters"
_CONTROLLERS = "system:kube-controller-manager"
_SCHEDULER = "system:kube-scheduler"
_ETCD_PORT = 2379
_ETCD_PEER_PORT = 2380


class ControlPlane:
    """The four programs, with their files in `folder`.

    A node that is not heard of for `grace_seconds` is NotReady."""

    def __init__(
        self, folder: Path, ground: Ground, programs: Path, *, grace_seconds: float
    ) -> None:
        self.folder = folder
        self.address = f"https://{ground.gateway}:{API_PORT}"
        self._ground = ground
        self._programs = programs
        self._grace_seconds = grace_seconds
        self.etcd = self._etcd()
        self.api_server = self._api_server()
        self.controller_manager = self._controller_manager()
        self.scheduler = self._scheduler()

    @property
    def api(self) -> Api:
        return Api(self.address, self._authority, self._tokens()[ADMIN])

    def prepare(self, nodes: Sequence[str]) -> None:
        """Makes the signing key and the tokens, one of them for each node."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write("service-accounts.key", _private_key())
        groups = {ADMIN: _MASTERS, PODIUM: "", HOLLOW: _MASTERS}
        groups |= {_CONTROLLERS: _MASTERS, _SCHEDULER: ""}
        groups |= {f"system:node:{name}": "system:nodes" for name in nodes}
        lines = [
            f"{secrets.token_urlsafe(24)},{user},{user}{',' if group else ''}{group}\n"
            for user, group in groups.items()
        ]
        self._write("tokens.csv", "".join(lines).encode())

    def start(self) -> None:
        self.etcd.start()
        self.api_server.start()
        for user in (_CONTROLLERS, _SCHEDULER):
            self.kubeconfig(user)
        self.controller_manager.start()
        self.scheduler.start()

    def stop(self) -> None:
        for part in (self.scheduler, self.controller_manager, self.api_server, self.etcd):
            part.kill()  # nothing of it is kept

    def kubeconfig(self, user: str, path: Path | None = None) -> Path:
        """Writes the configuration with which `user` signs in; only its owner may read it."""
        path = path or self.folder / f"{user.replace(':', '-')}.kubeconfig"
        authority = base64.b64encode(self._authority.read_bytes()).decode()
        cluster = {"server": self.address, "certificate-authority-data": authority}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "lab", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": self._tokens()[user]}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": user}}],
            "current-context": "lab",
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        return path

    @property
    def _authority(self) -> Path:
        """The API server signs for itself, and leaves the authority beside its certificate."""
        return self.folder / "certificates" / "apiserver.crt"

    def _tokens(self) -> dict[str, str]:
        with (self.folder / "tokens.csv").open(newline="") as file:
            return {row[1]: row[0] for row in csv.reader(file)}

    def _write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)

    def _etcd(self) -> Daemon:
        client = f"http://{self._ground.loopback}:{_ETCD_PORT}"
        peer = f"http://{self._ground.loopback}:{_ETCD_PEER_PORT}"
        command = [
            program("etcd"),
            "--name=lab",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=lab={peer}",
            "--logger=zap",
            "--log-level=warn",
        ]
        return Daemon("etcd", self.folder, command, ready=lambda: _healthy(client))

    def _api_server(self) -> Daemon:
        key = self.folder / "service-accounts.key"
        command: list[str | Path] = [
            self._programs / "kube-apiserver",
            f"--etcd-servers=http://{self._ground.loopback}:{_ETCD_PORT}",
            f"--bind-address={self._ground.gateway}",
            f"--advertise-address={self._ground.gateway}",
            f"--secure-port={API_PORT}",
            f"--cert-dir={self._authority.parent}",
            f"--service-cluster-ip-range={SERVICES}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--kubelet-preferred-address-types=InternalIP",
        ]
        return Daemon("kube-apiserver", self.folder, command, ready=self._answers)

    def _answers(self) -> bool:
        return self._authority.exists() and self.api.ready()

    def _controller_manager(self) -> Daemon:
        command: list[str | Path] = [
            self._programs / "kube-controller-manager",
            f"--kubeconfig={self.folder / _CONTROLLERS.replace(':', '-')}.kubeconfig",
            f"--service-account-private-key-file={self.folder / 'service-accounts.key'}",
            f"--root-ca-file={self._authority}",
            "--allocate-node-cidrs=false",  # each node's network has its range from the start
            "--leader-elect=false",
            "--node-monitor-period=1s",
            f"--node-monitor-grace-period={self._grace_seconds:g}s",
            "--pod-eviction-timeout=5s",
            "--kube-api-qps=1000",
            "--kube-api-burst=1000",
            "--port=0",
            "--secure-port=0",
        ]
        return Daemon("kube-controller-manager", self.folder, command)

    def _scheduler(self) -> Daemon:
        command: list[str | Path] = [
            self._programs / "kube-scheduler",
            f"--kubeconfig={self.folder / _SCHEDULER.replace(':', '-')}.kubeconfig",
            "--leader-elect=false",
            "--kube-api-qps=1000",
            "--kube-api-burst=1000",
            "--port=0",
            "--secure-port=0",
        ]
        return Daemon("kube-scheduler", self.folder, command)


def _healthy(address: str) -> bool:
    try:
        answer = httpx.get(f"{address}/health", timeout=2, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.is_success


def _private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
