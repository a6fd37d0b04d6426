"""Reads spec files, applies `--set`, and sends the folders that they name. Used by `submit`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from podium.domain.errors import FieldFault, TooLargeError, UserError

if TYPE_CHECKING:
    from podium.client.client import Client

FILE_BYTES_MAX = 64 * 2**20
_NUMBERED = re.compile(r"workloads\.(\d+)(?:\.(.*))?")


@dataclass(slots=True)
class Draft:
    """A spec on its way to the server; `folder` is what its relative paths start from, `label`
    says where it was read."""

    spec: dict[str, Any]
    folder: Path
    label: str = ""


def read_drafts(files: Sequence[str]) -> list[Draft]:
    """All documents of all files, in order; `-` is standard input. Raises UserError."""
    from podium.spec.workload import load_documents

    drafts: list[Draft] = []
    for name in files:
        body = _read(name)
        kind = "application/json" if name.endswith(".json") else "application/yaml"
        try:
            documents = load_documents(body, content_type=kind)
        except UserError as error:
            raise _of_file(error, name) from error
        folder = Path.cwd() if name == "-" else Path(name).parent
        for number, document in enumerate(documents, start=1):
            label = f"{name} #{number}" if len(documents) > 1 else name
            drafts.append(Draft(dict(document), folder, label))
    return drafts


def by_label(error: UserError, drafts: Sequence[Draft]) -> UserError:
    """A bulk submission's faults, with `workloads.3` turned into the file it came from."""
    faults = []
    for fault in error.faults:
        match = _NUMBERED.fullmatch(fault.field)
        if match is not None and int(match[1]) < len(drafts):
            label = drafts[int(match[1])].label
            field = f"{label}: {match[2]}" if match[2] else label
            faults.append(replace(fault, field=field))
        else:
            faults.append(fault)
    return UserError(*faults, message=error.message)


def apply_settings(spec: dict[str, Any], settings: Sequence[str]) -> None:
    """`resources.gpus=2` sets that field of `spec`, and `groups.0.replicas=2` one of an entry of a
    list; the value is read as YAML, and null drops the field. Raises UserError."""
    for setting in settings:
        path, equals, text = setting.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            raise UserError(
                FieldFault(
                    "--set", f"'{setting}' is no setting.", "Write it like resources.gpus=2."
                )
            )
        part: Any = spec
        for at, key in enumerate(keys[:-1], start=1):
            inner = _inside(part, key)
            if not isinstance(inner, dict | list):
                here = "is one value" if inner is not None else "is not there"
                raise UserError(
                    FieldFault(
                        "--set",
                        f"'{'.'.join(keys[:at])}' {here}, so '{path}' has no place in it.",
                    )
                )
            # A copy, because YAML anchors may make two documents share one map.
            copy = inner.copy()
            part[int(key) if isinstance(part, list) else key] = copy
            part = copy
        if isinstance(part, list):
            raise UserError(
                FieldFault("--set", f"'{path}' is an entry of a list; name a field of it.")
            )
        value = _value(text)
        if value is None:
            part.pop(keys[-1], None)
        else:
            part[keys[-1]] = value


def _inside(part: dict[str, Any] | list[Any], key: str) -> Any:
    """What stands under the key; of a list, the entry of that number, None where there is none."""
    if isinstance(part, dict):
        return part.setdefault(key, {})
    return part[int(key)] if key.isdecimal() and int(key) < len(part) else None


def send_folders(client: Client, drafts: Sequence[Draft]) -> None:
    """Uploads each local folder once for a project, and names the upload in the specs."""
    from podium.cli.terminal import progress

    sent: dict[tuple[Path, str], str] = {}
    for draft in drafts:
        source = draft.spec.get("source")
        if not isinstance(source, dict) or not isinstance(source.get("path"), str):
            continue
        named = Path(source["path"]).expanduser()
        folder = (draft.folder / named).resolve()
        project = client.projects.resolve(draft.spec.get("project"))
        if (folder, project) not in sent:
            with progress(f"Packing {named}", in_bytes=True) as step:
                answer = client.uploads.upload_folder(
                    folder,
                    project,
                    packing=partial(step, words=f"Packing {named}"),
                    sending=partial(step, words=f"Sending {named}"),
                )
            sent[folder, project] = answer.sha256
        rest = {key: value for key, value in source.items() if key != "path"}
        draft.spec["source"] = {**rest, "upload": sent[folder, project]}


def _read(name: str) -> bytes:
    try:
        if name == "-":
            body = sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
        else:
            with Path(name).open("rb") as file:
                body = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise UserError(
            FieldFault(name, f"cannot be read: {error.strerror}.", "Check the file's name.")
        ) from error
    if len(body) > FILE_BYTES_MAX:
        raise TooLargeError(f"{name} is larger than 64 MiB; split it into several files.")
    return body


def _of_file(error: UserError, name: str) -> UserError:
    faults = (
        FieldFault(f"{name}: {fault.field}" if fault.field else name, fault.message, fault.remedy)
        for fault in error.faults
    )
    return UserError(*faults, message=error.message)


def _value(text: str) -> Any:
    """As YAML reads it in a spec; what is no YAML is text."""
    from podium.spec.workload import load_documents

    try:
        return load_documents(f"value: {text}".encode())[0]["value"]
    except UserError:
        return text
