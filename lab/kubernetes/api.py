"""The lab's own way to its API server: a few requests with a person's token.

control_plane.py, node.py and hollow.py ask with it; tests have `Cluster.kubectl` or a client.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx

from lab.kubernetes.packages import LabError

_SECONDS_MAX = 10.0


class Api:
    """Requests to `address` as whom `token` names; `authority` is its certificate's file."""

    def __init__(self, address: str, authority: Path, token: str) -> None:
        self.address = address
        self.authority = authority
        self.token = token

    def get(self, path: str) -> Any:
        """The answer's document. Raises LabError when it is refused or nobody answers."""
        return self._ask("GET", path).json()

    def post(self, path: str, document: object) -> Any:
        return self._ask("POST", path, document).json()

    def patch(self, path: str, changes: object) -> Any:
        """A merge patch, or a JSON patch when `changes` is a list."""
        kind = "json-patch" if isinstance(changes, list) else "merge-patch"
        return self._ask("PATCH", path, changes, f"application/{kind}+json").json()

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def ready(self) -> bool:
        try:
            return self._ask("GET", "/readyz").status_code == httpx.codes.OK
        except LabError:
            return False

    def _ask(
        self, method: str, path: str, document: object = None, kind: str = "application/json"
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        try:
            with self.client() as client:
                answer = client.request(method, path, json=document, headers=headers)
        except (httpx.HTTPError, OSError) as error:
            raise LabError(f"{method} {path}: the API server did not answer: {error}") from None
        if answer.is_error:
            raise LabError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer

    def client(self) -> httpx.Client:
        """A connection of one's own; the caller closes it and sends the token."""
        # The file is there only after the server's first start.
        if not self.authority.exists():
            raise LabError("the API server has not made its certificate yet")
        trusted = ssl.create_default_context(cafile=str(self.authority))
        return httpx.Client(
            base_url=self.address, verify=trusted, timeout=_SECONDS_MAX, trust_env=False
        )
