"""`podium schema` and `podium version`: what this is, and what a spec may hold."""

from __future__ import annotations

import json

from podium.cli import options, terminal
from podium.cli.connection import connect
from podium.domain.errors import PodiumError


def schema(json_output: options.Json = False) -> None:
    """Print the JSON Schema of workload specs, for editors.

    Examples:
      podium schema > podium.schema.json
    """
    del json_output  # it is JSON in any case
    # The one that this version reads: the same that its server answers, and no server needed.
    from podium.spec.workload import json_schema

    terminal.write(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def version(json_output: options.Json = False) -> None:
    """Print the versions of this command and of the server, if one answers.

    Examples:
      podium version
    """
    import podium

    server: dict[str, object] | None = None
    with connect() as client:
        address = client.server.address
        try:
            server = client.server.about().model_dump(mode="json")
        except PodiumError:
            server = None
    if json_output:
        terminal.document({"client": podium.__version__, "address": address, "server": server})
        return
    terminal.write(f"podium {podium.__version__}")
    if server is not None:
        words = " · virtual GPUs" if server["virtual_gpus"] else ""
        terminal.write(f"server {server['version']} at {address} ({server['store']}{words})")
        terminal.write(f"isolation {server['isolation']}: {server['isolation_words']}")
