"""`podium run`: one command on the cluster, as if it ran here."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Annotated, Any

import typer

from podium.cli import completion, following, options, specs, terminal
from podium.cli.connection import connect
from podium.cli.dry_run import dry_run as dry_run_told
from podium.domain.errors import FieldFault, UserError
from podium.domain.identity import name_suggestion

_INTERPRETERS = ("python", "python3", "bash", "sh", "torchrun", "node", "perl", "Rscript", "uv")
_NAME_LENGTH = 40


def run(
    command: Annotated[
        list[str],
        typer.Argument(metavar="-- COMMAND", help="What to run, after --.", show_default=False),
    ],
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Default: from the command.")
    ] = None,
    project: options.Project = None,
    gpus: Annotated[
        str | None, typer.Option("--gpus", "-g", help="GPUs for each replica: 1, 0.5, 8.")
    ] = None,
    gpu_type: Annotated[
        list[str] | None, typer.Option("--gpu-type", help="H100, A100, …; repeat to allow several.")
    ] = None,
    gpu_memory: Annotated[
        str | None, typer.Option("--gpu-memory", help="Of each GPU: 20GiB, or 24GB.. for at least.")
    ] = None,
    mig: Annotated[
        str | None, typer.Option("--mig", help="A MIG instance of this profile: 3g.40gb.")
    ] = None,
    isolation: Annotated[
        str | None,
        typer.Option(
            "--isolation",
            help="What a share of a GPU must have: none, mps or mig.",
            autocompletion=completion.isolations,
        ),
    ] = None,
    cpus: Annotated[str | None, typer.Option("--cpus", help="CPUs for each replica.")] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", help="Memory for each replica: 16GiB.")
    ] = None,
    replicas: Annotated[
        int | None, typer.Option("--replicas", "-r", help="Processes that start together.")
    ] = None,
    array: Annotated[
        int | None, typer.Option("--array", help="Tasks that start one by one, as there is room.")
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option("--env", "-e", metavar="KEY=VALUE", help="A variable; repeat for more."),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="NAME[=VAR]",
            help="A secret of the project, as a variable; repeat for more.",
        ),
    ] = None,
    secret_file: Annotated[
        list[str] | None,
        typer.Option(
            "--secret-file",
            metavar="NAME[=VAR]",
            help="A secret as a file, whose path is in a variable, NAME_FILE if none is named.",
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", "-s", metavar="FOLDER", help="Code to bring along.")
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", autocompletion=completion.kinds, help="The kind of work.")
    ] = "batch",
    image: Annotated[
        str | None, typer.Option("--image", help="Container image, where containers run.")
    ] = None,
    max_runtime: Annotated[
        str | None, typer.Option("--max-runtime", help="Stop it after: 30m, 2h, 1d.")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Do not follow; print its id.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Submit nothing; say where and when it would start."),
    ] = False,
    json_output: options.Json = False,
) -> int:
    """Run one command on the cluster and show its output.

    The exit code is 0 when it succeeded and 1 when it did not. Ctrl-C leaves it running and
    says how to cancel it.

    Examples:
      podium run -- nvidia-smi
      podium run --gpus 2 --source . -- python train.py --epochs 3
      podium run --gpus 0.25 --isolation mig -- python infer.py
      podium run --array 20 --cpus 1 -d -- ./task.sh
    """
    resources = {
        "gpus": gpus,
        "gpu_type": gpu_type or None,
        "gpu_memory": gpu_memory,
        "mig": mig,
        "isolation": isolation,
        "cpus": cpus,
        "memory": memory,
    }
    spec: dict[str, Any] = {
        "name": name or name_for(command),
        "project": project,
        "kind": kind,
        "command": command,
        "image": image,
        "resources": {key: value for key, value in resources.items() if value is not None} or None,
        "replicas": replicas,
        "array": array,
        "max_runtime": max_runtime,
        "env": variables(env or []) or None,
        "secrets": [*map(_secret, secret or []), *map(_secret_file, secret_file or [])] or None,
        "source": {"path": source} if source is not None else None,
    }
    spec = {key: value for key, value in spec.items() if value is not None}
    with connect(project) as client:
        spec.setdefault("project", client.projects.resolve())
        if dry_run:
            return dry_run_told(client, [spec], defaults=False, as_json=json_output)
        draft = specs.Draft(spec, Path.cwd())
        specs.send_folders(client, [draft])
        made = client.workloads.submit(draft.spec)
        if detach:
            if json_output:
                terminal.document(made)
            else:
                terminal.write(made.id)
                terminal.say(f"Follow it with `podium logs -f {made.id}`.")
            return 0
        terminal.say(f"{made.id}  {made.name} in {made.project}")
        if json_output:
            terminal.line(made)
        return following.follow(client, made.id, as_json=json_output)


def variables(settings: list[str]) -> dict[str, str]:
    """`["KEY=VALUE"]` → a map. Raises UserError."""
    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise UserError(
                FieldFault("--env", f"'{setting}' is no variable.", "Write it like KEY=VALUE.")
            )
        found[key] = value
    return found


def _secret(wish: str) -> dict[str, str] | str:
    name, equals, variable = wish.partition("=")
    return {"name": name, "env": variable} if equals else name


def _secret_file(wish: str) -> dict[str, str]:
    name, equals, variable = wish.partition("=")
    return {"name": name, "as": "file", **({"env": variable} if equals else {})}


def name_for(command: list[str]) -> str:
    """`["python", "src/train.py"]` → `"train"`: what is run, as a legal name."""
    words = list(command)
    while len(words) > 1 and PurePath(words[0]).name in _INTERPRETERS:
        scripts = [word for word in words[1:] if not word.startswith("-")]
        if not scripts or words[1] in ("-c", "-e"):
            break
        words = scripts
    first = PurePath(words[0]).name
    stem = PurePath(first).stem if "." in first.lstrip(".") else first
    return name_suggestion(stem[:_NAME_LENGTH])
