"""Kubeconfigs for tests, with certificates that are real."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import Any

import yaml

from loopback_tls import authority

with tempfile.TemporaryDirectory() as _folder:
    CA = authority(Path(_folder)).ca
    _PEM = Path(_folder, "server.pem").read_text()
_MARK = "-----BEGIN PRIVATE KEY-----"
CERTIFICATE = _PEM.partition(_MARK)[0]
KEY = _MARK + _PEM.partition(_MARK)[2]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def document(
    *,
    server: str = "https://10.1.2.3:6443",
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    context: str = "prod",
) -> dict[str, Any]:
    """Two contexts, of which `context` is the current one."""
    authority = {"certificate-authority-data": encoded(CA)}
    inner = authority if cluster is None else cluster
    account = {"token": "sesame-token"} if user is None else user
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [
            {"name": "prod", "context": {"cluster": "big", "user": "podium"}},
            {"name": "other", "context": {"cluster": "small", "user": "other"}},
        ],
        "clusters": [
            {"name": "big", "cluster": {"server": server, **inner}},
            {"name": "small", "cluster": {"server": "https://10.9.9.9:6443"}},
        ],
        "users": [
            {"name": "podium", "user": account},
            {"name": "other", "user": {"token": "others-token"}},
        ],
    }


def text(**changes: Any) -> str:
    return yaml.safe_dump(document(**changes))
