"""The `podium` command: Typer commands over the client, one module a noun or a task."""
