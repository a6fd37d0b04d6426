"""A team, a project and an access token on a fresh server, for a benchmark to work in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import podium
from benchmarks.server import OwnServer, own_server
from podium.domain.lifecycle import WORKLOAD_ENDS, WorkloadState
from podium.domain.rights import DEVELOPER

PROJECT = "bench"
PENDING = tuple(state for state in WorkloadState if state not in WORKLOAD_ENDS)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A member of the project, signed in; `token` is for connections of the benchmark's own."""

    server: OwnServer
    client: podium.Client
    token: str


@contextmanager
def own_tenant() -> Iterator[Tenant]:
    """A server of one's own with a project in it, for the length of a `with`."""
    with own_server() as server:
        with server.administrator() as administrator:
            created = administrator.users.create("bench")
            administrator.projects.create(PROJECT, team="bench")
            administrator.projects.set_member(PROJECT, "bench", DEVELOPER)
        one_time = created.one_time_password or ""
        chosen = f"chosen-{server.port}"
        with server.sign_in("bench", one_time) as first:
            first.auth.set_password(one_time, chosen)
        with server.sign_in("bench", chosen) as client:
            token = client.tokens.create("bench").token
            yield Tenant(server, client, token)


def waiting_spec(name: str) -> dict[str, object]:
    """Work that is accepted and then waits for ever: no node has such a GPU."""
    return {
        "name": name,
        "project": PROJECT,
        "kind": "batch",
        "command": ["true"],
        "resources": {"gpus": 1, "gpu_type": "NONESUCH", "cpus": 1, "memory": "1GiB"},
    }


def short_spec(name: str, *command: str) -> dict[str, object]:
    """Work that asks for little and is soon done."""
    return {
        "name": name,
        "project": PROJECT,
        "kind": "batch",
        "command": list(command),
        "resources": {"cpus": 0.05, "memory": "32MiB"},
    }
